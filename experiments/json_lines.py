"""JSON lines: one object a line, read by Python's own parser, so that every cell keeps the type that it is written with.

A reader that gives a column one type has to refuse a column of numbers with one text in it, or to change cells; what cells of two
types mean is for `data/reading.py` to decide, as in any other table.
"""

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .delimited import decoded
from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd


def read(shown: str, file: IO[bytes], say: Callable[[str], None]) -> "pd.DataFrame":
    """The objects as rows; an object inside one becomes columns, `{"size": {"width": 3}}` a column `size.width`.

    Bytes that are not UTF-8 are taken as Windows-1252, and `say` is given a line on that. Raises UserError, which begins with
    `shown` and names the line, for what is not an object a line.
    """
    import pandas as pd

    texts = [line.decode("utf-8", "surrogateescape") for line in file]
    readable = list(map(decoded, texts))
    if readable != texts:
        say(f"{shown}: is not all UTF-8; what is not was read as Windows-1252")
    try:
        return pd.json_normalize(_objects(shown, readable))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown}: is not a table: {reason(error)}") from None


def column_names(shown: str, head: bytes, whole: bool) -> list[str] | None:
    """The columns of a file that is no longer than its `head`; None for any other, whose last line may have a column more."""
    if not whole:
        return None
    names = read(shown, io.BytesIO(head), lambda line: None).columns
    return [str(name).strip() for name in names]


def write(frame: "pd.DataFrame", path: Path) -> None:
    """A line for each row, numbers to the last digit."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in frame.to_dict("records"))


def _objects(shown: str, lines: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for place, line in enumerate(lines, 1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            what = error.msg if isinstance(error, json.JSONDecodeError) else reason(error)
            raise UserError(f"{shown}: line {place} is not JSON: {what}") from None
        if not isinstance(value, dict):
            kind = "a list" if isinstance(value, list) else repr(value)[:40]
            raise UserError(
                f'{shown}: line {place} holds {kind}; each line must be an object, {{"column": value, ...}}'
            )
        found.append(value)
    if not found:
        raise UserError(f"{shown}: the file is empty")
    return found
