"""The commands: what the user types, turned into calls of the other modules.

Nothing heavy is imported here, so that `--help` answers at once; each command imports what it needs.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..._text import escape_control_characters
from ..errors import UserError
from ..formats import FORMATS, writable_suffixes
from .exit_status import PROGRAM, Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich's help costs a tenth of a second and looks the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TABLE_SUFFIXES = ", ".join(FORMATS)
PREDICTION_SUFFIXES = " or ".join(writable_suffixes())

Name = Annotated[str, typer.Argument(metavar="NAME", help="The sweep's name, as `mlptune list` shows it.")]
Run = Annotated[str | None, typer.Option("--run", metavar="ID", help="Another launch than the latest.")]
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


class Format(StrEnum):
    """How `best` prints."""

    text = "text"
    toml = "toml"


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


@app.command(no_args_is_help=True)
def sweep(
    spec: Annotated[
        str | None, typer.Argument(metavar="SPEC", help="A sweep file, or a bundled one: digits, diabetes.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help=f"A table ({TABLE_SUFFIXES}), instead of SPEC.")
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict, with --data.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a line of the sweep file, e.g. search.trials=16. Repeatable."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The sweep's name; short for --set name=.")] = None,
    trials: Annotated[str | None, typer.Option(metavar="N", help="search.trials: how many configurations.")] = None,
    minutes: Annotated[
        str | None, typer.Option(metavar="M", help="search.minutes: how long, instead of how many.")
    ] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="search.method: auto, random, tpe, ...")] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="objective.metric: val_score, log_loss, ...")
    ] = None,
    epochs: Annotated[str | None, typer.Option(metavar="N", help="model.epochs: the longest a trial trains.")] = None,
    folds: Annotated[str | None, typer.Option(metavar="K", help="data.folds: cross-validation.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="seed: the same seed gives the same sweep.")] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Worker processes; one per core if not given.")
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train elsewhere: dask://host:port, dask+tls://host:port, or an installed executor's name.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue where it stopped; start if there is none.")
    ] = False,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Run a sweep: search, train, record, keep the best model.

    \b
    mlptune sweep digits
    mlptune sweep my.toml --trials 128 --method hyperband --set model.batch_size=64
    mlptune sweep --data cars.csv.gz --target price --name cars --minutes 5
    mlptune sweep my.toml --resume                      after Ctrl-C, or with more trials

    `--set` takes dotted keys of the sweep file; the value is TOML, or else a string; --trials and its like are short for it.
    Setting model.X fixes what [space] searched. Ctrl-C stops it; what is finished is kept, and --resume continues.
    """
    from ..config.toml import toml_value

    short = {
        "name": None if name is None else toml_value(name),  # a name of digits is a name
        "search.trials": trials,
        "search.minutes": minutes,
        "search.method": method,
        "objective.metric": metric,
        "model.epochs": epochs,
        "data.folds": folds,
        "seed": seed,
    }
    changes = [f"{key}={value}" for key, value in short.items() if value is not None]
    _check_store(tracking_uri)
    from .live import view

    with view() as watcher:
        from ..run import run_sweep

        result = run_sweep(
            spec,
            overrides=[*changes, *(set_ or [])],
            workers=workers,
            executor=executor,
            resume=resume,
            tracking_uri=tracking_uri,
            observer=watcher,
            data=data,
            target=target,
        )
    from ..short import params_text
    from .present import best_line, next_text, schedule_lines, strict_json

    if json:
        _print(strict_json(result.summary()))
        return
    _print(escape_control_characters(f"{result.name}: {best_line(result.best).removeprefix('best: ')}"))
    if result.copied:
        lines = schedule_lines(result.best["params"], result.best_config, result.copied)
        _print("\n".join(f"  {escape_control_characters(line)}" for line in lines))
    elif result.best["params"]:
        _print("  " + escape_control_characters(params_text(result.best["params"])))
    _print(next_text(result.name, _shown(tracking_uri)))


