"""Resume: which launch may be continued, and what it has committed already."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ... import __version__
from ...search.methods import EARLY_CURVES
from ...tracking import lease, reader, schema
from ...tracking.records import LaunchRecord
from ..config import Spec, load_spec
from ..config.checks import refuse_to_move, searcher_of
from ..config.schema import SearchConfig
from ..errors import UserError
from ..execution.evaluation import EndedTrial
from ..execution.machine import fingerprint
from ..launches import newest
from ..ranking import ranked
from . import library, steering
from .coordinator import OUT_OF_TIME, PAUSED
from .plan import SweepPlan

# What may differ between a launch and its continuation, as dotted keys of the sweep file.
MAY_GROW = ("search.trials",)
MAY_CHANGE = (
    "search.timeout",
    "search.minutes",
    "search.target",
    "search.patience",
    "search.epochs_total",
    "search.widen",
)
# What of [search] says how much a sweep may use, or may change as it goes on.
BUDGET = ("trials", "minutes", "timeout", "target", "patience", "epochs_total", "widen")
# What of it ends a search before its trials are done.
RULES = ("target", "patience", "epochs_total")
# What was so before there was a key for it.
BEFORE: dict[str, dict[str, Any]] = {
    "data": {"duplicates": "apart", "one_hot": 100_000},
    "objective": {"ensemble": 0},
}
# Options by which a version's method goes on as it began, where a later one searches in another way.
OPTIONS_BEFORE: dict[str, dict[str, dict[str, Any]]] = {
    "0.1.0": {"auto": {"repeats": True}, "mobster": {"repeats": True}},
}
# Two keys that say the same in different ways: where one is stated the other is not taken over.
OTHER_OF = {"folds": "validation", "validation": "folds", "test": "test_size", "test_size": "test"}
OTHER_NAME = "give this one another name with --set name=..."


def resumable(uri: str, name: str) -> LaunchRecord | None:
    """The latest launch of the sweep; None where there is no store or no such sweep yet."""
    try:
        return newest(uri, name)
    except reader.NotFound:
        return None


def as_begun(spec: Spec, earlier: LaunchRecord, uri: str) -> Spec:
    """The sweep file with what it leaves open as it was when the launch was begun: a sweep is continued as it was begun.

    Defaults change from version to version, and what a method makes of a budget may change with that.
    """
    begun = spec.model_copy() if earlier.tags.get(schema.VERSION) == __version__ else _with_defaults(spec, earlier, uri)
    begun._chooses_lengths = earlier.tags.get(schema.SCHEDULER) == EARLY_CURVES
    refused = refuse_to_move(begun.search, searcher_of(begun)) if begun.search.widen else None
    if refused:
        raise UserError(f"--resume: [search] widen: {refused}")
    return begun


def _with_defaults(spec: Spec, earlier: LaunchRecord, uri: str) -> Spec:
    """The sweep file with what it leaves open as it was when the launch was begun by another version."""
    tables, parts = _stored_tables(earlier, uri), {}
    for name in ("data", "search", "objective"):
        part = getattr(spec, name)
        stated = {*part.model_fields_set, *(OTHER_OF.get(key) for key in part.model_fields_set)}
        then = {key: value for key, value in tables.get(name, {}).items() if key in type(part).model_fields}
        parts[name] = part.model_copy(update={key: value for key, value in then.items() if key not in stated})
    search = parts["search"]
    parts["search"] = search.model_copy(
        update={"options": {**_options_before(earlier, search.method), **search.options}}
    )
    return spec.model_copy(update=parts)


def as_planned(plan: SweepPlan, earlier: LaunchRecord, uri: str) -> SweepPlan:
    """The plan with what was counted of the time when the launch was begun: how many trials, on which share of the rows.

    A budget that is given now counts as it is given; the share stays, since trials on other rows could not be compared.
    """
    search = plan.spec.search
    if search.trials is None and search.minutes is None and earlier.total is not None:
        plan = replace(plan, total=earlier.total)
    share = (reader.launch_data(uri, earlier, schema.FIXED) or {}).get("subset")
    if plan.spec.space is not None or "subset" in plan.spec.hyperparameters or share == plan.fixed.get("subset"):
        return plan
    fixed = {name: value for name, value in plan.fixed.items() if name != "subset"}
    return replace(plan, fixed=fixed if share is None else {**fixed, "subset": share})


def _options_before(earlier: LaunchRecord, method: str) -> dict[str, Any]:
    """The options by which this method goes on as the launch's version began."""
    return OPTIONS_BEFORE.get(earlier.tags.get(schema.VERSION, ""), {}).get(method, {})


def _stored_tables(earlier: LaunchRecord, uri: str) -> dict[str, Any]:
    """The sweep file of a launch with all defaults, those of keys that its version did not know among them."""
    tables = reader.launch_data(uri, earlier, schema.SPEC) or {}
    if earlier.tags.get(schema.VERSION) != __version__:
        for name, values in BEFORE.items():
            tables[name] = {**values, **tables.get(name, {})}
        search = tables.get("search", {})
        options = {**_options_before(earlier, search.get("method", "")), **search.get("options", {})}
        tables["search"] = {**search, "options": options}
    return dict(tables)


def budget_of(search: SearchConfig) -> dict[str, Any]:
    """What a sweep may use, as `[search]` says it."""
    return {key: getattr(search, key) for key in BUDGET if getattr(search, key) is not None}


def last_budget(earlier: LaunchRecord, uri: str) -> dict[str, Any]:
    """What a launch might use when it was last begun or continued."""
    stored = reader.launch_data(uri, earlier, schema.BUDGET)
    if stored is None:  # written by an older version
        search = (reader.launch_data(uri, earlier, schema.SPEC) or {}).get("search", {})
        stored = {key: search[key] for key in BUDGET if key in search}
    return dict(stored)


