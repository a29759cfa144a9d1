"""What an epoch's losses decide: divergence, plateaus, the stop on tolerance, early stopping and its checkpoint."""

from collections.abc import Mapping, Sequence

import numpy as np

from .array import Array
from .hyperparameters import Hyperparameters
from .network import Network
from .state import DIVERGED, FINISHED, RUNNING, State
from .structure import Structure


def find_diverged(theta: Array, curves: Mapping[str, Array], has_validation: Array) -> Array:
    """Which networks have a parameter or a loss that is not finite after the epoch, (K,)."""
    diverged = ~(np.isfinite(theta).all(axis=1) & np.isfinite(curves["train_loss"]))
    return diverged | (has_validation & ~np.isfinite(curves["val_loss"]))


def apply_stopping_rules(
    structure: Structure,
    networks: Sequence[Network],
    state: State,
    curves: Mapping[str, Array],
    *,
    diverged: Array,
    has_validation: Array,
    evaluated: Array | None = None,
) -> None:
    """After an epoch: set each network's status, its checkpoint, and its learning rate if that follows plateaus.

    `curves` holds the epoch's values (K,); `diverged` and `has_validation` are masks (K,). `evaluated` (K, P) are the
    parameters that were validated, which a checkpoint keeps; None where they are the state's theta.
    """
    theta = state.theta if evaluated is None else evaluated
    train_loss, val_loss = curves["train_loss"], curves["val_loss"]
    # A perceptron whose sums are 0 has no loss and may be wrong all the same.
    is_right = (curves["train_score"] > 1.0 - 1e-9) | (structure.task == "regression")
    for k, network in enumerate(networks):
        hp = network.hyperparameters
        if diverged[k]:
            state.status[k] = DIVERGED
        elif state.epoch[k] >= hp.epochs:
            state.status[k] = FINISHED
        if structure.schedule == "plateau":
            watched = val_loss[k] if has_validation[k] else train_loss[k]
            _lower_rate_on_plateau(hp, state, k, watched)
        if hp.tolerance and state.status[k] == RUNNING:
            _stop_within_tolerance(hp, state, k, train_loss[k], is_right[k])
        if hp.early_stopping and has_validation[k]:
            _stop_early(hp, state, k, val_loss[k], theta)
        else:
            _keep(state, k, val_loss[k], theta)


def _epochs_without_improvement(record: Array, loss: float, least: float) -> int:
    """Epochs since the loss was last lower by more than `least`; `record` (2,) holds that loss and the count."""
    if loss < record[0] - least:
        record[:] = loss, 0.0
    else:
        record[1] += 1.0
    return int(record[1])


def _lower_rate_on_plateau(hp: Hyperparameters, state: State, k: int, loss: float) -> None:
    if _epochs_without_improvement(state.plateau[k], loss, 0.0) >= hp.plateau_epochs:
        state.rate_factor[k] *= hp.effective_decay
        state.plateau[k, 1] = 0.0


def _stop_within_tolerance(hp: Hyperparameters, state: State, k: int, train_loss: float, is_right: bool) -> None:
    epochs = _epochs_without_improvement(state.progress[k], train_loss, hp.tolerance)
    if epochs >= hp.tolerance_epochs or (is_right and train_loss <= hp.tolerance):
        state.status[k] = FINISHED


def _stop_early(hp: Hyperparameters, state: State, k: int, val_loss: float, theta: Array) -> None:
    """Keep the epoch if it is the best so far; of equal losses the earlier epoch stays."""
    if val_loss < state.best_loss[k]:
        _keep(state, k, val_loss, theta)
    elif state.status[k] == RUNNING and state.epoch[k] - state.best_epoch[k] >= hp.early_stopping:
        state.status[k] = FINISHED


def _keep(state: State, k: int, val_loss: float, theta: Array) -> None:
    """Make the weights of this epoch the checkpoint."""
    state.best_loss[k] = val_loss
    state.best_epoch[k] = state.epoch[k]
    state.best_theta[k] = theta[k]
    state.best_buffers[k] = state.buffers[k]
