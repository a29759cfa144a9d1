"""A sweep whose scheduler, or whose metric, comes from another installed package."""

import json
from pathlib import Path

import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
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
METRIC = """
import numpy as np
from mlptune.core.metrics import Metric

def worst(y, output, weight):
    return float(np.max(np.abs(output - y)))

WORST = Metric("worst", worst, "minimize", ("regression",), unit="target")
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halves.py").write_text(MODULE)
    (tmp_path / "rulers.py").write_text(METRIC)
    info = tmp_path / "halves-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halves\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mlptune.schedulers]\nhalves = halves:Halves\n[mlptune.metrics]\nworst = rulers:WORST\nlost = rulers:LOST\n"
    )
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


def test_a_metric_judges_a_sweep_and_its_model(store: str) -> None:
    spec = small(
        "random", search__trials=3, data__source="sklearn:diabetes", objective__metric="worst", objective__refit=False
    )
    result = mlptune.run_sweep(spec, workers=2)
    assert result.best["metric"] == "val_worst"
    values = result.trials["value"]
    assert result.best["value"] == values.min()
    assert values.between(50, 400).all()  # in the target's own unit, which goes from 25 to 346
    loaded, _ = load_spec(spec)
    frame, y, weight = Dataset.load(loaded.data, loaded.seed, loaded.base).test()
    model = mlptune.load_model("small")
    assert model.evaluate(frame, y, weight, "worst") == result.best["test_score"] == abs(model.predict(frame) - y).max()


def test_a_metric_that_is_not_to_be_had_is_refused_in_one_line() -> None:
    def refusal(metric: str) -> str:
        with pytest.raises(UserError) as caught:
            mlptune.run_sweep(small(objective__metric=metric))
        return str(caught.value)

    assert refusal("wurst") == "sweep: [objective] metric: unknown metric \"wurst\"; did you mean 'worst'?"
    assert refusal("lost") == (
        "sweep: [objective] metric 'lost': 'rulers:LOST' cannot be loaded, AttributeError: module 'rulers' has no attribute 'LOST'"
    )
    assert "'worst' is not a metric for classification" in refusal("worst")
