"""Predictions of a sweep's model for the rows of a file, written as a whole or not at all."""

import os
import secrets
from pathlib import Path

from ..errors import UserError
from ..formats import FORMATS, writable_suffixes


def predict_file(name: str, source: Path, out: Path, *, run: str | None, tracking_uri: str | None) -> int:
    """Write `prediction` and, for classes, `proba_<label>` for each row of `source` in order; return how many rows.

    The table is read as a sweep reads it; a target column in it is ignored. CSV or Parquet by the ending of `out`,
    which appears whole or not at all. Raises UserError.
    """
    format_ = FORMATS.get(out.suffix.lower())
    if format_ is None or format_.write is None:
        raise UserError(f"-o {out}: predictions are written as {' or '.join(writable_suffixes())}")
    if out.is_dir():
        raise UserError(f"-o {out}: is a folder")
    if not out.parent.is_dir():
        raise UserError(f"-o {out}: there is no folder {str(out.parent)!r}")
    if out.exists() and source.exists() and out.samefile(source):
        raise UserError(f"-o {out}: is the input itself; give another name")

    from ..data.tables import read_table
    from ..model import prediction_table
    from ..results import load_model

    frame = read_table(str(source), Path.cwd())
    model = load_model(name, run=run, tracking_uri=tracking_uri)
    try:
        result = prediction_table(model, frame)
    except UserError as error:  # about columns: the model does not know the file's name
        raise UserError(f"{source}: {error}") from None

    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        format_.write(result, temporary)
        os.replace(temporary, out)
    except PermissionError:
        raise UserError(f"-o {out}: no permission to write there") from None
    finally:
        temporary.unlink(missing_ok=True)
    return len(result)
