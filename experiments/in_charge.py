"""The user in charge of a sweep that is in the store: it goes on with a larger budget, tries a configuration, or ends.

None of it needs the sweep file: the launch has it. What is done is the newest launch's, whatever its state, as with `--resume`.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tracking import lease, reader, requests, schema
from ..tracking.records import LaunchRecord
from ..tracking.store.address import store_uri
from .config import Spec, load_spec
from .errors import UserError
from .formats import MEMORY
from .launches import split, state_of
from .progress import Observer
from .run import run_spec

if TYPE_CHECKING:
    from .results import SweepResult

# How long a command waits for a process on this machine that it has asked to end.
STOP_SECONDS = 60.0
_AMOUNT = re.compile(r"(?P<more>\+?)(?P<number>\d+(\.\d*)?|\.\d+)", re.ASCII)


def continue_sweep(
    name: str,
    trials: str | int | None = None,
    minutes: str | float | None = None,
    *,
    workers: int | None = None,
    executor: "str | Executor | None" = None,
    tracking_uri: str | None = None,
    observer: Observer | None = None,
) -> "SweepResult":
    """Go on with the newest launch of a sweep, with its stored sweep file and a larger budget if one is given.

    Args:
        name: The sweep.
        trials: How many trials there are then; "+32" for so many more. A stop rule that ended the search is off then.
        minutes: How long the search is then in all, or "+2" for so much longer, of a sweep that has a budget in minutes.
        workers: As with `run_sweep`, and so are the others.
        executor: Where training runs.
        tracking_uri: The store.
        observer: Receives what happens.

    Raises:
        UserError: If it cannot be continued so, and as `run_sweep` does.
    """
    began = time.monotonic()
    uri = store_uri(tracking_uri)
    launch = _newest(uri, name)
    tables = _tables(launch, uri)
    budget = tables["search"]
    if trials is not None:
        _give_trials(budget, _amount("--trials", trials), launch)
    if minutes is not None:
        before = _give_minutes(budget, _amount("--minutes", minutes), launch)
        began -= 60.0 * before if launch.state == "finished" else 0.0  # which it has had
    if (trials, minutes) != (None, None) and launch.stopped is not None:
        from .launch.resume import RULES

        for rule in RULES:
            budget.pop(rule, None)
    spec, text = _spec(tables, launch)
    with _in_own_words():
        return run_spec(
            spec,
            text,
            workers=workers,
            executor=executor,
            resume=True,
            tracking_uri=uri,
            observer=observer,
            began=began,
        )


@dataclass(frozen=True)
class Tried:
    """What became of a configuration that was to be tried.

    Attributes:
        params: The searched hyperparameters that it was completed to.
        trial: The trial as `mlptune show --json` has it; None where the sweep is running, whose process takes it up.
        best: The best trial as `mlptune best --json` has it; None there too.
        state: The state of the launch.
    """

    params: Mapping[str, Any]
    trial: Mapping[str, Any] | None
    best: Mapping[str, Any] | None
    state: str


def try_configuration(
    name: str,
    params: Mapping[str, Any],
    *,
    workers: int | None = None,
    executor: "str | Executor | None" = None,
    tracking_uri: str | None = None,
    observer: Observer | None = None,
) -> Tried:
    """Try a configuration in the newest launch of a sweep, as its next trial; what is left open is as in the best trial so far.

    A finished sweep gets a new model of all its trials, one that was interrupted stays so; a running one takes it up before
    its next batch.

    Raises:
        UserError: For what is not in the sweep's space, with its range, and where no trial can join.
    """
    uri = store_uri(tracking_uri)
    launch = _newest(uri, name)
    spec, text = _spec(_tables(launch, uri), launch)
    if state_of(launch, uri) == "running":
        from .data.frames import MemoryTable
        from .data.tables import read_table
        from .launch.by_hand import as_tried
        from .launch.plan import plan_of

        frame = read_table(spec.data.source, spec.base, header=spec.data.header, say=lambda line: None)
        complete = as_tried(params, plan_of(spec, MemoryTable(frame, spec.data.target)), launch, uri)
        requests.ask_to_try(uri, launch.run_id, complete)
        return Tried(complete, None, None, "running")
    with _in_own_words():
        result = run_spec(
            spec,
            text,
            workers=workers,
            executor=executor,
            resume=True,
            tracking_uri=uri,
            observer=observer,
            tried=params,
        )
    document = result.summary()
    trial = next(trial for trial in document["trials"] if trial["number"] == document["by_hand"][-1])
    return Tried(trial["params"], trial, document["best"], document["state"])


def stop_sweep(name: str, tracking_uri: str | None = None) -> str:
    """End a running sweep as Ctrl-C does, and say how: its trials stay, and it can be continued.

    Raises:
        UserError: If it is not running.
    """
    uri = store_uri(tracking_uri)
    launch = _newest(uri, name)
    state = state_of(launch, uri)
    if state != "running":
        hint = f"; `mlptune continue {name}` goes on" if state == "interrupted" else ""
        raise UserError(f"{name}: is not running, it is {state}{hint}")
    holder = requests.ask_to_stop(uri, launch.run_id)
    if holder is None:
        run_by = lease.lease_of(reader.launch_run(uri, launch.run_id)).name
        return f"asked {run_by} to stop {name}: it looks every {lease.HEARTBEAT_SECONDS:.0f} s, and ends when a trial returns"
    until = time.monotonic() + STOP_SECONDS
    while not lease.lease_of(reader.launch_run(uri, launch.run_id)).free and holder.is_alive():
        if time.monotonic() > until:
            return f"asked {holder} to stop {name}: it is still writing"
        time.sleep(0.2)
    return f"stopped {name}, which {holder} ran: what is committed stays, `mlptune continue {name}` goes on"


def _newest(uri: str, name: str) -> LaunchRecord:
    """The launch that is meant. Raises UserError for an older one, which nothing can be done with."""
    sweep, number = split(name)
    launch = reader.launch(uri, sweep)
    if number not in (None, launch.number):
        raise UserError(f"{name}: only the newest launch of a sweep goes on, which is {sweep}#{launch.number}")
    return launch


def _tables(launch: LaunchRecord, uri: str) -> dict[str, Any]:
    """The sweep file of a launch, with the budget that it had last. Raises UserError for one whose table is not in a file."""
    tables = reader.launch_data(uri, launch, schema.SPEC)
    if not tables:
        raise UserError(f"{launch.name}: its launch has no sweep file; continue it with `mlptune sweep FILE --resume`")
    if tables["data"]["source"] == MEMORY:
        raise UserError(
            f"{launch.name}: its table was given in Python and has to be given again: "
            "mlptune.run_sweep(..., data=table, resume=True)"
        )
    if launch.space_changes:
        from .launch.edited import edited_tables

        tables["space"] = edited_tables(tables.get("space"), launch)
    stored = launch.tags.get(schema.BUDGET)
    if stored is not None:
        from .launch.resume import BUDGET

        kept = {key: value for key, value in tables["search"].items() if key not in BUDGET}
        tables["search"] = {**kept, **json.loads(stored)}
    return dict(tables)


def _spec(tables: Mapping[str, Any], launch: LaunchRecord) -> tuple[Spec, str]:
    base = launch.tags.get(schema.BASE)
    return load_spec(tables, base=None if base is None or not os.path.isdir(base) else Path(base))


def _amount(option: str, given: str | float) -> tuple[bool, float]:
    """Whether an amount is one more, and how much. Raises UserError."""
    found = _AMOUNT.fullmatch(str(given).strip())
    if (
        found is None
        or not float(found["number"])
        or (option == "--trials" and not float(found["number"]).is_integer())
    ):
        whole = "a whole number" if option == "--trials" else "a number"
        raise UserError(f"{option}: must be {whole} above 0, or +32 for so many more, not {str(given)[:40]!r}")
    return bool(found["more"]), float(found["number"])


def _give_trials(budget: dict[str, Any], amount: tuple[bool, float], launch: LaunchRecord) -> None:
    """Change the number of trials. More are counted from the budget, or from the trials of a search that a stop rule has ended."""
    if "minutes" in budget:
        raise UserError(f"--trials: the budget of {launch.name} is {budget['minutes']:g} minutes; give it --minutes +2")
    more, number = amount
    ended = sum(launch.done.values()) - len(launch.by_hand)
    before = ended if launch.stopped is not None or launch.total is None else launch.total
    total = int(number) + (before if more else 0)
    if total < before:
        raise UserError(f"--trials: {launch.name} has {before} already, {total} are fewer; +{total} are so many more")
    budget["trials"] = total


def _give_minutes(budget: dict[str, Any], amount: tuple[bool, float], launch: LaunchRecord) -> float:
    """Change the minutes; return those before."""
    if "minutes" not in budget:
        in_epochs = "epochs_total" in budget and "trials" not in budget
        given = f"{budget['epochs_total']} epochs" if in_epochs else f"{launch.total} trials"
        raise UserError(f"--minutes: the budget of {launch.name} is {given}; give it --trials +32")
    more, number = amount
    before = float(budget["minutes"])
    if not more and number <= before:
        raise UserError(f"--minutes: {launch.name} has had {before:g} already; +{number:g} are so many more")
    budget["minutes"] = number + (before if more else 0.0)
    return before


@contextmanager
def _in_own_words() -> Iterator[None]:
    """What `--resume` refuses is refused without the name of an option that nobody has typed."""
    try:
        yield
    except UserError as error:
        raise UserError(*(problem.removeprefix("--resume: ") for problem in error.problems)) from error
