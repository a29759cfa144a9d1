"""A sweep beside other work: its time with as many busy processes as processors, and with twice as many, over its time alone.

Workers give way a little (a niceness of 1), so that what a person does in the foreground goes first, and must not starve: beside
one busy process a processor the sweep may take 2.5 times as long (2.25 is the scheduler's share of that niceness, if training
is all there is to it). It needs an otherwise idle machine. The busy processes are started here and ended here.

BENCH_PAIRS sets how often it is measured, BENCH_TRIALS and BENCH_EPOCHS how long the sweep is.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))
TRIALS = int(os.environ.get("BENCH_TRIALS", "256"))
EPOCHS = int(os.environ.get("BENCH_EPOCHS", "50"))
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
SWEEP = f"""
name = "digits"
[data]
source = "sklearn:digits"
validation = 0.2
[model]
epochs = {EPOCHS}
[space]
learning_rate = {{ low = 1e-4, high = 1e-1, log = true }}
hidden = [[64], [64, 64], [128, 64]]
batch_size = [32, 64, 128]
l2 = {{ low = 1e-6, high = 1e-2, log = true }}
[search]
method = "random"
trials = {TRIALS}
[objective]
refit = false
ensemble = 0
"""
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that compute without a pause, of ordinary priority."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def seconds(folder: Path, beside: int) -> float:
    """How long the command takes, beside so many busy processes."""
    folder.mkdir()
    (folder / "digits.toml").write_text(SWEEP)
    command = [sys.executable, "-m", "mlptune", "sweep", "digits.toml", "--workers", str(PROCESSORS)]
    with busy(beside):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        return time.perf_counter() - began


@pytest.mark.parametrize("a_processor", [1, 2])
def test_beside_busy_processes(a_processor: int, tmp_path: Path) -> None:
    beside = a_processor * PROCESSORS
    pairs = [(seconds(tmp_path / f"alone{i}", 0), seconds(tmp_path / f"beside{i}", beside)) for i in range(PAIRS)]
    ratios = sorted(loaded / alone for alone, loaded in pairs)
    print(f"\n{TRIALS} trials x {EPOCHS} epochs on digits, whole command, {PROCESSORS} workers, {PAIRS} pairs")
    print(f"  alone                          {statistics.median(alone for alone, _ in pairs):6.1f} s (median)")
    print(
        f"  beside {beside:2} busy processes       {statistics.median(loaded for _, loaded in pairs):6.1f} s (median)"
    )
    shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"  times as long: {shown} (median {statistics.median(ratios):.2f})")
