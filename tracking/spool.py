"""Writes that the store has not yet taken, on disk: so that an outage of hours costs no memory, and a crash in it no training.

One file per launch in the user's state folder: JSON lines, the first of which says whose they are. Nothing but replay reads it.
It belongs to one claim on the launch, and only the holder of the very next claim may replay it: if any other process has had the
launch in between, its trials have been trained again, and the file is discarded.
"""

import json
import os
import re
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from . import records
from .records import TrialRecord, TrialWrite

# Goes up with every change to what a line holds.
FORMAT = 3
_HEADER = re.compile(rb'\{"spool":%d,"claim": *\d+\}\n' % FORMAT)


class OtherFormat(Exception):
    """The file was written by another version; it has been set aside, and the message says where."""


class Spool:
    """The file of the launch whose run is `run_id`, under claim `number`. The first `append` creates it."""

    def __init__(self, run_id: str, number: int) -> None:
        self.path = folder() / f"{run_id}.jsonl"
        self._number = number
        self._file: int | None = None
        self._end = 0

    def append(self, writes: Sequence[TrialWrite]) -> list[int]:
        """Put writes at the end and make sure that they stay there; return each one's place. Raises OSError."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # What lay there belonged to an earlier claim.
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            self._end = 0
        lines = [_line(write) for write in writes]
        if self._end == 0:
            lines.insert(0, _header(self._number))
        places = [self._end + start for start in accumulate(map(len, lines), initial=0)]
        data = memoryview(b"".join(lines))
        try:
            while data:
                written = os.pwrite(self._file, data, places[-1] - len(data))
                data = data[written:]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end = places.pop()
        return places[-len(writes) :] if writes else []

    def read(self, place: int) -> TrialWrite:
        """The write at `place`."""
        with self.path.open("rb") as file:
            file.seek(place)
            return _write(json.loads(file.readline()))

    def take_over(self) -> list[int]:
        """The places of what the earlier holder left, which now belong to this claim; none if the file is another claim's.

        Raises:
            OtherFormat: If another version wrote the file, which is then set aside.
        """
        places = []
        try:
            with self.path.open("rb") as file:
                header = file.readline()
                if header.endswith(b"\n") and not _HEADER.fullmatch(header):
                    raise OtherFormat(self._set_aside())
                if header != _header(self._number - 1):
                    self.discard()
                    return []
                end = place = file.tell()
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # it was being written when the process ended
                    places.append(place)
                    end = place = place + len(line)
        except FileNotFoundError:
            return []
        if not places:
            self.discard()
            return []
        self._file = os.open(self.path, os.O_RDWR)
        self._end = end
        os.ftruncate(self._file, end)
        os.pwrite(self._file, _header(self._number), 0)
        os.fsync(self._file)
        return places

    def discard(self) -> None:
        """Remove the file: everything in it is in the store, or is trained again."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the file for the process that resumes."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _set_aside(self) -> str:
        aside = self.path.with_suffix(".other-version")
        os.replace(self.path, aside)
        return f"what waited for the store is of another version of mlptune and is now {aside}; its trials are trained again"


def folder() -> Path:
    """The folder of the spools: `mlptune` in XDG_STATE_HOME, by default ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME")
    return Path(home) / "mlptune" if home else Path.home() / ".local" / "state" / "mlptune"


def _header(number: int) -> bytes:
    # Of a fixed length, so that a claim's number can replace the one before.
    return b'{"spool":%d,"claim":%8d}\n' % (FORMAT, number)


def _line(write: TrialWrite) -> bytes:
    return records.dumps({**vars(write), "record": vars(write.record)}).encode() + b"\n"


def _write(data: dict[str, Any]) -> TrialWrite:
    return TrialWrite(**{**data, "record": TrialRecord(**data["record"])})
