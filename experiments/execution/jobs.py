"""A job is one stack trained for one segment of epochs: plain data in, plain data out, so that it can run in any process.

Workers import this module and nothing that is slow or that holds a connection: no MLflow, no Optuna, not the caller's script.
"""

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.array import Array
from ...core.crossfit import CrossFit, Kept
from ...core.metrics import Metric
from ...core.structure import Structure
from ...core.training import FINISHED, Curves, Fold, Network, State, start, train
from ...core.workspace import outputs, outputs_of_sums
from .shared import Shared
from .threads import libraries

# How many data sets (by fingerprint) a process keeps. A sweep uses two at most: its folds, and all rows for the refit.
KEPT_DATA = 2


@dataclass(frozen=True)
class Job:
    """One stack for one segment.

    `state` is None in the first segment. `order_seed` gives the order of the mini-batches, the same for every network of a sweep.
    `seconds` is how long the job may take; its process may then be killed.
    """

    structure: Structure
    networks: tuple[Network, ...]
    state: State | None
    until: int
    order_seed: int
    metrics: tuple[str | Metric, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Trained:
    """What a job returns.

    Attributes:
        state: The stack's state.
        curves: Its curves.
        predictions: For each network that has finished, what it predicts at its best epoch for its fold's validation rows, (n, o)
            in the engine's units; None for one that has not, that has diverged, or whose fold has no such rows.
        crossfit: For each network what it predicts for these rows at epochs that were chosen without them, of this segment's;
            None for one that chooses no epoch.
        seconds: How long the job took.
        processor_seconds: How long of that it had a processor.
    """

    state: State
    curves: Curves
    predictions: tuple[Array | None, ...]
    crossfit: tuple[Kept | None, ...]
    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class MissingData:
    """The answer of a process that lacks the folds: send the job again, with them."""

    key: str


# The folds that this process has, the newest last.
_folds: dict[str, tuple[Fold, ...]] = {}


def run_job(job: Job, folds: Shared) -> Trained | MissingData:
    """Train the stack of `job` up to its epoch."""
    if folds.value is not None:
        _folds[folds.key] = folds.value
        while len(_folds) > KEPT_DATA:
            del _folds[next(iter(_folds))]
    elif folds.key not in _folds:
        return MissingData(folds.key)
    began, busy = time.monotonic(), time.thread_time()
    crossfit = CrossFit(job.networks)
    state, curves = train(
        job.structure,
        job.networks,
        _folds[folds.key],
        job.state if job.state is not None else start(job.structure, job.networks),
        job.until,
        order_seed=job.order_seed,
        metrics=job.metrics,
        crossfit=crossfit,
    )
    predictions = _predict_validation(job, _folds[folds.key], state)
    kept = tuple(_kept(job.structure, state, crossfit, k) for k in range(len(job.networks)))
    seconds, busy = time.monotonic() - began, time.thread_time() - busy
    return Trained(state, curves, predictions, kept, seconds, busy)


def _kept(structure: Structure, state: State, crossfit: CrossFit, k: int) -> Kept | None:
    """What `Trained.crossfit` holds of network k."""
    if (found := crossfit.sums(k)) is None:
        return None
    losses, sums = found
    with np.errstate(all="ignore"):
        return Kept(losses.copy(), outputs_of_sums(structure, state.buffers[k : k + 1], sums[None])[0])


def _predict_validation(job: Job, folds: tuple[Fold, ...], state: State) -> tuple[Array | None, ...]:
    """What `Trained.predictions` holds."""
    predictions: list[Array | None] = [None] * len(job.networks)
    finished = [k for k, status in enumerate(state.status) if status == FINISHED]
    for f, fold in enumerate(folds):
        members = [k for k in finished if job.networks[k].fold == f]
        if members and fold.X_val is not None and len(fold.X_val):
            found = outputs(job.structure, state.best_theta[members], state.best_buffers[members], fold.X_val)
            for k, predicted in zip(members, found, strict=True):
                predictions[k] = np.array(predicted)  # its own memory: the others of the stack may be dropped
    return tuple(predictions)


# The rest is for processes of external executors, on any machine.


@dataclass(frozen=True)
class WorkerInfo:
    """Who a process is: its version of mlptune, and what the last bits of its results depend on."""

    version: str
    machine: str


def worker_info() -> WorkerInfo:
    """Say who this process is."""
    from ... import __version__
    from .machine import fingerprint

    return WorkerInfo(__version__, fingerprint())


def run_guarded(fn: Callable[..., Any], job: Job, key: str, folds: Any, home: tuple[str, int]) -> Any:
    """Run `fn(job, Shared(key, folds))` as our own workers would: one BLAS thread, and killed when it is overdue.

    `home` is the coordinator's machine and process, which no job may kill.
    """
    overdue = threading.Event()
    if job.seconds is not None and (platform.node(), os.getpid()) != home:
        seconds = job.seconds
        watch = threading.Thread(target=lambda: overdue.wait(seconds) or os._exit(1), daemon=True, name="overdue-watch")
        watch.start()
    try:
        with _single_thread():
            return fn(job, Shared(key, folds))
    finally:
        overdue.set()


_running_jobs = 0
_limits: Any = None
_limits_lock = threading.Lock()


@contextmanager
def _single_thread() -> Iterator[None]:
    """One BLAS thread while any job runs in this process: the limit is the process's, which may run several jobs at once."""
    global _running_jobs, _limits
    with _limits_lock:
        if not _running_jobs:
            _limits = libraries().limit(limits=1, user_api="blas")
        _running_jobs += 1
    try:
        yield
    finally:
        with _limits_lock:
            _running_jobs -= 1
            if not _running_jobs and _limits is not None:
                _limits.restore_original_limits()
