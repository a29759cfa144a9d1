"""`ui`: what a browser shows."""

from typing import Annotated

import typer

from ...._text import escape_control_characters
from ..app import Uri, app


@app.command()
def ui(
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any free one.")] = 5000,
    tracking_uri: Uri = None,
) -> None:
    """Open MLflow's UI over the store, for this machine's browser only. Ctrl-C ends it.

    \b
    mlptune ui
    mlptune ui --port 8080
    mlptune ui --tracking-uri sqlite:///other.db
    """
    from ..ui import run_ui

    run_ui(tracking_uri, port, lambda text: print(escape_control_characters(text), flush=True))
