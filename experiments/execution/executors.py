"""Where jobs run, by name and address: on this machine, on a Dask cluster, or in any executor of `concurrent.futures`.

Whatever the processes are, others run them: they are asked who they are before they are trusted with work, and a job that
they lose goes the way of a crash.
"""

import ipaddress
import os
import platform
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager, suppress
from importlib.metadata import entry_points
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import ExecutorLost, UserError
from .shared import Shared
from .workers import Workers, default_workers

GROUP = "mlptune.executors"
DASK = {"dask": "tcp", "dask+tls": "tls"}
TLS_FILES = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
CONNECT_SECONDS = 10
ANSWER_SECONDS = 60


def opened(executor: "str | Executor | None" = None, workers: int | None = None) -> "Workers | Elsewhere":
    """The executor of a sweep, ready to take jobs: a context manager, whose length is its number of workers.

    `executor` is None for worker processes of this machine, an address (dask://host:port, dask+tls://host:port), the name of an
    entry point of the group mlptune.executors (`name` or `name:rest`; its factory is called with the rest, if there is one), or
    an Executor, which stays open. `workers` is how many jobs run at once where the executor does not say it. Raises UserError.
    """
    if executor is None:
        most = max(64, 4 * default_workers())
        if workers is not None and workers > most:
            raise UserError(
                f"--workers: at most {most} on this machine, not {workers}; more than its processors do not help"
            )
        return Workers(workers or default_workers())
    if isinstance(executor, Executor):
        if type(executor).__module__.startswith("distributed."):
            return _cluster(executor._client, "executor", close=None)  # type: ignore[attr-defined]
        return Elsewhere(executor, workers or _size(executor))
    if not isinstance(executor, str):
        raise UserError(f"executor: must be an address, a name or a concurrent.futures.Executor, got {executor!r}")
    scheme, separator, _ = executor.partition("://")
    if separator and scheme in DASK:
        if workers is not None:
            raise UserError("--workers: a Dask cluster has the workers that it has; leave it out")
        return _dask(executor)
    name, _, rest = executor.partition(":")
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        names = ", ".join(["dask://host:port", "dask+tls://host:port", *sorted(found)])
        raise UserError(f"--executor {executor}: unknown; known are {names}")
    made = found[name].load()(*([rest] if rest else []))
    if not isinstance(made, Executor):
        raise UserError(f"--executor {executor}: the entry point made {type(made).__name__}, not an Executor")
    return Elsewhere(made, workers or _size(made), label=f"--executor {executor}", close=made.shutdown)


class Elsewhere(Executor):
    """An executor whose processes are not ours: it sends jobs with the folds as seldom as it can, and gives back what returns.

    `place` puts a shared argument where the processes find it (Dask); without it a process that misses the folds says so and
    gets them. `gone` says why the executor can take no more, if so; `submit` then raises ExecutorLost.
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
        greet: Callable[[], dict[str, Any]] | None = None,
        messages: tuple[str, ...] = (),
    ) -> None:
        self._inner = inner
        self._workers = workers
        self._label = label
        self._close = close
        self._place = place
        self._gone = gone
        self._whole = workers  # the first jobs bring the folds along, one for each worker
        self._pending: set[Future] = set()
        # In-process executors must survive a job that outlives its time.
        self._home = (platform.node(), os.getpid())
        try:
            self.messages = (*messages, *self._meet(greet or self._greet))
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
        self._whole -= 1
        self._send(future, fn, job, shared, whole=self._whole >= 0)
        return future

    def _send(self, future: Future, fn: Callable[..., Any], job: Any, shared: Shared, *, whole: bool) -> None:
        from .jobs import elsewhere

        try:
            value = self._place(shared) if self._place else shared.value if whole else None
            inner = self._inner.submit(elsewhere, fn, job, shared.key, value, self._home)
        except (
            Exception
        ) as error:  # closed, broken, or its scheduler is away: whatever its kind of executor raises then
            reason = self._gone() or f"{type(error).__name__}: {error}"
            future.set_exception(ExecutorLost(f"{self._label}: takes no more jobs ({reason})"))
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
            self._send(future, fn, job, shared, whole=True)
        else:
            future.set_result(inner.result())

    def _greet(self) -> dict[str, Any]:
        from .jobs import introduce

        try:
            return {self._label: self._inner.submit(introduce).result(timeout=ANSWER_SECONDS)}
        except (BrokenExecutor, TimeoutError, RuntimeError) as error:
            raise UserError(
                f"{self._label}: does not run jobs ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
            ) from error
        except ImportError as error:
            return {self._label: error}

    def _meet(self, greet: Callable[[], dict[str, Any]]) -> list[str]:
        """Whether the processes are what they must be; the answer is warnings. Raises UserError."""
        from ... import __version__
        from .machine import fingerprint

        others: dict[str, str] = {}
        for who, answer in greet().items():
            # Dask brings the names of some errors home instead of the errors.
            if isinstance(answer, ImportError) or str(answer).startswith("ModuleNotFoundError("):
                raise UserError(f"{who}: mlptune cannot be imported there ({answer}); install mlptune=={__version__}")
            if isinstance(answer, BaseException):
                raise UserError(f"{who}: does not run jobs ({type(answer).__name__}: {answer})")
            if answer.version != __version__:
                raise UserError(f"{who}: has mlptune {answer.version}, this is {__version__}; install the same there")
            if answer.machine != fingerprint():
                others.setdefault(answer.machine, who)
        return [
            f"{who} is another kind of machine ({machine}): last bits may differ" for machine, who in others.items()
        ]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Drop the jobs that are on their way; close the executor if it was opened for this sweep."""
        for inner in list(self._pending):
            inner.cancel()
        if self._close is not None:
            close, self._close = self._close, None
            with suppress(Exception):  # a cluster that is gone cannot be left politely
                close()


