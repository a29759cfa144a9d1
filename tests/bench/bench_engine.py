"""Microseconds for one optimizer step of one network (Adam, float32, one thread): ours, scikit-learn, torch, and the floor.

Each figure is the time of whole epochs over 32 batches, divided by steps and networks; so ours and scikit-learn's include
what an epoch does besides (shuffling, curves). The floor is the matrix products alone: one network's forward products,
weight gradients and input gradients, without anything between; `floor xK` the same of K networks, stacked. The rival of a
stack is `torch xK`: K networks packed into one pass of torch, where torch is installed. `compiled xK` is ours with the
update compiled by numba, where that is installed. Contestants take turns, and the median counts: the machine's speed drifts.
"""

import itertools
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlptune.core.compiled import LOOPS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.experiments.execution.machine import fingerprint

CASES = {
    "16-32-3, batch 32": ((16, 32, 3), 32),
    "64-64-64-10, batch 32": ((64, 64, 64, 10), 32),
    "100-128-128-10, batch 128": ((100, 128, 128, 10), 128),
    "128-256-256-256-10, batch 256": ((128, 256, 256, 256, 10), 256),
    "256-512-512-10, batch 256": ((256, 512, 512, 10), 256),
}
STEPS, ROUNDS = 32, 7
STACKS = (4, 16, 64)
RESULTS = Path(__file__).parents[2] / "bench.json"


def data(sizes: tuple[int, ...], batch: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(STEPS * batch, sizes[0])).astype(np.float32)
    return X, random.integers(0, sizes[-1], len(X))


