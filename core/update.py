"""From a gradient to new parameters: penalties, clipping, weight decay and the optimizer's rule, for a whole stack."""

from collections.abc import Sequence

import numpy as np

from .array import Array
from .averaging import ema_decay, move_average
from .compiled import LOOPS
from .hyperparameters import Hyperparameters
from .parameters import learning_rate_groups, weight_blocks
from .schedules import anneal, multiplier
from .structure import Structure


def _weights(structure: Structure, flat: Array) -> list[Array]:
    """For each layer the columns (K, in * out) of its weights: penalties and decay spare the biases, a block's last row.

    A network's weights as one piece: NumPy's passes over them take half to two thirds of what they take over matrices.
    """
    blocks = weight_blocks(structure, flat)
    return [block.reshape(len(block), -1)[:, : -block.shape[2]] for block in blocks]


class Updater:
    """Changes `theta` (K, P) and the `slots`, arrays (K, P), by `gradient` (K, P), which it may overwrite.

    The slots are the optimizer's, and after them that of an exponential moving average where there is one.

    What K networks differ in are columns: nothing here depends on a neighbour.
    """

    def __init__(
        self,
        structure: Structure,
        hps: Sequence[Hyperparameters],
        theta: Array,
        gradient: Array,
        slots: Sequence[Array],
    ) -> None:
        self._structure, self._hps, self._rule = structure, hps, structure.rule
        self._theta, self._gradient = theta, gradient
        self._scratch = scratch = np.empty_like(theta)
        self._average = slots[self._rule.n_slots] if structure.ema else None
        # Views of the columns that share a factor on the learning rate.
        groups = learning_rate_groups(structure)
        self._rate_factors = [factor for _, _, factor in groups]
        self._spans = [(begin, end) for begin, end, _ in groups]
        self._slots = tuple(slots[: self._rule.n_slots])
        self._param_groups = [
            [flat[:, begin:end] for flat in (theta, gradient, scratch, *slots[: self._rule.n_slots])]
            for begin, end, _ in groups
        ]
        self._weights, self._weights_gradient, self._weights_scratch = (
            _weights(structure, flat) for flat in (theta, gradient, scratch)
        )
        # What weight decay shrinks, where that is not the weights themselves.
        self._decayed = None if self._rule.iterate is None else _weights(structure, slots[self._rule.iterate])
        dtype = np.dtype(structure.dtype)
        self._penalties = [
            (column[:, None], None if column.all() else (column > 0)[:, None], power)
            for column, power in (
                (np.array([hp.l2 for hp in hps], dtype=dtype), 2),
                (np.array([hp.l1 for hp in hps], dtype=dtype), 1),
            )
            if column.any()
        ]
        clip_norms = [hp.clip_norm if hp.clip_norm is not None else np.inf for hp in hps]
        self._clip_norm = np.array(clip_norms).reshape(-1, 1)
        self._has_clipping = bool(np.isfinite(self._clip_norm).any())
        decays = [hp.effective_weight_decay > 0.0 for hp in hps]
        self._has_decay, self._decays = any(decays), np.array(decays)[:, None]

    def prepare_step_scalars(self, first_step: Array, plateau_factor: Array) -> None:
        """Compute the scalars of all steps of an epoch, whose first is `first_step` (K,), counted from 0.

        One network at a time, so that no array's shape depends on the neighbours.
        """
        steps, K = self._structure.steps, len(self._hps)
        columns: dict[float, Array] = {}
        decay, shares = np.zeros((steps, K)), np.zeros((steps, K))
        for k, (hp, first, plateau) in enumerate(zip(self._hps, first_step, plateau_factor, strict=True)):
            earlier = int(first) if self._rule.sums_rates else 0
            number = first - earlier + np.arange(earlier + steps, dtype=np.float64)
            total = float(hp.epochs * steps)
            rate = np.full(len(number), hp.effective_learning_rate * plateau)
            if hp.schedule != "constant" or hp.warmup:
                rate = rate * multiplier(hp.schedule, number, total, hp.effective_decay, hp.warmup)
            for factor in self._rate_factors:
                scalars = self._rule.coefficients(hp, rate * factor, number + 1.0)
                column = columns.setdefault(factor, np.empty((len(scalars), steps, K)))
                for i, scalar in enumerate(scalars):
                    column[i, :, k] = scalar[earlier:] if isinstance(scalar, np.ndarray) else scalar
            number, rate = number[earlier:], rate[earlier:]
            if hp.effective_weight_decay:
                decay[:, k] = rate * hp.effective_weight_decay * (anneal(number, total) if hp.fade else 1.0)
            if self._average is not None:
                shares[:, k] = 1.0 - ema_decay(hp.ema, number)
        dtype = self._structure.dtype
        self._loop = LOOPS.find(self._rule, dtype, steps * self._theta.size)
        if self._loop is None:
            self._scalars = list(zip(*(self._by_step(columns[factor]) for factor in self._rate_factors), strict=True))
        else:
            self._loop_scalars = [np.ascontiguousarray(columns[factor], dtype=dtype) for factor in self._rate_factors]
        if self._has_decay:
            self._decay_factor = self._columns(1.0 - decay if self._decayed is None else decay)
        if self._average is not None:
            self._shares = self._columns(shares)

    def _by_step(self, scalars: Array) -> list[tuple[Array, ...]]:
        """Scalars (s, steps, K) of the optimizer's rule as for each step s columns (K, 1)."""
        return list(zip(*map(self._columns, scalars), strict=True))

    def _columns(self, scalar: Array) -> list[Array]:
        """A scalar (steps, K) as for each step a column (K, 1).

        Where the networks do not differ it is one number, (): NumPy takes a third of the time to multiply a small array by it.
        """
        scalar = scalar.astype(self._structure.dtype)
        if not (scalar == scalar[:, :1]).all():
            return list(scalar[:, :, None])
        first = np.ascontiguousarray(scalar[:, 0])
        if (first == first[0]).all():
            return [first[0, ...]] * len(first)
        return [first[i, ...] for i in range(len(first))]

    def step(self, number: int) -> None:
        """The epoch's step of that number, counted from 0."""
        if self._penalties:
            self._add_penalties()
        if self._has_clipping:
            self._clip()
        if self._has_decay:
            self._decay(self._decay_factor[number])
        if self._loop is not None:
            for (begin, end), table in zip(self._spans, self._loop_scalars, strict=True):
                self._loop(self._theta, self._gradient, self._slots, table, number, begin, end)
        else:
            for arrays, scalars in zip(self._param_groups, self._scalars[number], strict=True):
                theta, gradient, scratch, *slots = arrays
                self._rule.update(theta, gradient, slots, scalars, scratch)
        if self._average is not None:
            move_average(self._average, self._theta, self._shares[number], self._scratch)

    def _decay(self, factor: Array) -> None:
        """Shrink the weights by their factor (K, 1), or move what takes the steps by that fraction of the weights."""
        if self._decayed is None:
            for w in self._weights:
                np.multiply(w, factor, out=w)
            return
        for z, w, s in zip(self._decayed, self._weights, self._weights_scratch, strict=True):
            np.multiply(w, factor, out=s)
            np.subtract(z, s, out=z, where=self._decays)

    def _add_penalties(self) -> None:
        """Add l2 w and l1 sign(w) to the gradient."""
        for column, where, power in self._penalties:
            for w, g, s in zip(self._weights, self._weights_gradient, self._weights_scratch, strict=True):
                if power == 2:
                    np.multiply(w, column, out=s)
                else:
                    np.sign(w, out=s)
                    np.multiply(s, column, out=s)
                # Adding a neighbour's zero would turn -0.0 into 0.0: networks without the penalty are left alone.
                np.add(g, s, out=g, where=True if where is None else where)

    def _clip(self) -> None:
        """Scale gradients that are longer than `clip_norm` down to it."""
        g = self._gradient
        norm = np.sqrt(np.matmul(g[:, None, :], g[:, :, None])[:, 0].astype(np.float64))
        factor = np.where(norm > self._clip_norm, self._clip_norm / norm, 1.0)
        np.multiply(g, factor.astype(g.dtype), out=g)
