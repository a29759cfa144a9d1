"""How much work a sweep is, counted and never timed: so that the same sweep is as long in trials on every machine."""

import math
from collections.abc import Mapping
from typing import Any

from ..._text import counted
from ...core.cost import OPERATIONS_A_SECOND, epoch_cost
from ...core.hyperparameters import Hyperparameters
from ...core.structure import Structure
from ...search.spaces.dimensions import Choices, Range
from ...search.spaces.layers import configuration
from ...search.spaces.space import Space
from ..data.dataset import Dataset, EncodedFold

# The part of its epochs that a trial trains where early stopping may end it: .3 to 1.1 in sweeps over the nine development tables,
# measured as seconds against those that the count gives for all epochs.
SHARE_OF_EPOCHS = 0.8
# The geometric middle of that range, from which no sweep is further than a factor of two: for telling how long is left.
MIDDLE_SHARE_OF_EPOCHS = 0.57
# Configurations that a trial's cost is the mean of, at most.
MOST_SAMPLES = 12
# What a sweep may take for which nothing was said of its length: about four minutes of two cores. It is not shorter than so many
# trials, or there is nothing to choose from.
BUDGET, FEWEST_TRIALS = 235.0 * 2 * OPERATIONS_A_SECOND, 24
# The members of the model, so many as a rule, are trained again on all rows, or where trials train on a part of the rows on so many
# times that part: where that is less than all they take as long as the trials.
MEMBERS, MEMBER_ROWS = 6, 4.0
# A sweep that takes longer says so before it starts.
LONG_SECONDS = 20.0
# With a budget in minutes trials are made so cheap that so many fit on two cores.
FEWEST_IN_TIME = 12


def trial_operations(dataset: Dataset, space: Space, fixed: Mapping[str, Any], loss: str, seeds: int) -> float:
    """Multiply-adds of one trial, all its networks together, the mean over its choices; 0 where none can be trained."""
    costs = []
    for params in samples(space):
        try:
            hp = Hyperparameters.from_config(configuration(params, fixed))
        except (ValueError, KeyError):  # values that are possible one by one may not be so together
            continue
        of_folds = [structure_on(fold, hp, loss) for fold in dataset.folds()]
        total = sum(map(epoch_cost, of_folds))
        costs.append(total * hp.epochs * (SHARE_OF_EPOCHS if hp.early_stopping else 1.0) * seeds)
    return sum(costs) / len(costs) if costs else 0.0


def samples(space: Space) -> list[dict[str, Any]]:
    """Configurations with the middle of each range and, in turn, each choice as often as any other, a dozen at most."""
    lengths = [len(d.values) for d in space.dimensions.values() if isinstance(d, Choices)]
    return [
        {name: middle(dimension, i) for name, dimension in space.dimensions.items()}
        for i in range(min(math.lcm(*lengths), MOST_SAMPLES))
    ]


def structure_on(fold: EncodedFold, hp: Hyperparameters, loss: str) -> Structure:
    """The structure of a network with these hyperparameters on a fold. Raises ValueError where there is none."""
    n_rows, n_inputs = fold.arrays.X.shape
    return Structure.of(
        hp,
        n_inputs=n_inputs,
        n_outputs=fold.target.n_outputs,
        n_rows=n_rows,
        loss=loss,
        n_plain=fold.encoder.n_plain,
        levels=fold.encoder.levels,
    )


def middle(dimension: Range | Choices, turn: int = 0) -> Any:
    """The middle of a range; of choices that whose turn it is."""
    if isinstance(dimension, Choices):
        return dimension.values[turn % len(dimension.values)]
    value = math.sqrt(dimension.low * dimension.high) if dimension.log else (dimension.low + dimension.high) / 2
    return round(value) if dimension.integer else value


def affordable(
    operations_a_trial: float,
    most: int,
    budget: float = BUDGET,
    fewest: int = FEWEST_TRIALS,
    *,
    members: int = MEMBERS,
    refit: float = 0.0,
) -> tuple[int, float]:
    """How many trials fit into a budget of operations, and the share of the rows on which they train.

    Args:
        operations_a_trial: Those of a trial on all rows.
        most: How many trials there are at most.
        budget: What the sweep may take.
        fewest: So many trials there are; where they do not fit they train on a part of the rows.
        members: How many of them are then trained again, on `member_share` of the rows.
        refit: Where members are trained again also after trials on all rows, on how many times these rows; else 0.
    """
    if operations_a_trial <= 0:
        return most, 1.0
    affordable_trials = budget / operations_a_trial
    fewest, trials = min(fewest, most), int(affordable_trials - members * refit)
    if trials >= fewest:
        return min(most, trials), 1.0
    share = (affordable_trials - members) / fewest
    if share < 1.0 / MEMBER_ROWS:  # members do not train on all rows either
        share = affordable_trials / (fewest + MEMBER_ROWS * members)
    return fewest, min(1.0, max(0.01, round(share, 2)))


def member_share(share: float) -> float:
    """The share of the rows that a member is trained on whose trial had `share`."""
    return min(1.0, MEMBER_ROWS * share)


def duration(operations: float, workers: int) -> list[str]:
    """A line that says how long so many operations will take, roughly; none if that is no time to speak of."""
    expected = seconds(operations, workers)
    if expected < LONG_SECONDS:
        return []
    return [f"about {counted(max(1, round(expected / 60)), 'minute')} on {counted(workers, 'worker')}"]


def seconds(operations: float, workers: int) -> float:
    """How long so many operations will take, roughly."""
    return operations / (OPERATIONS_A_SECOND * max(workers, 1))
