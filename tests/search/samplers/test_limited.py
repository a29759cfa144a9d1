"""Limits hold for every sampler, whatever it proposes, and its proposals stay a function of seed, number and history."""

import optuna
import pytest

from mlptune.search import Space, sampler
from mlptune.search.known_costs import KnownCosts
from mlptune.search.methods import METHODS
from mlptune.search.samplers import ignores_history, move_to
from mlptune.search.samplers.limited import NothingFits

SPACE = Space.parse(
    {
        "rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "layers": {"low": 1, "high": 2},
        "units_1": {"low": 4, "high": 128, "log": True},
        "units_2": [4, 32, 128],
        "sizes": [[1], [2, 3]],
        "only": [7],
    }
)
SAMPLERS = ["random", "quasirandom", "tpe", "auto", "genetic", "rl", "nas", "bayesian", "bohb", "mobster"]
OPTUNAS = ["TPESampler", "NSGAIISampler", "QMCSampler"]
LIMITS = KnownCosts(
    lambda point: (),
    lambda point: point["units_1"] * point.get("units_2", 1) < 40 and point["only"] == 7,
    frozenset(["layers", "units_1", "units_2"]),
    limited=True,
)


def run(name, trials=16, seed=3, known_costs=LIMITS):
    study = optuna.create_study(sampler=sampler(name, seed, space=SPACE, known_costs=known_costs))
    while len(study.trials) < trials:
        asked = [study.ask() for _ in range(4)]
        points = [SPACE.suggest(trial) for trial in asked]
        for trial, point in zip(asked, points, strict=True):
            # Larger networks are better: without limits nothing would fit for long.
            study.tell(trial, 1.0 / (point["units_1"] * point.get("units_2", 1)) + point["rate"])
    return study


@pytest.mark.parametrize("name", [*SAMPLERS, *OPTUNAS])
def test_no_trial_is_over_the_limit_and_a_rebuilt_study_proposes_the_same(name):
    study = run(name)
    points = [SPACE.point(trial.params) for trial in study.trials]
    assert all(map(LIMITS.admits, points))
    assert len({str(point) for point in points}) > 10
    if name in OPTUNAS:  # which have a state besides the trials: a resume asks them for all again
        assert [trial.params for trial in run(name).trials] == [trial.params for trial in study.trials]
        return
    rebuilt = optuna.create_study(sampler=sampler(name, 3, space=SPACE, known_costs=LIMITS))
    rebuilt.add_trials(study.trials[:12])
    assert SPACE.suggest(rebuilt.ask()) == points[12]


@pytest.mark.parametrize("name", ["random", "quasirandom", "tpe", "auto"])
def test_limits_that_all_keep_change_nothing(name):
    free = KnownCosts(lambda point: (), lambda point: True, limited=True)
    limited, without = run(name, known_costs=free), run(name, known_costs=None)
    assert [SPACE.point(t.params) for t in limited.trials] == [SPACE.point(t.params) for t in without.trials]
    assert ignores_history(limited.sampler) == ignores_history(without.sampler)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.moves])
def test_a_space_that_moves_stays_within_the_limits(name):
    moved = Space.parse({**SPACE.table(), "rate": {"low": 1.0, "high": 10.0, "log": True}})
    study = run(name)
    move_to(study.sampler, moved)
    points = []
    for _ in range(4):
        trial = study.ask()
        points.append(moved.suggest(trial))
        study.tell(trial, 0.0)
    assert all(map(LIMITS.admits, points))
    assert all(1.0 <= point["rate"] <= 10.0 for point in points)


def test_what_is_given_with_a_trial_stays_and_the_rest_fits():
    study = optuna.create_study(sampler=sampler("random", 0, space=SPACE, known_costs=LIMITS))
    study.enqueue_trial({"units_1": 8, "layers": 2})
    point = SPACE.suggest(study.ask())
    assert (point["units_1"], point["layers"], point["units_2"]) == (8, 2, 4)
    study.enqueue_trial({"units_1": 128})
    with pytest.raises(NothingFits):
        SPACE.suggest(study.ask())


def test_nothing_that_fits_is_said():
    nothing = KnownCosts(lambda point: (), lambda point: False, limited=True)
    study = optuna.create_study(sampler=sampler("random", 0, space=SPACE, known_costs=nothing))
    with pytest.raises(NothingFits, match="none of 10000 random configurations"):
        SPACE.suggest(study.ask())


def test_a_grid_leaves_out_what_does_not_fit():
    space = Space.parse({"units_1": [4, 30, 64], "layers": [1, 2], "units_2": [4, 32]})
    study = optuna.create_study(
        sampler=sampler(
            "grid", space=space, known_costs=KnownCosts(LIMITS.of, lambda p: p["units_1"] < 40, limited=True)
        )
    )
    found = []
    for _ in range(6):
        trial = study.ask()
        found.append(space.suggest(trial))
        study.tell(trial, 0.0)
    assert found == [point for point in space.grid() if point["units_1"] < 40]
    with pytest.raises(ValueError, match="beyond the last of the 6 points that fit"):
        space.suggest(study.ask())
