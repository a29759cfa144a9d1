"""The program is one file that needs NumPy and the standard library, and in which every name means one thing."""

import ast
import builtins
import dis
import sys

from mlptune.experiments.export.program import defined_twice, program


def test_it_imports_numpy_and_the_standard_library_alone() -> None:
    imported = set()
    for node in ast.walk(ast.parse(program())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"numpy"}


def test_every_name_means_one_thing_and_is_there() -> None:
    text = program()
    assert defined_twice(text) == []
    space: dict[str, object] = {"__name__": "predict", "__file__": "predict.py"}
    exec(compile(text, "predict.py", "exec"), space)
    for value in list(space.values()):
        if getattr(value, "__module__", "") == "predict" and hasattr(value, "__code__"):
            steps = dis.get_instructions(value.__code__)
            used = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
            assert used <= {*space, *dir(builtins)}, value
