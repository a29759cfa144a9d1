"""The kind of machine: the same in every process of one, with the NumPy and the BLAS that compute there."""

import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from mlptune.experiments.execution.machine import fingerprint


def test_another_process_of_the_machine_has_the_same_fingerprint() -> None:
    program = "from mlptune.experiments.execution.machine import fingerprint; print(fingerprint())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == fingerprint() + "\n"


def test_the_library_that_computes_is_part_of_it() -> None:
    """NumPy says what it was built with; threadpoolctl asks the library that is loaded."""
    np.ones((2, 2)) @ np.ones((2, 2))
    versions = [library["version"] for library in threadpool_info() if library["internal_api"] == "openblas"]
    if not versions:
        pytest.skip("this NumPy computes with another library than OpenBLAS")
    assert f"numpy {np.__version__}; " in fingerprint()
    assert any(version in fingerprint() for version in versions)