def ours(sizes: tuple[int, ...], batch: int, K: int, compiled: bool = False, **options: object) -> Callable[[], float]:
    X, y = data(sizes, batch)
    hp = Hyperparameters.from_config({"hidden": list(sizes[1:-1]), "batch_size": batch, "epochs": 10**6, **options})
    shape = Structure.of(hp, n_inputs=sizes[0], n_outputs=sizes[-1], n_rows=len(X), loss="cross_entropy")
    networks = [Network(hp, seed) for seed in range(K)]
    # Enough epochs that what is prepared once for a stretch does not count, also where an epoch takes a millisecond.
    epochs = max(1, 8 // K, 600_000 // (shape.n_parameters * K))
    begun, _ = train(shape, networks, [Fold(X, y)], start(shape, networks), 1, order_seed=0)

    def run() -> float:
        LOOPS.worth = 0 if compiled else 10**18
        started = time.perf_counter()
        train(shape, networks, [Fold(X, y)], begun, 1 + epochs, order_seed=0)
        return (time.perf_counter() - started) / (epochs * STEPS * K)

    return run


def scikit_learn(sizes: tuple[int, ...], batch: int) -> Callable[[], float]:
    from sklearn.neural_network import MLPClassifier

    X, y = data(sizes, batch)
    model = MLPClassifier(sizes[1:-1], batch_size=batch, random_state=0)
    model.partial_fit(X, y, classes=np.arange(sizes[-1]))

    def run() -> float:
        started = time.perf_counter()
        model.partial_fit(X, y)
        return (time.perf_counter() - started) / STEPS

    return run


def torch_fused(sizes: tuple[int, ...], batch: int) -> Callable[[], float]:
    import torch

    torch.set_num_threads(1)
    X, y = data(sizes, batch)
    inputs, labels = torch.from_numpy(X).split(batch), torch.from_numpy(y).split(batch)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss = torch.nn.CrossEntropyLoss()

    def run() -> float:
        started = time.perf_counter()
        for x, label in zip(inputs, labels, strict=True):
            optimizer.zero_grad()
            loss(model(x), label).backward()
            optimizer.step()
        return (time.perf_counter() - started) / STEPS

    return run


def torch_packed(sizes: tuple[int, ...], batch: int, K: int) -> Callable[[], float]:
    """K networks in one batched pass of torch: `baddbmm` for each layer, one fused Adam for all, a batch shared by all."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    X, y = data(sizes, batch)
    inputs, labels = torch.from_numpy(X).split(batch), torch.from_numpy(y).split(batch)
    weights, biases = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        bound = n_in**-0.5
        weights.append(torch.empty(K, n_in, n_out).uniform_(-bound, bound).requires_grad_())
        biases.append(torch.empty(K, 1, n_out).uniform_(-bound, bound).requires_grad_())
    optimizer = torch.optim.Adam([*weights, *biases], fused=True)

    def run() -> float:
        started = time.perf_counter()
        for x, label in zip(inputs, labels, strict=True):
            a = x.expand(K, -1, -1)
            for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
                a = torch.baddbmm(b, a if i == 0 else torch.relu(a), w)
            loss = functional.cross_entropy(a.reshape(-1, sizes[-1]), label.repeat(K), reduction="sum") / batch
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return (time.perf_counter() - started) / (STEPS * K)

    return run


def stacked_floor(sizes: tuple[int, ...], batch: int, K: int) -> Callable[[], float]:
    """The matrix products of K networks as the engine makes them, stacked, and nothing else."""
    random = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    products = []
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        x, W, d = (
            normal(*(() if i == 0 else (K,)), n_in + 1, batch),
            normal(K, n_in + 1, n_out),
            normal(K, n_out, batch),
        )
        products += [(W.transpose(0, 2, 1), x), (x, d.transpose(0, 2, 1))] + ([(W[:, :n_in], d)] if i else [])
    buffers = [(a, b, np.empty(np.matmul(a, b).shape, np.float32)) for a, b in products]

    def run() -> float:
        started = time.perf_counter()
        for _ in range(STEPS):
            for a, b, out in buffers:
                np.matmul(a, b, out=out)
        return (time.perf_counter() - started) / (STEPS * K)

    return run


def floor(sizes: tuple[int, ...], batch: int) -> Callable[[], float]:
    random = np.random.default_rng(0)
    products = []
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        x, W, d = (
            random.normal(size=shape).astype(np.float32) for shape in ((batch, n_in), (n_in, n_out), (batch, n_out))
        )
        products += [(x, W), (x.T, d)] + ([(d, W.T)] if i else [])
    buffers = [(a, b, np.empty((len(a), b.shape[1]), np.float32)) for a, b in products]

    def run() -> float:
        started = time.perf_counter()
        for _ in range(STEPS):
            for a, b, out in buffers:
                np.matmul(a, b, out=out)
        return (time.perf_counter() - started) / STEPS

    return run


def medians(contestants: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Microseconds by contestant: they run in turn, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for run in contestants.values():
            run()
        for _ in range(ROUNDS):
            for name, run in contestants.items():
                times[name].append(run())
    return {name: 1e6 * statistics.median(values) for name, values in times.items()}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    print(f"\n{fingerprint()}; {platform.python_version()}; {os.cpu_count()} processors")
    return []


@pytest.mark.parametrize("case", CASES)
def test_step(case: str, rows: list[dict[str, object]]) -> None:
    """One network alone, and stacks of K beside K networks packed into one pass of torch and their products alone."""
    sizes, batch = CASES[case]
    has_torch, has_numba = (find_spec(name) is not None for name in ("torch", "numba"))
    contestants = {
        "floor": floor(sizes, batch),
        "scikit-learn": scikit_learn(sizes, batch),
        "ours x1": ours(sizes, batch, 1),
    }
    if has_torch:
        contestants["torch"] = torch_fused(sizes, batch)
    for K in STACKS:
        contestants[f"ours x{K}"] = ours(sizes, batch, K)
        if has_numba:
            contestants[f"compiled x{K}"] = ours(sizes, batch, K, compiled=True)
        contestants[f"floor x{K}"] = stacked_floor(sizes, batch, K)
        if has_torch:
            contestants[f"torch x{K}"] = torch_packed(sizes, batch, K)
    found = medians(contestants)
    alone = f"alone {found['scikit-learn'] / found['ours x1']:.2f}x scikit-learn, {found['ours x1'] / found['floor']:.2f} floors"
    print(f"{case}: {'  '.join(f'{name} {value:.1f}' for name, value in found.items())}\n    {alone}")
    for kind in ("ours", "compiled") if has_numba else ("ours",):
        best = min(STACKS, key=lambda K: found[f"{kind} x{K}"])
        mine = found[f"{kind} x{best}"]
        packed = "torch is not installed"
        if has_torch:
            packed = f"{min(found[f'torch x{K}'] for K in STACKS) / mine:.2f}x packed torch at its best"
        floors = f"{mine / min(found[f'floor x{K}'] for K in STACKS):.2f} stacked floors"
        print(f"    {kind}, stack of {best}: {found['scikit-learn'] / mine:.2f}x scikit-learn, {packed}, {floors}")
    rows.append({"case": case, **found})
    RESULTS.write_text(json.dumps({"machine": fingerprint(), "microseconds": rows}, indent=1))


@pytest.mark.parametrize("case", [(16, (128, 128), 128), (50, (256, 256, 256), 256)], ids=str)
def test_embeddings(case: tuple[int, tuple[int, ...], int]) -> None:
    """Beside a plain network whose first layer reads as many numbers as the embedding makes of the inputs."""
    n_inputs, hidden, batch = case
    for embedding in ("periodic", "plr", "cosine"):
        hp = Hyperparameters.from_config({"hidden": list(hidden), "embedding": embedding})
        layer = Structure.of(hp, n_inputs=n_inputs, n_outputs=3, n_rows=batch, loss="cross_entropy").embedder
        assert layer is not None
        found = medians(
            {
                "plain": ours((layer.n_out, *hidden, 3), batch, 4),
                embedding: ours((n_inputs, *hidden, 3), batch, 4, embedding=embedding, scaling="standard"),
            }
        )
        print(
            f"{n_inputs} inputs, {hidden}, batch {batch}, stack of 4: {embedding} {found[embedding]:.0f}, plain with "
            f"{layer.n_out} inputs {found['plain']:.0f} ({found[embedding] / found['plain'] - 1:+.0%})"
        )


@pytest.mark.parametrize("case", ["64-64-64-10, batch 32", "128-256-256-256-10, batch 256"])
def test_dropout_and_normalisation(case: str) -> None:
    sizes, batch = CASES[case]
    options = {
        "plain": {},
        "dropout": {"dropout": 0.2},
        "batch_norm": {"batch_norm": True},
        "layer_norm": {"layer_norm": True},
    }
    for K in (1, 16 if batch < 256 else 4):
        found = medians({name: ours(sizes, batch, K, **given) for name, given in options.items()})
        costs = "  ".join(f"{name} {value:.1f} ({value / found['plain'] - 1:+.0%})" for name, value in found.items())
        print(f"{case}, stack of {K}: {costs}")