def _size(executor: Executor) -> int:
    """How many jobs it runs at once: the standard library's executors, loky's and MPI's say it under this name."""
    size = getattr(executor, "_max_workers", None)
    return size if isinstance(size, int) and size > 0 else default_workers()


def _dask(address: str) -> Elsewhere:
    """The workers of a Dask cluster. TLS files: the address's (?ca=...&cert=...&key=...) or Dask's own configuration."""
    try:
        import dask
        from distributed import Client
        from distributed.security import Security
    except ImportError:
        raise UserError(f"--executor {address}: needs Dask: pip install 'mlptune[dask]'") from None
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    shown = f"--executor {parts.scheme}://{parts.netloc}"
    tls = parts.scheme == "dask+tls"
    for key in options:
        if key not in TLS_FILES or not tls:
            known = f"known are {', '.join(TLS_FILES)}" if tls else "TLS is dask+tls://"
            raise UserError(f"{shown}: unknown option {key!r}; {known}")
        if not os.path.isfile(options[key]):
            raise UserError(f"{shown}: {options[key]}: there is no such file")
    try:
        if not parts.hostname or not parts.port or parts.path not in ("", "/"):
            raise ValueError
    except ValueError:
        raise UserError(f"{shown}: write {parts.scheme}://host:port") from None
    security = None
    if tls:
        security = Security(require_encryption=True, **{TLS_FILES[key]: path for key, path in options.items()})
    # A job carries the state of a whole stack; Dask finds that large.
    quiet: AbstractContextManager[object] = dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    try:
        with quiet:
            client = Client(
                f"{DASK[parts.scheme]}://{parts.hostname}:{parts.port}",
                security=security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                name="mlptune",
            )
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{shown}: no Dask scheduler answers ({' '.join(str(error).split())[:200]})") from error
    try:
        return _cluster(client, shown, close=client.close)
    except BaseException:
        client.close()
        raise


def _cluster(client: Any, label: str, close: Callable[[], object] | None) -> Elsewhere:
    from .jobs import introduce

    threads: dict[str, int] = client.nthreads()
    if not threads:
        raise UserError(f"{label}: its scheduler has no workers; start some: dask worker ... --nthreads 1")
    messages = []
    reached = [urlsplit(address) for address in (client.scheduler.address, *threads)]
    open_to_all = [place.netloc for place in reached if place.scheme == "tcp" and not _loopback(place.netloc)]
    if open_to_all:
        messages.append(
            f"Dask without TLS at {open_to_all[0]}: whoever reaches it can read the data and run any code on the cluster and "
            "here; use dask+tls:// unless everybody on that network is trusted"
        )
    if max(threads.values()) > 1:
        messages.append("Dask workers with several threads train slowly: start them with --nthreads 1")
    placed: dict[str, tuple[Any, Any]] = {}

    def place(shared: Shared) -> Any:
        """Scattered once; Dask brings it to each worker that needs it, and here it is kept in case all of them die."""
        if shared.key not in placed or placed[shared.key][1].status != "finished":
            [future] = client.scatter([shared.value], broadcast=True, hash=False)
            placed[shared.key] = (shared, future)
        return placed[shared.key][1]

    def gone() -> str | None:
        return None if client.status == "running" else "the connection to its scheduler is lost"

    def greet() -> dict[str, Any]:
        answers = client.run(introduce, on_error="return")
        return {f"{label}, worker {worker}": answer for worker, answer in answers.items()}

    return Elsewhere(
        client.get_executor(),
        sum(threads.values()),
        label=label,
        close=close,
        place=place,
        gone=gone,
        greet=greet,
        messages=tuple(messages),
    )


def _loopback(place: str) -> bool:
    host = urlsplit(f"//{place}").hostname or ""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
