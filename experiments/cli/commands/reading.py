"""`list`, `show` and `best`: what the store holds."""

from enum import StrEnum
from typing import Annotated

import typer

from ...errors import UserError
from .. import completion
from ..app import Json, Name, Run, Uri, app, reading, shown, tell, write


class Format(StrEnum):
    """How `best` prints."""

    text = "text"
    toml = "toml"


@app.command("list", short_help="List the sweeps of the store, or all launches of one.")
def list_(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A sweep, whose launches are listed; all sweeps if not given.",
            autocompletion=completion.sweeps,
        ),
    ] = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """List the sweeps of the store, the newest first; or all launches of one.

    \b
    mlptune list
    mlptune list cars
    mlptune list --json | jq '.[].name'

    Of each sweep there is the launch that its name means, the newest finished one, and a newer one that is running, was interrupted
    or failed. NAME#2 means the second launch.
    """
    with reading(tracking_uri):
        from ...queries import list_launches, list_sweeps

        rows = list_sweeps(tracking_uri) if name is None else list_launches(name, tracking_uri)
    from ..present import launches_text, strict_json, sweeps_text

    write(strict_json(rows) if json else sweeps_text(rows) if name is None else launches_text(rows))


@app.command(no_args_is_help=True, short_help="Show a sweep's trials: state, value, epochs, parameters.")
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

    With several metrics the Pareto front follows, the cheapest trial first.
    """
    if json and top is not None:
        raise UserError("--top: cannot be combined with --json, which always holds all trials")
    with reading(tracking_uri):
        from ...queries import show_copies

        document, copied = show_copies(name, run=run, tracking_uri=tracking_uri, say=tell)
    from ..front_table import front_table
    from ..present import strict_json, terminal_width, trials_text

    if json:
        write(strict_json(document))
        return
    write(trials_text(document, top, copied, terminal_width()))
    front = front_table(document, terminal_width())
    if front:
        write(front)


@app.command(no_args_is_help=True, short_help="Show a sweep's best configuration, and how to use it.")
def best(
    name: Name,
    format_: Annotated[
        Format, typer.Option("--format", help="toml: a sweep file that trains this one configuration.")
    ] = Format.text,
    where: Annotated[
        str | None,
        typer.Option(metavar="CONDITION", help='The best of the trials of which it holds: "operations < 1e5".'),
    ] = None,
    run: Run = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Show a sweep's best configuration, its score on the test part, and how to use it.

    \b
    mlptune best digits
    mlptune best digits --where "operations < 1e5 and parameters <= 5000"
    mlptune best digits --json
    mlptune best digits --format toml > winner.toml

    Conditions are on operations (multiply-adds of a prediction), parameters, bytes and the sweep's metric.
    """
    if json and format_ is Format.toml:
        raise UserError("--json: cannot be combined with --format toml")
    with reading(tracking_uri):
        from ... import queries
        from ...launches import choose

        if format_ is Format.toml:
            write(queries.best_spec_toml(name, run, tracking_uri, tell, where).rstrip("\n"))
            return
        found = queries.best_of(choose(tracking_uri, name, run, tell), tracking_uri, where)
    from ..present import best_text, strict_json, terminal_width, wrapped

    if json:
        write(strict_json(found.document))
        return
    chosen, width = found.chosen, terminal_width()
    text = best_text(
        found.document, shown(tracking_uri), found.configuration, found.copied, chosen.reference, chosen.state, where
    )
    for line in text.splitlines():
        write(wrapped(line, width))