@app.command(no_args_is_help=True)
def init(
    data: Annotated[str, typer.Option(metavar="FILE", help=f"A table ({TABLE_SUFFIXES}).")],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where to; else the table's name.toml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a sweep file for a table, with what was recognised and the default space written out for editing.

    \b
    mlptune init --data cars.csv --target price         writes cars.toml
    mlptune sweep cars.toml
    """
    from .init import write_sweep_file

    path = escape_control_characters(str(write_sweep_file(data, target, out, force=force)))
    _print(f"wrote {path}; run it with:\n  mlptune sweep {shlex.quote(path)}")


@app.command("list")
def list_(tracking_uri: Uri = None, json: Json = False) -> None:
    """List the sweeps of the store, the newest first."""
    with _reading(tracking_uri):
        from ..results import list_sweeps

        sweeps = list_sweeps(tracking_uri)
    from .present import strict_json, sweeps_text

    _print(strict_json(sweeps) if json else sweeps_text(sweeps))


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
    mlptune show digits --top 5
    mlptune show digits --json | jq '.trials[] | select(.state == "failed") | .reason'
    """
    if json and top is not None:
        raise UserError("--top: cannot be combined with --json, which always holds all trials")
    with _reading(tracking_uri):
        from ..results import show_copies

        document, copied = show_copies(name, run=run, tracking_uri=tracking_uri)
    from .present import strict_json, trials_text

    _print(strict_json(document) if json else trials_text(document, top, copied))


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
    mlptune best digits --format toml > winner.toml
    """
    if json and format_ is Format.toml:
        raise UserError("--json: cannot be combined with --format toml")
    with _reading(tracking_uri):
        from .. import results

        if format_ is Format.toml:
            _print(results.best_spec_toml(name, run=run, tracking_uri=tracking_uri).rstrip("\n"))
            return
        if json:
            document = results.best(name, run=run, tracking_uri=tracking_uri)
        else:
            document, configuration, copied = results.best_schedule(name, run=run, tracking_uri=tracking_uri)
    from .present import best_text, strict_json

    _print(strict_json(document) if json else best_text(document, _shown(tracking_uri), configuration, copied))


@app.command(no_args_is_help=True)
def predict(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table of new rows, as raw as the sweep's own.")],
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

    Columns are read as the model has learned to. Cells that it cannot read, and categories that it does not know, are told on
    standard error.
    """
    with _reading(tracking_uri):
        from .predict import predict_file

        rows = predict_file(name, file, out, run=run, tracking_uri=tracking_uri, force=force, say=_tell)
    from ..._text import counted

    _print(f"wrote {counted(rows, 'prediction')} to {escape_control_characters(str(out))}")


@app.command()
def ui(
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any free one.")] = 5000,
    tracking_uri: Uri = None,
) -> None:
    """Open MLflow's UI over the store, for this machine's browser only. Ctrl-C ends it."""
    from .ui import run_ui

    run_ui(tracking_uri, port, lambda text: print(escape_control_characters(text), flush=True))


def _check_store(uri: str | None) -> None:
    """Refuse an invalid address before anything slow begins."""
    from ...tracking.store.address import store_uri

    try:
        address = store_uri(uri)
    except ValueError as error:
        raise UserError(str(error)) from None
    if address.startswith("postgresql+psycopg:") and find_spec("psycopg") is None:
        raise UserError("a store in PostgreSQL needs its driver: pip install 'psycopg[binary]'")


@contextmanager
def _reading(uri: str | None) -> Iterator[None]:
    """Around what reads the store: what is wrong with a store, or with files in it, is the user's to fix."""
    _check_store(uri)
    # The user waits: that a server is away is said after seconds, not after MLflow's minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error)) from error


def _shown(uri: str | None) -> str:
    """Return the store's address for a hint, without its password; nothing where none was given."""
    from ...tracking.store.address import redact

    return redact(uri) if uri else ""


def _tell(line: str) -> None:
    typer.echo(escape_control_characters(line), err=True)


def _print(text: str) -> None:
    print(text)
