"""Validation predictions that the choice of the best epoch has not seen, so that what a network will score can be told honestly.

Early stopping keeps the epoch that is best on the very rows that are then scored, so the score there is too good (on noise by
some hundredths of accuracy). Cross-fitting takes that out: the validation rows are cut into parts, and each part is predicted at
the epoch that is best on the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .array import Array
from .network import Network

# Row r of a fold's validation rows is in the part r modulo PARTS.
PARTS = 5


@dataclass(frozen=True)
class Kept:
    """Of one network, by part: the least loss on the other parts (PARTS,), and predictions (n, o) at the epochs that had it."""

    losses: Array
    outputs: Array

    def then(self, later: "Kept | None") -> "Kept":
        """What is kept after a later segment of epochs; of equal losses the earlier epoch stays."""
        if later is None:
            return self
        outputs = self.outputs.copy()
        for part in np.flatnonzero(later.losses < self.losses):
            outputs[part::PARTS] = later.outputs[part::PARTS]
        return Kept(np.minimum(self.losses, later.losses), outputs)


class CrossFit:
    """What K networks predict for their validation rows at epochs that were chosen without these rows, over some epochs.

    Networks without early stopping choose no epoch and are left out, and so are validation parts of too few rows to be cut.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._chooses = np.array([network.hyperparameters.early_stopping > 0 for network in networks], dtype=bool)
        self._losses = np.full((len(networks), PARTS), np.inf)
        # Output sums (o, n) by network; the predictions are made of them once.
        self._sums: dict[int, Array] = {}

    def see(self, members: Array, z: Array, losses: Array) -> None:
        """After an epoch of these networks, on one fold's validation rows: output sums (k, o, n), weighted losses (k, n)."""
        if z.shape[-1] < 2 * PARTS or not self._chooses[members].any():
            return
        by_part = np.stack([losses[:, part::PARTS].sum(axis=1) for part in range(PARTS)], axis=1)
        others = by_part.sum(axis=1, keepdims=True) - by_part
        better = (others < self._losses[members]) & self._chooses[members, None]
        for i, part in zip(*np.nonzero(better), strict=True):
            k = int(members[i])
            sums = self._sums.setdefault(k, np.empty(z.shape[1:], dtype=z.dtype))
            sums[:, part::PARTS] = z[i, :, part::PARTS]
            self._losses[k, part] = others[i, part]

    def sums(self, k: int) -> tuple[Array, Array] | None:
        """Of network k the losses (PARTS,) and the output sums (o, n) they belong to; None where nothing was kept."""
        return (self._losses[k], self._sums[k]) if k in self._sums else None
