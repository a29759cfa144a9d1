"""How a launch ends that gives no result: the state in which the store keeps it, and the error that the user gets.

| cause                                       | state in the store    | raised              |
|---------------------------------------------|-----------------------|---------------------|
| Ctrl-C or SIGTERM                           | interrupted           | `Interrupted`       |
| the executor accepts no more jobs           | interrupted           | `ExecutorLost`      |
| no trial is complete                        | failed                | `SweepFailed`       |
| the name belongs to an unfinished launch    | unchanged             | `UserError`         |
| another process runs the launch             | unchanged             | `UserError`         |
| the store cannot be used at all             | unchanged             | `UserError`         |
| the store did not take a write              | unchanged             | `SweepFailed`       |
| any other exception (a sampler's, or a bug) | failed, if it was new | the exception as is |
"""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from types import TracebackType

from ...tracking import reader
from ...tracking.lease import LeaseLost
from ...tracking.store.errors import StoreError, UnusableStore
from ...tracking.writer import HeldElsewhere, UnfinishedLaunch, Writer
from ..errors import ExecutorLost, Interrupted, SweepFailed, UserError
from ..progress import Observer
from .plan import SweepPlan
from .resume import OTHER_NAME, resume_hint

# How long Ctrl-C waits for a store that is away; what it has not taken by then is written by --resume.
INTERRUPTED_PATIENCE_SECONDS = 10.0


@contextmanager
def before_launch() -> Iterator[None]:
    """Around what is read from the store before anything is written there."""
    try:
        yield
    except UnusableStore as error:
        raise UserError(str(error)) from error
    except StoreError as error:
        raise SweepFailed(f"{error}; nothing was begun, try again when it is back") from error


class LaunchFailures:
    """Around all that a launch does with its `writer`, which it closes: errors become those of the table above.

    `launched` is the future of the launch's run, once it has been asked for. `resumed` says whether the launch was there before.
    """

    def __init__(
        self, plan: SweepPlan, writer: Writer, executor: Executor, observer: Observer, *, resumed: bool
    ) -> None:
        self.launched: Future[str] | None = None
        self._plan = plan
        self._name = plan.spec.name
        self._writer = writer
        self._executor = executor
        self._observer = observer
        self._resumed = resumed

    def __enter__(self) -> "LaunchFailures":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = isinstance(error, KeyboardInterrupt)
        try:
            if error is not None:
                if interrupted:
                    self._executor.shutdown(wait=False)
                self._record(error)
                explained = self._explained(error)
                if explained is not None:
                    raise explained from error
        except StoreError as of_store:  # of a sweep that has failed itself: its state is not written
            raise SweepFailed(f"{error}; then {_with_resume_hint(of_store, self._begun())}") from of_store
        finally:
            self._close(INTERRUPTED_PATIENCE_SECONDS if interrupted else None)

    def _record(self, error: BaseException) -> None:
        """Write the state in which the launch ends, unless the store itself is what failed."""
        match error:
            case UnfinishedLaunch() | HeldElsewhere() | UnusableStore() | StoreError():
                return
            case KeyboardInterrupt() | ExecutorLost():
                state = "interrupted"
            case SweepFailed():
                state = "failed"
            case Exception() if not self._resumed:
                state = "failed"  # so that the name is not taken by a launch that never ends
            case _:
                return
        # An executor that is lost, or a sweep without a result, must not hide that the store has failed too.
        with nullcontext() if isinstance(error, SweepFailed) else suppress(StoreError):
            self._writer.finish_launch(state)

    def _explained(self, error: BaseException) -> BaseException | None:
        """The error with what the user can do about it; None for one that is raised as it is."""
        resumable = f"what is committed stays, --resume continues {self._name!r}"
        match error:
            case KeyboardInterrupt():
                return Interrupted(f"stopped; {resumable}")
            case ExecutorLost():
                return ExecutorLost(f"{error}; {resumable}")
            case UnfinishedLaunch(running=True):
                return UserError(f"{error}; wait for it, or {OTHER_NAME}")
            case UnfinishedLaunch():
                unfinished = reader.launch(self._writer.uri, error.name, error.run_id)
                return UserError(f"{error}; {resume_hint(self._plan, unfinished, self._writer.uri)}")
            case HeldElsewhere():
                return UserError(f"the sweep {self._name!r}: {error}")
            case UnusableStore():
                return UserError(str(error))
            case StoreError():
                return SweepFailed(_with_resume_hint(error, self._begun()))
        return None

    def _begun(self) -> bool:
        return self.launched is not None and self.launched.done() and not self.launched.exception()

    def _close(self, patience: float | None) -> None:
        try:
            self._writer.close(patience)
        except StoreError as error:
            if patience is None:
                raise SweepFailed(_with_resume_hint(error, begun=True)) from error
            self._observer.message(str(error))


def _with_resume_hint(error: StoreError, begun: bool) -> str:
    text = str(error)
    if not begun or "--resume" in text or isinstance(error, LeaseLost):
        return text
    return f"{text}; what is committed stays, --resume continues"
