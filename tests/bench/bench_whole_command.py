"""The whole command: 64 configurations x 20 epochs (and 512 x 50, if asked for) on digits into MLflow on SQLite, ours
beside Optuna + scikit-learn.

Both sides get the same rows, one validation part, the same search space, two processes and one BLAS thread a process,
start from nothing (imports and the creation of the store included; ours copies the empty store that its Python
environment keeps after the first) and log at least three curves a trial. They run in turn, A B A B, and the ratio is
told pair by pair, because the machine's speed drifts.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

# Trials, epochs and pairs. The rival takes minutes for the long one, which is run only if asked for: BENCH_LONG=1.
SHORT, LONG = (64, 20, 3), (512, 50, 1)
RIVAL = Path(__file__).parent / "rivals" / "optuna_sklearn.py"
SWEEP = """
name = "digits"
[data]
source = "sklearn:digits"
validation = 0.2
[model]
epochs = {epochs}
[space]
learning_rate = {{ low = 1e-4, high = 1e-1, log = true }}
hidden = [[64], [64, 64], [128, 64]]
batch_size = [32, 64, 128]
l2 = {{ low = 1e-6, high = 1e-2, log = true }}
[search]
method = "{method}"
trials = {trials}
[objective]
refit = false
ensemble = 0
"""
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def seconds(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    return time.perf_counter() - started


@pytest.mark.parametrize("size", [SHORT, LONG] if os.environ.get("BENCH_LONG") else [SHORT])
@pytest.mark.parametrize("method", ["random", "tpe"])
def test_whole_command(method: str, size: tuple[int, int, int], tmp_path: Path) -> None:
    trials, epochs, count = size
    from mlptune.experiments.config import load_spec
    from mlptune.experiments.data.dataset import Dataset

    pairs = []
    for i in range(count):
        ours, rival = tmp_path / f"ours{i}", tmp_path / f"rival{i}"
        ours.mkdir()
        rival.mkdir()
        sweep = ours / "digits.toml"
        sweep.write_text(SWEEP.format(epochs=epochs, method=method, trials=trials))
        spec, _ = load_spec(sweep)
        fold = Dataset.load(spec.data, spec.seed, spec.base).folds()[0].arrays
        np.savez(rival / "rows.npz", X=fold.X, y=fold.y, X_val=fold.X_val, y_val=fold.y_val)
        mine = seconds([sys.executable, "-m", "mlptune", "sweep", str(sweep), "--workers", "2"], ours)
        theirs = seconds([sys.executable, str(RIVAL), method, str(trials), str(epochs)], rival)
        pairs.append((mine, theirs))
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    print(f"\n{method}: {trials} trials x {epochs} epochs on digits, whole command, {count} pairs")
    print(f"  mlptune                            {statistics.median(mine for mine, _ in pairs):6.1f} s (median)")
    print(f"  Optuna + scikit-learn + MLflow     {statistics.median(theirs for _, theirs in pairs):6.1f} s (median)")
    print(f"  times faster: {' '.join(f'{ratio:.2f}' for ratio in ratios)} (median {statistics.median(ratios):.2f})")
