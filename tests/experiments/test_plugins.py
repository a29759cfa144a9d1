"""A sweep whose scheduler, or whose metric, comes from another installed package."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import fbeta_score

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, iris, small

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
SAMPLER = """
import optuna

class Lonely(optuna.samplers.RandomSampler):
    \"\"\"Looks at the best trial once there are some.\"\"\"

    def before_trial(self, study, trial):
        if trial.number > 5:
            study.best_trial
"""
METRIC = """
import numpy as np
from mlptune.core.metrics import Metric

def worst(y, output, weight):
    return float(np.max(np.abs(output - y)))

WORST = Metric("worst", worst, "minimize", ("regression",), unit="target")
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halves.py").write_text(MODULE)
    (tmp_path / "rulers.py").write_text(METRIC)
    (tmp_path / "alone.py").write_text(SAMPLER)
    info = tmp_path / "halves-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halves\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mlptune.samplers]\nlonely = alone:Lonely\n"
        "[mlptune.schedulers]\nhalves = halves:Halves\n[mlptune.metrics]\nworst = rulers:WORST\nlost = rulers:LOST\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
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


@pytest.mark.usefixtures("installed")
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


@pytest.mark.usefixtures("installed")
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


def written_in_main(body: str):
    """A function as a script or a notebook has it, which no other process can import."""
    space = {"__name__": "__main__"}
    exec(f"def fbeta(y_true, y_pred, sample_weight=None):\n    import numpy as np\n    return {body}", space)
    return space["fbeta"]


def test_a_function_of_a_script_is_a_metric_for_workers_and_after_a_resume(store: str) -> None:
    # F with beta = 2, of whole numbers without weights; without scikit-learn, whose import takes each worker a second.
    body = "5 * np.sum(y_true * y_pred) / (4 * np.sum(y_true) + np.sum(y_pred))"
    spec = small("random", search__trials=4, search__batch=2)
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        mlptune.run_sweep(spec, metric=written_in_main(body), workers=2, observer=AfterTrials(2, press_ctrl_c))
    with pytest.raises(UserError, match="the metric 'fbeta' is another function than when the sweep was begun"):
        mlptune.run_sweep(spec, metric=written_in_main(body.replace("5 *", "6 *")), workers=1, resume=True)
    resumed = mlptune.run_sweep(spec, metric=written_in_main(body), workers=2, resume=True)
    assert resumed.best["metric"] == "val_fbeta"
    assert 0 < resumed.best["decision_threshold"] < 1
    own = {**spec, "name": "undisturbed", "objective": {"metric": written_in_main(body)}}
    whole = mlptune.run_sweep(own, workers=1)
    assert essence(whole, with_name=False) == essence(resumed, with_name=False)
    rows = load_breast_cancer(as_frame=True)
    model = mlptune.load_model("small")
    expected = fbeta_score(rows.target, model.predict(rows.data), beta=2)
    assert model.evaluate(rows.data, rows.target, None, "fbeta") == pytest.approx(expected)


def test_a_function_that_fails_on_the_table_is_refused_before_training(store: str) -> None:
    def binary(y_true, y_pred):
        if len(np.unique(y_true)) > 2:
            raise ValueError("more than two\nclasses")
        return float(np.mean(y_true == y_pred))

    line = r"^\[objective\] metric 'binary': ValueError: more than two classes$"
    with pytest.raises(UserError, match=line):
        mlptune.run_sweep(iris(), metric=binary, workers=1)
    with pytest.raises(UserError, match="got '<lambda>'; use def"):
        mlptune.run_sweep(iris(), metric=lambda y, p: 1.0, workers=1)
    with pytest.raises(UserError, match="'binary' is not a metric for regression"):
        mlptune.run_sweep(small(data__source="sklearn:diabetes"), metric=binary, workers=1)


@pytest.mark.usefixtures("installed")
def test_a_sampler_of_one_objective_says_so_before_anything_trains(store: str) -> None:
    spec = iris(search__method="lonely", search__trials=3)
    assert len(mlptune.run_sweep(spec, workers=1).trials) == 3
    spec["objective"] = {"metrics": ["val_score", "bytes"]}
    with pytest.raises(
        UserError, match=r"method: lonely: A single best trial .* multi-objective .*; grid, .* carry several"
    ):
        mlptune.run_sweep({**spec, "name": "two"}, workers=1)
