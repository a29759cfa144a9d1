"""Whether rows can judge a model at all: what no score can be computed from is refused before anything is trained."""

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..errors import UserError


def check_judges(dataset: Dataset, metric: str) -> None:
    """Raise UserError for weights that are all 0 in a part, and for R2 on validation rows of one value.

    Args:
        dataset: The data.
        metric: What trials are judged by; R2 needs numbers that differ.
    """
    folds = dataset.folds()
    for i, fold in enumerate(folds, 1):
        of_fold = f" of fold {i}" if len(folds) > 1 else ""
        for part, weight in (("training", fold.arrays.weight), ("validation", fold.arrays.weight_val)):
            _check_weight(weight, f"{part} row{of_fold}")
        # A target that is the same in every row is another matter: an estimator learns the constant.
        if metric == "r2" and fold.arrays.y_val is not None and len(np.unique(fold.arrays.y)) > 1:
            _check_differing(fold.arrays.y_val, fold.arrays.weight_val, f"validation rows{of_fold}")
    test = dataset.test()
    if test is not None:
        _check_weight(test[2], "test row")


def _check_weight(weight: NDArray[np.floating] | None, where: str) -> None:
    if weight is not None and not weight.any():
        raise UserError(
            f"[data] weight: is zero in every {where}; give these rows a weight, or give the parts other sizes or another seed"
        )


def _check_differing(y: NDArray[np.floating], weight: NDArray[np.floating] | None, where: str) -> None:
    counting = y if weight is None else y[weight > 0]
    if len(np.unique(counting)) < 2:
        why = f"there is one among the {where}" if len(counting) == 1 else f"the {where} all have the same one"
        raise UserError(
            f'[data] validation: R2 needs targets that differ, and {why}; make that part larger, or take metric = "val_loss"'
        )
