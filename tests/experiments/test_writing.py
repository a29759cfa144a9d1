"""What the system refuses when a file is written."""

import errno
from pathlib import Path

import pytest

from mlptune.experiments.errors import UserError
from mlptune.experiments.writing import writing


def test_a_full_disk_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"), writing(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(UserError, match=r"x\.csv: cannot be written: Input/output error"), writing("x.csv"):
        raise OSError(errno.EIO, "Input/output error")
