"""What a model is told of the trials so far: one finite number each, to minimise, whatever became of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


def told(trial: FrozenTrial, direction: StudyDirection) -> float | None:
    """A finished trial's value to minimise; a pruned one's last report; None where there is no finite one."""
    if trial.state == TrialState.PRUNED and trial.last_step is not None:
        # Optuna makes it the value too, but whoever rebuilds a study may have left it out.
        value = trial.intermediate_values[trial.last_step]
    elif trial.state == TrialState.FAIL or trial.values is None:
        return None
    else:
        value = trial.values[0]
    if not math.isfinite(value):
        return None
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    # Squares of what is larger would overflow in a model.
    return sign * min(max(value, -1e100), 1e100)


def values(trials: Sequence[FrozenTrial], direction: StudyDirection) -> np.ndarray:
    """The values (n,) of finished trials to minimise; the worst of them stands for those that have none."""
    return filled([told(trial, direction) for trial in trials])


def filled(found: Sequence[float | None]) -> np.ndarray:
    """Values (n,), the worst of them where there is none."""
    worst = max((value for value in found if value is not None), default=0.0)
    return np.array([worst if value is None else value for value in found])


@dataclass(frozen=True)
class Observations:
    """What is known of trials that stand at different epochs, ordered by trial and epoch.

    Attributes:
        index: which trial (n,), as a place in the sequence that was given.
        epoch: after how many epochs (n,).
        y: the value (n,), to be minimised.
        lost: the trials (l,) that failed or diverged.
    """

    index: np.ndarray
    epoch: np.ndarray
    y: np.ndarray
    lost: np.ndarray

    @property
    def trials(self) -> np.ndarray:
        """The trials of which anything is known, ascending."""
        return np.unique(self.index)


def observations(trials: Sequence[FrozenTrial], direction: StudyDirection) -> Observations:
    """One value for each trial, finished or not, and each rung it has reached.

    Optuna's samplers know two sorts of trials, finished and running. Under a scheduler that pauses, most results belong to
    trials that still run: without them little is known, and taken as bad (TPE's constant liar) they drive proposals away from
    the best, which are the ones waiting to be promoted.

    Rungs are the epochs at which trials stand still, paused or pruned, and the largest that any has reached. The value at a
    rung is the best up to there; a complete trial's own value counts at the largest. A lost trial has the worst value of all at
    the largest.
    """
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    finals = [told(t, direction) if t.state.is_finished() else None for t in trials]
    lost = [i for i, t in enumerate(trials) if t.state.is_finished() and finals[i] is None]
    curves = {i: _best_so_far(t, sign) for i, t in enumerate(trials) if i not in lost and t.intermediate_values}
    last = max((int(epochs[-1]) for epochs, _ in curves.values()), default=1)
    complete = {i for i, t in enumerate(trials) if t.state == TrialState.COMPLETE}
    rungs = sorted({last, *(int(epochs[-1]) for i, (epochs, _) in curves.items() if i not in complete)})
    rows: list[tuple[int, int, float]] = []
    for i, (epochs, best) in curves.items():
        for rung in rungs:
            here = int(np.searchsorted(epochs, rung, side="right")) - 1
            if here >= 0 and rung <= epochs[-1] and math.isfinite(best[here]) and not (i in complete and rung == last):
                rows.append((i, rung, float(best[here])))
    rows += [(i, last, value) for i, value in enumerate(finals) if i in complete and value is not None]
    worst = max((value for _, _, value in rows), default=0.0)
    rows += [(i, last, worst) for i in lost]
    table = np.array(sorted(rows), float).reshape(-1, 3)
    # Who counts steps from 0 has reported an epoch 0, whose logarithm is none.
    return Observations(
        table[:, 0].astype(int), np.maximum(table[:, 1].astype(int), 1), table[:, 2], np.array(lost, int)
    )


def _best_so_far(trial: FrozenTrial, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Epochs (n,) and the best finite value up to each (n,), to be minimised; infinite where there was none yet."""
    epochs = np.array(sorted(trial.intermediate_values))
    values = sign * np.array([trial.intermediate_values[int(epoch)] for epoch in epochs], float)
    values = np.where(np.isfinite(values), np.clip(values, -1e100, 1e100), np.inf)
    return epochs, np.minimum.accumulate(values)
