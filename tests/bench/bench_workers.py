"""What a second worker is worth: the same sweep of digits with one worker and with two, in turn, from the first trial's start
to the last one's end. Efficiency is the time of one over twice the time of two; it needs two idle processors.
"""

import os
import statistics
import time
from pathlib import Path

import mlptune
from mlptune.experiments.progress import Observer

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))
TRIALS = int(os.environ.get("BENCH_TRIALS", "512"))
EPOCHS = int(os.environ.get("BENCH_EPOCHS", "50"))
SWEEP = {
    "data": {"source": "sklearn:digits", "target": "target", "validation": 0.2},
    "model": {"epochs": EPOCHS},
    "space": {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "hidden": [[64], [64, 64], [128, 64]],
        "batch_size": [32, 64, 128],
        "l2": {"low": 1e-6, "high": 1e-2, "log": True},
    },
    "search": {"method": "random", "trials": TRIALS},
    "objective": {"refit": False, "ensemble": 0},
}


class _Clock(Observer):
    began = ended = 0.0

    def started(self, info) -> None:
        self.began = time.perf_counter()

    def trial_finished(self, trial) -> None:
        self.ended = time.perf_counter()


def seconds(name: str, workers: int, uri: str) -> float:
    clock = _Clock()
    mlptune.run_sweep({**SWEEP, "name": name}, workers=workers, tracking_uri=uri, observer=clock)
    return clock.ended - clock.began


def test_efficiency_of_two_workers(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    pairs = [(seconds(f"one {i}", 1, uri), seconds(f"two {i}", 2, uri)) for i in range(PAIRS)]
    efficiencies = sorted(one / (2 * two) for one, two in pairs)
    print(f"\n{TRIALS} random trials x {EPOCHS} epochs on digits, {PAIRS} pairs, {os.cpu_count()} processors")
    print(f"  one worker   {statistics.median(one for one, _ in pairs):6.1f} s (median)")
    print(f"  two workers  {statistics.median(two for _, two in pairs):6.1f} s (median)")
    shown = " ".join(f"{e:.0%}" for e in efficiencies)
    print(f"  efficiency   {shown} (median {statistics.median(efficiencies):.0%})")
