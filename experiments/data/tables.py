"""A table from its source, whatever its wrapping, in one shape: what cannot be used is refused in one line that says why."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pandas as pd

from ..errors import UserError
from ..formats import check_distinct, is_named, open_table
from .bundled import load_bundled


def read_table(
    source: str,
    base: Path,
    *,
    header: bool | None = None,
    known: Collection[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """The table behind `source`: a row index 0..n-1 and columns with distinct text names.

    `source` is `sklearn:<name>` (see `bundled`) or a path relative to `base`: .csv and .tsv (delimiter comma, semicolon, tab
    or bar, found by looking), .parquet, and .npz with X (n, d) as columns x0.. and, where present, y (n,) as
    "target"; each also .gz, .bz2, .xz or .zip. The cells of a text table are texts, and missing where they are empty; what they
    say is for `reading` to tell. Whether a text table's first line names the columns is what `header` says, or recognised, also by
    names that are `known`; `say` is given a line for what had to be guessed. Raises UserError, one line, naming the file.
    """
    if is_named(source):
        return load_bundled(source)
    with open_table(source, base, header, known, say) as table:
        return checked(table.shown, table.format.read(table))


def checked(shown: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, which is the caller's own, as a table: see `read_table`. Raises UserError, which begins with `shown`."""
    names = [str(name).strip() for name in frame.columns]
    check_distinct(shown, names)
    if not names:
        raise UserError(f"{shown}: the table has no columns")
    if frame.empty:
        raise UserError(f"{shown}: the table has column names and no rows")
    frame.columns = pd.Index(names)
    return frame.reset_index(drop=True)


def goes_by_place(columns: Sequence[str], inputs: Sequence[str]) -> bool:
    """Say whether a table without names lacks the target, so that its columns are the model's `inputs` in order."""
    every = [f"x{place}" for place in range(len(inputs) + 1)]
    return list(columns) == every[:-1] and set(inputs) <= set(every)
