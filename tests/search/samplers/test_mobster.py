"""The model of configuration and epoch, from its first points on; `test_paused_trials` shows how it follows trials that wait."""

import optuna

from mlptune.search import Space, sampler
from tests.support.samplers import SPACE as CONDITIONAL

SPACE = Space.parse({"x": {"low": 0.0, "high": 1.0}})


def test_until_enough_trials_have_reported_it_proposes_the_first_points_of_auto():
    points = {}
    for name in ("mobster", "auto"):
        study = optuna.create_study(sampler=sampler(name, 4, space=CONDITIONAL, n_startup_trials=6))
        asked = [study.ask() for _ in range(12)]
        points[name] = [CONDITIONAL.suggest(one) for one in asked]
        for one in asked[:5]:
            one.report(1.0, 1)  # five of the six that it wants
        points[name].append(CONDITIONAL.suggest(study.ask()))
    assert points["mobster"] == points["auto"]


def test_where_every_trial_trains_to_its_end_it_finds_what_auto_finds():
    found = {}
    for name in ("mobster", "auto", "random"):
        study = optuna.create_study(sampler=sampler(name, 0, space=SPACE))
        for _ in range(24):
            asked = study.ask()
            x = asked.suggest_float("x", 0.0, 1.0)
            for epoch in (1, 2, 3):
                asked.report((x - 0.63) ** 2 + 1 / epoch, epoch)
            study.tell(asked, (x - 0.63) ** 2 + 1 / 3)
        found[name] = abs(study.best_params["x"] - 0.63)
    assert max(found["mobster"], found["auto"]) < 1e-3 < found["random"]


def test_of_all_points_the_one_that_nobody_trains_is_proposed():
    space = Space.parse({"x": {"low": 0, "high": 3}, "word": ["a", "b", "c"]})
    for left in range(12):
        study = optuna.create_study(sampler=sampler("mobster", left, space=space, n_startup_trials=4))
        points = [point for number, point in enumerate(space.grid()) if number != left]
        for number, point in enumerate(points):
            study.enqueue_trial(point)
            waiting = study.ask()
            assert space.suggest(waiting) == point
            if number % 3:  # the others are those of the batch, which have not begun
                waiting.report(0.1 * point["x"], 1)
        assert space.suggest(study.ask()) == space.grid_point(left)
