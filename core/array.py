"""The type of the engine's arrays, whose shapes and dtypes each docstring gives."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
