"""NumPy's linear algebra can be limited wherever a job runs, and is as it was afterwards."""

import subprocess
import sys

from threadpoolctl import threadpool_info, threadpool_limits

from mlptune.experiments.execution.threads import libraries


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if "numpy" in pool["filepath"]}


def test_numpys_threads_are_limited_each_time_and_restored() -> None:
    with threadpool_limits(3, "blas"):
        for _ in range(2):
            with libraries().limit(limits=1, user_api="blas"):
                assert threads() == {1}
            assert threads() == {3}


def test_the_libraries_are_known_before_numpy_was_imported() -> None:
    code = (
        "from mlptune.experiments.execution.threads import libraries; import sys;"
        "print([library.user_api for library in libraries().lib_controllers])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "blas" in ran.stdout
