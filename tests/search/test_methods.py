"""The table of methods: every row can be made, and the page of methods describes it."""

from pathlib import Path

import optuna

from mlptune.search import METHODS, sampler
from tests.support.samplers import SPACE

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


def test_every_sampler_of_the_table_of_methods_can_be_made():
    for method in METHODS.values():
        assert isinstance(sampler(method.sampler, space=SPACE, trials=3, batch=2), optuna.samplers.BaseSampler)
