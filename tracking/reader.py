"""Sweeps read back from the store, as plain records. Reading never creates a store."""

import contextlib
import functools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

from .._text import hint
from . import launch_tags, models, records, schema, store
from .numbering import launch_numbers
from .records import LaunchRecord, TrialRecord
from .source import Source, open_source, source_of
from .view import view_key, view_page

_RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}")


P = ParamSpec("P")
R = TypeVar("R")


class NotFound(LookupError):
    """No such store, sweep, run or artifact; the message names it, and the nearest one that exists."""


def _explaining(read: Callable[P, R]) -> Callable[P, R]:
    """The function, whose first argument is a store's address, with MLflow's errors in one line and without passwords."""

    @functools.wraps(read)
    def explaining(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        except Exception as error:
            uri: Any = args[0] if args else kwargs.get("uri")
            explained = store.explained(error, store.store_uri(uri), "reading it")
            if explained is error:
                raise
            raise explained from error

    return explaining


@_explaining
def sweeps(uri: str | None = None) -> list[list[LaunchRecord]]:
    """The launches of each sweep, newest first; the sweep with the newest launch comes first."""
    source = _source(uri)
    names = source.sweeps()
    found: dict[str, list[Any]] = {}
    for run in source.runs(list(names), {schema.KIND: "launch"}):
        found.setdefault(run.info.experiment_id, []).append(run)
    return [_launches(source, names[experiment_id], runs) for experiment_id, runs in found.items()]


@_explaining
def launches(uri: str | None, name: str) -> list[LaunchRecord]:
    """All launches of a sweep, newest first. Raises NotFound."""
    source = _source(uri)
    return _launches(source, name, _launch_runs(source, name))


@_explaining
def launch(uri: str | None, name: str, run_id: str | None = None) -> LaunchRecord:
    """The latest launch of a sweep, or the one whose run id is, or begins with, `run_id`. Raises NotFound."""
    source = _source(uri)
    runs = _launch_runs(source, name)
    chosen = [run for run in runs if run_id and run.info.run_id.startswith(run_id)] if run_id is not None else runs[:1]
    if len(chosen) != 1:
        known = ", ".join(run.info.run_id for run in runs)
        rule = "more than one run" if chosen else "no run"
        raise NotFound(f"the sweep {name!r} has {rule} {run_id!r}; its launches: {known}")
    return _launch(source, name, chosen[0], launch_numbers(runs)[chosen[0].info.run_id])


@_explaining
def trials(uri: str | None, run_id: str, *, rebuild: bool = True) -> list[TrialRecord]:
    """The trials of a launch by number, the latest attempt of each. Without `rebuild` that field stays empty."""
    source = _source(uri)
    experiment_id = _run(source, run_id).info.experiment_id
    found = []
    for run, committed in _trial_runs(source, experiment_id, run_id):
        tags = run.data.tags
        found.append(
            records.trial_from_tags(
                tags,
                _json(source, run, schema.RECORD),
                (_json(source, run, schema.REBUILD) or {}) if rebuild else {},
                run_id=run.info.run_id,
                committed=committed,
            )
        )
    return found


def trial_runs(client: Any, experiment_id: str, run_id: str) -> list[tuple[Any, bool]]:
    """As `MlflowClient` sees them: the run of each trial of a launch, by number, with whether it is committed."""
    return _trial_runs(source_of(client), experiment_id, run_id)


def all_trial_runs(client: Any, experiment_id: str, run_id: str) -> Iterator[Any]:
    """As `MlflowClient` sees them: every run of every trial of a launch, superseded attempts and repeated requests too."""
    return _all_trial_runs(source_of(client), experiment_id, run_id)


def _trial_runs(source: Source, experiment_id: str, run_id: str) -> list[tuple[Any, bool]]:
    """The run of each trial of a launch, by number, with whether it is committed; no superseded ones.

    Of several runs with one number the latest attempt counts; of equal attempts (a repeated request) the committed one,
    then the older.
    """
    best: dict[int, tuple[tuple[int, bool, int], Any, bool]] = {}
    for run in _all_trial_runs(source, experiment_id, run_id):
        tags = run.data.tags
        if tags.get(schema.STATE) == schema.SUPERSEDED:
            continue
        committed = run.info.status != "RUNNING" and tags.get(schema.STATE) in schema.TRIAL_STATUS
        rank = (int(tags[schema.ATTEMPT]), committed, -run.info.start_time)
        number = int(tags[schema.NUMBER])
        if number not in best or rank > best[number][0]:
            best[number] = (rank, run, committed)
    return [(run, committed) for _, (_, run, committed) in sorted(best.items())]


def _all_trial_runs(source: Source, experiment_id: str, run_id: str) -> Iterator[Any]:
    if not _RUN_ID.fullmatch(run_id):
        raise NotFound(f"{run_id!r} is not the id of a run")
    return source.runs([experiment_id], {schema.PARENT: run_id, schema.KIND: "trial"})


@_explaining
def launch_run(uri: str | None, run_id: str) -> Any:
    """The MLflow run of a launch. Raises NotFound."""
    return _run(_source(uri), run_id)


@_explaining
def attempts(uri: str | None, run_id: str) -> dict[int, int]:
    """How often each trial of a launch was begun, by number; superseded attempts count."""
    source = _source(uri)
    begun: dict[int, int] = {}
    for run in _all_trial_runs(source, _run(source, run_id).info.experiment_id, run_id):
        number, attempt = int(run.data.tags[schema.NUMBER]), int(run.data.tags[schema.ATTEMPT])
        begun[number] = max(attempt, begun.get(number, 0))
    return begun


@_explaining
def curves(uri: str | None, run_ids: Sequence[str], keys: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """For each run and key the values by epoch, from epoch 1 on; NaN where an epoch is missing, [] where the key is."""
    source = _source(uri)
    result: dict[str, dict[str, list[float]]] = {run_id: {} for run_id in run_ids}
    for key in keys:
        points: dict[str, dict[int, float]] = {run_id: {} for run_id in run_ids}
        for run_id, step, value in source.histories(run_ids, key):  # by time: the latest value of an epoch counts
            points[run_id][step] = _finite_or_infinite(value)
        for run_id, known in points.items():
            result[run_id][key] = [known.get(epoch, math.nan) for epoch in range(1, max(known, default=0) + 1)]
    return result


@_explaining
def chart_page(uri: str | None, run_id: str, *, ascending: bool = False) -> str:
    """Path and fragment, below a server's address, of MLflow's page with a launch's curves, the best trials first.

    It is the launch's saved view, or, of launches without one, the page sorted: unsorted it shows the launch alone, its
    trials folded away. `ascending` is for objectives that are minimised.
    """
    source = _source(uri)
    experiment_id = _run(source, run_id).info.experiment_id
    if source.has_experiment_tag(experiment_id, view_key(run_id)):
        return f"/{view_page(experiment_id, run_id)}"
    query = {
        "workflowType": "machine_learning",
        "compareRunsMode": "CHART",
        "searchFilter": f"tags.{schema.PARENT} = '{run_id}' and tags.`{schema.STATE}` != '{schema.SUPERSEDED}'",
        "orderByKey": "metrics.`value`",
        "orderByAsc": str(ascending).lower(),
    }
    return f"/#/experiments/{experiment_id}/runs?{urlencode(query, quote_via=quote)}"


@_explaining
def artifact(uri: str | None, run_id: str, path: str) -> Path:
    """A local path of a run's artifact: the file itself beside a local store, else a download. Raises NotFound."""
    return _artifact(_source(uri), run_id, path)


@_explaining
def predictions(uri: str | None, run_id: str, numbers: Sequence[int]) -> dict[int, bytes]:
    """The stored predictions of these trials of the launch `run_id`, of those that have any."""
    source, found = _source(uri), {}
    for number in numbers:
        with contextlib.suppress(NotFound, OSError):
            found[number] = _artifact(source, run_id, schema.predictions_file(number)).read_bytes()
    return found


@_explaining
def launch_data(uri: str | None, launch: LaunchRecord, key: str) -> Any:
    """The JSON of a launch's tag, also of one that was too long for a tag; None where there is no such tag."""
    return _parsed(_source(uri), launch.run_id, launch.tags, key)


@_explaining
def model_folder(uri: str | None, run_id: str) -> Path:
    """The folder that was given to `Writer.log_model` in this launch, as a local path. Raises NotFound."""
    source = _source(uri)
    _run(source, run_id)
    location = source.model_location(run_id)
    if location is None:
        raise NotFound(f"the run {run_id} has no model")
    local = local_path(location) or source.download_model(location)
    if not (local / models.DATA).is_dir():
        raise NotFound(f"the model of the run {run_id} is not at {location} any more")
    return local / models.DATA


def _source(uri: str | None) -> Source:
    address = store.store_uri(uri)
    if not store.store_exists(address):
        raise NotFound(f"there is no store at {store.redact(address)}; a sweep creates it")
    return open_source(address)


def _launch_runs(source: Source, name: str) -> list[Any]:
    experiment_id = source.experiment(name)
    if experiment_id is not None:
        runs = list(source.runs([experiment_id], {schema.KIND: "launch"}))
        if runs:
            return runs
    # Not the name itself, whose launches may have been deleted.
    known = sorted({*source.sweeps().values()} - {name})
    raise NotFound(f"there is no sweep {name!r}{hint(name, known, most=3) or '; the store holds no sweeps'}")


def _run(source: Source, run_id: str) -> Any:
    found = source.run(run_id)
    if found is None:
        raise NotFound(f"there is no run {run_id!r}")
    return found


def _launches(source: Source, name: str, runs: Sequence[Any]) -> list[LaunchRecord]:
    """The launches of these runs, which are all of a sweep's, in their order."""
    numbers = launch_numbers(runs)
    return [_launch(source, name, run, numbers[run.info.run_id]) for run in runs]


def _launch(source: Source, name: str, run: Any, number: int) -> LaunchRecord:
    tags = launch_tags.tags_of(run)
    stored = functools.partial(_parsed, source, run.info.run_id, tags)
    state = tags.get(schema.STATE, "running")
    if run.info.status == "RUNNING" or state not in schema.LAUNCH_STATUS:
        state = "running"
    done = stored(schema.DONE) if state != "running" else None
    if done is None:
        done = {}
        for trial, committed in _trial_runs(source, run.info.experiment_id, run.info.run_id):
            key = trial.data.tags[schema.STATE] if committed else "running"
            done[key] = done.get(key, 0) + 1
    best = stored(schema.BEST)
    score = _finite_or_infinite(run.data.metrics.get(schema.TEST_SCORE, math.nan))
    total = tags.get(schema.TOTAL, "")
    return LaunchRecord(
        run_id=run.info.run_id,
        name=name,
        number=number,
        state=state,
        method=tags.get(schema.METHOD, ""),
        started=records.utc(run.info.start_time),
        ended=records.utc(run.info.end_time) if run.info.end_time and state != "running" else None,
        total=int(total) if total.isdigit() else None,
        done=done,
        best=None if best is None else records.best_from_json(best),
        test_score=score if math.isfinite(score) else None,
        ensemble=stored(schema.ENSEMBLE) or [],
        expected=_expected(run.data.metrics),
        threshold=run.data.metrics.get(schema.DECISION_THRESHOLD),
        tags=tags,
        by_hand=stored(schema.BY_HAND) or (),
        space_changes=stored(schema.SPACE_CHANGES) or (),
        stopped=json.loads(tags[schema.STOPPED])["text"] if tags.get(schema.STOPPED) else None,
    )


def _expected(metrics: Mapping[str, float]) -> dict[str, float] | None:
    keys = {"score": schema.EXPECTED_SCORE, "low": schema.EXPECTED_LOW, "high": schema.EXPECTED_HIGH}
    if not all(math.isfinite(metrics.get(name, math.nan)) for name in keys.values()):
        return None
    return {key: metrics[name] for key, name in keys.items()}


def _json(source: Source, run: Any, key: str) -> Any:
    return _parsed(source, run.info.run_id, run.data.tags, key)


def _parsed(source: Source, run_id: str, tags: Mapping[str, str], key: str) -> Any:
    text = tags.get(key)
    if text is None:
        return None
    if text.startswith(records.ARTIFACT):
        text = _artifact(source, run_id, text.removeprefix(records.ARTIFACT)).read_text(encoding="utf-8")
    return json.loads(text)


def _artifact(source: Source, run_id: str, path: str) -> Path:
    root = local_path(_run(source, run_id).info.artifact_uri)
    if root is None:
        return _downloaded(source, run_id, path)
    local = (root / path).resolve()
    if not local.is_relative_to(root.resolve()) or not local.exists():
        raise NotFound(f"the run {run_id} has no artifact {path!r}")
    return local


def _downloaded(source: Source, run_id: str, path: str) -> Path:
    from mlflow.exceptions import MlflowException

    try:
        return source.download_artifact(run_id, path)
    except (MlflowException, OSError) as error:
        raise NotFound(f"the run {run_id} has no artifact {path!r}") from error


def local_path(location: str) -> Path | None:
    """The path of a `file:` address or a plain path, None for an address elsewhere."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(location)


def _finite_or_infinite(value: float) -> float:
    """Databases hold infinities as the largest finite number; no loss or score is that large otherwise."""
    return math.copysign(math.inf, value) if abs(value) > 1.79e308 else value
