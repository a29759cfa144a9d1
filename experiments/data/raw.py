"""The raw rows of a table: inputs, target and weights as they came, and what groups and orders them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError
from .header import check_test_target, columns_hint
from .reading import Reading, decimal_marks, try_dates, try_numbers
from .tables import read_table
from .target import Target, labels_of
from .values import category_codes, known_category

if TYPE_CHECKING:
    from ..config.schema import DataConfig


@dataclass(frozen=True)
class Table:
    """Raw rows of one table: inputs (n, columns), target values (n,), weights (n,) or None."""

    frame: pd.DataFrame
    y: NDArray[Any]
    weight: NDArray[np.float32] | None

    def take(self, rows: NDArray[np.int64]) -> "Table":
        """The rows with these positions, in their order."""
        weight = None if self.weight is None else self.weight[rows]
        return Table(self.frame.iloc[rows], self.y[rows], weight)


def raw_table(
    frame: pd.DataFrame, target: str, y: NDArray[Any], kept: NDArray[np.bool_], data: "DataConfig", where: str
) -> Table:
    """The rows with a target, which are `kept`, their values `y`, and their weights; `where` says in messages which table it is."""
    inputs = frame.drop(columns=target)
    if not kept.all():
        inputs = inputs[kept]
    return Table(inputs, y, _weights(inputs, data, where))


def _weights(frame: pd.DataFrame, data: "DataConfig", where: str) -> NDArray[np.float32] | None:
    if data.weight is None:
        return None
    if data.weight not in frame:
        raise UserError(
            f"{where}: has no weight column {data.weight!r}{columns_hint(data.weight, list(frame.columns))}"
        )
    values = _numbers(frame, data.weight, data.decimal)
    missing = np.isnan(values)
    if missing.any():
        raise UserError(
            f"[data] weight: column {data.weight!r} has no finite number in {counted(int(missing.sum()), 'row')}"
        )
    if (values < 0).any():
        raise UserError(f"[data] weight: column {data.weight!r} has negative values, the least is {values.min():g}")
    if values.max() > 1e30:
        raise UserError(
            f"[data] weight: column {data.weight!r} has values above 1e30, the greatest is {values.max():g}"
        )
    if not values.any():
        raise UserError(f"[data] weight: column {data.weight!r} is zero in every row")
    return values.astype(np.float32)


def order_of(frame: pd.DataFrame, data: "DataConfig") -> tuple[NDArray[np.int64] | None, NDArray[np.float64] | None]:
    """The group of each row (n,) and its time (n,), where the [data] section names columns for them."""
    groups = times = None
    if data.group is not None:
        groups, _ = category_codes(frame[data.group], known_category)
        _require_complete("group", data.group, groups < 0)
    if data.time is not None:
        times = _numbers(frame, data.time, data.decimal)
        if np.isnan(times).any():
            reading = try_dates(data.time, frame[data.time]) or Reading(order="ymd")
            seconds = reading.apply(frame[data.time]).values
            times = seconds if np.isnan(seconds).sum() < np.isnan(times).sum() else times
        _require_complete("time", data.time, np.isnan(times))
    return groups, times


def _numbers(frame: pd.DataFrame, name: str, decimal: str | None) -> NDArray[np.float64]:
    return try_numbers(frame[name], decimal_marks(frame[[name]], decimal)[name]).read.values


def _require_complete(role: str, name: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        what = "number and no date such as 2024-03-01" if role == "time" else "value"
        raise UserError(f"[data] {role}: column {name!r} has no {what} in {int(missing.sum())} of {len(missing)} rows")


def test_table(
    data: "DataConfig", source: str, base: Path, target: str, task: str, rows: Table, reading: Reading
) -> Table:
    """The table of the test part, in a file of its own, whose target is read as that of the other table."""
    frame = read_table(source, base, header=data.header, known=[target])
    check_test_target(source, target, list(frame.columns))
    if task == "regression":
        values, non_numeric, infinite = reading.apply(frame[target])
        if non_numeric.any() or infinite.any():
            raise UserError(f"[data] test: column {target!r} of {source} holds other things than finite numbers")
        kept = np.isfinite(values)
        y: NDArray[Any] = values[kept]
    else:
        labels, kept = labels_of(target, frame[target], reading)
        known = Target.fit(target, rows.y, task)
        try:
            indices = known.encode(labels)
        except ValueError as error:
            raise UserError(f"[data] test: {source}: {error}") from None
        y = np.array(known.classes, dtype=rows.y.dtype)[indices]
    if not kept.any():
        raise UserError(f"[data] test: column {target!r} of {source} has no values")
    return raw_table(frame, target, y, kept, data, f"[data] test: {source}")
