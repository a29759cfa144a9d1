"""Every module has a test file of its name in the mirrored folder, and what tests share lies in `tests/support`."""

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


def test_no_test_module_imports_another() -> None:
    imports = re.compile(r"^\s*(from|import)\s+[\w.]*\btest_\w+", re.MULTILINE)
    found = {
        str(path.relative_to(ROOT)): line.group().strip()
        for path in (ROOT / "tests").rglob("*.py")
        for line in imports.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == {}
