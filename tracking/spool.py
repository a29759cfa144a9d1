"""Writes that the store has not yet taken, on disk: so that an outage of hours costs no memory, and a crash in it no training.

One file a launch in the person's state folder: JSON lines, the first of which says whose they are. Nothing but replay reads it.
It belongs to one claim on the launch, and only the holder of the very next claim may replay it: if anybody else has had the
launch in between, its trials have been trained again, and it is discarded.
"""

import json
import os
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from . import records


class Spool:
    """The file of the launch whose run is `run_id`, under claim `number`. It comes to be with the first `append`."""

    def __init__(self, run_id: str, number: int) -> None:
        self.path = folder() / f"{run_id}.jsonl"
        self._number = number
        self._file: int | None = None
        self._end = 0

    def append(self, writes: Sequence[Mapping[str, Any]]) -> list[int]:
        """Put writes at the end and see to it that they stay; return each one's place. Raises OSError."""
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

    def read(self, place: int) -> dict[str, Any]:
        """The write at `place`."""
        with self.path.open("rb") as file:
            file.seek(place)
            found: dict[str, Any] = json.loads(file.readline())
        return found

    def take_over(self) -> list[int]:
        """The places of what the holder before left, which now belong to this claim; none if it is somebody else's."""
        places = []
        try:
            with self.path.open("rb") as file:
                if file.readline() != _header(self._number - 1):
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
        """Leave the file for whoever resumes."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def folder() -> Path:
    """Where spools lie: `mlptune` in XDG_STATE_HOME, by default ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME")
    return Path(home) / "mlptune" if home else Path.home() / ".local" / "state" / "mlptune"


def _header(number: int) -> bytes:
    # Of one length, so that a claim's number takes the place of the one before.
    return b'{"claim":%8d}\n' % number


def _line(write: Mapping[str, Any]) -> bytes:
    return records.dumps(write).encode() + b"\n"
