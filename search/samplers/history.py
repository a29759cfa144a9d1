"""What a model is told of the trials so far: one finite number each, to minimise, whatever became of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    found = [told(trial, direction) for trial in trials]
    worst = max((value for value in found if value is not None), default=0.0)
    return np.array([worst if value is None else value for value in found])
