"""Tables in memory: every library's frame and NumPy's arrays become the same table, or one clear line."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow
import pytest
from scipy import sparse

from mlptune.experiments.data.frames import as_frame, memory_table
from mlptune.experiments.errors import UserError

FRAME = pd.DataFrame({"size": [1.0, np.nan, 3.0], "colour": ["red", None, "blue"], "n": [1, 2, 3]}, index=[5, 3, 9])


class Stream:
    """A frame of a library that offers Arrow's stream alone."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class Interchange:
    """A frame of a library that offers the interchange protocol alone."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._table.__dataframe__(nan_as_null, allow_copy)


class Broken:
    def to_pandas(self) -> Any:
        raise OSError("the cluster\nis away")


@pytest.mark.parametrize("form", ["pandas", "arrow", "stream", "interchange", "polars"])
def test_every_kind_of_frame_is_the_same_table(form: str) -> None:
    table = pyarrow.Table.from_pandas(FRAME, preserve_index=False)
    data: Any = {
        "pandas": lambda: FRAME,
        "arrow": lambda: table,
        "stream": lambda: Stream(table),
        "interchange": lambda: Interchange(table),
        "polars": lambda: pl.from_arrow(table),
    }[form]()
    pd.testing.assert_frame_equal(
        as_frame(data, "data"), FRAME.reset_index(drop=True), check_dtype=False, check_column_type=False
    )


def test_arrays_are_named_by_position_and_masked_cells_are_missing() -> None:
    masked = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    for array in (masked, [[1.0, None], [3.0, 4.0]], np.array([[1.0, np.nan], [3.0, 4.0]])):
        frame = as_frame(array, "data")
        assert list(frame) == ["x0", "x1"]
        np.testing.assert_array_equal(frame.to_numpy(dtype=float), [[1.0, np.nan], [3.0, 4.0]])


def test_a_pair_is_put_together_by_position() -> None:
    y = pd.Series(["a", "b", "a"], index=[1, 0, 2], name="other")
    forms = (y, y.to_numpy(), y.to_list(), y.to_frame(), y.to_numpy()[:, None], pyarrow.chunked_array([y.to_list()]))
    for values in forms:
        table = memory_table((FRAME, values))
        assert (list(table.frame), table.target) == (["size", "colour", "n", "target"], "target")
        assert table.frame["target"].tolist() == ["a", "b", "a"]
    assert list(FRAME) == ["size", "colour", "n"]
    assert memory_table((FRAME, y), "kind").target == "kind"
    by_number = memory_table(pd.DataFrame(np.zeros((2, 2)), columns=[7, 8]), 8)  # type: ignore[arg-type]
    assert (list(by_number.frame), by_number.target) == (["7", "8"], "8")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (7, "data: must be a DataFrame or an array (rows, columns), or the name of a file, not int"),
        ({"a": [1]}, "data: must be a DataFrame or an array (rows, columns), or the name of a file, not dict"),
        (pd.DataFrame, "data: must be a DataFrame or an array (rows, columns), or the name of a file, not type"),
        (np.zeros(3), "data: must have two axes (rows, columns), its shape is (3,)"),
        (np.zeros((2, 2), dtype=complex), "data: must hold numbers or texts, not complex128"),
        (np.zeros((0, 2)), "data: the table has column names and no rows"),
        (FRAME[[]], "data: the table has no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a "]), "data: the column name 'a' occurs 2 times"),
        (sparse.csr_array(np.eye(2)), "data: is a sparse matrix; give its toarray()"),
        ((sparse.csr_array(np.eye(2)), [1, 2]), "data: X: is a sparse matrix; give its toarray()"),
        (pl.LazyFrame({"a": [1]}), "data: is a lazy frame; give its collect()"),
        (Broken(), "data: cannot be read from"),
        ((FRAME,), "data: must be a table or a pair (X, y), not a tuple of 1"),
        ((FRAME, [1, 2]), "data: y has 2 values for 3 rows of X"),
        (
            (FRAME, np.zeros((3, 2))),
            "data: y must have one axis (rows,), its shape is (3, 2); for several targets there is",
        ),
        ((FRAME, FRAME), "data: y must be one column, it has 3; for several targets there is"),
        ((FRAME.assign(target=1), [1, 2, 3]), "data: X has a column 'target' already; give y another name with"),
        (([[1], [1, 2]], [1, 2]), "data: X: "),
    ],
)
def test_what_is_no_table_is_told_in_one_line(data: Any, line: str) -> None:
    with pytest.raises(UserError) as refusal:
        memory_table(data)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_several_targets_are_told_in_one_line() -> None:
    with pytest.raises(
        UserError, match=r"^target: must be the name of one column, not 2 of them; for several targets "
    ):
        memory_table(FRAME, ["size", "n"])
