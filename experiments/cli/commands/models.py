"""`predict`: what a sweep hands back, used."""

from pathlib import Path
from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...formats import writable_suffixes
from ..app import Name, Run, Uri, app, reading, tell, write

PREDICTION_SUFFIXES = writable_suffixes()


@app.command(no_args_is_help=True)
def predict(
    name: Name,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A table of new rows, as raw as the sweep's own.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help=f"Where to: {PREDICTION_SUFFIXES}.")],
    run: Run = None,
    force: Annotated[
        bool, typer.Option("--force", help="Predict also where more than half of a column's cells cannot be read.")
    ] = False,
    tracking_uri: Uri = None,
) -> None:
    """Predict new rows with a sweep's model: a column `prediction`, and `proba_<label>` for each class.

    \b
    mlptune predict cars new.csv -o predictions.csv
    mlptune predict cars new.parquet -o predictions.parquet
    mlptune predict cars new.csv -o predictions.csv --force

    Columns are read as the model has learned to. Cells that it cannot read, and categories that it does not know, are told on
    standard error.
    """
    with reading(tracking_uri):
        from ..predict import predict_file

        rows = predict_file(name, file, out, run=run, tracking_uri=tracking_uri, force=force, say=tell)
    from ...._text import counted

    write(f"wrote {counted(rows, 'prediction')} to {escape_control_characters(str(out))}")
