"""`curves`: learning curves in the terminal, as a picture, or as data."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...errors import UserError
from ..app import Json, Name, Run, Uri, app, reading, tell, write


@app.command(no_args_is_help=True)
def curves(
    name: Name,
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="E.g. val_loss or train_score; else the objective.")
    ] = None,
    trial: Annotated[
        list[int] | None, typer.Option(metavar="N", min=0, help="A trial to show, and only such. Repeatable.")
    ] = None,
    top: Annotated[int, typer.Option(metavar="K", min=1, max=25, help="How many of the best trials.")] = 3,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="A picture instead: .png, .svg or .pdf.")
    ] = None,
    run: Run = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Plot learning curves in the terminal: those of the best trials and of the median one.

    \b
    mlptune curves cars
    mlptune curves cars --metric val_loss --top 5
    mlptune curves cars --trial 3 --trial 7 -o curves.png

    The trials are compared by the sweep's objective, whatever the curves show. `report` has those of all trials.
    """
    if out is not None and json:
        raise UserError("-o and --json: a picture or the data, not both at once")
    if out is not None:
        from ...plots import check_picture

        check_picture(out)
    with reading(tracking_uri):
        from ...queries import curves as curves_of

        found = curves_of(name, metric, top, trial or (), run=run, tracking_uri=tracking_uri, say=tell)
    if json:
        from ..present import strict_json

        write(strict_json(found.to_json()))
    elif out is not None:
        from ...plots import write_picture

        write_picture(found, out)
        write(f"wrote {escape_control_characters(shlex.quote(str(out)))}")
    else:
        from ..curves_text import print_curves

        print_curves(found)
