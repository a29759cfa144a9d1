"""What a sweep promises of a table with nothing to learn: the expected score minus the sealed one, in the mean 0.

The targets of 20 tables (400 rows, eight columns) are drawn at random, so that the best of many trials looks better than
chance and no model is. Printed are the best trial's own value, the expected score, and the score on the sealed rows, each minus
chance; for the ensemble and for the best trial alone. BENCH_SWEEPS sets how many tables, BENCH_TRIALS how many trials.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlptune

SWEEPS, TRIALS = int(os.environ.get("BENCH_SWEEPS", "20")), int(os.environ.get("BENCH_TRIALS", "16"))


@pytest.mark.parametrize("ensemble", [16, 0])
def test_noise(ensemble: int, tmp_path: Path) -> None:
    rows = []
    for seed in range(SWEEPS):
        random = np.random.default_rng(seed)
        frame = pd.DataFrame(random.normal(size=(400, 8)), columns=list("abcdefgh")).assign(
            y=random.integers(2, size=400)
        )
        result = mlptune.run_sweep(
            data=frame,
            target="y",
            tracking_uri=f"sqlite:///{tmp_path / f'{seed}.db'}",
            overrides={"seed": seed, "search.trials": TRIALS, "objective.ensemble": ensemble},
        )
        best = result.best
        rows.append((best["value"], best["expected"]["score"], best["test_score"]))
    values = np.array(rows)
    error = np.std(values[:, 1] - values[:, 2], ddof=1) / np.sqrt(len(values))
    print(
        f"\nensemble = {ensemble}, {SWEEPS} tables of noise, {TRIALS} trials: accuracy minus .5: best trial's value "
        f"{values[:, 0].mean() - 0.5:+.4f}, expected {values[:, 1].mean() - 0.5:+.4f}, sealed {values[:, 2].mean() - 0.5:+.4f}; "
        f"expected minus sealed {np.mean(values[:, 1] - values[:, 2]):+.4f} (standard error {error:.4f})"
    )
