"""`run_sweep`: check the sweep file, start the processes, and hand over to the launch.

The processes start before anything slow is imported, so that they import what they need beside this one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tracking import process as process
from ..tracking.store.address import check_folder, store_uri
from ..tracking.store.sqlite import check_not_deleted
from .config import Spec, load_spec
from .config.load import metric_name
from .data.header import check_header
from .errors import UserError, user_errors
from .execution import interruption
from .execution.executors import open_executor
from .execution.workers import Workers
from .formats import MEMORY
from .garbage import without_collection
from .progress import Observer
from .progress_line import watching

if TYPE_CHECKING:
    from .data.frames import MemoryTable
    from .results import SweepResult


def run_sweep(
    source: "str | Path | Mapping[str, Any] | Spec | None" = None,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    workers: int | None = None,
    executor: "str | Executor | None" = None,
    resume: bool = False,
    around: str | None = None,
    tracking_uri: str | None = None,
    observer: Observer | None = None,
    data: Any = None,
    target: str | None = None,
    metric: "str | Callable[..., float] | None" = None,
    verbose: bool | int = True,
) -> "SweepResult":
    """Run a sweep and return its result.

    Args:
        source: A sweep file, the name of a bundled sweep, a mapping or a `Spec`; or give `data` and `target` instead. With a table
            in memory both may be given, if [data] has no other source.
        overrides: Dotted keys of the sweep file and their values, as with `--set`.
        workers: How many processes train; by default one per processor. It decides the speed and never a number.
        executor: Trains elsewhere: "dask://host:port", the name of an entry point of the group `mlptune.executors`, or any
            `concurrent.futures.Executor`, which stays open.
        resume: Continue an unfinished sweep; of a finished one return the result.
        around: "best" narrows the ranges of [space] around the best trial of the sweep's newest finished launch.
        tracking_uri: The store; by default `MLFLOW_TRACKING_URI`, else `mlflow.db` in the current folder.
        observer: Receives what happens while the sweep runs.
        verbose: Whether a line on standard error says how the sweep goes, where there is no `observer`.
        data: A table, with `target` instead of `source`: the name of a file; a DataFrame of pandas, polars or any library with
            `to_pandas`, Arrow's stream or the dataframe interchange protocol; an array (rows, columns), whose columns are called
            x0, x1, ...; or a pair (X, y) of such a table and the values (rows,) to predict. What is in memory is not written
            anywhere: the stored sweep says `source = "memory"`, and to resume it the same table is given again. Such a
            sweep is called like its target unless `overrides` has a `name`.
        target: The column to predict; with a pair (X, y) what y is called, "target" unless given.
        metric: What trials are judged by, in place of `[objective] metric`: a name, or a function f(y_true, y_pred) as
            scikit-learn has them, which goes to workers as it is and is known by its own name. Classes are given as 0, 1, ... in
            the order of the model's `classes_`. A second parameter called y_score, y_proba or y_prob is given probabilities (of
            two classes those of the second), one called sample_weight the rows' weights. Which way is better is found by
            trying, unless `f.greater_is_better` says it. In a mapping it may stand in `[objective]`. To resume the sweep it is
            given again.

    Raises:
        UserError: If anything is wrong with the sweep file, the data or the arguments.
        SweepFailed: If no trial gave a result.
        Interrupted: (a `KeyboardInterrupt`) If the sweep was stopped by Ctrl-C or SIGTERM and can be resumed. What is finished is
            still written; a second Ctrl-C exits at once.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UserError(f"workers: must be a whole number of at least 1, got {workers!r}")
    began = time.monotonic()
    table = None
    if not isinstance(data, str | Path | None):
        from .data.frames import memory_table

        table = memory_table(data, target)
        data, target = MEMORY, table.target
    if metric is not None:
        named = {"objective.metric": metric_name(metric)}
        overrides = (
            {**overrides, **named} if isinstance(overrides, Mapping) else [*overrides, *map("=".join, named.items())]
        )
    spec, text = load_spec(source, overrides, data=data, target=target)
    if around is not None:
        from .around import narrowed

        if resume:
            raise UserError("--around: begins a new launch, and --resume continues one; leave one of them out")
        closer = narrowed(spec, around, store_uri(tracking_uri))
        overrides = (
            {**overrides, **closer}
            if isinstance(overrides, Mapping)
            else [*overrides, *(f"{key}={value!r}" for key, value in closer.items())]
        )
        spec, text = load_spec(source, overrides, data=data, target=target)
    with watching(observer, verbose) as watcher:
        return run_spec(
            spec,
            text,
            table,
            workers=workers,
            executor=executor,
            resume=resume,
            tracking_uri=tracking_uri,
            observer=watcher,
            began=began,
        )


def run_spec(
    spec: Spec,
    text: str,
    table: "MemoryTable | None" = None,
    *,
    workers: int | None = None,
    executor: "str | Executor | None" = None,
    resume: bool = False,
    tracking_uri: str | None = None,
    observer: Observer | None = None,
    began: float | None = None,
    tried: Mapping[str, Any] | None = None,
) -> "SweepResult":
    """What `run_sweep` does once it knows what to do.

    Args:
        spec: The sweep file, checked.
        text: The sweep file as the store keeps it.
        table: The data, where [data] says that they are in memory.
        workers: As with `run_sweep`, and so are the others.
        executor: Where training runs.
        resume: Continue an unfinished sweep.
        tracking_uri: The store.
        observer: Receives what happens.
        began: When the sweep was called, a time of `time.monotonic`; now unless given.
        tried: A configuration to try by hand in the sweep that is resumed, and nothing else.

    Raises:
        UserError: As `run_sweep`, and so are the others.
    """
    began = time.monotonic() if began is None else began
    uri = _store_uri(tracking_uri)
    with user_errors():
        check_not_deleted(uri, spec.name)
    check_header(spec.data, spec.base, _names_in_memory(spec, table))
    # All processes start while the data is read.
    with (
        interruption.catch_signals(),
        _open_writer_process(uri) as writer_process,
        open_executor(executor, workers) as pool,
    ):
        with without_collection():
            from .launch.launch import Launch

            launch = Launch(spec, text, uri, pool, writer_process, observer or Observer(), began, resume, table, tried)
        return launch.run()


def _names_in_memory(spec: Spec, table: "MemoryTable | None") -> list[str] | None:
    """The columns of a table in memory, once it is certain that it is the one that [data] means."""
    if table is None:
        return None
    if spec.data.source != MEMORY:
        raise UserError(f"data.source: is {spec.data.source!r}, and a table was given too; leave one of them out")
    return list(table.frame.columns)


def _open_writer_process(uri: str) -> AbstractContextManager[Workers]:
    """The process that writes to the store; where it needs MLflow for that, it imports it, for seconds, beside the first stacks."""
    return Workers(1, partial(process.prepare, uri), niceness=0)


def _store_uri(tracking_uri: str | None) -> str:
    with user_errors():
        uri = store_uri(tracking_uri)
        check_folder(uri)
        return uri
