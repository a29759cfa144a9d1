"""Every module has a test file of its name in the mirrored folder, and what tests share lies in `tests/support`."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("core", "search", "tracking", "experiments")
MODULES = sorted(
    module.relative_to(ROOT)
    for room in ROOMS
    for module in (ROOT / room).rglob("*.py")
    if module.name not in ("__init__.py", "__main__.py")
)


def test_the_modules_of_every_room_are_looked_at() -> None:
    assert {module.parts[0] for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_each_module_has_a_test_file_of_its_name(module: Path) -> None:
    expected = Path("tests") / module.parent / f"test_{module.name}"
    assert (ROOT / expected).is_file(), f"{module} has no tests of its own: {expected} is missing"


def imported(node: ast.AST) -> list[str]:
    """Every dotted part of the modules that a statement imports, and the names that it imports from them."""
    if isinstance(node, ast.Import):
        return [part for name in node.names for part in name.name.split(".")]
    if isinstance(node, ast.ImportFrom):
        return [*(node.module or "").split("."), *(name.name for name in node.names)]
    # Programs for other processes are texts.
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.findall(r"(?:from|import)\s+[\w.]*\b(test_\w+)", node.value)
    return []


TEST_FILES = sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_module_is_imported(path: Path) -> None:
    modules = {file.stem for file in TEST_FILES}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name for node in ast.walk(tree) for name in imported(node) if name in modules} == set()


# What goes through several modules, or a whole room, and not one that it could be named after.
CROSS_CUTTING = {
    "core": "changes diagnosis gradients label_smoothing lectures_table perceptron safety worked_numbers",
    "search": "public_names",
    "search/samplers": "contracts paused_trials samplers",
    "search/schedulers": "promotion",
    "experiments": "bad_input class_weight equality faults interruption older_stores pbt plugins store_trouble",
    "experiments/launch": "copies",
}


def test_each_test_file_is_of_a_module_or_of_several() -> None:
    found: dict[str, set[str]] = {}
    for file in TEST_FILES:
        folder, name = file.parent.relative_to(ROOT / "tests"), file.name.removeprefix("test_")
        if folder.parts and folder.parts[0] in ROOMS and folder / name not in MODULES:
            found.setdefault(folder.as_posix(), set()).add(Path(name).stem)
    assert found == {folder: set(names.split()) for folder, names in CROSS_CUTTING.items()}
