"""What is reported of a trial: means over its networks, each epoch once all of them have reached it."""

import dataclasses
import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import DIVERGED, FINISHED, RUNNING, Network, start, train
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import Outcome, Request
from mlptune.experiments.execution.trial import Trial
from mlptune.experiments.execution.workers import Inline
from tests.support.tasks import iris_task

EPOCHS = 8
CONFIGURATION = {"hidden": [8], "learning_rate": 0.01, "epochs": EPOCHS, "early_stopping": 2, "batch_size": 16}


def test_value_is_the_mean_over_seeds_and_folds_at_the_best_epochs() -> None:
    problem = iris_task(seeds=(0, 1), folds=3)
    [outcome] = [o for o in EngineEvaluator(problem, Inline()).advance([Request(0, CONFIGURATION, EPOCHS)]) if o.ended]
    assert outcome.ended == "finished", outcome.reason
    hp = Hyperparameters.from_config(CONFIGURATION)
    kept, epochs = [], []
    for fold in range(3):
        for seed in (0, 1):
            shape = Structure.of(hp, n_inputs=4, n_outputs=3, n_rows=120, loss="cross_entropy")
            networks = [Network(hp, seed=seed, fold=fold)]
            state, curves = train(shape, networks, problem.folds, start(shape, networks), EPOCHS, order_seed=3)
            epochs.append(int(state.best_epoch[0]))
            kept.append(curves.values["val_loss"][0, epochs[-1] - 1])
    assert outcome.value == pytest.approx(np.mean(kept), rel=1e-12)
    assert outcome.spread == pytest.approx(np.std(kept), rel=1e-12)
    assert outcome.best_epochs == tuple(epochs)


@dataclasses.dataclass
class Course:
    """How the training of one network goes: its values by epoch, the epoch that it keeps, and whether it diverges at its last."""

    values: list[float]
    best: int
    diverges: bool


@st.composite
def courses(draw: st.DrawFn) -> Course:
    values = draw(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
    return Course(values, draw(st.integers(1, len(values))), draw(st.booleans()))


def untrained(n_networks: int) -> Trial:
    hp = Hyperparameters.from_config({"hidden": [2], "epochs": EPOCHS})
    shape = Structure.of(hp, n_inputs=3, n_outputs=1, n_rows=20, loss="squared_error")
    return Trial(7, tuple(Network(hp, seed=seed) for seed in range(n_networks)), (shape,) * n_networks)


def advance(trial: Trial, i: int, course: Course, until: int) -> None:
    """Network `i` has come as far as `until` on its course."""
    ends = until == len(course.values)
    trial.states[i] = dataclasses.replace(
        start(trial.structures[i], [trial.networks[i]]),
        epoch=np.array([until]),
        best_epoch=np.array([min(course.best, until)]),
        status=np.array([RUNNING if not ends else DIVERGED if course.diverges else FINISHED]),
    )
    trial.curves[i]["loss"] = course.values[:until]


def reported(networks: list[Course], order: random.Random) -> list[Outcome]:
    """All that is reported while the networks go their ways, in whatever pieces."""
    trial, outcomes = untrained(len(networks)), []
    reached = [0] * len(networks)
    while not outcomes or outcomes[-1].ended is None:
        i = order.choice([i for i, course in enumerate(networks) if reached[i] < len(course.values)])
        reached[i] = order.randint(reached[i] + 1, len(networks[i].values))
        advance(trial, i, networks[i], reached[i])
        if (outcome := trial.outcome("loss")) is not None:
            outcomes.append(outcome)
    return outcomes


@given(st.lists(courses(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_what_is_reported_does_not_depend_on_the_pieces_in_which_the_networks_train(
    networks: list[Course], order: random.Random
) -> None:
    outcomes = reported(networks, order)
    values = [value for outcome in outcomes for value in outcome.curves["loss"]]
    assert [outcome.first_epoch for outcome in outcomes] == [
        1 + sum(len(earlier.curves["loss"]) for earlier in outcomes[:i]) for i in range(len(outcomes))
    ]
    longest = max(len(course.values) for course in networks)
    judged = [value for outcome in outcomes for value in outcome.objective("loss")]

    def mean(then: Callable[[Course], float]) -> np.ndarray:
        """By epoch the mean of the networks, of which one that has ended counts on with a value of its course."""
        rows = [course.values + [then(course)] * (longest - len(course.values)) for course in networks]
        return np.mean(rows, axis=0)

    drawn, compared = mean(lambda course: course.values[-1]), mean(lambda course: course.values[course.best - 1])
    end = outcomes[-1]
    broken = min((len(course.values) for course in networks if course.diverges), default=None)
    if broken is not None:
        assert (end.ended, end.value, end.reason) == ("diverged", None, f"diverged in epoch {broken}")
        np.testing.assert_allclose(values, drawn[: broken - 1], rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(judged, compared[: broken - 1], rtol=1e-12, atol=1e-9)
        return
    np.testing.assert_allclose(values, drawn, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(judged, compared, rtol=1e-12, atol=1e-9)
    kept = [course.values[course.best - 1] for course in networks]
    assert (end.ended, end.best_epochs) == ("finished", tuple(course.best for course in networks))
    assert end.value == pytest.approx(math.fsum(kept) / len(kept), rel=1e-12, abs=1e-9)
    if len(kept) == 1:
        assert end.spread is None
    else:
        assert end.spread == pytest.approx(np.std(kept), rel=1e-9, abs=1e-9)


def test_a_trial_that_takes_over_another_leaves_that_one_as_it_was() -> None:
    course = Course([4.0, 3.0, 2.0], best=3, diverges=False)
    source, copy = untrained(1), untrained(1)
    advance(source, 0, course, 2)
    copy.take_over(source)
    assert (copy.epoch(0), copy.at("loss", 2, 0)) == (2, 3.0)
    copy.curves[0]["loss"].append(9.0)
    assert source.curves[0]["loss"] == [4.0, 3.0]
    advance(source, 0, course, 3)
    assert copy.epoch(0) == 2
