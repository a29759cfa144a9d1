"""Which trials' curves are shown, and what is refused."""

from typing import Any

import pytest

import mlptune
from mlptune import SweepResult, UserError
from mlptune.experiments.curves import MOST, TOP, learning_curves
from tests.support.sweeps import iris


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    store = f"sqlite:///{tmp_path_factory.mktemp('curves')}/mlflow.db"
    return mlptune.run_sweep(iris(search__trials=7, search__method="random"), tracking_uri=store, workers=1)


def shown(result: SweepResult, *args: Any, **given: Any) -> Any:
    return learning_curves(result.tracking_uri, result.summary(), "val_score", *args, **given)


def test_the_best_trials_and_the_median_one_with_the_curves_of_the_store(result: SweepResult) -> None:
    found = shown(result, "val_loss")
    complete = result.trials[result.trials["state"] == "complete"]
    ranked = complete.sort_values(["value", "number"], ascending=[False, True])["number"].tolist()
    middle = ranked[len(ranked) // 2]
    assert [curve.number for curve in found.curves] == [*ranked[:TOP], *([] if middle in ranked[:TOP] else [middle])]
    assert [curve.role for curve in found.curves][::3] == ["best", "median"]
    for curve in found.curves:
        stored = result.curves[result.curves["number"] == curve.number]
        assert list(curve.values) == stored["val_loss"].tolist()
    assert found.to_json()["curves"][0]["values"] == found.curves[0].values
    assert (found.metric, found.objective) == ("val_loss", "val_score")


def test_named_trials_come_once_and_in_their_order(result: SweepResult) -> None:
    assert [curve.number for curve in shown(result, trials=[5, 0, 5]).curves] == [5, 0]
    assert len(shown(result, top=50).curves) == 7


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"metric": "val_los"}, "metric 'val_los': .* did you mean 'val_loss'"),
        ({"metric": "accuracy"}, "known: train_loss, train_score, val_loss, val_score"),
        ({"trials": [99]}, "trial 99: the sweep 'iris' has trials 0 to 6"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(result: SweepResult, given: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        shown(result, **given)


def test_a_sweep_without_curves_says_so_and_one_without_a_best_shows_its_first(result: SweepResult) -> None:
    nothing = {"name": "a", "state": "running", "trials": [], "best": None}
    with pytest.raises(UserError, match="the sweep 'a' has no curve 'val_score' yet; it is running"):
        learning_curves(result.tracking_uri, nothing, "val_score")
    with pytest.raises(UserError, match="the sweep 'a' has no trials yet"):
        learning_curves(result.tracking_uri, nothing, "val_score", trials=[0])
    running = [{**trial, "state": "running", "value": None} for trial in result.summary()["trials"]]
    found = learning_curves(result.tracking_uri, {**result.summary(), "best": None, "trials": running}, "val_score")
    assert [(curve.number, curve.role, curve.state) for curve in found.curves] == [
        (number, "", "running") for number in range(TOP)
    ]


def test_more_trials_than_letters_are_refused() -> None:
    row = {"state": "complete", "value": 1.0, "params": {}, "run_id": None}
    trials = [{"number": number, **row} for number in range(MOST + 1)]
    with pytest.raises(UserError, match="27 trials: more than 26 curves"):
        learning_curves(None, {"name": "a", "trials": trials, "best": None}, "val_score", trials=range(MOST + 1))
