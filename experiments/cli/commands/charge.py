"""`continue`, `try` and `stop`: in charge of a sweep that is in the store, without its sweep file."""

from typing import Annotated

import typer

from ...._text import escape_control_characters
from ...errors import UserError
from .. import completion
from ..app import Executor, Json, Uri, Workers, app, check_store, reading, shown, write
from .sweeping import tell_result

Newest = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The sweep, meaning the launch that was begun last.", autocompletion=completion.sweeps
    ),
]


@app.command("continue", no_args_is_help=True)
def continue_(
    name: Newest,
    trials: Annotated[
        str | None, typer.Option(metavar="N", help="How many trials there are then; +32 for so many more.")
    ] = None,
    minutes: Annotated[
        str | None, typer.Option(metavar="M", help="How long the search is then in all; +2 for so much longer.")
    ] = None,
    workers: Workers = None,
    executor: Executor = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Go on with a sweep, finished or not, with its stored sweep file: no file is needed.

    \b
    mlptune continue cars                               after Ctrl-C, or `mlptune stop cars`
    mlptune continue cars --trials +32
    mlptune continue cars --minutes +2                  of a sweep with a budget in minutes

    Where a stop rule ([search] target, patience, epochs_total) ended the search, +32 counts from the trials that there are, and the
    rule is off.
    """
    check_store(tracking_uri)
    from ..live import view

    with view() as watcher:
        from ...in_charge import continue_sweep

        result = continue_sweep(
            name, trials, minutes, workers=workers, executor=executor, tracking_uri=tracking_uri, observer=watcher
        )
    tell_result(result, shown(tracking_uri), json=json)


@app.command("try", no_args_is_help=True)
def try_(
    name: Newest,
    values: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE ...", help="Hyperparameters that the sweep searches.")
    ],
    workers: Workers = None,
    executor: Executor = None,
    tracking_uri: Uri = None,
    json: Json = False,
) -> None:
    """Try a configuration by hand, as the sweep's next trial. What is not given is as in its best trial so far.

    \b
    mlptune try cars learning_rate=.01
    mlptune try cars learning_rate=.01 'hidden=[64,64]'
    mlptune try cars dropout=0 --json

    A finished sweep gets a new model, of all its trials; one that was interrupted stays so; a running one takes it up before its
    next batch.
    """
    check_store(tracking_uri)
    params = _params(values)
    from ..live import view

    with view() as watcher:
        from ...in_charge import try_configuration

        tried = try_configuration(
            name, params, workers=workers, executor=executor, tracking_uri=tracking_uri, observer=watcher
        )
    from ...short import number_text, params_text
    from ..present import strict_json

    if json:
        write(strict_json(vars(tried)))
        return
    if tried.trial is None or tried.best is None:
        write(escape_control_characters(f"{name}: the running sweep tries this before its next batch"))
    else:
        outcome = f"{tried.best['metric']} {number_text(tried.trial['value'])}"
        if tried.trial["state"] != "complete":
            outcome = f"{tried.trial['state']} ({tried.trial['reason']})"
        rest = f"best: trial {tried.best['number']}, {number_text(tried.best['value'])}"
        write(escape_control_characters(f"{name}: trial {tried.trial['number']} by hand, {outcome}; {rest}"))
    write(f"  {escape_control_characters(params_text(tried.params))}")


def _params(values: list[str]) -> dict[str, object]:
    """The hyperparameters of `key=value` texts. Raises UserError."""
    from ...config.overrides import value_of

    found: dict[str, object] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            shown_text = escape_control_characters(text)[:80]
            raise UserError(f"{shown_text}: write name=value, for instance learning_rate=.01")
        if key.strip() in found:
            raise UserError(f"{escape_control_characters(key.strip())}: is given twice")
        parsed = value_of(value.strip())
        try:  # .01, which is no TOML
            found[key.strip()] = float(parsed) if isinstance(parsed, str) else parsed
        except ValueError:
            found[key.strip()] = parsed
    return found


@app.command(no_args_is_help=True)
def stop(name: Newest, tracking_uri: Uri = None) -> None:
    """End a running sweep as one Ctrl-C does: what is finished stays, and it can be continued.

    \b
    mlptune stop cars
    mlptune stop cars --tracking-uri http://server:5000   one that runs on another machine
    mlptune stop cars && mlptune continue cars --workers 8

    On this machine it ends at once, elsewhere with its next heartbeat, when a trial returns.
    """
    with reading(tracking_uri):
        from ...in_charge import stop_sweep

        said = stop_sweep(name, tracking_uri)
    write(escape_control_characters(said))
