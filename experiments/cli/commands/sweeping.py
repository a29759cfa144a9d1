"""`sweep` and `init`: from a table or a sweep file to a sweep."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...._text import escape_control_characters
from ...errors import UserError
from .. import completion
from ..app import TABLE_SUFFIXES, Data, Executor, Json, Set, Spec, Target, Uri, Workers, app, check_store, shown, write

if TYPE_CHECKING:
    from ...results import SweepResult


@app.command(no_args_is_help=True, short_help="Run a sweep: search, train, record, keep the best model.")
def sweep(
    spec: Spec = None,
    data: Data = None,
    target: Target = None,
    set_: Set = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The sweep's name; short for --set name=.")] = None,
    trials: Annotated[str | None, typer.Option(metavar="N", help="search.trials: how many configurations.")] = None,
    minutes: Annotated[
        str | None, typer.Option(metavar="M", help="search.minutes: how long, instead of how many.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="search.method: auto, random, tpe, ...", autocompletion=completion.methods),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="objective.metric: val_score, log_loss, ...", autocompletion=completion.metrics
        ),
    ] = None,
    epochs: Annotated[str | None, typer.Option(metavar="N", help="model.epochs: the longest a trial trains.")] = None,
    folds: Annotated[str | None, typer.Option(metavar="K", help="data.folds: cross-validation.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="seed: the same seed gives the same sweep.")] = None,
    workers: Workers = None,
    executor: Executor = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue where it stopped; start if there is none.")
    ] = False,
    around: Annotated[
        str | None,
        typer.Option(metavar="best", help="Narrow the space around the best of the newest finished launch."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, and neither train nor store anything.")
    ] = False,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Run a sweep: search, train, record, keep the best model.

    \b
    mlptune sweep digits
    mlptune sweep my.toml --trials 128 --method hyperband --set model.batch_size=64
    mlptune sweep --data cars.csv.gz --target price --name cars --minutes 5
    mlptune sweep my.toml --dry-run                     the plan, without training
    mlptune sweep my.toml --resume                      after Ctrl-C, or with more trials
    mlptune sweep my.toml --around best                 again, in half of each range

    `--set` takes dotted keys of the sweep file; the value is TOML, or else a string; --trials and its like are short for it.
    Setting model.X fixes what [space] searched. Ctrl-C stops it; what is finished is kept, and --resume continues.
    """
    from ...config.toml import toml_value

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
    overrides = [*changes, *(set_ or [])]
    check_store(tracking_uri)
    if dry_run and resume:
        raise UserError(
            "--dry-run: looks at no store, where --resume would find what it continues; leave one of them out"
        )
    if dry_run and around is not None:
        raise UserError("--dry-run: looks at no store, where --around would find the best; leave one of them out")
    if dry_run:
        _show_plan(spec, overrides, workers, data, target, json=json)
        return
    from ..live import view

    with view() as watcher:
        from ...run import run_sweep

        result = run_sweep(
            spec,
            overrides=overrides,
            workers=workers,
            executor=executor,
            resume=resume,
            around=around,
            tracking_uri=tracking_uri,
            observer=watcher,
            data=data,
            target=target,
        )
    tell_result(result, shown(tracking_uri), json=json)


def tell_result(result: "SweepResult", store: str, *, json: bool) -> None:
    """Print what a sweep has found; `store` is its address for hints."""
    from ...short import params_text
    from ..front_table import front_table
    from ..present import (
        best_line,
        brief_findings,
        next_text,
        schedule_lines,
        strict_json,
        terminal_width,
        wrapped,
    )

    if json:
        write(strict_json(result.summary()))
        return
    width = terminal_width()
    head = f"{result.name}: {best_line(result.best).removeprefix('best: ')}"
    write(wrapped(escape_control_characters(head), width))
    if result.copied:
        lines = schedule_lines(result.best["params"], result.best_config, result.copied)
        write("\n".join(f"  {escape_control_characters(line)}" for line in lines))
    elif result.best["params"]:
        text = f"trial {result.best['number']}: {params_text(result.best['params'])}"
        write(wrapped(f"  {escape_control_characters(text)}", width))
    front = front_table(result.summary(), width)
    if front:
        write(front)
    for line in brief_findings(result.findings):
        write(wrapped(line, width, 4))
    write(next_text(result.name, store))


def _show_plan(
    spec: str | None, overrides: list[str], workers: int | None, data: str | None, target: str | None, *, json: bool
) -> None:
    from ...examine import examine

    found = examine(spec, overrides, workers=workers, data=data, target=target)
    if found.outline is None:
        raise UserError(*found.problems)
    from ..plan import plan_text
    from ..present import strict_json

    write(strict_json(found.outline.to_json()) if json else plan_text(found.outline))


@app.command(no_args_is_help=True, short_help="Write a sweep file for a table, to edit.")
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
    mlptune init --data cars.csv --target price                  writes cars.toml
    mlptune init --data cars.csv --target price -o my.toml
    mlptune init --data cars.csv --target price -o my.toml --force
    """
    from ..init import write_sweep_file

    path = escape_control_characters(str(write_sweep_file(data, target, out, force=force)))
    write(f"wrote {path}; run it with:\n  mlptune sweep {shlex.quote(path)}")
