"""TODO"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tracking import remote
from .config import Spec, load_spec
from .data.header import check_header
from .errors import UserError
from .execution import interruption
from .execution.executors import opened
from .execution.workers import Workers
from .progress import Observer

if TYPE_CHECKING:
    from .results import SweepResult
from .launch.launch import _Launch


def run_sweep(
    source: "str | Path | Mapping[str, Any] | Spec | None" = None,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    workers: int | None = None,
    executor: "str | Executor | None" = None,
    resume: bool = False,
    tracking_uri: str | None = None,
    observer: Observer | None = None,
    data: str | Path | None = None,
    target: str | None = None,
) -> "SweepResult":
    """Run a sweep and return its result.

    `source` is a sweep file, the name of a bundled sweep, a mapping or a Spec; or give `data` and `target` instead. `overrides` are
    dotted keys of the sweep file, as with `--set`. `workers` (default: one a processor) decides the speed, never a number.
    `executor` trains elsewhere: "dask://host:port", the name of an entry point of the group mlptune.executors, or any
    `concurrent.futures.Executor`, which stays open. With `resume` an unfinished sweep is continued and a finished one is returned
    as it is.

    Raises UserError for anything wrong with sweep file, data or arguments; SweepFailed when no trial gave a result; Interrupted
    (a KeyboardInterrupt) when it was stopped by Ctrl-C or SIGTERM and can be resumed. It then still writes what is finished; a
    second Ctrl-C leaves at once.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UserError(f"workers: must be a whole number of at least 1, got {workers!r}")
    spec, text = load_spec(source, overrides, data=data, target=target)
    uri = _store_uri(tracking_uri)
    check_header(spec.data, spec.base)
    # All processes start while the data is read. The writer's imports MLflow, which takes seconds, beside the first stacks.
    with (
        interruption.listening(),
        Workers(1, remote.prepare, niceness=0) as scribe,
        opened(executor, workers) as pool,
    ):
        with _without_collection():
            from .data.dataset import Dataset
            from .launch.plan import make_plan

            problem = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
        return _Launch(problem, text, uri, pool, scribe, observer or Observer()).run(resume)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Imports and tables stay: looking for garbage among them takes a fifth of the time and finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _store_uri(tracking_uri: str | None) -> str:
    from ..tracking.store.address import check_folder, store_uri

    try:
        uri = store_uri(tracking_uri)
        check_folder(uri)
        return uri
    except ValueError as error:
        raise UserError(str(error)) from error
