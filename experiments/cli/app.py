"""What the commands share: the program itself, the options that many of them take, and how they speak.

Nothing heavy is imported here, so that `--help` answers at once; each command imports what it needs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated

import typer

from ..._text import escape_control_characters
from ..errors import UserError
from ..formats import FORMATS
from ..garbage import without_collection
from . import completion
from .exit_status import PROGRAM, Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's help costs a tenth of a second and looks the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TABLE_SUFFIXES = ", ".join(FORMATS)

Spec = Annotated[
    str | None,
    typer.Argument(
        metavar="SPEC", help="A sweep file, or a bundled one: digits, diabetes.", autocompletion=completion.specs
    ),
]
Data = Annotated[str | None, typer.Option(metavar="FILE", help=f"A table ({TABLE_SUFFIXES}), instead of SPEC.")]
Target = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict, with --data.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a line of the sweep file, e.g. search.trials=16. Repeatable."
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Worker processes; one per core if not given.")
]
Executor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="ADDRESS",
        help="Train elsewhere: dask://host:port, dask+tls://host:port, or an installed executor's name.",
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The sweep, meaning its newest finished launch; NAME#2 is its second launch (`mlptune list`).",
        autocompletion=completion.sweeps,
    ),
]
Run = Annotated[str | None, typer.Option("--run", metavar="ID", help="A launch by the beginning of its run's id.")]
Uri = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="The store: sqlite:///file.db, or a server's address. Else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from ... import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def mlptune(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tune multilayer perceptrons on a table: every run recorded in MLflow, the best model out.

    \b
    mlptune sweep digits                                a bundled sweep
    mlptune sweep --data cars.csv --target price        your table, nothing else needed
    mlptune init  --data cars.csv --target price        a sweep file for it, to edit
    mlptune best cars                                   the best configuration
    mlptune predict cars new.csv -o predictions.csv     predictions of its model
    """


def check_store(uri: str | None) -> None:
    """Refuse an invalid address before anything slow begins."""
    from ...tracking.store.address import store_uri

    try:
        address = store_uri(uri)
    except ValueError as error:
        raise UserError(str(error)) from None
    if address.startswith("postgresql+psycopg:") and find_spec("psycopg") is None:
        raise UserError("a store in PostgreSQL needs its driver: pip install 'psycopg[binary]'")


@contextmanager
def reading(uri: str | None) -> Iterator[None]:
    """Around what reads the store: what is wrong with a store, or with files in it, is the user's to fix."""
    check_store(uri)
    # The user waits: that a server is away is said after seconds, not after MLflow's minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        with without_collection():
            yield
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error)) from error


def shown(uri: str | None) -> str:
    """Return the store's address for a hint, without its password; nothing where none was given."""
    from ...tracking.store.address import redact

    return redact(uri) if uri else ""


def tell(line: str) -> None:
    """Print a message for the user, on standard error."""
    typer.echo(escape_control_characters(line), err=True)


def write(text: str) -> None:
    """Print what was asked for, on standard output."""
    print(text)
