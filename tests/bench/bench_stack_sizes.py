"""What a larger stack gains in the default space: microseconds of a step of one network, by the number of networks a stack.

One thread, the widths and batch sizes that tables of three sizes get by default, AdamW, dropout; stacks take turns, the median of
five rounds. Loops that numba may compile are left out.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlptune.core.compiled import LOOPS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.experiments.config.defaults import batch_size
from mlptune.search.spaces.defaults import width

STACKS = (1, 2, 4, 8, 16, 32)
STEPS, ROUNDS = 32, 5
# Rows that train, and inputs.
TABLES = ((800, 20), (4300, 5), (18_000, 16))


@pytest.mark.parametrize(("n_rows", "n_inputs"), TABLES)
def test_stack_sizes(n_rows: int, n_inputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOOPS, "worth", 10**18)
    units, batch = width(n_rows), batch_size(n_rows)
    random = np.random.default_rng(0)
    fold = Fold(random.normal(size=(STEPS * batch, n_inputs)).astype(np.float32), random.integers(0, 2, STEPS * batch))
    print(f"\n{n_inputs}-{units}-{units}-2, batch {batch}: microseconds a step of one network, in stacks of {STACKS}")
    for embedding in ("none", "cosine", "periodic"):
        fixed = {"hidden": [units] * 2, "batch_size": batch, "epochs": 10**6, "optimizer": "adamw", "dropout": 0.1}
        hp = Hyperparameters.from_config(fixed | {"embedding": embedding})
        shape = Structure.of(hp, n_inputs=n_inputs, n_outputs=2, n_rows=len(fold.X), loss="cross_entropy")
        begun = {}
        for K in STACKS:
            networks = [Network(hp, seed) for seed in range(K)]
            begun[K] = networks, train(shape, networks, [fold], start(shape, networks), 1, order_seed=0)[0]
        times: dict[int, list[float]] = {K: [] for K in STACKS}
        with threadpool_limits(1):
            for _ in range(ROUNDS):
                for K, (networks, state) in begun.items():
                    epochs = max(1, 2 * max(STACKS) // K)
                    started = time.perf_counter()
                    train(shape, networks, [fold], state, 1 + epochs, order_seed=0)
                    times[K].append((time.perf_counter() - started) / (epochs * STEPS * K))
        print(f"  {embedding:9}" + "".join(f"{1e6 * statistics.median(times[K]):8.0f}" for K in STACKS), flush=True)
