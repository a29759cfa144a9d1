"""A sweep whose scheduler comes from another installed package."""

import json
from pathlib import Path

import pytest

import mlptune
from mlptune.experiments.errors import UserError
from tests.support.sweeps import small

MODULE = """
from mlptune.search import Continue, Scheduler, Stop

class Halves(Scheduler):
    def __init__(self, study, max_epochs, *, keep: int = 1):
        self._max_epochs, self._keep = max_epochs, keep

    def decide(self, live):
        if live[0].epoch == 0:
            return [Continue(2)] * len(live)
        best = sorted(live, key=lambda p: -p.values[-1])[: self._keep]
        return [Continue(self._max_epochs) if p in best else Stop("not among the best") for p in live]
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halves.py").write_text(MODULE)
    info = tmp_path / "halves-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halves\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mlptune.schedulers]\nhalves = halves:Halves\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_it_stops_and_continues_the_trials_of_a_sweep(store: str) -> None:
    spec = small("random", search__trials=6, search__batch=3, search__pruner="halves", search__options={"keep": 2})
    result = mlptune.run_sweep(spec, workers=1)
    states = result.trials["state"].tolist()
    assert sorted(states) == ["complete"] * 4 + ["pruned"] * 2
    pruned = result.trials[result.trials["state"] == "pruned"]
    assert set(pruned["epochs"]) == {2}
    assert set(pruned["reason"]) == {"not among the best"}
    assert json.loads(json.dumps(result.best["params"])) == result.best["params"]
    with pytest.raises(UserError, match="unknown option 'kep'; did you mean 'keep'"):
        mlptune.run_sweep(small("random", name="b", search__pruner="halves", search__options={"kep": 2}), workers=1)
    with pytest.raises(UserError, match=r"\[search\] pruner: 'halfs' is unknown; did you mean 'halves'"):
        mlptune.run_sweep(small("random", name="c", search__pruner="halfs"), workers=1)
