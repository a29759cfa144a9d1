"""Every kind of error has its exit status and one clear line; a sweep that ends by Ctrl-C is in commands/test_charge.py."""

import sys
from pathlib import Path

import pytest

from mlptune.experiments.cli.commands import reading
from mlptune.experiments.cli.exit_status import resume_line
from mlptune.experiments.errors import SweepFailed, UserError
from mlptune.tracking.reader import NotFound
from mlptune.tracking.store.errors import StoreError
from tests.support.processes import Run


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("a\x1b[31m"), 2, "mlptune: a\\x1b[31m\n"),
        (SweepFailed("every trial failed"), 1, "mlptune: every trial failed\n"),
        (UserError("one\ntwo\nthree"), 2, "mlptune: one\ntwo\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (OSError(28, "No space left on device"), 1, "mlptune: [Errno 28] No space left on device\n"),
        (OSError(36, "File name too long", "abc"), 2, "mlptune: abc...: the name is too long for a file\n"),
        (NotFound("there is no sweep 'a'"), 2, "mlptune: there is no sweep 'a'\n"),
        (StoreError("the store is away"), 1, "mlptune: the store is away\n"),
    ],
)
def test_every_kind_of_error_has_its_status(
    run,
    error: BaseException,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(reading, "reading", fail)
    monkeypatch.setattr(sys, "argv", ["mlptune", "list"])
    result = run("list")
    assert (result.exit_code, result.stderr) == (status, line)


def test_a_bug_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "reading", lambda uri: {}["bug"])
    assert isinstance(run("list").exception, KeyError)


def test_the_resume_line_hides_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mlptune", "sweep", "my file.toml", "--tracking-uri", "postgresql://me:pw@db/x"])
    assert resume_line() == "mlptune sweep 'my file.toml' --tracking-uri 'postgresql://me:***@db/x' --resume"


def test_a_folder_that_is_gone_is_one_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for command in (["list"], ["sweep", "--data", "a.csv", "--target", "y"]):
        result = run(*command)
        assert (result.exit_code, result.stderr) == (
            2,
            "mlptune: the current folder no longer exists; change to another one\n",
        )