def is_searched(plan: SweepPlan, earlier: LaunchRecord, uri: str) -> bool:
    """Whether nothing is left to search of a finished launch: a resume gives what the first call gave, unless it may use more."""
    if steering.requests_in(earlier.tags).keys() - {event["request"] for event in earlier.by_hand}:
        return False  # somebody wants something tried
    search, before = plan.spec.search, last_budget(earlier, uri)
    if earlier.stopped is not None:
        return all(getattr(search, key) == before.get(key) for key in RULES)
    if search.minutes is None:
        return sum(earlier.done.values()) - len(earlier.by_hand) >= plan.total
    return search.minutes <= before.get("minutes", 0.0)


def wait_until_free(uri: str, earlier: LaunchRecord, say: Callable[[str], None]) -> int:
    """Wait until no process runs the launch, if that is not known at once; return the number of its last claim.

    Raises UserError with the holder's name if one does.
    """
    try:
        return lease.wait_until_free(uri, earlier.name, earlier.run_id, say)
    except lease.HeldElsewhere as error:
        raise UserError(f"{error}; it can be resumed when that has ended") from error


def resume_hint(plan: SweepPlan, earlier: LaunchRecord, uri: str) -> str:
    """What a user can do who has begun a sweep under the name of an unfinished launch."""
    try:
        check_same(plan, earlier, uri)
    except UserError as error:
        refused = str(error).removeprefix("--resume: ").removesuffix(f"; {OTHER_NAME}")
        return f"this cannot continue it: {refused}; take that back, or {OTHER_NAME}"
    return f"continue it with --resume, or {OTHER_NAME}"


def check_same(plan: SweepPlan, earlier: LaunchRecord, uri: str) -> list[str]:
    """Raise UserError unless sweep file and data are those of the launch; return warnings."""
    tables, warnings = _stored_tables(earlier, uri), []
    version = earlier.tags.get(schema.VERSION, "an unknown version")
    if version != __version__:
        warnings.append(f"begun by mlptune {version}, continued by {__version__}")
        try:
            tables = load_spec(tables)[0].dump()  # what that version did not know has its default
        except UserError as error:
            raise UserError(
                f"--resume: this sweep was begun by mlptune {version} and cannot be read any more: {error}"
            ) from error
    spec = as_begun(plan.spec, earlier, uri)
    before, now = _flat(tables), _flat(spec.dump())
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if old == new or key in MAY_CHANGE:
            continue
        if key in MAY_GROW and isinstance(new, int) and plan.total >= _fewest(earlier):
            if not plan.searcher.needs_total or plan.total == earlier.total:
                continue
            raise UserError(
                f"--resume: {key} was {earlier.total} and is {new} now; method {plan.spec.search.method} "
                "plans with all its trials, later ones cannot join"
            )
        raise UserError(
            f"--resume: {key} was {_shown(old)} and is {_shown(new)} now; "
            "a sweep is resumed as it was begun (only trials, minutes and timeout may grow, "
            "target, patience, epochs_total, widen and the ranges of [space] change)"
        )
    # A plan that was made without the other version's defaults may split the same data in another way.
    if earlier.tags.get(schema.DATA) != plan.dataset.fingerprint and spec.dump() == plan.spec.dump():
        way = "start again without --resume" if earlier.state == "finished" else OTHER_NAME
        raise UserError(f"--resume: the data has changed since the sweep was begun; {way}")
    if earlier.tags.get(schema.METRIC_CODE, "") != plan.metric_code:
        raise UserError(
            f"--resume: the metric {plan.objective.metric!r} is another function than when the sweep was begun; {OTHER_NAME}"
        )
    machine = earlier.tags.get(schema.MACHINE)
    if machine != fingerprint():
        warnings.append(f"begun on another machine ({machine}): the last bits of results may differ")
    return warnings


def _fewest(earlier: LaunchRecord) -> int:
    """How many trials a launch must be given: what it was given before, of a search that a stop rule has ended what it took."""
    if earlier.stopped is not None:
        return sum(earlier.done.values()) - len(earlier.by_hand)
    return earlier.total or 0


def committed_trials(uri: str, run_id: str, plan: SweepPlan) -> tuple[dict[int, EndedTrial], dict[int, int]]:
    """The committed trials of a launch with their curves and predictions, and how often each trial was begun.

    Trials that ended because the search was over do not count: a larger budget may let them go on.
    """
    records = [
        trial
        for trial in reader.trials(uri, run_id)
        if trial.state != "running" and trial.run_id and not (trial.reason or "").startswith((PAUSED, OUT_OF_TIME))
    ]
    keys = list(dict.fromkeys((*schema.CURVES, plan.objective.key)))
    complete = [trial.number for trial in ranked(records, plan.objective.direction)[: library.SIZE]]
    stored = reader.predictions(uri, run_id, complete)
    shapes = plan.prediction_shapes()
    found = {number: library.from_bytes(data, (*shapes, *shapes)) for number, data in stored.items()}
    curves = reader.curves(uri, [str(trial.run_id) for trial in records], keys)
    committed = {
        trial.number: EndedTrial(
            trial,
            {key: values for key, values in curves[str(trial.run_id)].items() if values},
            predictions=found.get(trial.number, ())[: len(shapes)],
            crossfit=found.get(trial.number, ())[len(shapes) :],
        )
        for trial in records
    }
    return committed, reader.attempts(uri, run_id)


def _shown(value: Any) -> str:
    return "not given" if value is None else json.dumps(value)


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and key not in ("space",):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
