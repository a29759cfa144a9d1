"""`columns` and `check`: what there is to see before anything is trained."""

from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...errors import UserError
from ..app import TABLE_SUFFIXES, Data, Json, Set, Spec, Target, app, tell, write


@app.command(no_args_is_help=True, short_help="Show how each column of a table is understood.")
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


@app.command(no_args_is_help=True, short_help="Check a sweep file and its table, all problems at once.")
def check(
    spec: Spec = None,
    data: Data = None,
    target: Target = None,
    set_: Set = None,
    json: Json = False,
) -> None:
    """Check a sweep file and its table, and tell all problems at once, a line each. Nothing is trained.

    \b
    mlptune check my.toml
    mlptune check my.toml --set search.method=hyperband
    mlptune check --data cars.csv --target price

    Exit status 2 if there is a problem, else 0 and the plan in a line; `sweep --dry-run` prints all of it.
    """
    from ...examine import examine

    found = examine(spec, set_ or [], data=data, target=target)
    if json:
        from ..present import strict_json

        plan = None if found.outline is None else found.outline.to_json()
        write(strict_json({"problems": found.problems, "plan": plan}))
    elif found.outline is None:
        write("\n".join(escape_control_characters(problem) for problem in found.problems))
    else:
        from ..plan import plan_line

        write(f"no problems\n{plan_line(found.outline)}")
    if found.problems:
        raise typer.Exit(UserError.exit_status)
