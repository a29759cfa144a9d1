"""The end of a sweep: the model trained on all rows that are not test, scored once on those that are; or no result at all."""

import numpy as np
import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import SweepFailed
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.finish import fit_final
from mlptune.experiments.launch.plan import make_plan
from mlptune.experiments.progress import Observer
from mlptune.tracking.records import TrialRecord
from tests.support.launches import tags_of_launch
from tests.support.observers import Listener
from tests.support.sweeps import iris, small


@pytest.mark.parametrize("refit", [True, False])
def test_the_refit_uses_all_rows_and_the_trials_own_networks_their_share(refit: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4))
    predicted = []
    for share in (1.0, 0.2):
        model = {"epochs": 3, "subset": share}
        spec, _ = load_spec(iris(model=model, space={}, objective__refit=refit))
        plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
        fitted = fit_final(plan, TrialRecord(0, "complete", 1.0, best_epochs=(3,)), Inline(), Observer())
        predicted.append(fitted.predict_proba(rows))
    assert np.array_equal(*predicted) == refit


def test_every_trial_diverging_is_a_sweep_without_a_result(store: str) -> None:
    spec = small("random", model={"optimizer": "sgd", "epochs": 5}, space={"learning_rate": [1e20, 1e25]})
    with pytest.raises(SweepFailed, match=r"none of the 12 trials is complete \(diverged\)"):
        mlptune.run_sweep(spec)
    assert mlptune.experiments.queries.show("small")["state"] == "failed"


def test_the_test_part_is_met_once_and_launches_are_counted(store: str) -> None:
    first = mlptune.run_sweep(small("random", search__trials=2))
    second = mlptune.run_sweep(small("random", search__trials=3))
    counts = [tags_of_launch(store, r.run_id)["mlptune.test_scorings"] for r in (first, second)]
    assert counts == ["1", "2"]
    listener = Listener()
    for trials in (5, 6):
        resumed = mlptune.run_sweep(small("random", search__trials=trials), resume=True, observer=listener)
    assert tags_of_launch(store, resumed.run_id)["mlptune.test_scorings"] == "4"
    said = [line for line in listener.messages if "on the test part" in line]
    assert [line.partition(" times")[0] for line in said] == [
        f"models of this sweep have now been scored {n}" for n in (3, 4)
    ]
    mlptune.run_sweep(small("random", search__trials=6), resume=True)  # which scores nothing
    assert tags_of_launch(store, resumed.run_id)["mlptune.test_scorings"] == "4"
    none = mlptune.run_sweep(small("random", name="untested", search__trials=2, data__test_size=0.0))
    assert none.best["test_score"] is None
