"""The end of a learning curve, predicted from its start; and a pruner that stops trials that are unlikely to win.

After Domhan, Springenberg, Hutter 2015, "Speeding Up Automatic Hyperparameter Optimization of Deep Neural Networks by
Extrapolation of Learning Curves" (IJCAI), simplified: y(t) = a + b f_k(t) + noise, where f_k is a power law t^-c or an
exponential e^(-c t / T), shifted and scaled to fall from 1 to 0 over the epochs seen. Then a is the present value of the curve, b
its change so far, and the change to come, b f_k(T), follows from k. Given k this is linear regression, whose posterior has a
closed form (a normal-inverse-gamma prior; Murphy 2012, section 7.6.3) where Domhan et al. draw samples; all k, a grid of
decays c, are averaged with their marginal likelihoods as weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

MIN_POINTS = 4
"""Fewer points than this do not determine a prediction."""

_POWERS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
_RATES = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # the first is a straight line
_PRIOR_WIDTH = 3.0  # of a and b, in units of the spread of the curve so far
_PRIOR_NOISE = 0.05  # prior guess of the noise, in the same units
_PRIOR_WEIGHT = 1.0  # how many points that guess counts for
_MODEL_ERROR = 0.15  # deviation of a curve from its family at the end, in the same units, per root of log(T / t)
_RECENT = 0.5  # older points have less weight: (t / t_last) to this power


@dataclass(frozen=True)
class FinalValue:
    """The predictive distribution of a curve's last value: a mixture of Student's t with equal degrees of freedom.

    Attributes:
        weights: of the k components, positive, with sum 1.
        means: their means (k,).
        scales: their scales (k,).
        freedom: the degrees of freedom.
    """

    weights: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    freedom: float

    @property
    def mean(self) -> float:
        return float(self.weights @ self.means)

    @property
    def deviation(self) -> float:
        """The standard deviation, infinite for 2 degrees of freedom or fewer."""
        if self.freedom <= 2:
            return math.inf
        spread = self.scales**2 * self.freedom / (self.freedom - 2) + (self.means - self.mean) ** 2
        return float(np.sqrt(self.weights @ spread))

    def prob_above(self, value: float) -> float:
        """The probability of exceeding `value`."""
        from scipy.special import stdtr

        return float(self.weights @ stdtr(self.freedom, (self.means - value) / self.scales))


def extrapolate(epochs: Sequence[int], values: Sequence[float], last: int) -> FinalValue | None:
    """The distribution, at epoch `last`, of the curve with these `values` (n,) at `epochs` (n,), ascending from 1.

    Values that are not finite are left out; None if fewer than four remain.
    """
    t, y = np.asarray(epochs, float), np.asarray(values, float)
    finite = np.isfinite(y)
    t, y = t[finite], y[finite]
    if len(y) < MIN_POINTS:
        return None
    spread = float(np.ptp(y))
    unit = spread if spread > 1e-9 * max(1.0, abs(float(y[-1]))) else max(1e-9, 1e-3 * abs(float(y[-1])))
    z = (y - y[-1]) / unit
    f, at_end = _families(t, float(last))
    weight = (t / t[-1]) ** _RECENT
    count = weight.sum()
    # Posterior precision of (a, b), a 2 x 2 matrix for each family, and posterior mean.
    prior = _PRIOR_WIDTH**-2
    saa, sab, sbb = count + prior, f @ weight, (f * f) @ weight + prior
    ya, yb = weight @ z, f @ (weight * z)
    determinant = saa * sbb - sab * sab
    a, b = (sbb * ya - sab * yb) / determinant, (saa * yb - sab * ya) / determinant
    freedom = _PRIOR_WEIGHT + count
    squares = _PRIOR_WEIGHT * _PRIOR_NOISE**2 + weight @ (z * z) - a * ya - b * yb
    squares = np.maximum(squares, _PRIOR_WEIGHT * _PRIOR_NOISE**2 * 1e-3)
    evidence = -0.5 * np.log(determinant) - 0.5 * freedom * np.log(squares)
    weights = np.exp(evidence - evidence.max())
    leverage = (sbb - 2 * at_end * sab + at_end * at_end * saa) / determinant
    model_error = _MODEL_ERROR**2 * max(0.0, math.log(last / t[-1]))
    scales = np.sqrt(squares / freedom * (1.0 + leverage) + model_error)
    return FinalValue(weights / weights.sum(), (a + b * at_end) * unit + y[-1], scales * unit, freedom)


def _families(t: np.ndarray, last: float) -> tuple[np.ndarray, np.ndarray]:
    """f_k (k, n) at epochs t (n,), 1 at the first and 0 at the last of them, and f_k (k,) at epoch `last`."""
    c, r = np.array(_POWERS)[:, None], np.array(_RATES)[:, None] / last
    every = np.append(t, last)
    raw = np.concatenate([every**-c, np.exp(-r * (every - t[0]))])
    scaled = (raw - raw[:, -2:-1]) / (raw[:, :1] - raw[:, -2:-1])
    return scaled[:, :-1], scaled[:, -1]


class ExtrapolationPruner(BasePruner):
    """Stops a trial that is unlikely to beat the best finished one.

    Args:
        max_epochs: the epoch whose value is predicted.
        threshold: a trial is stopped if it beats the rival with less than this probability.
        rival: the rank of the finished trial to beat: 1 is the best.
        n_startup_trials: no trial is stopped before this many have finished.
        n_warmup_steps: no trial is stopped before this epoch; at least 4, and a tenth of the epochs unless given.
        interval_steps: epochs between two decisions, so that trials stay stacked; a tenth of the epochs unless given.

    A trial that has already been better than the rival is not stopped, nor is one with fewer than four finite values.
    """

    def __init__(
        self,
        max_epochs: int,
        *,
        threshold: float = 0.05,
        rival: int = 1,
        n_startup_trials: int = 4,
        n_warmup_steps: int | None = None,
        interval_steps: int | None = None,
    ) -> None:
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold: {threshold!r} is not a probability below 1")
        if rival < 1:
            raise ValueError(f"rival: {rival!r} is less than 1, the best")
        tenth = max(1, max_epochs // 10)
        self._max_epochs = max_epochs
        self._threshold, self._rival = threshold, rival
        self._least = max(rival, n_startup_trials, 1)
        self._warmup = max(MIN_POINTS, tenth if n_warmup_steps is None else n_warmup_steps)
        self._interval = tenth if interval_steps is None else interval_steps
        if self._interval < 1:
            raise ValueError(f"interval_steps: {interval_steps!r} is less than 1")

    def asks(self, epoch: int) -> bool:
        """Whether a trial may be stopped at this epoch."""
        return epoch >= self._warmup and (epoch - self._warmup) % self._interval == 0

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        epoch = trial.last_step
        if epoch is None or not self.asks(epoch):
            return False
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        values = sorted(
            (sign * t.value for t in finished if t.value is not None and math.isfinite(t.value)), reverse=True
        )
        if len(values) < self._least:
            return False
        rival = values[self._rival - 1]
        steps = sorted(trial.intermediate_values)
        curve = [sign * trial.intermediate_values[step] for step in steps]
        if any(value > rival for value in curve):
            return False
        end = extrapolate(steps, curve, self._max_epochs)
        return end is not None and end.prob_above(rival) < self._threshold
