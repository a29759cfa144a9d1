"""How a launch that gives no result is recorded, and what the user is told of it."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from mlptune.experiments.errors import ExecutorLost, Interrupted, SweepFailed, UserError
from mlptune.experiments.launch.failures import INTERRUPTED_PATIENCE_SECONDS, LaunchFailures, before_launch
from mlptune.experiments.launch.resume import OTHER_NAME
from mlptune.tracking.lease import HeldElsewhere, LeaseLost
from mlptune.tracking.runs.launches import UnfinishedLaunch
from mlptune.tracking.store.errors import StoreError, UnusableStore
from tests.support.observers import Listener


class _Writer:
    """Notes in which state the launch ends, and how it is closed; `fails` is what closing raises."""

    def __init__(self, fails: StoreError | None = None) -> None:
        self.states: list[str] = []
        self.closed: list[float | None] = []
        self._fails = fails

    def finish_launch(self, state: str) -> None:
        self.states.append(state)
        if self._fails is not None:
            raise self._fails

    def close(self, patience: float | None = None) -> None:
        self.closed.append(patience)
        if self._fails is not None:
            raise self._fails


class _WriterOfOneError(_Writer):
    """As a real one: an error that a caller has seen is not raised again on closing."""

    def close(self, patience: float | None = None) -> None:
        self.closed.append(patience)


class _Executor:
    shut = False

    def shutdown(self, wait: bool = True) -> None:
        self.shut = True


def fail(error: BaseException, *, resumed: bool = False, begun: bool = False, fails: StoreError | None = None) -> Any:
    """Raise `error` in a launch; the answer: what reaches the user, the writer, the executor, and what was said."""
    writer, executor, listener = _Writer(fails), _Executor(), Listener()
    problem: Any = SimpleNamespace(spec=SimpleNamespace(name="digits"))
    failures = LaunchFailures(problem, writer, executor, listener, resumed=resumed)  # type: ignore[arg-type]
    failures.launched = Future()
    if begun:
        failures.launched.set_result("run")
    raised: BaseException | None = None
    try:
        with failures:
            raise error
    except BaseException as reached:
        raised = reached
    assert len(writer.closed) == 1
    return raised, writer, executor, listener.messages


RESUMABLE = "what is committed stays, --resume continues"


@pytest.mark.parametrize(
    ("error", "states", "kind", "line"),
    [
        (KeyboardInterrupt(), ["interrupted"], Interrupted, f"stopped; {RESUMABLE} 'digits'"),
        (ExecutorLost("no workers"), ["interrupted"], ExecutorLost, f"no workers; {RESUMABLE} 'digits'"),
        (SweepFailed("nothing"), ["failed"], SweepFailed, "nothing"),
        (HeldElsewhere("is being run"), [], UserError, "the sweep 'digits': is being run"),
        (
            UnfinishedLaunch("digits", "0a", "host process 1", running=True),
            [],
            UserError,
            "the sweep 'digits' is being run by host process 1 (0a); wait for it, or " + OTHER_NAME,
        ),
        (UnusableStore("is a folder"), [], UserError, "is a folder"),
        (StoreError("is full"), [], SweepFailed, "is full"),
        (ZeroDivisionError("bug"), ["failed"], ZeroDivisionError, "bug"),
        (SystemExit("leaves"), [], SystemExit, "leaves"),
    ],
)
def test_each_cause_has_its_state_and_its_error(error: BaseException, states: list[str], kind: type, line: str) -> None:
    raised, writer, executor, _ = fail(error)
    assert (type(raised), str(raised), writer.states) == (kind, line, states)
    interrupted = isinstance(error, KeyboardInterrupt)
    assert writer.closed == [INTERRUPTED_PATIENCE_SECONDS if interrupted else None]
    assert executor.shut == interrupted


def test_a_launch_that_was_there_before_stays_as_it_was_where_a_bug_ends_it() -> None:
    raised, writer, *_ = fail(ZeroDivisionError("bug"), resumed=True)
    assert (type(raised), writer.states) == (ZeroDivisionError, [])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StoreError("is full"), f"is full; {RESUMABLE}"),
        (StoreError("is full, try --resume"), "is full, try --resume"),
        (LeaseLost("is run by another"), "is run by another"),
    ],
)
def test_a_store_that_fails_after_the_launch_was_opened_says_once_how_to_continue(error: StoreError, line: str) -> None:
    raised, *_ = fail(error, begun=True)
    assert (type(raised), str(raised)) == (SweepFailed, line)


def test_a_store_that_fails_while_the_launch_ends() -> None:
    away = StoreError("is away")
    raised, _, _, messages = fail(KeyboardInterrupt(), fails=away)
    assert (type(raised), messages) == (Interrupted, ["is away"])
    raised, *_ = fail(SweepFailed("nothing"), fails=away)
    assert (type(raised), str(raised)) == (SweepFailed, f"is away; {RESUMABLE}")


@pytest.mark.parametrize(("error", "line"), [(SweepFailed("nothing"), "nothing"), (ExecutorLost("lost"), "lost")])
def test_a_failed_sweep_whose_state_cannot_be_written_says_both_and_how_to_go_on(error: Exception, line: str) -> None:
    writer = _WriterOfOneError(StoreError("the store is away"))
    problem: Any = SimpleNamespace(spec=SimpleNamespace(name="digits"))
    failures = LaunchFailures(problem, writer, _Executor(), Listener(), resumed=True)  # type: ignore[arg-type]
    failures.launched = Future()
    failures.launched.set_result("run")
    with pytest.raises(SweepFailed) as raised, failures:
        raise error
    assert str(raised.value) == f"{line}; then the store is away; {RESUMABLE}"


def test_before_anything_is_written_there_is_nothing_to_resume() -> None:
    with pytest.raises(SweepFailed, match="is away; nothing was begun, try again when it is back"), before_launch():
        raise StoreError("is away")
    with pytest.raises(UserError, match="is a folder"), before_launch():
        raise UnusableStore("is a folder")
