"""The finished trials that a sweep's model may be made of: their validation predictions and, while memory lasts, their networks."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tracking.records import TrialRecord
from ..execution.evaluation import EndedTrial, Outcome
from ..ranking import ranked

# How many trials take part, the best by their value: selection from many overfits, and each costs memory and an artifact.
SIZE = 64
# Networks are dropped beyond so many bytes, those of the worst trials first; if they are picked they are trained again.
NETWORK_BYTES = 1 << 30


class Library:
    """The best `SIZE` trials so far.

    Which trials are in it at the end depends on their values alone, not on the order in which they came: whoever is among the
    best at the end was so whenever it came.

    Args:
        direction: "maximize" or "minimize".
    """

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._entries: dict[int, EndedTrial] = {}

    def add(self, record: TrialRecord, outcome: Outcome) -> bool:
        """Take in a trial that has ended; return whether it is among the best."""
        if record.state != "complete" or not outcome.predictions:
            return False
        if not all(np.isfinite(part).all() for part in (*outcome.predictions, *outcome.crossfit)):
            return False
        self._entries[record.number] = EndedTrial(
            record, predictions=outcome.predictions, crossfit=outcome.crossfit, networks=outcome.networks
        )
        order = ranked((entry.record for entry in self._entries.values()), self._direction)
        self._entries = {trial.number: self._entries[trial.number] for trial in order[:SIZE]}
        used = 0
        for number, entry in self._entries.items():
            used += sum(network.theta.nbytes + network.buffers.nbytes for network in entry.networks)
            if used > NETWORK_BYTES:
                self._entries[number] = replace(entry, networks=())
        return record.number in self._entries

    def __contains__(self, number: int) -> bool:
        return number in self._entries

    def entries(self) -> list[EndedTrial]:
        """The trials by number."""
        return [entry for _, entry in sorted(self._entries.items())]

    def missing(self, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
        """Those of the best complete trials whose predictions are not known."""
        return [trial for trial in ranked(trials, self._direction)[:SIZE] if trial.number not in self._entries]


def to_bytes(predictions: Sequence[NDArray[Any]]) -> bytes:
    """Predictions by fold as an .npz file, the same bytes for the same numbers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for i, part in enumerate(predictions):
            array = io.BytesIO()
            np.save(array, np.ascontiguousarray(part), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"fold_{i}.npy"), array.getvalue())
    return file.getvalue()


def from_bytes(data: bytes, shapes: Sequence[tuple[int, ...]]) -> tuple[NDArray[Any], ...]:
    """Predictions that `to_bytes` wrote, () where they are damaged or are not of these shapes: they are then made again."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            parts = tuple(arrays[f"fold_{i}"] for i in range(len(shapes)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return ()
    sound = all(
        part.shape == shape and part.dtype.kind == "f" and np.isfinite(part).all()
        for part, shape in zip(parts, shapes, strict=True)
    )
    return parts if sound else ()
