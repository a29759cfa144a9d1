"""Predictions of a sweep's model for the rows of a file, written as a whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..._text import listed
from ..errors import UserError
from ..formats import FORMATS, Address, is_table, open_table, writable_suffixes
from ..writing import writing

if TYPE_CHECKING:
    import pandas as pd

if TYPE_CHECKING:
    from ..launches import Chosen

_LINES = 5  # columns that get a line each


def predict_file(
    name: str,
    source: str | Path,
    out: Path,
    *,
    run: str | None,
    tracking_uri: str | None,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> int:
    """Write `prediction` and, for classes, `proba_<label>` for each row of `source` in order; return how many rows.

    Columns are read as the model has learned to, a target column is ignored. `say` is given a line for what had to be guessed, and
    for each column with cells that cannot be read; where those are more than half of the cells, that is an error unless `force` is
    given. The format is told by the ending of `out`, which appears whole or not at all. Raises UserError.
    """
    format_ = FORMATS.get(out.suffix.lower())
    if format_ is None or format_.write is None:
        raise UserError(f"-o {out}: predictions are written as {writable_suffixes()}")
    format_.check_package(f"-o {out}")
    if out.is_dir():
        raise UserError(f"-o {out}: is a folder")
    if not out.parent.is_dir():
        raise UserError(f"-o {out}: there is no folder {str(out.parent)!r}")
    source = str(source)
    given = Path(Address.parse(source).path).expanduser()
    if is_table(name) and not given.exists():
        raise UserError(f"{source}: there is no such file; the sweep's name comes before the table's")
    if out.exists() and given.exists() and out.samefile(given):
        raise UserError(f"-o {out}: is the input itself; give another name")

    from ..data.tables import goes_by_place, read_table
    from ..launches import choose
    from ..model import prediction_table
    from ..queries import model_of

    with open_table(source, Path.cwd()):
        pass  # a slip in its name is said before the store is opened
    chosen = choose(tracking_uri, name, run, say)
    model = model_of(chosen, tracking_uri)
    encoder = model.parts[0].encoder
    frame = read_table(source, Path.cwd(), header=encoder.header, known=encoder.columns, say=say)
    if not set(encoder.columns) <= set(frame.columns) and not goes_by_place(list(frame.columns), encoder.inputs):
        for other in _of_other_tables(chosen, frame.columns, tracking_uri):
            say(
                f"{source}: the model of {other} has the columns of this table, that of {chosen.launch.name} has others"
            )
    rows = frame.to_numpy(dtype=object) if goes_by_place(list(frame.columns), encoder.inputs) else frame
    try:
        troubles = encoder.unread(rows)
        most = [trouble for trouble in troubles if trouble.most]
        if most and not force:
            others = f"; likewise {listed([trouble.column for trouble in most[1:]])}" if len(most) > 1 else ""
            raise UserError(f"{most[0].column}: {most[0].message}{others}; --force predicts all the same")
        for trouble in troubles[:_LINES]:
            say(f"{trouble.column}: {trouble.message}")
        if len(troubles) > _LINES:
            say(f"likewise {listed([trouble.column for trouble in troubles[_LINES:]])}")
        result = prediction_table(model, rows)
    except UserError as error:  # about columns: the model does not know the file's name
        raise UserError(f"{source}: {error}") from None

    with writing(f"-o {out}"):
        _write_whole(format_.write, result, out)
    return len(result)


def _write_whole(write: "Callable[[pd.DataFrame, Path], None]", result: "pd.DataFrame", out: Path) -> None:
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)  # what the system refuses it says itself, and no library in its own words
        write(result, temporary)
        os.replace(temporary, out)
    except UserError as error:
        raise UserError(f"-o {out}: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _of_other_tables(chosen: "Chosen", columns: Iterable[str], uri: str | None) -> list[str]:
    """Name the newest other launch of the sweep whose model has these columns, as each `data.csv` gives a sweep the same name."""
    from ...tracking import reader
    from ..launches import choose
    from ..queries import model_of

    there = set(columns)
    for launch in reader.launches(uri, chosen.launch.name):
        if launch.state == "finished" and launch.run_id != chosen.run_id:
            reference = f"{launch.name}#{launch.number}"
            if set(model_of(choose(uri, reference), uri).parts[0].encoder.columns) <= there:
                return [reference]
    return []
