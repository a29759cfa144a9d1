"""One step taken apart: what each dense layer of a network receives, gives and gets back, to be printed and taught."""

from dataclasses import dataclass, replace

import numpy as np

from .array import Array
from .data import PreparedRows
from .losses import LOSSES
from .structure import Structure
from .workspace import Workspace


@dataclass(frozen=True)
class LayerTrace:
    """A dense layer in one forward and backward pass over n rows.

    Attributes:
        inputs: What it receives (n, in).
        weights: W (in, out).
        bias: b (out,).
        sums: in = x W + b (n, out), before any normalisation.
        outputs: a = g(in) (n, out); of the output layer what the network predicts.
        deltas: The derivative of the mean loss over the rows by `sums` (n, out), which the lectures call delta.
        weights_gradient: The derivative by W (in, out): the sum over rows of inputs times deltas.
        bias_gradient: The derivative by b (out,).
    """

    inputs: Array
    weights: Array
    bias: Array
    sums: Array
    outputs: Array
    deltas: Array
    weights_gradient: Array
    bias_gradient: Array


def trace(
    structure: Structure, theta: Array, buffers: Array, X: Array, y: Array, weight: Array | None = None
) -> tuple[LayerTrace, ...]:
    """The dense layers of one network, from the input on, in a pass over all rows as one batch; nothing is changed.

    The penalties l1, l2 and weight decay are the optimizer's and are not in the gradient; there is no dropout.

    Args:
        structure: The network's; computed in float64.
        theta: Its parameters (P,).
        buffers: Its buffers (R,).
        X: Inputs (n, d).
        y: Class indices (n,), or numbers (n, o) or (n,).
        weight: The rows' weights (n,), or None.

    Raises:
        ValueError: If the arrays do not fit the structure.
    """
    exact = replace(structure, dtype="float64")
    theta, buffers = (np.asarray(array, dtype=np.float64)[None].copy() for array in (theta, buffers))
    rows = PreparedRows(exact, "X", X, y, weight, buffers[0, : sum(exact.n_scaling)])
    gradient, n = np.zeros_like(theta), rows.n
    passes, z = Workspace(exact, theta, gradient, n, buffers=buffers), np.empty((1, exact.n_outputs, n))
    shares = np.full(n, 1.0) if rows.weight is None else rows.weight
    scale = (shares / rows.total_weight)[None, None]
    loss = LOSSES[exact.loss]
    with np.errstate(all="ignore"):
        passes.forward(rows.X.T, z)
        loss.gradient(z, rows.targets(exact, rows.y[None]) * scale, scale, passes.last.delta, np.empty((3, 1, 1, n)))
        # Backward writes over what forward has left.
        before = [(dense.x.reshape(-1, n).T.copy(), dense.out.reshape(-1, n).T.copy()) for dense in passes.dense]
        passes.backward()
    found = []
    for dense, layer, (x, a) in zip(passes.dense, exact.layers, before, strict=True):
        W, b = dense.weights[0], dense.bias[0, 0]
        x = x[:, : layer.n_in]
        is_last = dense is passes.last
        found.append(
            LayerTrace(
                inputs=x,
                weights=W.copy(),
                bias=b.copy(),
                sums=x @ W + b,
                outputs=np.ascontiguousarray(loss.outputs(z)[0].T) if is_last else a[:, : layer.n_out],
                deltas=np.ascontiguousarray(dense.slope[0].T),
                weights_gradient=dense.gradient[0, : layer.n_in].copy(),
                bias_gradient=dense.gradient[0, layer.n_in].copy(),
            )
        )
    return tuple(found)
