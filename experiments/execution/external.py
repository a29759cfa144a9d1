"""Executors whose processes are not ours.

They are asked who they are before they get work, and a job that they lose is handled as a crash.
"""

import os
import platform
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from ..errors import ExecutorLost, UserError
from .shared import Shared

ANSWER_SECONDS = 60


class ExternalExecutor(Executor):
    """Sends jobs to an executor that is not ours, together with the folds as seldom as it can.

    Args:
        inner: Runs the jobs.
        workers: How many jobs it runs at once.
        label: Names it in messages.
        close: Closes it; None if it stays open.
        place: Puts a shared argument where the processes find it (Dask). Without it a process that lacks the folds says so and
            gets them.
        gone: Says why the executor accepts no more jobs, if so; `submit` then gives `ExecutorLost`.
        handshake: Asks the processes who they are; the answers are `WorkerInfo` or exceptions, by the name of the process.
        messages: What the user should know of it.

    Raises:
        UserError: If the processes cannot run our jobs.
    """

    def __init__(
        self,
        inner: Executor,
        workers: int,
        *,
        label: str = "executor",
        close: Callable[[], object] | None = None,
        place: Callable[[Shared], Any] | None = None,
        gone: Callable[[], str | None] = lambda: None,
        handshake: Callable[[], dict[str, Any]] | None = None,
        messages: tuple[str, ...] = (),
    ) -> None:
        self._inner = inner
        self._workers = workers
        self._label = label
        self._close = close
        self._place = place
        self._gone = gone
        self._with_folds = workers  # the first jobs bring the folds along, one for each worker
        self._pending: set[Future] = set()
        # An overdue job kills its process, but never this one, where an executor of threads runs it.
        self._home = (platform.node(), os.getpid())
        try:
            self.messages = (*messages, *_check_workers((handshake or self._handshake)()))
        except BaseException:
            self.shutdown()
            raise

    def __len__(self) -> int:
        return self._workers

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Queue `fn(job, shared)`."""
        job, shared = args
        future: Future = Future()
        future.set_running_or_notify_cancel()
        self._with_folds -= 1
        self._send(future, fn, job, shared, with_folds=self._with_folds >= 0)
        return future

    def _send(self, future: Future, fn: Callable[..., Any], job: Any, shared: Shared, *, with_folds: bool) -> None:
        from .jobs import run_guarded

        try:
            value = self._place(shared) if self._place else shared.value if with_folds else None
            inner = self._inner.submit(run_guarded, fn, job, shared.key, value, self._home)
        except Exception as error:  # closed, broken, or its scheduler is away: each kind of executor raises its own
            reason = self._gone() or f"{type(error).__name__}: {error}"
            future.set_exception(ExecutorLost(f"{self._label}: accepts no more jobs ({reason})"))
            return
        self._pending.add(inner)
        inner.add_done_callback(lambda done: self._returned(future, fn, job, shared, done))

    def _returned(self, future: Future, fn: Callable[..., Any], job: Any, shared: Shared, inner: Future) -> None:
        from .jobs import MissingData

        self._pending.discard(inner)
        error = CancelledError("lost by the executor") if inner.cancelled() else inner.exception()
        if error is not None:
            reason = self._gone()
            future.set_exception(ExecutorLost(f"{self._label}: {reason}") if reason else error)
        elif isinstance(inner.result(), MissingData):
            self._send(future, fn, job, shared, with_folds=True)
        else:
            future.set_result(inner.result())

    def _handshake(self) -> dict[str, Any]:
        from .jobs import worker_info

        try:
            return {self._label: self._inner.submit(worker_info).result(timeout=ANSWER_SECONDS)}
        except (BrokenExecutor, TimeoutError, RuntimeError) as error:
            raise UserError(
                f"{self._label}: does not run jobs ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
            ) from error
        except ImportError as error:
            return {self._label: error}

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Drop the jobs that are on their way; close the executor if it was opened for this sweep."""
        for inner in list(self._pending):
            inner.cancel()
        if self._close is not None:
            close, self._close = self._close, None
            with suppress(Exception):  # a cluster that is gone cannot be closed in order
                close()


def _check_workers(answers: dict[str, Any]) -> list[str]:
    """Warnings about processes of another kind of machine. Raises UserError for those that cannot run our jobs."""
    from ... import __version__
    from .machine import fingerprint

    others: dict[str, str] = {}
    for process, answer in answers.items():
        # Dask returns some errors by their names.
        if isinstance(answer, ImportError) or str(answer).startswith("ModuleNotFoundError("):
            raise UserError(f"{process}: mlptune cannot be imported there ({answer}); install mlptune=={__version__}")
        if isinstance(answer, BaseException):
            raise UserError(f"{process}: does not run jobs ({type(answer).__name__}: {answer})")
        if answer.version != __version__:
            raise UserError(f"{process}: has mlptune {answer.version}, this is {__version__}; install the same there")
        if answer.machine != fingerprint():
            others.setdefault(answer.machine, process)
    return [
        f"{process} is another kind of machine ({machine}): last bits may differ" for machine, process in others.items()
    ]
