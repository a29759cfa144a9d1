"""The grid: each point once, in order."""

import optuna
import pytest

from mlptune.search import sampler
from tests.support.samplers import SPACE, new_study, value


def test_each_point_of_the_grid_is_tried_once_and_the_loop_ends():
    study = new_study("grid")
    study.optimize(lambda trial: value(0, SPACE.suggest(trial)), n_trials=1000)
    assert [SPACE.decode(t.params) for t in study.trials] == list(SPACE.grid())
    with pytest.raises(ValueError, match=r"grid: trial \d+ is beyond the last of its \d+ points"):
        study.ask()


def test_the_grid_takes_a_mapping_as_optunas_does():
    study = optuna.create_study(sampler=sampler("grid", space={"x": [0, 0.5], "y": ["a", "b"]}))
    study.optimize(lambda t: t.suggest_float("x", 0, 1) + len(t.suggest_categorical("y", ["b", "a"])), n_trials=9)
    assert [(t.params["x"], t.params["y"]) for t in study.trials] == [(0.0, "a"), (0.0, "b"), (0.5, "a"), (0.5, "b")]
