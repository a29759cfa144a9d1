"""Predictions of a sweep's model for the rows of a file, written as a whole or not at all."""

import os
import secrets
from pathlib import Path

from ..errors import UserError

_WRITERS = {".csv": "to_csv", ".parquet": "to_parquet"}


def predict_file(name: str, source: Path, out: Path, *, run: str | None, tracking_uri: str | None) -> int:
    """Write `prediction` and, for classes, `proba_<label>` for each row of `source` in order; return how many rows.

    The table is read as a sweep reads it; a target column in it is ignored. CSV or Parquet by the ending of `out`,
    which appears whole or not at all. Raises UserError.
    """
    method = _WRITERS.get(out.suffix.lower())
    if method is None:
        raise UserError(f"-o {out}: predictions are written as .csv or .parquet")
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
        getattr(result, method)(temporary, index=False)
        os.replace(temporary, out)
    except PermissionError:
        raise UserError(f"-o {out}: no permission to write there") from None
    finally:
        temporary.unlink(missing_ok=True)
    return len(result)
