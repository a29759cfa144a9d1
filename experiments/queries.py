"""What the store says of a sweep that is asked for by its name: its launches, its trials, its best one, its model, its report.

All of it is read from the store, never from memory that a crash would lose.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..search.spaces.layers import configuration
from ..tracking import reader, schema
from ..tracking.records import LaunchRecord, TrialRecord
from .config.names import CLASS_WEIGHT
from .curves import TOP, Curves, learning_curves
from .documents import best_document, finite, show_document
from .formats import MEMORY
from .launch_costs import costs_of_trials, launch_costs
from .launches import Chosen, Say, best_value, choose, default_of, split, state_of, warn
from .ranking import best_of_launch, best_trial
from .where import parse
from .writing import writing

if TYPE_CHECKING:
    from .model import TunedModel
    from .report.facts import Facts
    from .report.rules import Finding

Copied = tuple[tuple[int, int], ...]

_GIVE_AGAIN = "# The table was given in Python and has to be given again: mlptune.run_sweep(this file, data=table).\n"


def list_sweeps(tracking_uri: str | None = None) -> list[dict[str, Any]]:
    """Each sweep by the launch that its name means, the sweep that was begun last first.

    `newer` is the launch begun last, where that is another one. Raises LookupError where there is no store.
    """
    found = []
    for launches in reader.sweeps(tracking_uri):
        meant = default_of(launches)
        later = None if meant is launches[0] else _row(launches[0], tracking_uri)
        found.append({**_row(meant, tracking_uri), "launches": len(launches), "newer": later})
    return found


def list_launches(name: str, tracking_uri: str | None = None) -> list[dict[str, Any]]:
    """All launches of a sweep, newest first. Raises LookupError where there is no such sweep."""
    sweep, number = split(name)
    if number is not None:
        raise reader.NotFound(
            f"{name!r} is one launch; `mlptune list {sweep}` lists all, `mlptune show {name}` shows it"
        )
    return [_row(launch, tracking_uri) for launch in reader.launches(tracking_uri, sweep)]


def _row(launch: LaunchRecord, uri: str | None) -> dict[str, Any]:
    """A launch as lists have it."""
    return {
        "name": launch.name,
        "launch": launch.number,
        "run_id": launch.run_id,
        "state": state_of(launch, uri),
        "method": launch.method,
        "started": launch.started.isoformat(timespec="seconds"),
        "seconds": None if launch.ended is None else round((launch.ended - launch.started).total_seconds(), 1),
        "trials": sum(count for state, count in launch.done.items() if state != "running"),
        "total": None if launch.total is None else launch.total + len(launch.by_hand),
        "best_value": finite(best_value(launch, uri)),
        "metric": launch.tags.get(schema.METRIC),
        "expected": None if launch.expected is None else dict(launch.expected),
        "test_score": launch.test_score,
    }


def show(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> dict[str, Any]:
    """One launch of a sweep with all its trials. Raises LookupError, with the nearest name, where there is none."""
    return show_copies(name, run, tracking_uri, say)[0]


def show_copies(
    name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn
) -> tuple[dict[str, Any], dict[int, Copied]]:
    """What `show` says, and for each trial that has copied others: (epoch, trial) of each time."""
    return shown(choose(tracking_uri, name, run, say), tracking_uri)


def shown(chosen: Chosen, uri: str | None) -> tuple[dict[str, Any], dict[int, Copied]]:
    """What `show_copies` says of a launch that was chosen."""
    launch = chosen.launch
    trials = reader.trials(uri, launch.run_id, rebuild=False)
    found = best_of_launch(launch, trials)
    best = None if found is None else _document(launch, found, uri)
    by_hand = [event["number"] for event in launch.by_hand]
    costs = launch_costs(uri, launch, trials)
    document = show_document(
        launch.name,
        launch.run_id,
        chosen.state,
        launch.method,
        trials,
        best,
        launch.stopped,
        by_hand,
        launch.space_changes,
        costs,
    )
    return document, {trial.number: trial.copied for trial in trials if trial.copied}


@dataclass(frozen=True)
class Best:
    """The best trial of a launch.

    Attributes:
        document: What `mlptune best --json` prints.
        copied: Whom the trial has copied: (epoch, trial) of each time.
        chosen: The launch that was meant.
    """

    document: Mapping[str, Any]
    copied: Copied
    chosen: Chosen

    @property
    def configuration(self) -> dict[str, Any]:
        """The complete configuration."""
        return dict(self.document["configuration"])


def best(
    name: str, run: str | None = None, tracking_uri: str | None = None, where: str | None = None
) -> dict[str, Any]:
    """The best trial of a launch. Raises LookupError where there is no sweep, or none of its trials is complete.

    `where` as of `best_config`.
    """
    return dict(best_of(choose(tracking_uri, name, run, warn), tracking_uri, where).document)


def best_of(chosen: Chosen, uri: str | None, where: str | None = None) -> Best:
    """The best trial of a launch that was chosen, with what there is to know of it; errors as `best`."""
    launch = chosen.launch
    if where is not None:
        return _best_where(chosen, uri, where)
    trials = [] if launch.best else reader.trials(uri, launch.run_id, rebuild=False)
    found = best_of_launch(launch, trials)
    if found is None:
        raise reader.NotFound(f"the sweep {chosen.reference!r} has no complete trial yet; its state is {chosen.state}")
    return Best(_document(launch, found, uri), found.copied, chosen)


def _best_where(chosen: Chosen, uri: str | None, where: str) -> Best:
    """The best of the trials for which `where` holds."""
    from ..core.counted import COUNTED

    launch = chosen.launch
    metric = launch.metric
    conditions = parse(where, (*COUNTED, metric))
    trials = reader.trials(uri, launch.run_id, rebuild=False)
    costs = costs_of_trials(uri, launch, trials)
    held = [
        trial
        for trial in trials
        if trial.value is not None
        and all(condition.holds({**costs.get(trial.number, {}), metric: trial.value}) for condition in conditions)
    ]
    found = best_trial(held, launch.direction)
    if found is None:
        raise reader.NotFound(f"no complete trial of the sweep {chosen.reference!r} has {where}")
    own = launch.best is not None and launch.best.number == found.number
    return Best({**_document(launch, found, uri, has_model=own), "costs": costs[found.number]}, found.copied, chosen)


def best_config(
    name: str, run: str | None = None, tracking_uri: str | None = None, where: str | None = None
) -> dict[str, Any]:
    """The best configuration, fixed and searched hyperparameters together: `MLPClassifier(**best_config(name))` works.

    With its `standardize` an estimator takes raw numbers, as the sweep did; categories and missing values it does not. Where the
    best trial has copied others it is the schedule by which its network is trained from the start. It is what
    the trial trained with, `subset` included, which only the sweep's own final model leaves out.

    `where` asks for the best of those trials of which it holds: comparisons of counted costs or of the sweep's metric with numbers,
    joined by `and`: `"operations < 1e5 and parameters <= 5000"`.
    """
    return best_of(choose(tracking_uri, name, run, warn), tracking_uri, where).configuration


def best_spec_toml(
    name: str,
    run: str | None = None,
    tracking_uri: str | None = None,
    say: Say = warn,
    where: str | None = None,
) -> str:
    """A sweep file that trains the best configuration and nothing else.

    Of a sweep over a table that was given in Python its first line says that the table has to be given again.
    """
    from .config import load_spec, spec_toml

    found = best_of(choose(tracking_uri, name, run, say), tracking_uri, where)
    stored = reader.artifact(tracking_uri, found.chosen.run_id, schema.SPEC_FILE).read_text(encoding="utf-8")
    tables = json.loads(stored)
    tables["model"] = found.configuration
    tables["space"] = {}
    tables["search"] = {"method": "random", "trials": 1}
    tables["name"] = f"{tables['name'][:95]}-best"
    spec, _ = load_spec(tables)
    return (_GIVE_AGAIN if spec.data.source == MEMORY else "") + spec_toml(spec)


def load_model(name: str, run: str | None = None, tracking_uri: str | None = None) -> "TunedModel":
    """The fitted model of a finished sweep: of its newest finished launch, or of one launch, `name#2`.

    Raises LookupError where there is none, ValueError where its files are damaged. Warns where a newer launch of the sweep has no
    model, or an older one was better.
    """
    return model_of(choose(tracking_uri, name, run, warn), tracking_uri)


def model_of(chosen: Chosen, uri: str | None) -> "TunedModel":
    """The fitted model of a launch; errors as `load_model`."""
    from .model import TunedModel

    if chosen.launch.state != "finished":
        raise reader.NotFound(f"the sweep {chosen.reference!r} has no model yet; its state is {chosen.state}")
    return TunedModel.load(reader.model_folder(uri, chosen.run_id))


def facts(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> "Facts":
    """What a diagnosis and a report rest on; of a sweep that has not ended, what there is so far."""
    from .report.stored import stored_facts

    chosen = choose(tracking_uri, name, run, say)
    try:
        found = dict(best_of(chosen, tracking_uri).document)
    except reader.NotFound:  # none is complete yet
        found = None
    return stored_facts(tracking_uri, chosen.launch, chosen.state, found)


def curves(
    name: str,
    metric: str | None = None,
    top: int = TOP,
    trials: Sequence[int] = (),
    run: str | None = None,
    tracking_uri: str | None = None,
    say: Say = warn,
) -> Curves:
    """Learning curves of a launch: of its best trials and the median one, or of `trials`; errors as `learning_curves`."""
    chosen = choose(tracking_uri, name, run, say)
    document, _ = shown(chosen, tracking_uri)
    objective = chosen.launch.metric
    return learning_curves(tracking_uri, document, objective, metric, top, trials)


def diagnose(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> "list[Finding]":
    """What the curves and scores of a launch say, in words, problems first. Raises LookupError where there is no sweep."""
    from .report import rules

    return rules.diagnose(facts(name, run, tracking_uri, say))


def report(
    name: str,
    out: str | Path | None = None,
    run: str | None = None,
    tracking_uri: str | None = None,
    say: Say = warn,
) -> str:
    """The report of a launch as one HTML page that needs no network; with `out` it is written there too.

    Raises LookupError where there is no sweep, UserError where the file cannot be written.
    """
    from .report.page import report_html
    from .report.rules import diagnose

    found = facts(name, run, tracking_uri, say)
    page = report_html(found, diagnose(found))
    if out is not None:
        with writing(out):
            Path(out).write_text(page, encoding="utf-8")
    return page


def _document(launch: LaunchRecord, best: TrialRecord, uri: str | None, *, has_model: bool = True) -> dict[str, Any]:
    """The document of a trial; unless the model is of it, without what is known of the model."""
    metric = launch.metric
    shared = reader.launch_data(uri, launch, schema.FIXED) or {}
    # 0.1.0 did not say so, and did it too.
    complete = {**(best.configuration or configuration(best.params, shared)), "standardize": True}
    if CLASS_WEIGHT in shared:  # a schedule of copied hyperparameters is without it
        complete[CLASS_WEIGHT] = shared[CLASS_WEIGHT]
    return best_document(
        launch.name,
        launch.run_id,
        best,
        metric,
        launch.test_score if has_model else None,
        complete,
        launch.ensemble if has_model else (),
        launch.expected if has_model else None,
        launch.threshold if has_model else None,
    )
