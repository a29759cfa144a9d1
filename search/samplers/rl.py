"""A policy over hyperparameter values trained by REINFORCE with a moving baseline, as in neural architecture search.

Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning", arXiv:1611.01578, on a smaller scale; the update is
that of Williams 1992, "Simple Statistical Gradient-Following Algorithms". The controller is a table of logits z_i instead of a
recurrent network: p_i = softmax(z_i) over the values of hyperparameter i, all drawn independently. After a trial with reward R
and choices a: z_i += eta ((R - b) / s (onehot(a_i) - p_i) + beta dH(p_i) / dz_i), where b and s are moving averages of R and
|R - b|, and H is the entropy, whose bonus prevents early convergence.

The policy is computed from the finished trials in trial order, as if each had been asked after the one before it. Its
entropy and baseline are recorded with each trial, so that its training can be followed in the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from ..plugins import check_number
from ..seeds import derive
from ..spaces.space import Space
from ..surrogate.features import Axis, Features
from .joint import History, JointSampler

ENTROPY = "mlptune:rl:entropy"
"""Trial system attribute: mean entropy of the policy that proposed it, relative to the uniform policy."""
BASELINE = "mlptune:rl:baseline"
"""Trial system attribute: b, with the objective's own sign and unit; None before the first result."""

_BINS = 8
"""A range of more values than this is cut into this many bins of equal width, on its own scale."""
_CLIP = 2.0
"""The largest |R - b| / s; a failed or diverged trial counts as the worst."""
_ATTEMPTS = 20


class ReinforceSampler(JointSampler):
    """Draws from a policy trained by REINFORCE.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used.
        learning_rate: eta.
        entropy: beta.
        decay: of the moving averages b and s.

    A point that was proposed before is drawn again; if the policy yields no new one, one of its values is drawn uniformly,
    since training a point twice would teach the policy nothing.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        space: Space | Mapping[str, Any] | None = None,
        learning_rate: float = 0.5,
        entropy: float = 0.02,
        decay: float = 0.9,
    ) -> None:
        super().__init__(seed, space=space)
        self._learning_rate = check_number("learning_rate", learning_rate, 100)
        self._entropy = check_number("entropy", entropy, 10)
        self._decay = check_number("decay", decay)

    def _reset_cache(self) -> None:
        super()._reset_cache()
        self._policy: _Policy | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_policy"}

    def _propose(self, study: Study, trial: FrozenTrial, features: Features, history: History) -> np.ndarray | None:
        policy = self._trained_policy(features, history)
        p = policy.probabilities()
        sign = -1.0 if study.direction == StudyDirection.MINIMIZE else 1.0
        baseline = None if policy.baseline is None else sign * policy.baseline
        for key, value in ((ENTROPY, policy.entropy(p)), (BASELINE, baseline)):
            study._storage.set_trial_system_attr(trial._trial_id, key, value)
        generator = np.random.default_rng(derive(self._seed, "rl", trial.number))
        known = history.known()
        codes = np.empty(0)
        for _ in range(_ATTEMPTS):
            codes = features.canonicalized(policy.draw(p, generator)[None])[0]
            if codes.tobytes() not in known:
                return codes
        for _ in range(_ATTEMPTS):
            other = codes.copy()
            i = generator.integers(len(features.axes))
            other[i] = features.axes[i].from_unit(generator.random(1))[0]
            if features.canonicalized(other[None])[0].tobytes() not in known:
                return other
        return codes

    def _trained_policy(self, features: Features, history: History) -> _Policy:
        """The policy after the whole history; a policy cached after the beginning of it only saves repeating its updates."""
        policy = self._policy
        if policy is None or policy.features is not features or not policy.is_prefix_of(history):
            policy = self._policy = _Policy(features)
        for i in range(len(policy.rewards), len(history.values)):
            reward = None if history.failed[i] else -float(history.values[i])
            policy.update(history.codes[i], reward, self._learning_rate, self._entropy, self._decay)
        return policy


@dataclass
class _Policy:
    """Logits (d, bins) of d hyperparameters, and the trials that they were trained on."""

    features: Features
    baseline: float | None = None
    spread: float = 0.0
    rewards: list[float | None] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bins = np.array([_bins(axis) for axis in self.features.axes])
        self.exists = np.arange(self.bins.max()) < self.bins[:, None]
        self.logits = np.zeros(self.exists.shape)

    def is_prefix_of(self, history: History) -> bool:
        """Whether the trials of this policy are the beginning of the history."""
        n = len(self.rewards)
        if n > len(history.values):
            return False
        rewards = [None if f else -float(v) for f, v in zip(history.failed[:n], history.values[:n], strict=True)]
        return rewards == self.rewards and (n == 0 or bool((history.codes[:n] == np.array(self.points)).all()))

    def probabilities(self) -> np.ndarray:
        """p (d, bins); 0 in bins that a hyperparameter does not have."""
        odds = np.where(self.exists, np.exp(self.logits - self.logits.max(axis=1, keepdims=True)), 0.0)
        return odds / odds.sum(axis=1, keepdims=True)

    def entropy(self, p: np.ndarray) -> float:
        """The mean entropy of the hyperparameters, each relative to that of the uniform distribution."""
        several = self.bins > 1
        if not several.any():
            return 0.0
        return float((-_plogp(p).sum(axis=1)[several] / np.log(self.bins[several])).mean())

    def draw(self, p: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Codes (d,): a bin of each hyperparameter by its probability, and a uniform place inside it."""
        u, place = generator.random((2, len(p)))
        chosen = np.minimum((p.cumsum(axis=1) <= u[:, None]).sum(axis=1), self.bins - 1)
        quantiles = (chosen + place) / self.bins
        return np.array([axis.from_unit(quantiles[i : i + 1])[0] for i, axis in enumerate(self.features.axes)])

    def update(self, codes: np.ndarray, reward: float | None, rate: float, bonus: float, decay: float) -> None:
        """One step for a trial's choices; a reward of None counts as the worst."""
        self.points.append(codes)
        self.rewards.append(reward)
        advantage = -_CLIP
        if reward is not None:
            gain = 0.0 if self.baseline is None else reward - self.baseline
            advantage = float(np.clip(gain / self.spread, -_CLIP, _CLIP)) if self.spread else float(np.sign(gain))
            self.spread = abs(gain) if not self.spread else decay * self.spread + (1 - decay) * abs(gain)
            self.baseline = reward if self.baseline is None else decay * self.baseline + (1 - decay) * reward
        p = self.probabilities()
        chosen = [_bin(axis, code, n) for axis, code, n in zip(self.features.axes, codes, self.bins, strict=True)]
        step = -advantage * p
        step[np.arange(len(p)), chosen] += advantage
        logs = _plogp(p)
        # dH / dz_k = -p_k (log p_k + H)
        step += bonus * (p * logs.sum(axis=1, keepdims=True) - logs)
        active = self.features.active(codes)
        self.logits[active] += rate * step[active]


def _plogp(p: np.ndarray) -> np.ndarray:
    return p * np.log(np.where(p > 0, p, 1.0))


def _bins(axis: Axis) -> int:
    return axis.size if axis.size and (axis.size <= _BINS or not axis.ordered) else _BINS


def _bin(axis: Axis, code: float, bins: int) -> int:
    """The bin of a code."""
    return min(int((code / axis.size if axis.size else code) * bins), bins - 1)
