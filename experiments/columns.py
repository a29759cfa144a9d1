"""`mlptune.columns`: how each column of a table is understood, before anything is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Spec, load_spec
from .data.header import check_columns, check_header, target_name
from .errors import UserError
from .formats import MEMORY

if TYPE_CHECKING:
    import pandas as pd

    from .data.frames import MemoryTable
    from .data.understanding import Column


@dataclass(frozen=True)
class Description:
    """What was understood of a table: its columns in its order, how many rows it has, and what there was to say of all of it."""

    columns: "list[Column]"
    n_rows: int
    said: tuple[str, ...]


def columns(
    data: Any, target: str | None = None, *, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> "pd.DataFrame":
    """How each column of a table is understood: what it holds, how its cells are read, and what a network gets of it.

    With a target it is what a sweep makes of the table, which judges by its training rows; without one all rows count, and all
    columns are described as inputs. Nothing is trained and nothing stored.

    Args:
        data: The name of a table, a sweep file or a bundled data set ("sklearn:iris"); or a table in memory as `run_sweep` takes
            it.
        target: The column to predict.
        overrides: Dotted keys of the sweep file and their values, as with `--set`: `{"data.numeric": ["zip"]}`.

    Returns:
        A row for each column of the table, in its order. Its columns: `name`; `kind` (numeric, categorical, date, text, empty or
            target); `used`; `reason` (why it is not used); `missing` (cells); `levels` (distinct values); `inputs` (how many of the
            network's inputs are made of it); `becomes` (what these are); `remarks` (a list of what had to be guessed);
            `changed_by` (the key of [data] that changes its use).

    Raises:
        UserError: If the table or the target cannot be used.
    """
    import pandas as pd

    return pd.DataFrame([column.to_json() for column in describe(data, target, overrides).columns])


def describe(data: Any, target: str | None = None, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Description:
    """What `columns` says, as facts. Raises UserError."""
    from .data.frames import MemoryTable, memory_table
    from .data.tables import read_table

    if isinstance(data, str | Path):
        spec = _spec_of(data, target, overrides)
        if spec.data.target is not None:
            check_header(spec.data, spec.base)
        said: list[str] = []
        frame = read_table(spec.data.source, spec.base, header=spec.data.header, say=said.append)
        return _described(spec, MemoryTable(frame, spec.data.target, said=tuple(said)))
    table = memory_table(data, target)
    return _described(load_spec(None, overrides, data=MEMORY, target=table.target)[0], table)


def _spec_of(data: str | Path, target: str | None, overrides: Sequence[str] | Mapping[str, Any]) -> Spec:
    if not str(data).lower().endswith(".toml"):
        return load_spec(None, overrides, data=data, target=target)[0]
    if target is not None:
        raise UserError("target: a sweep file names its own; data.target=... in overrides (--set) is another")
    return load_spec(data, overrides)[0]


def _described(spec: Spec, table: "MemoryTable") -> Description:
    from .data.columns import recognised
    from .data.dataset import Dataset
    from .data.encoding import Encoder
    from .data.totals import total_remarks
    from .data.understanding import of_inputs, understood

    frame, names = table.frame, list(table.frame.columns)
    said = (*table.said, *total_remarks(frame))
    if spec.data.target is None and "target" not in names:
        check_columns(spec.data, "", names)
        schema = recognised(frame, spec.data)
        found = of_inputs(frame, schema, Encoder.fit(frame, schema), spec.data)
        return Description(found, len(frame), said)
    target_name(spec.data, names)
    dataset = Dataset.of_frame(frame, spec.data, spec.seed, spec.base, spec.class_weight, table.weight, table.said)
    return Description(understood(frame, dataset, spec.data), len(frame), said)
