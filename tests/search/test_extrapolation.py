"""Predicted ends of curves whose truth is known, and what the pruner makes of them."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search import pruner, scheduler
from mlptune.search.extrapolation import ExtrapolationPruner, extrapolate

EPOCHS = 50


def power(end, gain, decay, t):
    return end - gain * t**-decay


def exponential(end, gain, decay, t):
    return end - gain * np.exp(-3 * decay * t / EPOCHS)


def mixed(end, gain, decay, t):
    """In neither family: half of the one, half of the other."""
    return (power(end, gain, decay, t) + exponential(end, gain, decay, t)) / 2


def curves(family, count, noise, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(1.0, EPOCHS + 1)
    for _ in range(count):
        truth = family(rng.uniform(0.5, 1), rng.uniform(0.1, 0.5), rng.uniform(0.2, 2), t)
        yield truth + noise * rng.standard_normal(EPOCHS)


@pytest.mark.parametrize("family", [power, exponential, mixed])
@pytest.mark.parametrize("seen", [6, 12, 25])
def test_intervals_hold_what_they_promise(family, seen):
    ranks = np.array(
        [extrapolate(range(1, seen + 1), y[:seen], EPOCHS).prob_above(y[-1]) for y in curves(family, 300, 0.003)]
    )
    # Of intervals of 90 % nine in ten hold the end; too wide is no harm to a trial, too narrow is.
    assert np.mean((ranks > 0.05) & (ranks < 0.95)) >= 0.88


@pytest.mark.parametrize("family", [power, exponential])
def test_the_more_is_seen_the_better_the_prediction(family):
    known = list(curves(family, 100, 0.001))
    error = {
        seen: np.mean([abs(extrapolate(range(1, seen + 1), y[:seen], EPOCHS).mean - y[-1]) for y in known])
        for seen in (12, 25, 40)
    }
    assert error[12] > error[25] > error[40]
    standing_still = np.mean([abs(y[24] - y[-1]) for y in known])
    assert error[25] < 0.7 * standing_still


@given(
    st.integers(0, 10**6),
    st.floats(-1e3, 1e3),
    st.floats(1e-3, 1e3),
    st.integers(5, 30),
)
def test_another_unit_changes_nothing(seed, shift, scale, seen):
    [y] = curves(mixed, 1, 0.01, seed)
    plain, other = (extrapolate(range(1, seen + 1), v, EPOCHS) for v in (y[:seen], shift + scale * y[:seen]))
    assert other.prob_above(shift + scale * 0.8) == pytest.approx(plain.prob_above(0.8), abs=1e-4)
    assert other.deviation == pytest.approx(scale * plain.deviation, rel=1e-3)


def test_too_few_points_say_nothing():
    assert extrapolate([1, 2, 3], [0.1, 0.2, 0.3], EPOCHS) is None
    assert extrapolate([], [], EPOCHS) is None
    assert extrapolate(range(1, 7), [math.nan, 0.1, math.inf, 0.2, math.nan, 0.3], EPOCHS) is None


def test_missing_values_are_left_out():
    [y] = curves(power, 1, 0.01)
    gappy = y[:20].copy()
    gappy[[3, 7]] = math.nan
    kept = [i for i in range(20) if i not in (3, 7)]
    assert extrapolate(range(1, 21), gappy, EPOCHS).mean == extrapolate([i + 1 for i in kept], y[kept], EPOCHS).mean


@pytest.mark.parametrize("value", [0.0, 0.1, 3e5])
def test_a_constant_curve_stays_constant(value):
    end = extrapolate(range(1, 21), [value] * 20, EPOCHS)
    assert end.mean == pytest.approx(value)
    assert end.prob_above(value + 0.1 * max(1, value)) < 0.01 < 0.99 < end.prob_above(value - 0.1 * max(1, value))


def decisions(direction, running, *, finished=(0.8,) * 6, seen=20, **options):
    """Whether trials with these curves are stopped at an epoch."""
    sign = 1 if direction == "maximize" else -1
    study = optuna.create_study(direction=direction, pruner=ExtrapolationPruner(EPOCHS, **options))
    for value in finished:
        study.tell(study.ask(), sign * value)
    answers = []
    for curve in running:
        trial = study.ask()
        for epoch, value in enumerate(curve[:seen], 1):
            trial.report(sign * value, epoch)
        answers.append(trial.should_prune())
    return answers


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_what_cannot_win_is_stopped_and_what_can_is_not(direction):
    t = np.arange(1.0, EPOCHS + 1)
    hopeless, winner, late = power(0.6, 0.3, 1, t), power(0.9, 0.5, 0.7, t), 0.2 + 0.014 * t
    ahead = np.where(t == 3, 0.85, 0.5)
    broken = np.full(EPOCHS, math.nan)
    assert decisions(direction, [hopeless, winner, late, ahead, broken]) == [True, False, False, False, False]
    assert decisions(direction, [hopeless], finished=(0.8, 0.8)) == [False], "too few have finished"
    assert decisions(direction, [hopeless], seen=3) == [False]
    assert decisions(direction, [hopeless], seen=17) == [False], "asked only every five epochs"
    assert decisions(direction, [hopeless], finished=(0.9, 0.8, 0.7, 0.62, 0.59), rival=5) == [False]
    assert decisions(direction, [hopeless], finished=(0.9, 0.8, 0.7, 0.62, 0.59), rival=2) == [True]
    assert decisions(direction, [hopeless], threshold=0.0) == [False]


def test_few_that_would_have_won_are_stopped():
    ends = list(curves(mixed, 400, 0.005, seed=1))
    rival = float(np.quantile([y[-1] for y in ends], 0.8))
    stopped = decisions("maximize", ends, finished=(rival,) * 4, seen=10)
    would_have_won = [y[-1] > rival for y, s in zip(ends, stopped, strict=True) if s]
    assert len(would_have_won) > 100, "it saves something"
    assert np.mean(would_have_won) < 0.05


def test_it_is_asked_at_common_epochs_so_that_trials_stay_stacked():
    study = optuna.create_study(pruner=pruner("extrapolation", EPOCHS))
    assert scheduler("pruner", study, EPOCHS).rungs == [5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert scheduler("pruner", optuna.create_study(pruner=pruner("extrapolation", 3)), 3).rungs == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"threshold": 1.5}, "threshold: 1.5 is not a probability below 1"),
        ({"rival": 0}, "rival: 0 is less than 1, the best"),
        ({"interval_steps": 0}, "interval_steps: 0 is less than 1"),
        ({"treshold": 0.1}, "pruner extrapolation: unknown option 'treshold'; did you mean 'threshold'?"),
    ],
)
def test_options_that_cannot_be_are_refused(options, line):
    with pytest.raises(ValueError, match=line):
        pruner("extrapolation", EPOCHS, **options)
