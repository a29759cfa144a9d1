"""The page of methods names each of them once, with what the table of methods says that trials count."""

from pathlib import Path

from mlptune.search import METHODS

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"


def test_every_method_has_its_row():
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7 and cells[1].startswith("`"):
            assert cells[1] not in rows
            rows[cells[1]] = cells
    assert set(rows) == {f"`{name}`" for name in METHODS}
    for name, method in METHODS.items():
        assert rows[f"`{name}`"][4].startswith(method.trials)
