"""Worker processes on this machine, behind the interface of `concurrent.futures`.

Each worker is a pool of one process (loky's, which imports neither the caller's `__main__` nor anything of ours until its first
job), so that a crash is blamed on one job and breaks no other. Jobs wait in one queue here; the first free worker takes the next.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from loky.backend import resource_tracker as loky_tracker
from loky.backend.context import LokyContext
from loky.process_executor import ProcessPoolExecutor, ShutdownExecutorError

from .shared import Shared
from .threads import libraries

# One BLAS thread per worker: more would compete with the other workers, and two threads change float32 bits.
ENVIRONMENT = {
    f"{library}_THREADS": "1" for library in ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "BLIS_NUM")
}
# loky ends a process that has grown by 300 MB as a leaking one; ours keeps its data and its largest stack.
ENVIRONMENT["LOKY_MAX_MEMORY_LEAK_SIZE"] = "1e15"
ORPHAN_CHECK_SECONDS = 1.0
TRACKER_WARNINGS = f"ignore::UserWarning:{loky_tracker.__name__}"
# Training gives way a little, to the coordinator and the writer, which need little time but are waited for, and to the user's other
# work, but must not starve beside it: with 1 it gets four ninths of a processor that another process wants whole, with 10 a tenth.
TRAINING_NICENESS = 1
# When memory runs out Linux kills the largest process, which may be the coordinator or the user's editor; a worker can be replaced.
OOM_SCORE, OOM_FIRST = "/proc/self/oom_score_adj", "500"


def default_workers() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _initialise(coordinator: int, niceness: int) -> None:
    """In the worker: leave Ctrl-C to the coordinator, and exit once the coordinator is gone, even in the middle of a job."""
    os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if niceness and os.path.exists(OOM_SCORE):
        with open(OOM_SCORE, "w") as file:
            file.write(OOM_FIRST)

    def watch() -> None:
        while os.getppid() == coordinator:
            time.sleep(ORPHAN_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="orphan-watch").start()


def _start_quiet_tracker() -> None:
    """Start loky's process that removes what a killed one left behind, so that it does so without a word.

    After a Ctrl-C while workers start, it would warn of "leaked" semaphores below the last lines, which the user should read.
    """
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [before, TRACKER_WARNINGS]))
    try:
        loky_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def _block_sigint() -> Iterator[None]:
    """Block Ctrl-C in processes that this thread starts meanwhile, so that it cannot hit them before they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Starting any process starts this one first, which unblocks Ctrl-C again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True)
class _Call:
    """A call that waits for a worker."""

    future: Future
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Worker:
    """One process: its pool of one, the call that it is busy with, and the keys of the shared arguments that it has."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.busy: Future | None = None
        self.known: set[str] = set()


class Workers(Executor):
    """Worker processes with one queue.

    A call whose process dies fails with loky's `TerminatedWorkerError` (a `BrokenExecutor`); its worker is replaced and the
    other calls are not affected. A call is `running` from the moment at which a worker that is ready takes it. A `Shared`
    argument is sent to each worker once.

    Args:
        n: The number of processes.
        first_call: What each does when it starts; by default it imports the engine.
        niceness: How much they give way to other processes.
    """

    messages = ()  # what the user should know of this executor

    def __init__(
        self, n: int, first_call: Callable[[], object] | None = None, niceness: int = TRAINING_NICENESS
    ) -> None:
        self._first_call = first_call or _import_engine
        self._niceness = niceness
        self._lock = threading.RLock()
        self._waiting: deque[_Call] = deque()
        self._closed = False
        self._workers = [_Worker() for _ in range(n)]
        _start_quiet_tracker()
        # The processes start now, while the coordinator still reads the data.
        for worker in self._workers:
            self._start(worker)

    def __len__(self) -> int:
        return len(self._workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Queue a call; the first free worker takes it."""
        future: Future = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers have been shut down")
            self._waiting.append(_Call(future, fn, args, kwargs))
            self._dispatch()
        return future

    def kill(self, future: Future) -> None:
        """Kill the process that runs this call, whatever it is doing, so that the call fails; do nothing if it is not running."""
        with self._lock:
            for worker in self._workers:
                if worker.busy is future and worker.pool is not None:
                    worker.pool.shutdown(wait=False, kill_workers=True)

    def _start(self, worker: _Worker) -> None:
        """Start the worker's process, or a new one in its place."""
        worker.known = set()
        worker.pool = ProcessPoolExecutor(
            max_workers=1,
            # Its own: under the name "loky" multiprocessing knows joblib's copy once scikit-learn is imported, in which a process
            # imports all of joblib before it begins.
            context=LokyContext(),
            env=ENVIRONMENT,
            initializer=_initialise,
            initargs=(os.getpid(), self._niceness),
        )
        with _block_sigint():
            worker.busy = starting = worker.pool.submit(self._first_call)
        starting.add_done_callback(lambda _: self._started(worker))

    def _started(self, worker: _Worker) -> None:
        with self._lock:
            worker.busy = None
            if not self._closed:
                self._dispatch()

    def _dispatch(self) -> None:
        """Give waiting calls to free workers."""
        for worker in self._workers:
            while worker.busy is None and self._waiting:
                call = self._waiting.popleft()
                if call.future.set_running_or_notify_cancel():
                    self._send(worker, call)

    def _send(self, worker: _Worker, call: _Call) -> None:
        assert worker.pool is not None
        shared = {arg.key for arg in call.args if isinstance(arg, Shared)}
        stripped = [
            Shared(arg.key, None) if isinstance(arg, Shared) and arg.key in worker.known else arg for arg in call.args
        ]
        try:
            inner = worker.pool.submit(call.fn, *stripped, **call.kwargs)
        except BrokenExecutor as error:
            # It died while it started, or while it was idle.
            self._start(worker)
            call.future.set_exception(error)
            return
        worker.busy = call.future
        inner.add_done_callback(lambda done: self._finished(worker, call.future, done, shared))

    def _finished(self, worker: _Worker, future: Future, inner: Future, shared: set[str]) -> None:
        error = inner.exception() if not inner.cancelled() else RuntimeError("the workers have been shut down")
        with self._lock:
            worker.busy = None
            if error is None:
                worker.known |= shared
            if not self._closed:
                if isinstance(error, (BrokenExecutor, ShutdownExecutorError)):
                    self._start(worker)
                self._dispatch()
        # Outside the lock: a callback of the future may submit the next call from here.
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the processes; running jobs are abandoned, and what was not committed is trained again by a resume."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            pools = [worker.pool for worker in self._workers if worker.pool is not None]
        for call in waiting:
            call.future.cancel()
        for pool in pools:
            pool.shutdown(wait=wait, kill_workers=True)


def _import_engine() -> None:
    """Import what every job needs, in the worker, before the first job arrives."""
    from . import jobs  # noqa: F401


class Inline(Executor):
    """Runs each call at once, in this thread, with one BLAS thread as in a worker."""

    messages = ()

    def __len__(self) -> int:
        return 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        with libraries().limit(limits=1, user_api="blas"):
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
        return future
