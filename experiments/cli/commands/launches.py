"""`compare`, `delete` and `rename`: launches as things of their own."""

from typing import Annotated

import typer

from ...errors import UserError
from .. import completion
from ..app import Json, Name, Run, Uri, app, reading, tell, write


@app.command(no_args_is_help=True, short_help="Compare launches: settings, scores, and what is noise.")
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="Sweeps or launches: cars, cars#1; of one name all launches.",
            autocompletion=completion.sweeps,
        ),
    ],
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Compare launches: the settings that differ, their scores, and whether a difference is more than noise.

    \b
    mlptune compare cars                                all its launches
    mlptune compare cars#1 cars#2
    mlptune compare cars trucks boats
    """
    with reading(tracking_uri):
        from ...comparison import comparison

        document = comparison(names, tracking_uri)
    from ..present import strict_json
    from ..versus import comparison_text

    write(strict_json(document) if json else comparison_text(document))


@app.command(no_args_is_help=True, short_help="Delete a sweep or one of its launches.")
def delete(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A sweep with all its launches, or NAME#2 for its second launch alone.",
            autocompletion=completion.sweeps,
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    run: Run = None,
    tracking_uri: Uri = None,
) -> None:
    """Delete a sweep or one of its launches, with trials, model and registered version. One that is running is refused.

    \b
    mlptune delete cars#2                               one launch
    mlptune delete cars                                 all of them, after a question
    mlptune delete cars --yes

    Runs are deleted as MLflow deletes: it can restore them, until `mlflow gc` frees the space. Registered versions are gone at
    once.
    """
    with reading(tracking_uri):
        from ...housekeeping import deletion

        plan = deletion(tracking_uri, name, run)
        if not yes and not _agreed(f"delete {plan.what}?"):
            raise UserError("nothing is deleted; --yes does not ask")
        plan.carry_out(tell)
    write(f"deleted {plan.what}")
    for line in plan.afterwards.splitlines():
        tell(line)


def _agreed(question: str) -> bool:
    """Ask; where nobody answers, that is a no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        tell("")
        return False


@app.command(no_args_is_help=True, short_help="Give a sweep another name.")
def rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    tracking_uri: Uri = None,
) -> None:
    """Give a sweep, with all its launches and its registered model, another name.

    \b
    mlptune rename data cars
    mlptune rename "old name" new-name
    mlptune rename cars cars-2025 --tracking-uri sqlite:///other.db
    """
    with reading(tracking_uri):
        from ... import housekeeping

        housekeeping.rename(tracking_uri, name, new, tell)
    write(f"renamed {name} to {new}")
