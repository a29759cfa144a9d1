"""Tables that are in memory already, whatever library holds them: a DataFrame of pandas or another, or NumPy arrays.

They become the frame that `read_table` would give, so that a sweep over a table and one over the file it came from are the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError, reason
from .tables import checked

TARGET = "target"
_SEVERAL = (
    "; for several targets there is scikit-learn's MultiOutputRegressor around a TunedMLPRegressor, or a sweep for each"
)


@dataclass(frozen=True)
class MemoryTable:
    """A table that was handed over in Python.

    Attributes:
        frame: As `read_table` gives one: a row index 0..n-1 and columns with distinct text names.
        target: The column to predict; None for the one that is called "target".
        weight: Weights of the rows (n,) beside the columns, finite and not negative; None for equal ones.
        said: What there was to say when it was read.
    """

    frame: pd.DataFrame
    target: str | None
    weight: NDArray[np.float64] | None = None
    said: tuple[str, ...] = ()


def memory_table(data: Any, target: Any = None) -> MemoryTable:
    """The table of `run_sweep(data=..., target=...)`.

    Args:
        data: A table as `as_frame` takes it with the column `target`; or a pair (X, y) of such a table (n, columns) and the
            values (n,) to predict, whose column is then called `target`, or "target" unless given.
        target: The column to predict.

    Raises:
        UserError: One line, if `data` is not a table, or X and y do not fit.
    """
    if isinstance(target, list | tuple | set):
        raise UserError(f"target: must be the name of one column, not {len(target)} of them{_SEVERAL}")
    if target is not None and not isinstance(target, str):
        target = str(target)  # a frame's columns may be numbers
    if not isinstance(data, tuple):
        return MemoryTable(as_frame(data, "data"), None if target is None else target.strip())
    if len(data) != 2:
        raise UserError(f"data: must be a table or a pair (X, y), not a tuple of {len(data)}")
    frame, name = as_frame(data[0], "data: X"), (TARGET if target is None else target.strip())
    if name in frame:
        raise UserError(f"data: X has a column {name!r} already; give y another name with target=...")
    values = _values(data[1])
    if len(values) != len(frame):
        raise UserError(f"data: y has {counted(len(values), 'value')} for {counted(len(frame), 'row')} of X")
    frame[name] = values
    return MemoryTable(frame, name)


def as_frame(data: Any, place: str) -> pd.DataFrame:
    """A table in memory as the frame (n, columns) that `read_table` would give; `data` itself is not changed.

    Args:
        data: A DataFrame of pandas; anything with `to_pandas`, Arrow's `__arrow_c_stream__` or the interchange protocol's
            `__dataframe__` (polars, pyarrow and others); or an array (n, columns), whose columns are called x0, x1, ...
        place: What error messages begin with.

    Raises:
        UserError: If it is none of these, or has no rows, no columns or a name twice.
    """
    frame = in_pandas(data, place)
    if isinstance(frame, pd.DataFrame):
        return checked(place, frame.copy(deep=False))
    if not isinstance(frame, np.ndarray | list | tuple):
        raise UserError(
            f"{place}: must be a DataFrame or an array (rows, columns), or the name of a file, not {type(data).__name__}"
        )
    array = _array(frame, place)
    if array.ndim != 2:
        raise UserError(f"{place}: must have two axes (rows, columns), its shape is {array.shape}")
    # Column by column, so that a masked array's missing cells stay missing.
    columns = {f"x{column}": array[:, column] for column in range(array.shape[1])}
    return checked(place, pd.DataFrame(columns, index=range(len(array))))


def _values(y: Any) -> pd.Series:
    """The values to predict as a column (n,)."""
    found = in_pandas(y, "data: y")
    if isinstance(found, pd.DataFrame) and found.shape[1] == 1:
        found = found.iloc[:, 0]
    if isinstance(found, pd.Series):
        return found.reset_index(drop=True)
    if isinstance(found, pd.DataFrame):
        raise UserError(f"data: y must be one column, it has {found.shape[1]}{_SEVERAL}")
    array = _array(found, "data: y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise UserError(f"data: y must have one axis (rows,), its shape is {array.shape}{_SEVERAL}")
    return pd.Series(array)


def _array(values: Any, place: str) -> NDArray[Any]:
    try:
        # A list of mixed cells would become an array of texts, missing ones included.
        array = np.asanyarray(values, dtype=object if isinstance(values, list | tuple) else None)
    except ValueError:
        raise UserError(f"{place}: rows must have equal lengths") from None
    if array.dtype.kind in "cV":
        raise UserError(f"{place}: must hold numbers or texts, not {array.dtype.name}")
    return array


def in_pandas(data: Any, place: str) -> Any:
    """What another library holds as pandas would hold it; all else as it is.

    Raises UserError, which begins with `place`, if that library cannot convert it.
    """
    if isinstance(data, pd.DataFrame | pd.Series | np.ndarray | type):
        return data
    for kind, remedy in (("sparse matrix", "toarray"), ("lazy frame", "collect")):
        if callable(getattr(data, remedy, None)):
            raise UserError(f"{place}: is a {kind}; give its {remedy}()")
    try:
        if callable(getattr(data, "to_pandas", None)):
            return data.to_pandas()
        if hasattr(data, "__arrow_c_stream__"):
            import pyarrow

            return pyarrow.table(data).to_pandas()
        if hasattr(data, "__dataframe__"):
            from pyarrow.interchange import from_dataframe

            return from_dataframe(data).to_pandas()
    except Exception as error:  # each library raises its own
        raise UserError(f"{place}: cannot be read from {type(data).__module__}: {reason(error)}") from error
    return data
