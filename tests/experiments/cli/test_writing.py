"""Files that the user names and that the system does not let be written: one line, status 2, no traceback."""

import errno
import sys
from pathlib import Path

import pytest

from mlptune.experiments.cli.writing import writing
from mlptune.experiments.errors import UserError
from tests.support.processes import Run


@pytest.mark.skipif(sys.platform != "linux", reason="where a folder of the system's own refuses every file")
@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "cars", "cars.csv", "-o", "/proc/x.csv"],
        ["predict", "cars", "cars.csv", "-o", "/proc/x.parquet"],
        ["init", "--data", "cars.csv", "--target", "kind", "-o", "/proc/x.toml"],
    ],
)
def test_what_the_system_refuses_is_one_line(there: Run, arguments: list[str]) -> None:
    ran = there(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    [line] = ran.stderr.splitlines()
    assert line.endswith(f"{arguments[-1]}: cannot be written: No such file or directory")


def test_a_full_disk_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"), writing(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(UserError, match=r"x\.csv: cannot be written: Input/output error"), writing("x.csv"):
        raise OSError(errno.EIO, "Input/output error")
