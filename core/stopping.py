"""What ends a network's training: early stopping, tolerance, divergence."""

import numpy as np

from .array import Array
from .schedules import SCHEDULES
from .stack import Stack
from .state import DIVERGED, FINISHED, RUNNING, State


def _erase_diverged(stack: Stack, values: dict[str, Array]) -> Array:
    """Who has diverged in the epoch (K,), and NaN in place of all that is left of them.

    Which numbers became NaN or infinite, and the sign of a NaN, may depend on where a network lies in memory.
    """
    diverged = ~(np.isfinite(stack.theta).all(axis=1) & np.isfinite(values["train_loss"]))
    has_validation = np.array([stack.folds[f].validation is not None for f in stack.fold_of])
    diverged |= has_validation & ~np.isfinite(values["val_loss"])
    for array in (stack.theta, stack.running, *stack.slots, *values.values()):
        array[diverged] = np.nan
    return diverged


def _waited(record: Array, loss: float, least: float) -> int:
    """Epochs since the loss was last lower by more than `least`; `record` (2,) holds that loss and the count."""
    if loss < record[0] - least:
        record[:] = loss, 0.0
    else:
        record[1] += 1.0
    return int(record[1])


def _judge(stack: Stack, part: State, diverged: Array, values: dict[str, Array]) -> None:
    """After an epoch: note what is kept, and who has ended."""
    train_loss, val_loss = values["train_loss"], values["val_loss"]
    # A perceptron whose sums are 0 has no loss and may be wrong all the same.
    is_right = (values["train_score"] > 1.0 - 1e-9) | (stack.loss.task == "regression")
    for k, network in enumerate(stack.networks):
        hp = network.hyperparameters
        epoch = int(part.epoch[k])
        has_validation = stack.folds[stack.fold_of[k]].validation is not None
        if diverged[k]:
            part.status[k] = DIVERGED
        elif epoch >= hp.epochs:
            part.status[k] = FINISHED
        watched = val_loss[k] if has_validation else train_loss[k]
        if stack.structure.schedule == "plateau" and _waited(part.plateau[k], watched, 0.0) >= hp.plateau_epochs:
            part.rate_factor[k] *= SCHEDULES["plateau"].decay if hp.decay is None else hp.decay
            part.plateau[k, 1] = 0.0
        if hp.tolerance and part.status[k] == RUNNING:
            waited = _waited(part.progress[k], train_loss[k], hp.tolerance)
            if waited >= hp.tolerance_epochs or (is_right[k] and train_loss[k] <= hp.tolerance):
                part.status[k] = FINISHED
        if hp.early_stopping and has_validation:
            if val_loss[k] < part.best_loss[k]:
                part.best_loss[k] = val_loss[k]
                part.kept_epoch[k] = epoch
                part.best_theta[k] = stack.theta[k]
                part.best_running[k] = stack.running[k]
            elif part.status[k] == RUNNING and epoch - part.kept_epoch[k] >= hp.early_stopping:
                part.status[k] = FINISHED
        else:
            part.best_loss[k] = val_loss[k]
            part.kept_epoch[k] = epoch
            part.best_theta[k] = stack.theta[k]
            part.best_running[k] = stack.running[k]
