"""`predict` and `export`: what a sweep hands back, used here and elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...formats import writable_suffixes
from ..app import Name, Run, Uri, app, reading, tell, write

PREDICTION_SUFFIXES = writable_suffixes()


@app.command(no_args_is_help=True, short_help="Predict new rows with a sweep's model.")
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


@app.command(no_args_is_help=True, short_help="Write a sweep's model as a folder that needs NumPy alone.")
def export(
    name: Name,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="The folder, which is made.")],
    run: Run = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite such files in the folder.")] = False,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write model.onnx too; needs the package onnx.")] = False,
    tracking_uri: Uri = None,
) -> None:
    """Write a sweep's model as a folder that needs NumPy alone: `model.npz` and a program that predicts.

    \b
    mlptune export cars -o cars-model
    mlptune export cars#2 -o cars-model --force
    mlptune export cars --run 3f2a -o cars-model
    mlptune export cars -o cars-model --onnx            for runtimes in any language
    cd cars-model && python predict.py new.csv -o predictions.csv

    The program reads columns as the model has learned to. Before the folder is made both predict the same rows, and must agree.
    """
    with reading(tracking_uri):
        from ...export.folder import export as write_folder
        from ...launches import choose
        from ...queries import model_of

        chosen = choose(tracking_uri, name, run, tell)
        write_folder(model_of(chosen, tracking_uri), out, force, onnx)
    shown = escape_control_characters(str(out))
    write(
        f"wrote {shown}, which predicts the same as the model; use it with:\n  python {shown}/predict.py FILE.csv -o OUT.csv"
    )
