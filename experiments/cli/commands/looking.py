"""`columns` and `check`: what there is to see before anything is trained."""

from typing import Annotated

import typer

from ...._text import escape_control_characters
from ..app import TABLE_SUFFIXES, Json, app, tell, write

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a line of the sweep file, e.g. data.folds=5. Repeatable."),
]


@app.command(no_args_is_help=True)
def columns(
    file: Annotated[str, typer.Argument(metavar="FILE", help=f"A table ({TABLE_SUFFIXES}), or a sweep file.")],
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict; else all are described as inputs.")
    ] = None,
    set_: Set = None,
    json: Json = False,
) -> None:
    """Show how each column of a table is understood: kind, missing cells, levels, and what a network gets of it.

    \b
    mlptune columns cars.csv
    mlptune columns cars.csv --target price
    mlptune columns cars.csv --set data.numeric='["doors"]' --json

    Each guess comes with the key of the sweep file's [data] that says it instead.
    """
    from ...columns import describe

    description = describe(file, target, set_ or [])
    for line in description.said:
        tell(line)
    if json:
        from ..present import strict_json

        write(strict_json([column.to_json() for column in description.columns]))
        return
    from ..understood import columns_text

    write(columns_text(description, escape_control_characters(file)))
