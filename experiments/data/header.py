"""The columns that [data] names: that a table has them is the first thing to check, from its header alone where that is possible.

`check_header` looks before anything is started, so that a slip of the pen is answered at once; `Dataset.load` checks the same
when the table is read. Imported before pandas, which it does without.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..._text import nearest
from ..errors import UserError
from ..formats import is_named, open_table
from ..gathered import Gathered
from .bundled import bundled_name

if TYPE_CHECKING:
    from ..config.schema import DataConfig

COLUMN_ROLES = ("group", "time", "weight")
COLUMN_LISTS = ("ignore", "numeric", "categorical")


def check_header(data: "DataConfig", base: Path, names: Sequence[str] | None = None) -> None:
    """Raise UserError for tables that are not there, are not tables, or lack a column that [data] names; read none of them.

    Where the names of columns are only known once a table is read, nothing is said of them here. `names` are those of a
    table in memory, which has no file to look into.
    """
    if names is None:
        names = _column_names(data.source, base, data.header)
    target = data.target
    if names is not None:
        found = Gathered()
        target = found.value(target_name, data, names)
        found.passes(check_columns, data, target or "", names)
        if found.problems and data.header is None and names == [f"x{place}" for place in range(len(names))]:
            raise UserError(
                f"{found.problems[0]}: the first line holds values; [data] header = true takes it as names",
                *found.problems[1:],
            )
        found.raise_any()
    if data.test is not None:
        names = _column_names(data.test, base, data.header, [] if target is None else [target])
        if names is not None and target is not None:
            check_test_target(data.test, target, names)


def target_name(data: "DataConfig", names: Sequence[str]) -> str:
    """The column to predict: the one that [data] names, or "target". Raises UserError where the table does not have it."""
    if data.target is None:
        if "target" in names:
            return "target"
        raise UserError(
            f"[data] target: name the column to predict (on the command line: --target){columns_hint('', names)}"
        )
    if data.target not in names:
        several = all(name.strip() in names for name in data.target.split(","))
        hint = "; several targets are a sweep each" if several else columns_hint(data.target, names)
        raise UserError(f"[data] target: the table has no column {data.target!r}{hint}")
    return data.target


def check_columns(data: "DataConfig", target: str, names: Sequence[str]) -> None:
    """Raise UserError, with all problems, where [data] names a column that the table does not have, or the target twice."""
    found, known = Gathered(), set(names)
    for key in (*COLUMN_ROLES, *COLUMN_LISTS):
        value = getattr(data, key)
        for name in [value] if isinstance(value, str) else value or ():
            if name not in known:
                found.add(f"[data] {key}: the table has no column {name!r}{columns_hint(name, names)}")
            elif name == target:
                found.add(f"[data] {key}: {name!r} is the target")
    found.raise_any()


def check_test_target(test: str, target: str, names: Sequence[str]) -> None:
    """Raise UserError where the table of the test part lacks the column to predict."""
    if target not in names:
        raise UserError(f"[data] test: {test} has no column {target!r}{columns_hint(target, names)}")


def columns_hint(name: str, names: Sequence[str]) -> str:
    """The end of an error line about a column: the nearest one that there is, or the first few."""
    if len(names) == 1 and re.search(r"[\s:]", names[0].strip()):
        return f"; there is only {names[0][:80]!r}: a comma, semicolon, tab or bar separates fields"
    some = ", ".join(repr(other) for other in names[:8]) + (", ..." if len(names) > 8 else "")
    return nearest(name, names) or f"; there are {some}"


def _column_names(source: str, base: Path, header: bool | None = None, known: Sequence[str] = ()) -> list[str] | None:
    """The names of a table's columns without reading it, None where that is not possible."""
    if is_named(source):
        bundled_name(source)
        return None
    with open_table(source, base, header, known) as table:
        return table.format.column_names(table)
