"""What every layer is once it is tied to arrays."""

from typing import Protocol

from ..array import Array


class BoundLayer(Protocol):
    """A layer tied to arrays.

    `forward` reads `x` and fills `out`. `backward` reads `delta`, the loss's derivative by `out`'s units, and writes
    its parameters' gradient, and the derivative by `x`'s units into `input_grad` unless that is None.
    """

    x: Array
    out: Array
    delta: Array
    input_grad: Array | None

    def forward(self) -> None: ...

    def backward(self) -> None: ...
