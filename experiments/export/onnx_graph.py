"""NumPy's operations as a graph of ONNX: a `Symbol` stands for an array, and what is done with it becomes nodes.

The functions by which an exported model predicts (`standalone.py`) are run once on symbols, so that the graph is what they do and
nothing is written twice. Each symbol carries the values for a few rows, from which shapes and types follow; the number of rows is
open, so a function must not depend on it.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ...core.array import Array

# Of operator sets those that runtimes of 2023 and later have.
OPSET, ML_OPSET, IR_VERSION = 18, 3, 8
_OWN = "mlptune/"  # what names within the graph begin with, so that inputs may be called anything else

_UFUNCS = {
    np.add: "Add", np.subtract: "Sub", np.multiply: "Mul", np.divide: "Div", np.power: "Pow", np.matmul: "MatMul",
    np.maximum: "Max", np.minimum: "Min", np.negative: "Neg", np.absolute: "Abs", np.exp: "Exp", np.log: "Log",
    np.tanh: "Tanh", np.sin: "Sin", np.cos: "Cos", np.sqrt: "Sqrt", np.floor: "Floor", np.isnan: "IsNaN",
    np.equal: "Equal", np.greater: "Greater", np.greater_equal: "GreaterOrEqual", np.less: "Less",
    np.less_equal: "LessOrEqual",
}  # fmt: skip


class Graph:
    """The nodes and constants of a graph, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self._constants: dict[tuple[Any, ...], tuple[str, Array]] = {}

    def input(self, name: str, sample: Array) -> "Symbol":
        """An input (rows, 1), of which `sample` (rows,) gives a few rows; the symbol is (rows,)."""
        from onnx import helper

        self.inputs.append(helper.make_tensor_value_info(name, _type(sample.dtype), ["rows", 1]))
        whole = Symbol(self, name, sample[:, None])
        return whole.reshape(-1)

    def constant(self, values: Any, dtype: Any = None) -> str:
        """The name of a constant; the same values are kept once."""
        array = np.array(values, dtype=dtype, order="C")
        key = (
            array.dtype.str,
            array.shape,
            array.tobytes() if array.dtype != object else tuple(array.ravel().tolist()),
        )
        if key not in self._constants:
            self._constants[key] = (f"{_OWN}constant_{len(self._constants)}", array)
        return self._constants[key][0]

    def add(
        self, operation: str, inputs: Sequence[str], sample: Array, domain: str = "", **attributes: Any
    ) -> "Symbol":
        """A node, and the symbol of what it gives, which for the sample rows is `sample`."""
        from onnx import helper

        name = f"{_OWN}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], domain=domain, **attributes))
        return Symbol(self, name, sample)

    def model(self, outputs: Mapping[str, "Symbol"]) -> Any:
        """The graph as a model of ONNX with these outputs, whose first axis are the rows."""
        import onnx
        from onnx import helper, numpy_helper

        shown = []
        for name, symbol in outputs.items():
            self.nodes.append(helper.make_node("Identity", [symbol.name], [name]))
            shape = ["rows", *symbol.shape[1:]]
            shown.append(helper.make_tensor_value_info(name, _type(symbol.dtype), shape))
        constants = [numpy_helper.from_array(array, name) for name, array in self._constants.values()]
        graph = helper.make_graph(self.nodes, "model", self.inputs, shown, constants)
        sets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        made = helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION, producer_name="mlptune")
        onnx.checker.check_model(made)
        return made


