"""BOHB: TPE on the results of the largest rung of Hyperband that has enough of them.

Falkner, Klein, Hutter 2018, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", arXiv:1807.01774: the densities
l and g are those of the largest budget at which there are enough results (their N_min; here `n_startup_trials`). Promoted trials
count at every rung that they have passed. The scheduler is Hyperband's. Their fraction of random points is left out: TPE's own
prior keeps every value possible.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .history import Curve, observations
from .tpe import TPESampler, same_trials


class BohbSampler(TPESampler):
    """TPE on the largest rung with at least `n_startup_trials` results, else on the smallest. Arguments as of `tpe`."""

    def _reset_cache(self) -> None:
        super()._reset_cache()
        self._curves: dict[int, Curve] = {}
        self._view: tuple[Study, list[FrozenTrial], _AtRung] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in ("_curves", "_view")}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return super().infer_relative_search_space(self._at_rung(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return super().sample_relative(self._at_rung(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return super().sample_independent(self._at_rung(study), trial, param_name, param_distribution)

    def _at_rung(self, study: Study) -> Study:
        """The study as it looks at a rung: the trials that have reached it are complete, with their value there."""
        if isinstance(study, _AtRung) or len(study.directions) > 1:
            return study
        trials = study._get_trials(deepcopy=False)
        known_view = self._view
        if known_view is not None and known_view[0] is study and same_trials(known_view[1], trials):
            return known_view[2]
        known = observations(trials, study.direction, self._curves)
        failed = np.isin(known.index, known.failed)
        rungs, counts = np.unique(known.epoch[~failed], return_counts=True)
        enough = rungs[counts >= self._n_startup_trials]
        rung = enough[-1] if len(enough) else rungs[0] if len(rungs) else 0
        sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        rows = np.flatnonzero(failed | (known.epoch == rung))
        shown = [_complete(trials[known.index[row]], sign * float(known.y[row])) for row in rows]
        pending = [t for t in trials if t.state == TrialState.RUNNING and not t.intermediate_values]
        view = _AtRung(study, [*shown, *pending])
        self._view = study, trials, view
        return view


def _complete(trial: FrozenTrial, value: float) -> FrozenTrial:
    shown = copy.copy(trial)
    shown.state, shown.value = TrialState.COMPLETE, value
    return shown


class _AtRung(Study):
    """A study that shows a sampler only these trials."""

    def __init__(self, study: Study, trials: list[FrozenTrial]) -> None:
        self.__dict__.update(study.__dict__)
        self._shown = trials

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Any = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        return [t for t in self._shown if states is None or t.state in states]
