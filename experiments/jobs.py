"""A job is one stack trained for one stretch of epochs: plain data in, plain data out, so that it can run in any process.

Workers import this module and nothing that is slow or that holds a connection: no MLflow, no Optuna, not the caller's script.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.network import Structure
from ..core.training import Curves, Fold, Network, State, start, train


@dataclass(frozen=True)
class Job:
    """One stack for one stretch.

    `state` is None at the first stretch. `data` is the fingerprint of the folds, which a worker keeps between jobs. `order_seed`
    gives the order of the mini-batches, the same for every network of a sweep.
    """

    structure: Structure
    networks: tuple[Network, ...]
    state: State | None
    until: int
    data: str
    order_seed: int
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class MissingData:
    """The worker's answer when it has not seen the data of a job yet: send the job again, with the folds."""

    data: str


# What this worker process has been given, by fingerprint. A sweep uses two at most: its folds, and all rows for the refit.
_folds: dict[str, tuple[Fold, ...]] = {}


def run_job(job: Job, folds: Sequence[Fold] | None = None) -> tuple[State, Curves] | MissingData:
    """Train the stack of `job` up to its epoch; `folds` accompany the first job that uses them in this process."""
    if folds is not None:
        _folds[job.data] = tuple(folds)
    elif job.data not in _folds:
        return MissingData(job.data)
    state = job.state if job.state is not None else start(job.structure, job.networks)
    return train(
        job.structure,
        job.networks,
        _folds[job.data],
        state,
        job.until,
        order_seed=job.order_seed,
        metrics=job.metrics,
    )