class Symbol(NDArrayOperatorsMixin):
    """An array of a graph under `name`; `sample` is its value for a few rows."""

    def __init__(self, graph: Graph, name: str, sample: Array) -> None:
        self.graph, self.name, self.sample = graph, name, np.asarray(sample)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.sample.shape

    @property
    def dtype(self) -> Any:
        return self.sample.dtype

    @property
    def T(self) -> "Symbol":  # noqa: N802
        return self.graph.add("Transpose", [self.name], self.sample.T)

    def __len__(self) -> int:
        return len(self.sample)

    def __iter__(self) -> Iterator["Symbol"]:
        return (self[i] for i in range(len(self)))

    def astype(self, dtype: Any) -> "Symbol":
        if self.dtype == dtype:
            return self
        return self.graph.add("Cast", [self.name], self.sample.astype(dtype), to=_type(np.dtype(dtype)))

    def reshape(self, *shape: int) -> "Symbol":
        sizes = self.graph.constant(shape, np.int64)
        return self.graph.add("Reshape", [self.name, sizes], self.sample.reshape(shape))

    def __getitem__(self, key: Any) -> "Symbol":
        """Slices, whole numbers and None, as NumPy takes them."""
        keys = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in keys:
            place = keys.index(Ellipsis)
            missing = self.sample.ndim - sum(k is not None and k is not Ellipsis for k in keys)
            keys[place : place + 1] = [slice(None)] * missing
        name, axis, cuts, dropped, new = self.name, 0, [], [], []
        for place, one in enumerate(keys):
            if one is None:
                new.append(place - sum(isinstance(k, int) for k in keys[:place]))
                continue
            if isinstance(one, int):
                one = one % self.shape[axis]
                dropped.append(axis)
                one = slice(one, one + 1)
            if one != slice(None):
                cuts.append((axis, *one.indices(self.shape[axis])))
            axis += 1
        number = self.graph.constant
        if cuts:
            axes, starts, ends, steps = (number(values, np.int64) for values in zip(*cuts, strict=True))
            name = self.graph.add("Slice", [name, starts, ends, axes, steps], self.sample).name
        if dropped:
            name = self.graph.add("Squeeze", [name, number(dropped, np.int64)], self.sample).name
        if new:
            name = self.graph.add("Unsqueeze", [name, number(new, np.int64)], self.sample).name
        return Symbol(self.graph, name, self.sample[key])

    def _reduced(self, operation: str, found: Array, axis: int) -> "Symbol":
        axes = self.graph.constant([axis], np.int64)
        return self.graph.add(operation, [self.name, axes], found, keepdims=int(found.ndim == self.sample.ndim))

    def sum(self, axis: int, keepdims: bool = False) -> "Symbol":
        return self._reduced("ReduceSum", self.sample.sum(axis=axis, keepdims=keepdims), axis)

    def mean(self, axis: int) -> "Symbol":
        return self._reduced("ReduceMean", self.sample.mean(axis=axis), axis)

    def max(self, axis: int, keepdims: bool = False) -> "Symbol":
        return self._reduced("ReduceMax", self.sample.max(axis=axis, keepdims=keepdims), axis)

    def argmax(self, axis: int) -> "Symbol":
        return self.graph.add("ArgMax", [self.name], self.sample.argmax(axis=axis), axis=axis, keepdims=0)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        with np.errstate(all="ignore"):
            found = ufunc(*map(_sample, inputs))
        if ufunc is np.log1p:
            return np.log(1 + inputs[0])
        if ufunc not in _UFUNCS:
            return NotImplemented
        common = np.result_type(*map(_sample, inputs))
        return self.graph.add(_UFUNCS[ufunc], [_named(self.graph, one, common) for one in inputs], found)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        known = _FUNCTIONS.get(function)
        return NotImplemented if known is None else known(self.graph, *arguments, **options)


def _sample(value: Any) -> Any:
    return value.sample if isinstance(value, Symbol) else value


def _named(graph: Graph, value: Any, dtype: Any) -> str:
    """The name of a symbol, or of what becomes a constant, in that type."""
    return value.astype(dtype).name if isinstance(value, Symbol) else graph.constant(value, dtype)


def _concatenate(graph: Graph, arrays: Sequence[Any], axis: int = 0) -> Symbol:
    found = np.concatenate([_sample(array) for array in arrays], axis=axis)
    names = [_named(graph, array, found.dtype) for array in arrays]
    return graph.add("Concat", names, found, axis=axis)


def _where(graph: Graph, condition: Any, x: Any, y: Any) -> Symbol:
    found = np.where(_sample(condition), _sample(x), _sample(y))
    names = [_named(graph, condition, np.bool_), *(_named(graph, one, found.dtype) for one in (x, y))]
    return graph.add("Where", names, found)


def take(array: Array, places: Any, axis: int = 0) -> Any:
    """What `np.take` does, which does not let a symbol say so."""
    graph, whole = places.graph, places.astype(np.int64)
    return graph.add("Gather", [graph.constant(array), whole.name], np.take(array, whole.sample, axis=axis), axis=axis)


def _ones_like(graph: Graph, x: Symbol) -> Symbol:
    shape = graph.add("Shape", [x.name], np.array(x.shape))
    return graph.add("Expand", [graph.constant(1, x.dtype), shape.name], np.ones_like(x.sample))


_FUNCTIONS: dict[Any, Callable[..., Symbol]] = {
    np.concatenate: _concatenate,
    np.where: _where,
    np.clip: lambda graph, x, low, high: np.minimum(np.maximum(x, low), high),
    np.ones_like: _ones_like,
}


def _type(dtype: Any) -> int:
    """ONNX's number of a type of NumPy; texts are objects here."""
    from onnx import TensorProto, helper

    return TensorProto.STRING if dtype.kind in "OU" else operator.index(helper.np_dtype_to_tensor_dtype(dtype))
