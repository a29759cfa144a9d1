"""The working stack: K networks, their buffers and the step they share. Nothing here depends on a neighbour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .array import Array
from .data import PreparedFold
from .hyperparameters import Hyperparameters
from .losses import LOSSES
from .metrics import METRICS, r2_from_sums
from .minibatches import Batches, hard_classes, squared_sums
from .parameters import n_parameters, offsets, rate_factors, weight_blocks
from .schedules import SCHEDULES, faded, multiplier
from .state import State
from .structure import Structure
from .workspace import output_sums

# Numbers of one network that the shuffled rows, or the output sums, of a run of batches may take: they stay in cache,
# and what is done once for a run of batches costs little. A constant, because it decides the order of sums.
RUN_SIZE = 16384


@dataclass(frozen=True)
class Network:
    """One network of a stack: its hyperparameters, the seed of its initialisation and dropout, and its fold's index."""

    hyperparameters: Hyperparameters
    seed: int
    fold: int = 0


def generator(seed: int, *tags: int) -> np.random.SFC64:
    """The bit generator of one network for one purpose: a function of its seed and the tags alone."""
    return np.random.SFC64(np.random.SeedSequence((seed, *tags)))


class Stack:
    """K networks of one structure in training, all at the same epoch."""

    def __init__(
        self, structure: Structure, networks: Sequence[Network], folds: Sequence[PreparedFold], state: State
    ) -> None:
        self.structure, self.networks = structure, networks
        self.loss = LOSSES[structure.loss]
        self.rule = structure.rule
        K, hps = len(networks), [network.hyperparameters for network in networks]
        used = sorted({network.fold for network in networks})
        self.folds = [folds[f] for f in used]
        self.fold_of = np.array([used.index(network.fold) for network in networks], dtype=np.intp)
        self.has_weights = any(fold.train.weight is not None for fold in self.folds)

        self.theta = np.ascontiguousarray(state.theta)
        self.running = np.ascontiguousarray(state.running)
        self.rate_factor = state.rate_factor
        self.norms: Array | None = None  # (K, layers): sums over an epoch's steps, where somebody asks for them
        self.gradient = np.empty_like(self.theta)
        self.scratch = np.empty_like(self.theta)
        self.slots = [np.ascontiguousarray(state.slots[:, s]) for s in range(self.rule.n_slots)]

        spans = rate_factors(structure)
        self.factors = [factor for _, _, factor in spans]
        self.pieces = [
            [flat[:, begin:end] for flat in (self.theta, self.gradient, self.scratch, *self.slots)]
            for begin, end, _ in spans
        ]

        dtype = np.dtype(structure.dtype)
        self.has_smoothing = self.loss.task == "classification" and any(hp.label_smoothing for hp in hps)
        if self.has_smoothing:
            ls = np.array([hp.label_smoothing for hp in hps], dtype=dtype).reshape(K, 1, 1, 1)
            self.smoothing = ls, ls / dtype.type(max(structure.n_outputs, 2))
        self.has_dropout = bool(structure.hidden) and any(hp.dropout for hp in hps)
        self.penalties = [
            (column[:, None, None], None if column.all() else (column > 0)[:, None, None], power)
            for column, power in (
                (np.array([hp.l2 for hp in hps], dtype=dtype), 2),
                (np.array([hp.l1 for hp in hps], dtype=dtype), 1),
            )
            if column.any()
        ]
        self.clip = np.array([hp.clip_norm if hp.clip_norm is not None else np.inf for hp in hps]).reshape(K, 1)
        self.has_clip = bool(np.isfinite(self.clip).any())
        self.has_decay = any(hp.decoupled_decay for hp in hps)
        self.weights, self.weights_gradient, self.weights_scratch = (
            [block[:, :-1] for block in weight_blocks(structure, flat)]
            for flat in (self.theta, self.gradient, self.scratch)
        )

        rows, n = structure.batch_size, structure.n_rows
        full, rest = divmod(n, rows)
        self.count = max(1, min(full, RUN_SIZE // (rows * max(structure.n_encoded, structure.n_outputs))))
        self.full = Batches(self, rows, self.count)
        self.partial = Batches(self, rest, 1) if rest else None

    def by_network(self, arrays: Sequence[Array]) -> Array:
        """Arrays of the folds as one, by network (K, ...); (1, ...) where all networks share one fold."""
        if len(arrays) == 1:
            return arrays[0][None]
        return np.stack(arrays)[self.fold_of]

    def layer_norms(self) -> Array:
        """The length of the gradient by each dense layer's parameters (K, layers), in float64."""
        squares = []
        for start, end in offsets(self.structure):
            g = self.gradient[:, start:end].astype(np.float64)
            squares.append(np.matmul(g[:, None, :], g[:, :, None])[:, 0, 0])
        return np.sqrt(np.stack(squares, axis=1))

    def update(self, number: int) -> None:
        """Penalties, clipping, decay and the optimizer's rule, for the epoch's step of that number."""
        for column, where, power in self.penalties:
            for w, g, s in zip(self.weights, self.weights_gradient, self.weights_scratch, strict=True):
                if power == 2:
                    np.multiply(w, column, out=s)
                else:
                    np.sign(w, out=s)
                    np.multiply(s, column, out=s)
                # Adding a neighbour's zero would turn -0.0 into 0.0: networks without the penalty are left alone.
                np.add(g, s, out=g, where=True if where is None else where)
        if self.has_clip:
            g = self.gradient
            norm = np.sqrt(np.matmul(g[:, None, :], g[:, :, None])[:, 0].astype(np.float64))
            factor = np.where(norm > self.clip, self.clip / norm, 1.0)
            np.multiply(g, factor.astype(g.dtype), out=g)
        if self.has_decay:
            for w in self.weights:
                np.multiply(w, self.shrink[number], out=w)
        for arrays, scalars in zip(self.pieces, self.scalars[number], strict=True):
            theta, gradient, scratch, *slots = arrays
            self.rule.update(theta, gradient, slots, scalars, scratch)

    def plan(self, first_step: Array) -> None:
        """The scalars of an epoch's steps: one call a network, so that no array's shape depends on the neighbours."""
        steps = self.structure.steps
        columns: dict[float, Array] = {}
        shrink = np.ones((steps, len(self.networks)))
        for k, (network, first, own) in enumerate(zip(self.networks, first_step, self.rate_factor, strict=True)):
            hp = network.hyperparameters
            number = first + np.arange(steps, dtype=np.float64)
            rate = np.full(steps, hp.rate * own)
            if hp.schedule != "constant" or hp.warmup:
                decay = SCHEDULES[hp.schedule].decay if hp.decay is None else hp.decay
                total = float(hp.epochs * steps)
                rate = rate * multiplier(hp.schedule, number, total, decay, hp.warmup)
            for factor in self.factors:
                scalars = self.rule.coefficients(hp, rate * factor, number + 1.0)
                column = columns.setdefault(factor, np.empty((len(scalars), steps, len(self.networks))))
                for i, scalar in enumerate(scalars):
                    column[i, :, k] = scalar
            if hp.decoupled_decay:
                shrink[:, k] -= rate * hp.decoupled_decay * (faded(number, hp.epochs * steps) if hp.fade else 1.0)
        self.scalars = list(zip(*(self._by_step(columns[factor]) for factor in self.factors), strict=True))
        if self.has_decay:
            self.shrink = shrink.astype(self.structure.dtype)[:, :, None, None]

    def _by_step(self, column: Array) -> list[tuple[Array, ...]]:
        """Scalars (s, steps, K) of the optimizer's rule as for each step s columns (K, 1), or (1, 1) where the networks
        do not differ: NumPy multiplies the quicker by one number.
        """
        parts = [
            (part[:, :1] if (part == part[:, :1]).all() else part).astype(self.structure.dtype)[:, :, None]
            for part in column
        ]
        return list(zip(*parts, strict=True))

    def plan_dropout(self, epoch: int) -> None:
        """The rates of an epoch: sixteen random bits decide for one unit, the survivors' scale fits what results."""
        rates = [
            hp.dropout * (float(faded(np.asarray(epoch - 1.0), hp.epochs)) if hp.fade else 1.0)
            for hp in (network.hyperparameters for network in self.networks)
        ]
        threshold = np.minimum(np.rint(np.array(rates)[:, None] * 65536), 65535)
        self.dropout_threshold = threshold.astype(np.uint16)
        self.dropout_scale = (65536.0 / (65536.0 - threshold)).astype(self.structure.dtype)

    def train_epoch(self, epoch: int, first_step: Array, order: Array) -> tuple[Array, Array]:
        """Train the epoch (counted from 1) in this order of rows; train_loss (K,) and train_score (K,)."""
        self.plan(first_step)
        if self.has_dropout:
            self.plan_dropout(epoch)
        bits = [
            generator(network.seed, 1, epoch) if network.hyperparameters.dropout else None for network in self.networks
        ]
        loss, score = np.zeros(len(self.networks)), np.zeros(())
        number, start = 0, 0
        full = len(order) // self.full.rows
        while number < self.structure.steps:
            batches = self.full if number < full else self.partial
            assert batches is not None
            m = min(self.count, full - number) if number < full else 1
            end = start + m * batches.rows
            batches.load(order[start:end], bits)
            for j in range(m):
                batches.step(j, number + j)
            losses, scores = batches.sums(m)
            loss, score = loss + losses, score + scores
            number, start = number + m, end
        total = np.array([self.folds[f].train.total for f in self.fold_of])
        if self.loss.task == "classification":
            return loss / total, score / total
        return loss / total, r2_from_sums(score, np.stack([self.folds[f].train.spread for f in self.fold_of]))

    def validate(self, metrics: Sequence[str]) -> dict[str, Array]:
        """val_loss, val_score and val_<metric> by network (K,); NaN where a fold has no validation part."""
        K = len(self.networks)
        result = {name: np.full(K, np.nan) for name in ("val_loss", "val_score", *(f"val_{name}" for name in metrics))}
        for f, fold in enumerate(self.folds):
            part = fold.validation
            if part is None:
                continue
            members = np.flatnonzero(self.fold_of == f)
            theta, running = self.theta, self.running
            if len(members) < K:
                theta, running = theta[members], running[members]
            z = fold.clip(output_sums(self.structure, theta, running, part.X))
            losses = self.loss.values(z, fold.validation_targets).astype(np.float64)
            if part.weight is not None:
                losses *= part.weight
            result["val_loss"][members] = losses.sum(axis=1) / part.total
            if part.is_classification:
                hits = (hard_classes(z) == part.y).astype(np.float64)
                if part.weight is not None:
                    hits *= part.weight
                result["val_score"][members] = hits.sum(axis=1) / part.total
            else:
                weight = None if part.weight is None else part.weight[None, None]
                error = squared_sums((z - fold.validation_targets)[:, None], weight)
                result["val_score"][members] = r2_from_sums(error, part.spread)
            if metrics:
                predicted, y = self.loss.outputs(z), fold.in_unit(part.y)
                for i, k in enumerate(members):
                    output = fold.in_unit(np.ascontiguousarray(predicted[i].T))
                    for name in metrics:
                        result[f"val_{name}"][k] = METRICS[name].function(y, output, part.weight)
        return result


def footprint(structure: Structure) -> int:
    """Bytes that a step of one network touches: parameters, gradient, slots, scratch, activations and deltas."""
    flat = n_parameters(structure) * (3 + structure.rule.n_slots)
    skips = structure.by_layer(structure.skip)
    units = sum(2 * size if skip else size for size, skip in zip(structure.hidden, skips, strict=True))
    if structure.embedder is not None:
        units += structure.embedder.n_features * structure.embedder.n_waves
    return int(np.dtype(structure.dtype).itemsize) * (flat + 3 * units * structure.batch_size)
