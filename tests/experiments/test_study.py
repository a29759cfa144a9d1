"""A stored sweep is the study that the sweep had, for Optuna's own tools."""

import math

import optuna
import pytest
from optuna.distributions import FloatDistribution, distribution_to_json
from optuna.trial import TrialState

import mlptune
from mlptune.experiments.study import study_of
from mlptune.tracking.records import TrialRecord
from tests.support.sweeps import small


@pytest.mark.parametrize(("method", "metric"), [("tpe", "val_score"), ("hyperband", "val_loss")])
def test_it_has_the_trials_of_the_sweep(store: str, method: str, metric: str) -> None:
    result = mlptune.run_sweep(small(method, objective__metric=metric, seed=1))
    study = mlptune.load_result("small").study
    assert study.best_trial.number == result.best["number"]
    assert study.best_value == result.best["value"]
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    curves = dict(list(result.curves.groupby("number")))
    for trial, row in zip(study.trials, result.summary()["trials"], strict=True):
        assert (trial.number, trial.state) == (row["number"], states[row["state"]])
        assert list(trial.intermediate_values.values()) == curves[trial.number][metric].tolist()
        assert (trial.user_attrs["run_id"], trial.user_attrs["epochs"]) == (row["run_id"], row["epochs"])
        for name, value in row["params"].items():
            if not isinstance(value, list):
                assert trial.params[name] == value
    assert (method == "hyperband") == any(trial.state == TrialState.PRUNED for trial in study.trials)
    assert set(optuna.importance.get_param_importances(study)) == set(study.best_params)
    assert len(study.trials_dataframe()) == 12
    study.sampler = optuna.samplers.TPESampler(seed=0)
    assert set(study.ask(study.best_trial.distributions).params) == set(study.best_params)


def test_what_is_not_committed_or_has_no_value_keeps_its_place() -> None:
    space = {"distributions": {"x": distribution_to_json(FloatDistribution(0, 1))}, "params": {"x": 0.5}}
    trials = [
        TrialRecord(0, "complete", 2.0, rebuild=space),
        TrialRecord(1, "running", None),
        TrialRecord(3, "complete", math.nan, rebuild=space),
        TrialRecord(4, "pruned", None, rebuild=space, reason="diverged"),
        TrialRecord(5, "failed", None),
        TrialRecord(6, "complete", 1.0, rebuild={**space, "intermediate_values": [3.0, 1.0]}),
        TrialRecord(7, "running", None),
    ]
    study = study_of("few", "minimize", trials)
    names = [trial.state.name for trial in study.trials]
    assert names == ["COMPLETE", "RUNNING", "RUNNING", "FAIL", "PRUNED", "FAIL", "COMPLETE"]
    assert (study.best_trial.number, study.best_trial.intermediate_values) == (6, {1: 3.0, 2: 1.0})
    assert study.trials[4].user_attrs["reason"] == "diverged"
    assert not study_of("none", "maximize", []).trials
