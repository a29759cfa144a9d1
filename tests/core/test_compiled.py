"""The compiled loops give the bits of NumPy's passes, and wait until they are worth their compilation."""

import errno
import sys
from dataclasses import replace

import numba
import numba.core.caching
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.core import update
from mlptune.core.compiled import Loops
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.state import State
from mlptune.core.structure import Structure
from mlptune.core.training import Curves, Fold, Network, start, train

RULES = {name: row.plain for name, row in OPTIMIZERS.items() if row.plain.loop is not None}


@pytest.fixture
def at_once() -> Loops:
    loops = Loops()
    loops.worth = 0
    return loops


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_a_loop_gives_the_bits_of_the_passes(name: str, dtype: str, at_once: Loops) -> None:
    rule = RULES[name]
    loop = at_once.find(rule, dtype, 1)
    assert loop is not None

    @settings(max_examples=60)
    @given(st.integers(1, 5), st.integers(1, 130), st.integers(0, 2**32 - 1), st.sampled_from([1e-30, 1e-4, 1.0, 1e30]))
    def same(K: int, P: int, seed: int, size: float) -> None:
        random = np.random.default_rng(seed)
        arrays = [(size * random.normal(size=(K, P))).astype(dtype) for _ in range(2 + rule.n_slots)]
        arrays[-1] = np.abs(arrays[-1])
        scalars = random.uniform(0.0, 1.0, (4, 3, K)).astype(dtype)
        begin = int(random.integers(0, P))
        end = int(random.integers(begin, P)) + 1
        passes, looped = ([array.copy() for array in arrays] for _ in range(2))
        views = [array[:, begin:end] for array in passes]
        with np.errstate(all="ignore"):
            rule.update(views[0], views[1], views[2:], list(scalars[:, 1, :, None]), np.empty_like(views[0]))
        loop(looped[0], looped[1], tuple(looped[2:]), scalars, 1, begin, end)
        for i in (0, *range(2, len(arrays))):
            np.testing.assert_array_equal(passes[i], looped[i])

    same()


def trained(**values: object) -> tuple[State, Curves]:
    random = np.random.default_rng(0)
    X = random.normal(size=(90, 5)).astype(np.float32)
    y = (X[:, 0] > X[:, 1]).astype(int)
    fold = Fold(X[:60], y[:60], None, X[60:], y[60:], None)
    networks = [
        Network(Hyperparameters.from_config({"hidden": [8, 8], "learning_rate": rate, "epochs": 5, **values}), seed)
        for seed, rate in enumerate((0.003, 0.01, 0.03))
    ]
    structure = Structure.of(networks[0].hyperparameters, n_inputs=5, n_outputs=1, n_rows=60, loss="log_loss")
    return train(structure, networks, [fold], start(structure, networks), 5, order_seed=1)


SETTINGS = {
    "plain": {},
    "two precisions of scalars": {"optimizer": "adamw", "schedule": "cosine", "warmup": 0.2, "l2": 1e-3},
    "param groups": {"optimizer": "adamw", "parametrization": "ntk", "embedding": "plr", "weight_decay": 0.1},
    "an average": {"ema": 0.9, "clip_norm": 0.5},
}


@pytest.mark.parametrize("case", SETTINGS)
def test_networks_trained_by_a_loop_are_the_same(case: str, at_once: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    passes, curves = trained(**SETTINGS[case])
    monkeypatch.setattr(update, "LOOPS", at_once)
    looped, loop_curves = trained(**SETTINGS[case])
    assert all(at_once._found.values())
    assert at_once._found
    for name, values in vars(passes).items():
        np.testing.assert_array_equal(values, getattr(looped, name), err_msg=name)
    for name, values in curves.values.items():
        np.testing.assert_array_equal(values, loop_curves.values[name], err_msg=name)


def test_nothing_is_compiled_for_a_little_work() -> None:
    rule, loops = RULES["adam"], Loops()
    assert loops.find(rule, "float32", loops.worth - 1) is None
    assert not loops._found
    assert loops.find(rule, "float32", 1) is not None


def test_without_a_compiler_numpy_does_it(at_once: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert at_once.find(RULES["adam"], "float32", 1) is None


def test_nor_is_a_loop_run_that_is_not_compiled(at_once: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert at_once.find(RULES["adam"], "float32", 1) is None


def test_a_loop_with_other_bits_is_not_used(at_once: Loops) -> None:
    def off(theta, g, slots, scalars, step, begin, end):
        for k in range(theta.shape[0]):
            theta[k, begin] -= g[k, begin]

    assert at_once.find(replace(RULES["adam"], loop=off), "float32", 1) is None


def test_where_nothing_can_be_kept_it_is_compiled_each_time(at_once: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = numba.njit

    def nowhere(*, cache: bool = False, **options: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compiler(**options)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert at_once.find(RULES["adam"], "float32", 1) is not None


def test_nor_does_a_full_disk_stop_it(at_once: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "load", lambda *_: None)
    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "save", full)
    assert at_once.find(RULES["adam"], "float32", 1) is not None
