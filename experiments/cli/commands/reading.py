"""`list`, `show` and `best`: what the store holds."""

from enum import StrEnum
from typing import Annotated

import typer

from ...errors import UserError
from ..app import Json, Name, Run, Uri, app, reading, shown, write


class Format(StrEnum):
    """How `best` prints."""

    text = "text"
    toml = "toml"


@app.command("list")
def list_(tracking_uri: Uri = None, json: Json = False) -> None:
    """List the sweeps of the store, the newest first.

    \b
    mlptune list
    mlptune list --tracking-uri sqlite:///other.db
    mlptune list --json | jq '.[].name'
    """
    with reading(tracking_uri):
        from ...results import list_sweeps

        sweeps = list_sweeps(tracking_uri)
    from ..present import strict_json, sweeps_text

    write(strict_json(sweeps) if json else sweeps_text(sweeps))


@app.command(no_args_is_help=True)
def show(
    name: Name,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the N best trials, the best first.")] = None,
    run: Run = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Show a sweep's trials: state, value, epochs trained, parameters. The best has a star.

    \b
    mlptune show digits
    mlptune show digits --top 5
    mlptune show digits --json | jq '.trials[] | select(.state == "failed") | .reason'
    """
    if json and top is not None:
        raise UserError("--top: cannot be combined with --json, which always holds all trials")
    with reading(tracking_uri):
        from ...results import show_copies

        document, copied = show_copies(name, run=run, tracking_uri=tracking_uri)
    from ..present import strict_json, terminal_width, trials_text

    write(strict_json(document) if json else trials_text(document, top, copied, terminal_width()))


@app.command(no_args_is_help=True)
def best(
    name: Name,
    format_: Annotated[
        Format, typer.Option("--format", help="toml: a sweep file that trains this one configuration.")
    ] = Format.text,
    run: Run = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Show a sweep's best configuration, its score on the test part, and how to use it.

    \b
    mlptune best digits
    mlptune best digits --json
    mlptune best digits --format toml > winner.toml
    """
    if json and format_ is Format.toml:
        raise UserError("--json: cannot be combined with --format toml")
    with reading(tracking_uri):
        from ... import results

        if format_ is Format.toml:
            write(results.best_spec_toml(name, run=run, tracking_uri=tracking_uri).rstrip("\n"))
            return
        if json:
            document = results.best(name, run=run, tracking_uri=tracking_uri)
        else:
            document, configuration, copied = results.best_schedule(name, run=run, tracking_uri=tracking_uri)
    from ..present import best_text, strict_json, terminal_width, wrapped

    if json:
        write(strict_json(document))
        return
    width = terminal_width()
    for line in best_text(document, shown(tracking_uri), configuration, copied).splitlines():
        write(wrapped(line, width))
