"""`predict.py` as one file: `standalone.py` and, before it, the very functions that read cells in a sweep.

Every name that it imports from mlptune is replaced by its definition, with all that one needs in turn; nothing of it is written
twice. What is imported from elsewhere must be NumPy's or the standard library's.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROGRAM = Path(__file__).with_name("standalone.py")
_ALLOWED = {*sys.stdlib_module_names, "numpy"}


class _Module:
    """A source file: the statements at its top that define each name, and where its other names come from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.body = ast.parse("\n".join(self.lines)).body
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.imports: dict[str, tuple[ast.Import | ast.ImportFrom, ast.alias]] = {}
        for statement in self.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.imports |= {alias.asname or alias.name: (statement, alias) for alias in statement.names}
            for name in _defined(statement):
                self.definitions.setdefault(name, []).append(statement)

    def source(self, statement: ast.stmt) -> str:
        """The statement as it is written, with its decorators and the comments just above it."""
        first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))]) - 1
        while first and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : statement.end_lineno])

    def origin(self, name: str) -> "Path | None":
        """The file of mlptune that an imported name comes from; None for one of another package."""
        statement, _ = self.imports[name]
        if not isinstance(statement, ast.ImportFrom) or not statement.level:
            return None
        folder = self.path.parents[statement.level - 1].joinpath(*(statement.module or "").split("."))
        return folder.with_suffix(".py")


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module defines or changes."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        yield from (node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id


def _used(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


class _Taken:
    """What a program takes over of mlptune's modules: definitions, each after all that it uses, and imports of other packages."""

    def __init__(self) -> None:
        self.blocks: dict[ast.stmt, str] = {}
        self.imports: set[str] = set()
        self._modules: dict[Path, _Module] = {}
        self._seen: set[tuple[Path, str]] = set()

    def module(self, path: Path) -> _Module:
        if path not in self._modules:
            self._modules[path] = _Module(path)
        return self._modules[path]

    def take(self, path: Path, name: str) -> None:
        """Take what a name means in a module, and all that it needs; a builtin needs nothing."""
        module = self.module(path)
        if (path, name) in self._seen:
            return
        self._seen.add((path, name))
        for statement in module.definitions.get(name, ()):
            for used in sorted(_used(statement)):
                self.take(path, used)
            self.blocks.setdefault(statement, module.source(statement))
        if name in module.imports:
            origin = module.origin(name)
            if origin is None:
                self.imports.add(_import(*module.imports[name]))
            else:
                self.take(origin, module.imports[name][1].name)


@cache
def program() -> str:
    """The text of `predict.py`."""
    taken = _Taken()
    main = taken.module(PROGRAM)
    for name in sorted(set().union(*map(_used, main.body))):
        taken.take(PROGRAM, name)
    own = {*main.body}
    others = {statement: block for statement, block in taken.blocks.items() if statement not in own}
    docstring, imports = main.body[0], [node for node in main.body if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = "\n".join(main.lines[imports[-1].end_lineno or 0 :]).strip("\n")
    head = f"{main.source(docstring)}\n\nfrom __future__ import annotations\n\n" + "\n".join(sorted(taken.imports))
    return f"{head}\n\n{_spaced(others)}\n\n\n{rest}\n"


def _spaced(blocks: dict[ast.stmt, str]) -> str:
    """The definitions, functions and classes with blank lines around them."""
    text, before = "", False
    for statement, block in blocks.items():
        long = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        text += ("\n\n\n" if (long or before) and text else "\n") + block
        before = long
    return text


def _import(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    package = (alias.name if isinstance(statement, ast.Import) else str(statement.module)).split(".")[0]
    if package not in _ALLOWED:
        raise ValueError(f"predict.py would need {package}")
    named = alias.name + (f" as {alias.asname}" if alias.asname else "")
    return f"import {named}" if isinstance(statement, ast.Import) else f"from {statement.module} import {named}"


def defined_twice(text: str) -> list[str]:
    """The names that a program defines more than once, or takes from the builtins: none, or the parts do not fit together."""
    seen: set[str] = set()
    twice = []
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.AugAssign):
            continue
        for name in set(_defined(statement)):
            if name in seen or hasattr(builtins, name):
                twice.append(name)
            seen.add(name)
    return twice
