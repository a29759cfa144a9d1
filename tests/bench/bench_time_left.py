"""How right the time left is that a sweep says: its first estimate, and those when a quarter, a half and three quarters are done.

Printed is the estimate over the truth, on a machine that should do nothing else. BENCH_TRIALS sets how many trials.
"""

import os
from pathlib import Path
from typing import Any

import pytest

import mlptune
from mlptune.experiments.view import View
from mlptune.tracking.records import TrialRecord

TRIALS = int(os.environ.get("BENCH_TRIALS", "24"))


class Watch(View):
    """A view that keeps each estimate: when it was made, how long it said, and how much was done."""

    def __init__(self) -> None:
        super().__init__()
        self.estimates: list[tuple[float, float, float]] = []
        self.ended = 0.0

    def keep(self) -> None:
        left = self.seconds_left()
        if left is not None:
            self.estimates.append((self.clock(), left, self.share))

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        super().trial_advanced(number, epoch, value)
        self.keep()

    def trial_finished(self, trial: TrialRecord) -> None:
        super().trial_finished(trial)
        self.keep()
        self.ended = self.clock()


@pytest.mark.parametrize("preset", ["strong", "plain"])
@pytest.mark.parametrize("data", ["wine", "breast_cancer", "diabetes", "digits"])
def test_time_left(data: str, preset: str, tmp_path: Path) -> None:
    watch = Watch()
    overrides: dict[str, Any] = {"search.trials": TRIALS, "model.preset": preset}
    store = f"sqlite:///{tmp_path}/mlflow.db"
    mlptune.run_sweep(
        data=f"sklearn:{data}", target="target", overrides=overrides, observer=watch, tracking_uri=store, workers=2
    )
    took = watch.ended - watch.began
    chosen = [next(e for e in watch.estimates if e[2] >= share) for share in (0.0, 0.25, 0.5, 0.75)]
    ratios = [f"{left / (watch.ended - now):.2f} at {now - watch.began:.0f} s" for now, left, _ in chosen]
    print(f"\n{data}, {preset}: {took:.0f} s of trials, load {os.getloadavg()[0]:.1f}; " + ", ".join(ratios))
