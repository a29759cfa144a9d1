"""Data as the engine takes it: a fold's training and validation rows, and what is prepared from them once a call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .array import Array
from .inputs import prepare_rows, with_ones
from .network import Network
from .state import RUNNING, State
from .structure import Structure
from .subset import subset_rows


@dataclass(frozen=True)
class Fold:
    """X (n, d); y (n,) class indices in classification, (n, o) or (n,) numbers in regression; weight (n,) or None.

    The same for the validation part, or None where there is none.
    """

    X: Array
    y: Array
    weight: Array | None = None
    X_val: Array | None = None
    y_val: Array | None = None
    weight_val: Array | None = None


def check_shapes(structure: Structure, name: str, X: Array, y: Array, weight: Array | None) -> None:
    """ValueError if a part's arrays fit neither the structure nor one another."""
    if np.ndim(X) != 2 or X.shape[1] != structure.n_inputs:
        raise ValueError(f"{name} must have shape (n, {structure.n_inputs}), got {np.shape(X)}")
    if len(y) != len(X) or (weight is not None and len(weight) != len(X)):
        parts, lengths = "X and y", f"{len(X)} and {len(y)}"
        if weight is not None:
            parts, lengths = "X, y and weight", f"{len(X)}, {len(y)} and {len(weight)}"
        raise ValueError(f"{name}: {parts} must have the same number of rows, got {lengths}")
    if weight is not None and not (np.min(weight) >= 0 and np.sum(weight) > 0):
        raise ValueError(f"{name}: weights must be at least 0 and not all 0, got {np.min(weight)} as the least")
    if structure.task == "regression" and np.size(y) != len(X) * structure.n_outputs:
        raise ValueError(f"{name}: y must have {structure.n_outputs} columns, got {np.size(y) / max(len(X), 1):g}")


def take_subset(structure: Structure, fold: Fold, order_seed: int) -> Fold:
    """The fold with its training rows reduced to the structure's `subset`; the validation part stays whole."""
    if structure.subset == 1.0:
        return fold
    check_shapes(structure, "X", fold.X, fold.y, fold.weight)
    X, y = np.asarray(fold.X), np.asarray(fold.y)
    classes = y if structure.task == "classification" else None
    rows = subset_rows(structure.subset, len(X), classes, order_seed)
    return replace(fold, X=X[rows], y=y[rows], weight=None if fold.weight is None else np.asarray(fold.weight)[rows])


class PreparedRows:
    """The training or validation part of a fold as the networks see it: inputs with the column of ones, targets, weights.

    Inputs and targets are scaled as the networks have learned it (`scaling`, whose layout is `Structure.n_scaling`).
    `total_weight` is the sum of the weights, or the number of rows; in regression `total_sum_of_squares` (o,) is the
    weighted sum of the targets' squared distances from their mean, which R2 compares with.
    """

    def __init__(
        self, structure: Structure, name: str, X: Array, y: Array, weight: Array | None, scaling: Array
    ) -> None:
        X, y = np.asarray(X), np.asarray(y)
        check_shapes(structure, name, X, y, weight)
        n_inputs, n_targets = structure.n_scaling
        if n_inputs:
            X = prepare_rows(structure, scaling[:n_inputs], X)
        self.n = len(X)
        self.X = with_ones(X, structure.dtype)
        self.weight = None if weight is None else np.asarray(weight, dtype=np.float64)
        self.total_weight = float(self.n if self.weight is None else self.weight.sum())
        self.is_classification = structure.task == "classification"
        if self.is_classification:
            self.y = np.ascontiguousarray(y, dtype=np.int64)
            n_classes = max(2, structure.n_outputs)
            if self.y.ndim != 1 or self.y.min() < 0 or self.y.max() >= n_classes:
                found = f"{int(self.y.min())} to {int(self.y.max())}"
                raise ValueError(f"{name}: y must hold class indices from 0 to {n_classes - 1}, got {found}")
        else:
            y = y.reshape(self.n, -1)
            if n_targets:
                mean, deviation = np.split(scaling[n_inputs:].astype(np.float64), 4)[:2]
                y = (y - mean) / deviation
            self.y = np.ascontiguousarray(y, dtype=structure.dtype)
            exact = self.y.astype(np.float64)
            centre = np.average(exact, axis=0, weights=self.weight)
            variance = np.average((exact - centre) ** 2, axis=0, weights=self.weight)
            self.total_sum_of_squares = variance * self.total_weight

    def targets(self, structure: Structure, y: Array) -> Array:
        """Targets (m, o, b) in the engine's precision from labels (m, b) or numbers (m, b, o)."""
        if not self.is_classification:
            return np.ascontiguousarray(y.transpose(0, 2, 1))
        if structure.n_outputs == 1:
            return y[:, None, :].astype(structure.dtype)
        return (y[:, None, :] == np.arange(structure.n_outputs)[:, None]).astype(structure.dtype)


class PreparedFold:
    """A fold's training part and, where it has one, its validation part, scaled by `scaling`."""

    def __init__(self, structure: Structure, fold: Fold, scaling: Array) -> None:
        self.train = PreparedRows(structure, "X", fold.X, fold.y, fold.weight, scaling)
        if self.train.n != structure.n_rows:
            raise ValueError(f"X must have the {structure.n_rows} rows of the structure, got {self.train.n}")
        n_inputs, n_targets = structure.n_scaling
        # Mean, deviation, least and greatest of the training targets, each (o,).
        self._target_scaling = np.split(scaling[n_inputs:], 4) if n_targets else None
        self.validation: PreparedRows | None = None
        if fold.X_val is not None and fold.y_val is not None and len(fold.X_val):
            self.validation = PreparedRows(structure, "X_val", fold.X_val, fold.y_val, fold.weight_val, scaling)
            self.validation_targets = self.validation.targets(structure, self.validation.y[None])

    def clip(self, z: Array) -> Array:
        """Output sums (..., o, n) of a regression clipped to the training targets' range, with `target_scaling`."""
        if self._target_scaling is None:
            return z
        return np.clip(z, self._target_scaling[2][:, None], self._target_scaling[3][:, None])

    def to_target_units(self, values: Array) -> Array:
        """Scaled targets or predictions (n, o) in the units of the fold's y."""
        if self._target_scaling is None:
            return values
        return values * self._target_scaling[1] + self._target_scaling[0]


def prepare(
    structure: Structure, networks: Sequence[Network], folds: Sequence[Fold], state: State
) -> tuple[list[Network], list[PreparedFold]]:
    """The folds as the running networks want them, and the networks with their `fold` the index in that list.

    Networks of one fold share its arrays if they also share their scaling, as all do that began on it.
    """
    places: dict[tuple[int, bytes], int] = {}
    prepared: list[PreparedFold] = []
    networks_by_fold = list(networks)
    for k in np.flatnonzero(state.status == RUNNING).tolist():
        scaling = state.buffers[k, : sum(structure.n_scaling)].copy()
        key = networks[k].fold, scaling.tobytes()
        if key not in places:
            places[key] = len(prepared)
            prepared.append(PreparedFold(structure, folds[networks[k].fold], scaling))
        networks_by_fold[k] = replace(networks[k], fold=places[key])
    return networks_by_fold, prepared
