"""What a network takes from its training rows before its first step: its scaling, and the start if `init` is data.

Slots that start as copies of the parameters are filled here too, since the start is known only now.

All of it is a function of the fold's rows, the structure and the network's own seed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .array import Array
from .data import Fold, check_shapes
from .inputs import fit_rows, prepare_rows, with_ones
from .layers.dense import BoundDense
from .network import DATA_INITIALIZATION, Network
from .scaling import fit_targets
from .state import RUNNING, State
from .structure import Structure
from .workspace import Workspace

# Rows that decide the start, and how many of them each bias mixes.
START_ROWS, MIXED_ROWS = 512, 5


def fit(structure: Structure, networks: Sequence[Network], folds: Sequence[Fold], state: State) -> None:
    """Write the scaling, the parameters of networks whose `init` is data and the slots that start as copies of them.

    All this is done for the networks that have no epoch yet.
    """
    n_inputs, n_targets = structure.n_scaling
    found: dict[int, Array] = {}
    for k in np.flatnonzero((state.epoch == 0) & (state.status == RUNNING)).tolist():
        network = networks[k]
        fold = folds[network.fold]
        check_shapes(structure, "X", fold.X, fold.y, fold.weight)
        if network.fold not in found:
            targets = [fit_targets(fold.y)] if n_targets else []
            found[network.fold] = np.concatenate([fit_rows(structure, fold.X), *targets])
        state.buffers[k, : n_inputs + n_targets] = found[network.fold]
        if network.hyperparameters.init == "data":
            X = np.asarray(fold.X)
            random = np.random.Generator(network.stream(DATA_INITIALIZATION))
            X = X[random.choice(len(X), min(len(X), START_ROWS), replace=False)]
            if n_inputs:
                X = prepare_rows(structure, state.buffers[k, :n_inputs], X)
            state.theta[k] = data_dependent_init(structure, state.theta[k], state.buffers[k], X, random)
            state.best_theta[k] = state.theta[k]
        state.slots[k, structure.slots_from_theta] = state.theta[k]
        state.best_buffers[k] = state.buffers[k]


def data_dependent_init(
    structure: Structure, theta: Array, buffers: Array, X: Array, random: np.random.Generator
) -> Array:
    """theta (P,) after each layer's sums over the rows X (n, d) got deviation 1 and each unit a bias from these rows.

    The bias is minus a random mixture of five rows' sums, so that the unit's kink lies among the data: RealMLP's "std"
    and "he+5" (Holzmüller et al. 2024, app. A; Steinwart 2019). Layers with normalisation keep their biases at 0.
    """
    exact = replace(structure, dtype="float64")
    theta = theta.astype(np.float64)[None]
    workspace = Workspace(exact, theta, None, len(X), buffers=buffers.astype(np.float64)[None])
    workspace.chain[0].x = with_ones(X, "float64").T
    for bound in workspace.chain:
        if isinstance(bound, BoundDense):
            W, x = bound.weights[0], np.broadcast_to(bound.x, (1, *bound.x.shape[-2:]))[0]
            sums = W.T @ x[: len(W)]
            deviation = sums.std(axis=1)
            deviation = np.where(deviation > 0.0, deviation, 1.0)
            W /= deviation
            sums /= deviation[:, None]
            picked = random.integers(sums.shape[1], size=(len(sums), MIXED_ROWS))
            mixture = random.dirichlet(np.ones(MIXED_ROWS), size=len(sums))
            if not bound.is_normalised:
                bound.bias[0, 0] = -(np.take_along_axis(sums, picked, axis=1) * mixture).sum(axis=1)
        bound.forward()
    return theta[0]
