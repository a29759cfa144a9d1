"""What the bits of a result depend on besides configuration, seed and data: the kind of CPU and the build of NumPy."""

import platform
import sys
from pathlib import Path

import numpy as np


def fingerprint() -> str:
    """CPU model, NumPy version and its BLAS: a sweep resumed where this differs may differ in the last bits."""
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    library = f"{blas.get('name', 'unknown BLAS')} {blas.get('version', '')}".strip()
    return f"{_cpu()}; numpy {np.__version__}; {library}; {sys.platform}"


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        seen: dict[str, str] = {}
        for line in cpuinfo.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            seen.setdefault(key.strip(), value.strip())
        parts = [seen.get(key, "?") for key in ("model name", "cpu family", "model", "stepping")]
        if "model name" in seen:
            return "{} family {} model {} stepping {}".format(*parts)
    return platform.processor() or platform.machine()
