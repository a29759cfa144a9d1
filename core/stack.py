"""The working stack: K networks that take their steps together. Nothing here depends on a neighbour."""

from collections.abc import Callable, Sequence

import numpy as np

from .array import Array
from .data import PreparedFold
from .layers.dropout import DropoutMasks, dropout_threshold
from .losses import LOSSES, likeliest_classes
from .metrics import Metric, r2_from_sums, squared_sums
from .minibatches import Minibatches
from .network import DROPOUT, Network
from .schedules import SMOOTHING_SCHEDULES, anneal
from .state import State
from .structure import Structure
from .update import Updater
from .workspace import Workspace, output_sums

# Numbers of one network that the shuffled rows, or the output sums, of a run of batches may take: they stay in cache,
# and what is done once for a run of batches costs little. A constant, because it decides the order of sums.
RUN_SIZE = 16384


class _Run:
    """What runs of up to `count` batches of one size need: rows and targets, masks, passes and what the losses leave."""

    def __init__(
        self, structure: Structure, batches: Minibatches, masks: DropoutMasks | None, passes: Workspace, count: int
    ) -> None:
        self.batches, self.masks, self.passes, self.count = batches, masks, passes, count
        K, rows, dtype = len(passes.last.weights), batches.rows, structure.dtype
        self.z = np.empty((K, count, structure.n_outputs, rows), dtype=dtype)
        self.loss_cache = np.empty((3, K, count, 1, rows), dtype=dtype)
        # Views made once: taking them in each step would cost as much as a pass.
        self.z_by_step = [self.z[:, j] for j in range(count)]
        self.loss_cache_by_step = [self.loss_cache[:, :, j] for j in range(count)]


