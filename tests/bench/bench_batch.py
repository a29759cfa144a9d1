"""The default batch: what a larger one gains in stack size and whole-command time, in real sweeps on digits.

What it costs in quality is measured on published tables, see bench_tables.py.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

BATCHES = (1, 8, 16, 32)


@pytest.mark.parametrize("method", ["tpe", "auto"])
def test_time_by_batch(method: str, tmp_path: Path) -> None:
    print(
        f"\ndigits, default space, {method}, 64 trials, default budget, 2 workers: whole command, networks a stack, best score"
    )
    for batch in BATCHES:
        times, sizes, best = [], [], []
        for seed in range(3):
            folder = tmp_path / f"{batch}-{seed}"
            folder.mkdir()
            spec = {
                "name": "digits",
                "seed": seed,
                "data": {"source": "sklearn:digits", "target": "target"},
                "search": {"method": method, "trials": 64, "batch": batch},
            }
            script = folder / "sweep.py"
            script.write_text(SCRIPT.format(spec=spec))
            started = time.perf_counter()
            answer = subprocess.run(
                [sys.executable, str(script)], cwd=folder, check=True, capture_output=True, text=True
            )
            times.append(time.perf_counter() - started)
            size, value = answer.stdout.split()
            sizes.append(float(size))
            best.append(float(value))
        print(
            f"  batch {batch:2}  {statistics.median(times):5.1f} s  {statistics.mean(sizes):4.1f} networks"
            f"  best {statistics.mean(best):.4f}"
        )


SCRIPT = """
import mlptune
from mlptune.experiments.execution.engine import EngineEvaluator
sizes = []
plain = EngineEvaluator._submit
def counting(self, stack, *rest):
    sizes.append(len(stack.members))
    return plain(self, stack, *rest)
EngineEvaluator._submit = counting
result = mlptune.run_sweep({spec!r}, workers=2)
print(sum(sizes) / len(sizes), result.best["value"])
"""
