"""The costs of stored trials: by the launch's tag, and without one by its model."""

import pytest

import mlptune
from mlptune.experiments.launch_costs import costs_of_trials, launch_costs
from mlptune.tracking import reader
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import iris


def test_a_sweep_that_counted_nothing_is_counted_by_its_model(store: str) -> None:
    spec = iris(search__trials=4, search__batch=2)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, workers=1, observer=AfterTrials(2, press_ctrl_c))
    with pytest.raises(LookupError, match="'iris' counts no costs, and has no model yet"):
        mlptune.best_config("iris", where="operations < 1e9")
    result = mlptune.run_sweep(spec, workers=1, resume=True)
    launch = reader.launch(store, "iris", result.run_id)
    trials = reader.trials(store, result.run_id)
    assert launch_costs(store, launch, trials).counted == ()
    costs = costs_of_trials(store, launch, trials)
    sizes = {len(trial.params["hidden"]): costs[trial.number]["parameters"] for trial in trials}
    assert sizes == {n: count for n, count in {1: 5 * 8 + 9 * 3, 2: 5 * 8 + 9 * 4 + 5 * 3}.items() if n in sizes}
    assert mlptune.best_config("iris", where="parameters < 1e9") == mlptune.best_config("iris")