class Stack:
    """K networks of one structure in training, all at the same epoch.

    They go on from `state`, whose theta and buffers become this stack's arrays; `slots` are copies, one array (K, P) each.
    `evaluated` (K, P) are the parameters that are validated: theta, or the slot of its average.
    """

    def __init__(
        self, structure: Structure, networks: Sequence[Network], folds: Sequence[PreparedFold], state: State
    ) -> None:
        self.structure, self.networks = structure, networks
        self.loss = LOSSES[structure.loss]
        hps = [network.hyperparameters for network in networks]
        used = sorted({network.fold for network in networks})
        self.folds = [folds[f] for f in used]
        self.fold_of = np.array([used.index(network.fold) for network in networks], dtype=np.intp)
        self.has_validation = np.array([self.folds[f].validation is not None for f in self.fold_of])

        self.theta = state.theta = np.ascontiguousarray(state.theta)
        self.buffers = state.buffers = np.ascontiguousarray(state.buffers)
        self.slots = [np.ascontiguousarray(state.slots[:, s]) for s in range(structure.n_slots)]
        self.evaluated = self.theta if structure.average_slot is None else self.slots[structure.average_slot]
        self.gradient = np.empty_like(self.theta)
        self._plateau_factor = state.rate_factor
        self._updater = Updater(structure, hps, self.theta, self.gradient, self.slots)

        self._has_smoothing = self.loss.task == "classification" and any(hp.label_smoothing for hp in hps)
        self._has_dropout = bool(structure.hidden) and any(hp.dropout for hp in hps)
        self._norms: Array | None = None

        rows = structure.batch_size
        n_full, rest = divmod(structure.n_rows, rows)
        count = max(1, min(n_full, RUN_SIZE // (rows * max(structure.n_encoded, structure.n_outputs))))
        self._full = self._run(rows, count)
        self._partial = self._run(rest, 1) if rest else None

    def _run(self, rows: int, count: int) -> _Run:
        s, K = self.structure, len(self.networks)
        batches = Minibatches(s, self.folds, self.fold_of, rows, count)
        masks = DropoutMasks(s.hidden, K, rows, count, s.dtype) if self._has_dropout else None
        by_layer = () if masks is None else masks.by_layer
        return _Run(s, batches, masks, Workspace(s, self.theta, self.gradient, rows, by_layer, self.buffers), count)

    def train_epoch(
        self, epoch: int, first_step: Array, order: Array, *, gradient_norms: bool = False
    ) -> dict[str, Array]:
        """Train the epoch (counted from 1) in this order of rows.

        The curves' values (K,): train_loss and train_score, the means over the epoch's rows as each batch met them, and
        if asked for grad_norm_1, ... for each dense layer, the means over the batches.
        """
        self._updater.prepare_step_scalars(first_step, self._plateau_factor)
        if self._has_dropout:
            self._prepare_dropout(epoch)
        smoothing = self._label_smoothing(first_step) if self._has_smoothing else None
        self._norms = np.zeros((len(self.networks), len(self.structure.layers))) if gradient_norms else None
        loss, score = np.zeros(len(self.networks)), np.zeros(())
        number, start, n_full = 0, 0, len(order) // self._full.batches.rows
        while number < self.structure.steps:
            run = self._full if number < n_full else self._partial
            assert run is not None
            m = min(run.count, n_full - number) if number < n_full else 1
            end = start + m * run.batches.rows
            run.batches.load(order[start:end], None if smoothing is None else smoothing[:, number : number + m])
            if run.masks is not None:
                run.masks.load(m, self._dropout_streams)
            for j in range(m):
                self._step(run, j, number + j)
            losses, scores = self._sums(run, m)
            loss, score = loss + losses, score + scores
            number, start = number + m, end
        total = np.array([self.folds[f].train.total_weight for f in self.fold_of])
        if self.loss.task == "classification":
            score = score / total
        else:
            score = r2_from_sums(score, np.stack([self.folds[f].train.total_sum_of_squares for f in self.fold_of]))
        values = {"train_loss": loss / total, "train_score": score}
        if self._norms is not None:
            means = self._norms.T / self.structure.steps
            values.update((f"grad_norm_{i}", norm) for i, norm in enumerate(means, 1))
        return values

    def _prepare_dropout(self, epoch: int) -> None:
        """The rates of an epoch, and a stream of bits for each network that has dropout."""
        hps = [network.hyperparameters for network in self.networks]
        rates = [hp.dropout * (float(anneal(np.asarray(epoch - 1.0), hp.epochs)) if hp.fade else 1.0) for hp in hps]
        self._dropout_threshold, self._dropout_scale = dropout_threshold(rates, self.structure.dtype)
        self._dropout_streams = [
            network.stream(DROPOUT, epoch) if network.hyperparameters.dropout else None for network in self.networks
        ]

    def _label_smoothing(self, first_step: Array) -> Array:
        """The label smoothing in each step of an epoch, (K, steps, 1, 1)."""
        steps = self.structure.steps
        smoothing = np.empty((len(self.networks), steps), dtype=self.structure.dtype)
        for k, (network, first) in enumerate(zip(self.networks, first_step, strict=True)):
            hp = network.hyperparameters
            factor = SMOOTHING_SCHEDULES[hp.label_smoothing_schedule]
            smoothing[k] = hp.label_smoothing * factor(
                first + np.arange(steps, dtype=np.float64), float(hp.epochs * steps)
            )
        return smoothing[:, :, None, None]

    def _step(self, run: _Run, j: int, number: int) -> None:
        """One optimizer step on the j-th batch loaded: forward, loss, backward, update. `number` counts the epoch's."""
        batches, passes, z = run.batches, run.passes, run.z_by_step[j]
        if run.masks is not None:
            run.masks.draw(j, self._dropout_threshold, self._dropout_scale)
        passes.forward(batches.inputs(j), z)
        self.loss.gradient(z, batches.target[:, j], batches.scale[:, j], passes.last.delta, run.loss_cache_by_step[j])
        passes.backward()
        if self._norms is not None:
            self._norms += self._gradient_norms()
        self._updater.step(number)

    def _gradient_norms(self) -> Array:
        """The length of the gradient by each dense layer's parameters (K, layers), in float64."""
        squares = []
        for start, end in self.structure.offsets:
            g = self.gradient[:, start:end].astype(np.float64)
            squares.append(np.matmul(g[:, None, :], g[:, :, None])[:, 0, 0])
        return np.sqrt(np.stack(squares, axis=1))

    def _sums(self, run: _Run, m: int) -> tuple[Array, Array]:
        """Over the m batches trained: weighted sums of losses (K,) and of hits (K,) or squared errors (K, o)."""
        for dense in run.passes.dense:
            dense.flush_running_statistics()
        batches, z, K = run.batches, run.z[:, :m], len(self.networks)
        is_right: Array | None = None
        if self.loss.values_from_cache is not None:
            by_row, is_right = self.loss.values_from_cache(z, batches.hard, run.loss_cache[:, :, :m])
        else:
            by_row = self.loss.values(z, batches.hard)
        losses = by_row.astype(np.float64).reshape(K, -1)
        weights = None if batches.weights is None else batches.weights.reshape(len(batches.weights), -1)
        if weights is not None:
            losses *= weights
        if self.loss.task == "classification":
            if is_right is None:
                is_right = likeliest_classes(z) == batches.labels
            hits = is_right.reshape(K, -1).astype(np.float64)
            scores = (hits if weights is None else hits * weights).sum(axis=1)
        else:
            scores = squared_sums(z - batches.hard, batches.weights)
        return losses.sum(axis=1), scores

    def validate(
        self, metrics: Sequence[Metric], see: Callable[[Array, Array, Array], None] | None = None
    ) -> dict[str, Array]:
        """val_loss, val_score and val_<metric> by network (K,); NaN where a fold has no validation part.

        `see` is shown each fold's networks (k,), their output sums (k, o, n) and weighted losses (k, n).
        """
        K = len(self.networks)
        values = {
            name: np.full(K, np.nan) for name in ("val_loss", "val_score", *(f"val_{row.name}" for row in metrics))
        }
        for f, fold in enumerate(self.folds):
            part = fold.validation
            if part is None:
                continue
            members = np.flatnonzero(self.fold_of == f)
            theta, buffers = self.evaluated, self.buffers
            if len(members) < K:
                theta, buffers = theta[members], buffers[members]
            z = fold.clip(output_sums(self.structure, theta, buffers, part.X))
            losses = self.loss.values(z, fold.validation_targets).astype(np.float64)
            if part.weight is not None:
                losses *= part.weight
            values["val_loss"][members] = losses.sum(axis=1) / part.total_weight
            if see is not None:
                see(members, z, losses)
            if part.is_classification:
                hits = (likeliest_classes(z) == part.y).astype(np.float64)
                if part.weight is not None:
                    hits *= part.weight
                values["val_score"][members] = hits.sum(axis=1) / part.total_weight
            else:
                weight = None if part.weight is None else part.weight[None, None]
                residual = squared_sums((z - fold.validation_targets)[:, None], weight)
                values["val_score"][members] = r2_from_sums(residual, part.total_sum_of_squares)
            if metrics:
                predicted, y = {False: self.loss.outputs(z)}, fold.to_target_units(part.y)
                if any(row.exact_outputs for row in metrics):
                    predicted[True] = self.loss.outputs(z.astype(np.float64))
                for i, k in enumerate(members):
                    output = {
                        exact: fold.to_target_units(np.ascontiguousarray(p[i].T)) for exact, p in predicted.items()
                    }
                    for row in metrics:
                        values[f"val_{row.name}"][k] = row.function(y, output[row.exact_outputs], part.weight)
        return values

    def erase(self, members: Array) -> None:
        """NaN in place of all that is left of these networks, a mask (K,)."""
        for array in (self.theta, self.buffers, *self.slots):
            array[members] = np.nan
