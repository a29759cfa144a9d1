"""Whether rows can judge a model at all: what no score can be computed from is refused before anything is trained."""

import numpy as np
from numpy.typing import NDArray

from ...core.metrics import Metric
from ..data.dataset import Dataset
from ..errors import UserError


def check_judges(dataset: Dataset, metric: Metric | None) -> tuple[str, ...]:
    """Raise UserError for weights that are all 0 in a part, and for R2 where all validation rows of a fold have one value.

    Where other folds can judge, one that cannot is told in the lines that are returned: it counts the same for all trials.

    Args:
        dataset: The data.
        metric: What trials are judged by; None for the loss.
    """
    folds = dataset.folds()
    for i, fold in enumerate(folds, 1):
        of_fold = f" of fold {i}" if len(folds) > 1 else ""
        for part, weight in (("training", fold.arrays.weight), ("validation", fold.arrays.weight_val)):
            _check_weight(weight, f"{part} row{of_fold}")
    test = dataset.test()
    if test is not None:
        _check_weight(test[2], "test row")
    return _undefined(dataset) if metric is not None and metric.needs_varied_targets else ()


def _check_weight(weight: NDArray[np.floating] | None, where: str) -> None:
    if weight is not None and not weight.any():
        raise UserError(
            f"[data] weight: is zero in every {where}; give these rows a weight, or give the parts other sizes or another seed"
        )


def _undefined(dataset: Dataset) -> tuple[str, ...]:
    """What there is to say of folds whose R2 is not defined."""
    folds = dataset.folds()
    counting = [
        y if weight is None else y[weight > 0]
        for y, weight in ((fold.arrays.y_val, fold.arrays.weight_val) for fold in folds)
        if y is not None
    ]
    same = [i for i, y in enumerate(counting, 1) if len(np.unique(y)) < 2]
    if not same:
        return ()
    of_fold = f" of fold {same[0]}" if len(folds) > 1 else ""
    where = f"validation rows{of_fold}"
    if len(same) < len(counting):
        return (f"the {where} all have the same target: its R2 is not defined and counts alike for all trials",)
    alone = len(counting[0]) == 1
    why = f"there is one among the {where}" if alone else f"the {where} all have the same one"
    raise UserError(
        f'[data] validation: R2 needs targets that differ, and {why}; make that part larger, or take metric = "val_loss"'
    )
