"""Weka's ARFF files, read by liac-arff: a nominal attribute stays a category, whatever its values look like."""

import re
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from .delimited import decoded
from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd

# liac-arff knows no dates; their texts are read as those of any other table are.
_DATE = re.compile(r"""^(\s*@attribute\s+(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+)date\b.*$""", re.I | re.M)
_DATA = re.compile(r"^\s*@data\b", re.I | re.M)


def read(shown: str, file: IO[bytes]) -> "pd.DataFrame":
    """The rows, dense or sparse, `?` as missing. Raises UserError, which begins with `shown`, for what is not ARFF."""
    import arff
    import pandas as pd

    text = _text(file.read())
    try:
        try:
            document = arff.loads(text, encode_nominal=False)
            rows: Iterable[Any] = document["data"]
        except arff.BadLayout:  # a sparse file
            document = arff.loads(text, encode_nominal=False, return_type=arff.LOD)
            rows = [_dense(row, document["attributes"]) for row in document["data"]]
    except (arff.ArffException, ValueError, IndexError, KeyError, TypeError) as error:
        raise UserError(f"{shown}: is not an ARFF table: {_told(error)}") from None
    names = [name for name, _ in document["attributes"]]
    frame = pd.DataFrame(list(rows), columns=pd.RangeIndex(len(names)))
    for place, (_, kind) in enumerate(document["attributes"]):
        if isinstance(kind, list):
            frame[place] = pd.Categorical(frame[place], categories=list(dict.fromkeys(kind)))
    return frame.set_axis(names, axis=1)


def column_names(shown: str, head: bytes) -> list[str] | None:
    """The attributes' names, None where the beginning of the file does not hold all of them."""
    import arff

    before = _DATA.split(_text(head), 1)
    if len(before) == 1:
        return None
    try:
        return [name.strip() for name, _ in arff.loads(f"{before[0]}@data\n")["attributes"]]
    except (arff.ArffException, ValueError, IndexError, KeyError, TypeError) as error:
        raise UserError(f"{shown}: is not an ARFF table: {_told(error)}") from None


def _text(data: bytes) -> str:
    text = decoded(data.decode("utf-8-sig", "surrogateescape"))
    return _DATE.sub(lambda found: f"{found[1]}string", text)


def _dense(row: dict[int, Any], attributes: list[tuple[str, Any]]) -> list[Any]:
    """All cells of a sparse row: what it leaves out is 0, or the first of a nominal attribute's values."""
    return [row.get(place, kind[0] if isinstance(kind, list) else 0) for place, (_, kind) in enumerate(attributes)]


def _told(error: Exception) -> str:
    """What liac-arff says, with the line where it knows one, in one line."""
    return reason(error).rstrip(".")
