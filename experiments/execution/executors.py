"""Where jobs run, by name and address: on this machine, on a Dask cluster, or in any executor of `concurrent.futures`."""

from concurrent.futures import Executor
from importlib.metadata import entry_points

from ..errors import UserError
from . import dask_cluster
from .external import ExternalExecutor
from .workers import Workers, default_workers

GROUP = "mlptune.executors"


def open_executor(executor: "str | Executor | None" = None, workers: int | None = None) -> "Workers | ExternalExecutor":
    """The executor of a sweep, ready to accept jobs: a context manager, whose length is its number of workers.

    Args:
        executor: None for worker processes of this machine; an address (dask://host:port, dask+tls://host:port); the name of an
            entry point of the group mlptune.executors (`name` or `name:rest`, whose factory is called with the rest if there is
            one); or an `Executor`, which stays open.
        workers: How many jobs run at once where the executor does not say so itself.

    Raises:
        UserError: If there is no such executor, or it does not run jobs.
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
            return dask_cluster.from_client(executor._client, "executor", close=None)  # type: ignore[attr-defined]
        return ExternalExecutor(executor, workers or _size(executor))
    if not isinstance(executor, str):
        raise UserError(f"executor: must be an address, a name or a concurrent.futures.Executor, got {executor!r}")
    scheme, separator, _ = executor.partition("://")
    if separator and scheme in dask_cluster.PROTOCOLS:
        if workers is not None:
            raise UserError("--workers: a Dask cluster has its own workers; leave it out")
        return dask_cluster.connect(executor)
    name, _, rest = executor.partition(":")
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        names = ", ".join(["dask://host:port", "dask+tls://host:port", *sorted(found)])
        raise UserError(f"--executor {executor}: unknown; known are {names}")
    made = found[name].load()(*([rest] if rest else []))
    if not isinstance(made, Executor):
        raise UserError(f"--executor {executor}: the entry point made {type(made).__name__}, not an Executor")
    return ExternalExecutor(made, workers or _size(made), label=f"--executor {executor}", close=made.shutdown)


def _size(executor: Executor) -> int:
    """How many jobs it runs at once; the standard library's executors, loky's and MPI's have it under this name."""
    size = getattr(executor, "_max_workers", None)
    return size if isinstance(size, int) and size > 0 else default_workers()
