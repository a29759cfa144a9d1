"""Jobs that train nothing: what reaches the process that runs them, and how many threads it has."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from mlptune.experiments.execution.shared import Shared


class PlainJob:
    """What `run_guarded` knows of a job."""

    seconds: float | None = None


def size(job: Any, data: Shared) -> int:
    """How many bytes of data came along."""
    return len(data.value)


def blas_threads(job: Any, data: Shared) -> set[int]:
    """How many threads the libraries of linear algebra have."""
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
