"""The trials so far as data for a model: one finite value each, to be minimised, however they ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


def objective_to_minimize(trial: FrozenTrial, direction: StudyDirection) -> float | None:
    """A finished trial's value with the sign to minimise; of a pruned one the last reported; None if there is no finite one."""
    if trial.state == TrialState.PRUNED and trial.last_step is not None:
        # Optuna makes it the value too, but a study that was rebuilt may lack it.
        value = trial.intermediate_values[trial.last_step]
    elif trial.state == TrialState.FAIL or trial.values is None:
        return None
    else:
        value = trial.values[0]
    if not math.isfinite(value):
        return None
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    # Squares of larger values would overflow in a model.
    return sign * min(max(value, -1e100), 1e100)


def impute_worst(values: Sequence[float | None]) -> np.ndarray:
    """Values (n,) to minimise; the worst of them, the largest, stands for those that are missing."""
    worst = max((value for value in values if value is not None), default=0.0)
    return np.array([worst if value is None else value for value in values])


@dataclass(frozen=True)
class Observations:
    """The values of trials that have trained for different numbers of epochs, ordered by trial and epoch.

    Attributes:
        index: which trial (n,), as an index into the sequence that was passed.
        epoch: after how many epochs (n,).
        y: the value (n,), to be minimised.
        failed: the trials (l,) that failed or diverged.
    """

    index: np.ndarray
    epoch: np.ndarray
    y: np.ndarray
    failed: np.ndarray

    @property
    def trials(self) -> np.ndarray:
        """The indices of the trials that have any value, ascending."""
        return np.unique(self.index)


@dataclass
class Curve:
    """What one trial has reported.

    Attributes:
        trial: the object it was read from.
        final: the value of a finished trial (`objective_to_minimize`); None if it has none or still runs.
        failed: whether it has finished without a value.
        epochs: after how many epochs it reported (n,), ascending.
        best: its best finite value up to each (n,), to be minimised; infinite where there is none yet.
        at: the rungs of the last call of `rungs`, and its result.
    """

    trial: FrozenTrial
    final: float | None
    failed: bool
    epochs: np.ndarray
    best: np.ndarray
    at: tuple[tuple[int, ...], list[tuple[int, float]]] = ((), [])

    def rungs(self, rungs: tuple[int, ...]) -> list[tuple[int, float]]:
        """The rungs that it has reached, each with its best value up to there where that is finite."""
        if self.at[0] != rungs:
            here = np.searchsorted(self.epochs, rungs, side="right") - 1
            reached = [
                (rung, float(self.best[i]))
                for rung, i in zip(rungs, here, strict=True)
                if i >= 0 and rung <= self.epochs[-1] and math.isfinite(self.best[i])
            ]
            self.at = rungs, reached
        return self.at[1]


def observations(
    trials: Sequence[FrozenTrial], direction: StudyDirection, curves: dict[int, Curve] | None = None
) -> Observations:
    """One value for each trial, finished or not, at each rung that it has reached.

    Optuna's samplers distinguish finished and running trials. Under a scheduler that pauses trials, most results belong to
    trials that still run: ignored, they leave little data, and counted as bad (TPE's constant liar) they drive proposals away
    from the best ones, which are those waiting to be promoted.

    Rungs are the epochs at which trials are paused or were pruned, and the largest that any trial has reached. The value at a
    rung is the best up to there; a complete trial's own value counts at the largest rung, where a failed trial has the worst
    value of all. `curves` caches what was read of a study's trials, by number, for the next call.
    """
    curves = {} if curves is None else curves
    read = [_read(t, direction, curves) for t in trials]
    failed = [i for i, c in enumerate(read) if c.failed]
    complete = {i for i, c in enumerate(read) if c.trial.state == TrialState.COMPLETE}
    known = {i: c for i, c in enumerate(read) if len(c.epochs) and not c.failed}
    last = max((int(c.epochs[-1]) for c in known.values()), default=1)
    rungs = tuple(sorted({last, *(int(c.epochs[-1]) for i, c in known.items() if i not in complete)}))
    rows = [(i, *at) for i, c in known.items() for at in c.rungs(rungs) if not (at[0] == last and i in complete)]
    rows += [(i, last, value) for i in complete if (value := read[i].final) is not None]
    worst = max((value for _, _, value in rows), default=0.0)
    rows += [(i, last, worst) for i in failed]
    table = np.array(sorted(rows), float).reshape(-1, 3)
    # Steps counted from 0 would give an epoch 0, which has no logarithm.
    return Observations(
        table[:, 0].astype(int), np.maximum(table[:, 1].astype(int), 1), table[:, 2], np.array(failed, int)
    )


def _read(trial: FrozenTrial, direction: StudyDirection, curves: dict[int, Curve]) -> Curve:
    # All of Optuna's storages replace the object of a trial that changes.
    curve = curves.get(trial.number)
    if curve is None or curve.trial is not trial:
        finished = trial.state.is_finished()
        final = objective_to_minimize(trial, direction) if finished else None
        reports = sorted(trial.intermediate_values.items())
        sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
        values = sign * np.array([value for _, value in reports], float)
        values = np.where(np.isfinite(values), np.clip(values, -1e100, 1e100), np.inf)
        epochs = np.array([epoch for epoch, _ in reports], int)
        curve = Curve(trial, final, finished and final is None, epochs, np.minimum.accumulate(values))
        curves[trial.number] = curve
    return curve
