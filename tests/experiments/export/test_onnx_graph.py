"""Each operation as ONNX's own reference carries it out, for other rows and another number of them than it was traced with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason='ONNX is optional: pip install "mlptune[onnx]"')

from mlptune.experiments.export.onnx_graph import Graph, take

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (2 - x) * 3 / (x + 10) ** 2 - -x,
    "functions": lambda x: (
        np.exp(np.tanh(x)) + np.sqrt(np.abs(x)) + np.cos(x) - np.sin(x) + np.log1p(np.exp(-np.abs(x)))
    ),
    "comparisons": lambda x: np.where(x > 0, x, np.where(x == 0, 1.0, (x < -1) * 2.0 + (x >= -0.5) - (x <= -0.2))),
    "rounding": lambda x: np.clip(np.floor(x), -1, 1),
    "a column": lambda x: x[:, None] * np.array([1.0, 2.0]),
    "matrices": lambda x: np.matmul(np.concatenate([x[:, None], np.ones_like(x)[:, None]], axis=1), np.eye(2)[:, ::-1]),
    "parts": lambda x: (x[:, None, None] + np.arange(6.0).reshape(2, 3))[..., 1:, -1],
    "rows and columns": lambda x: (x[:, None] + np.arange(4.0)).T[2],
    "sums": lambda x: _over_columns(x).sum(axis=1) + _over_columns(x).mean(axis=1),
    "the largest": lambda x: _over_columns(x).max(axis=1, keepdims=True) - _over_columns(x),
    "places": lambda x: _over_columns(x).argmax(axis=1),
    "types": lambda x: (x.astype(np.float32) * 0.1).astype(np.float64) + (x > 0).astype(np.int64),
}


def _over_columns(x: Any) -> Any:
    return x[:, None] * np.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation(name: str) -> None:
    from onnx.reference import ReferenceEvaluator

    graph = Graph()
    model = graph.model({"out": OPERATIONS[name](graph.input("in", np.array([0.5, -2.0])))})
    x = np.random.default_rng(0).normal(size=7)
    x[0] = 0.0
    [found] = ReferenceEvaluator(model).run(None, {"in": x[:, None]})
    expected = OPERATIONS[name](x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_what_is_missing_and_what_is_looked_up() -> None:
    from onnx.reference import ReferenceEvaluator

    graph, words = Graph(), np.array(["none", "some"], dtype=object)
    model = graph.model({"out": take(words, np.isnan(graph.input("in", np.array([np.nan]))))})
    [found] = ReferenceEvaluator(model).run(None, {"in": np.array([[1.0], [np.nan]])})
    assert found.tolist() == ["none", "some"]


def test_what_has_no_operator_is_refused_and_equal_constants_are_kept_once() -> None:
    graph = Graph()
    x = graph.input("in", np.array([0.5]))
    with pytest.raises(TypeError):
        np.arcsin(x)
    with pytest.raises(TypeError):
        np.sort(x)
    assert len(graph.model({"out": (x + 2.0) * 2.0}).graph.initializer) == 2  # 2.0 and the shape of the input
