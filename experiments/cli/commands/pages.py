"""`ui` and `gallery`: what a browser shows."""

from pathlib import Path
from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...errors import UserError
from ...writing import writing
from ..app import Uri, app, tell, write


@app.command(short_help="Open MLflow's UI over the store.")
def ui(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The sweep to open at; by default the newest.")
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any free one.")] = 5000,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open it in a browser; by default where there is a screen."),
    ] = None,
    tracking_uri: Uri = None,
) -> None:
    """Open MLflow's UI over the store, for this machine's browser only. Ctrl-C ends it.

    \b
    mlptune ui
    mlptune ui digits                                   opens at that sweep
    mlptune ui --port 8080
    mlptune ui --tracking-uri sqlite:///other.db
    """
    from ..ui import has_browser, run_ui

    opens = has_browser() if browser is None else browser
    run_ui(tracking_uri, port, lambda text: print(escape_control_characters(text), flush=True), name, browser=opens)


@app.command(short_help="Write a page of pictures that teach.")
def gallery(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to.")] = Path("gallery.html"),
) -> None:
    """Write a page of pictures that teach: perceptrons, hidden units, rates, gradients, overfitting, a sweep.

    \b
    mlptune gallery                                     writes gallery.html
    mlptune gallery -o lesson.html
    mlptune gallery -o /tmp/lesson.html                 elsewhere

    Each picture is trained on the spot, in half a minute all together; the page needs no network.
    """
    if not out.parent.is_dir():
        raise UserError(f"-o {out}: there is no folder {out.parent}")
    from ...gallery.page import gallery_html

    made = gallery_html(tell)
    with writing(f"-o {out}"):
        out.write_text(made, encoding="utf-8")
    write(f"wrote {escape_control_characters(str(out))}")
