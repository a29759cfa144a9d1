"""Class weights: how much the training rows of each class count, stated by label or balanced by how many rows there are.

They multiply the weights of training rows alone: what a trial is judged by, validation and test, is as without them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..._text import escape_control_characters, hint
from ..errors import UserError
from .target import Target

ClassWeight = str | Mapping[str, float]
"""`"balanced"`, or weights by label as text; a label without one has the weight 1."""

_MOST_LABELS = 10  # that a message lists


def check_labels(class_weight: ClassWeight, target: Target) -> None:
    """Raise UserError, one line, in regression and for a label that the target does not have."""
    if target.classes is None:
        raise UserError(
            f"[model] class_weight: the target {target.name!r} is numbers (regression) and has no classes; leave it out, "
            'weigh the rows with [data] weight, or set [data] task = "classification"'
        )
    labels = [str(label) for label in target.classes]
    for label in () if isinstance(class_weight, str) else class_weight:
        if label not in labels:
            known = hint(label, map(escape_control_characters, labels), _MOST_LABELS)
            raise UserError(f"[model] class_weight: {label!r} is not a class of the target {target.name!r}{known}")


def training_weights(
    class_weight: ClassWeight, target: Target, y: NDArray[np.int64], weight: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The weights (n,) of training rows: their own, if they have any, times that of their class.

    Balanced, a class weighs W / (C W_c): W is the weight of all rows, W_c of those of the class, C the number of classes
    of which there is some weight. So each of them counts the same, and the sum stays W.

    Args:
        class_weight: As `check_labels` accepts it.
        target: The target with its classes.
        y: Class indices (n,).
        weight: The rows' own weights (n,), or None for 1 each.

    Raises:
        UserError: (one line) if no row is left with a weight above 0.
    """
    assert target.classes is not None
    own = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    by_class = np.ones(len(target.classes))
    if isinstance(class_weight, str):
        of_class = np.bincount(y, own, minlength=len(by_class))
        present = of_class > 0
        by_class[present] = own.sum() / (np.count_nonzero(present) * of_class[present])
    else:
        for i, label in enumerate(target.classes):
            by_class[i] = class_weight.get(str(label), 1.0)
    rows = (own * by_class[y]).astype(np.float32)
    if not rows.any():
        raise UserError("[model] class_weight: no training row has a weight above 0; give some class that has rows one")
    return rows
