"""Samplers that propose a whole point from the history: what they are shown of it, and that nothing is proposed twice."""

import math

import optuna
import pytest
from optuna.trial import TrialState

from mlptune.search import Space, sampler
from mlptune.search.samplers.joint import JointSampler

TABLE = {"x": {"low": 0, "high": 9}, "word": ["a", "b"]}
SPACE = Space.parse(TABLE)


class Recorder(JointSampler):
    """Proposes the point at the middle of the first axis after `startup` results; keeps the last history that it was shown."""

    startup = 3

    def _propose(self, study, trial, features, history):
        self.shown = [features.decode(row) for row in history.codes], history.values.tolist(), history.failed.tolist()
        self.pending = [features.decode(row) for row in history.pending]
        return features.encode({"x": 5, "word": "b"}) if len(history.values) >= self.startup else None


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_a_proposal_sees_each_finished_trial_once_and_what_failed_as_the_worst(direction, sign):
    made = Recorder(7, space=SPACE)
    study = optuna.create_study(sampler=made, direction=direction)
    trials = [study.ask() for _ in range(6)]
    points = [SPACE.suggest(trial) for trial in trials]
    study.tell(trials[0], sign * 3.0)
    study.tell(trials[1], state=TrialState.FAIL)
    trials[2].report(sign * 9.0, 1)
    trials[2].report(sign * 4.0, 2)
    study.tell(trials[2], state=TrialState.PRUNED)
    study.tell(trials[4], sign * math.inf)
    late = study.ask()
    assert SPACE.suggest(late) == {"x": 5, "word": "b"}
    assert made.shown == ([points[i] for i in (0, 1, 2, 4)], [3.0, 4.0, 4.0, 4.0], [False, True, False, True])
    assert made.pending == [points[3], points[5]]


def test_until_there_is_something_to_learn_from_points_are_random_and_each_its_own():
    points = []
    for _ in range(2):
        study = optuna.create_study(sampler=Recorder(0, space=SPACE))
        points.append([SPACE.suggest(study.ask()) for _ in range(60)])
    assert points[0] == points[1]
    assert {p["x"] for p in points[0]} == set(range(10))
    assert {p["word"] for p in points[0]} == {"a", "b"}
    # Of 20 points that are equally likely, 60 draws meet 19 on average.
    assert len({tuple(p.items()) for p in points[0]}) > 14


@pytest.mark.parametrize("name", ["genetic", "nas"])
def test_nothing_is_tried_twice(name):
    space = Space.parse({"a": [1, 2, 3, 4], "b": ["x", "y", "z"], "c": [True, False]})
    study = optuna.create_study(sampler=sampler(name, 0, space=space, population=4))
    seen = []
    for _ in range(4):
        trials = [study.ask() for _ in range(4)]
        seen += [tuple(space.suggest(trial).values()) for trial in trials]
        for trial in trials:
            study.tell(trial, seen[trial.number][0])
    assert len(set(seen[4:])) == 12


@pytest.mark.parametrize(
    ("total", "lines"),
    [
        (3, ["all trials are random points: other proposals need 3 results"]),
        (4, ["the first 3 trials are random points"]),
    ],
)
def test_the_user_is_told_how_many_points_are_random(total, lines):
    assert Recorder(space=SPACE).describe(total) == lines
    assert sampler("genetic", space=SPACE, population=3).describe(total) == lines
    assert sampler("rl", space=SPACE).describe(total) == [], "its first draws follow a policy too"
