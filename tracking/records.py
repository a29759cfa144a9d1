"""Trials and launches as plain data, and the one translation to and from what MLflow can hold: short strings.

MLflow cuts tags at 8,000 and params at 6,000 characters without a word. A longer text becomes an artifact of the run,
and the tag holds `artifact:` and its path.
"""

import json
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import schema

TAG_LIMIT = 8000
PARAM_LIMIT = 6000
ARTIFACT = "artifact:"
# Where `TrialRecord.rebuild` has the objective by epoch: Optuna's name for it.
CURVE = "intermediate_values"

# Lone surrogates, which file names that are not UTF-8 have, are refused by every store; the NUL character by some.
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


# How the reason begins of a trial that was not given all its folds.
BEHIND = "behind after"
# Not what a scheduler of others may say of a trial that it has stopped.
_DIVERGED = re.compile(r"diverged( in epoch \d+)?")


@dataclass(frozen=True)
class TrialRecord:
    """All that is durable of one trial; also what observers and `show` see of it.

    Attributes:
        number: The trial, from 0.
        state: running, complete, pruned or failed.
        value: The objective, which may be NaN or infinite; None where there is none.
        params: The searched hyperparameters as they were sampled: numbers, strings, lists.
        epochs: How many epochs were trained.
        reason: Why it was pruned or failed.
        attempt: How often it was begun, this time included.
        best_epochs: The best epoch of each of its networks (seeds and folds), if it is complete or behind.
        values: The objective of each of its networks, as far as all of the same folds have ended.
        spread: The standard deviation of the objective over its networks; None for a single network.
        seeds: The seeds of its networks.
        rebuild: What a sampler and a pruner need to go on from it, as JSON data; the keys of mappings come back as strings.
        run_id: The id of its MLflow run, where that is known.
        configuration: Of a trial that has copied others, the configuration by which its network is trained from the start;
            that of all other trials follows from `params`.
        copied: (epoch, trial) of each time that it copied another trial.
    """

    number: int
    state: str
    value: float | None
    params: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 0
    reason: str | None = None
    attempt: int = 1
    best_epochs: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    spread: float | None = None
    seeds: tuple[int, ...] = ()
    rebuild: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    configuration: Mapping[str, Any] | None = None
    copied: tuple[tuple[int, int], ...] = ()

    @property
    def curve(self) -> Sequence[float]:
        """The objective by epoch, of a trial that has just ended or was read with `rebuild`; else empty."""
        return self.rebuild.get(CURVE) or ()

    @property
    def diverged(self) -> bool:
        """Whether it was pruned because its numbers were not finite any more."""
        return self.state == "pruned" and _DIVERGED.fullmatch(self.reason or "") is not None

    @property
    def behind(self) -> bool:
        """Whether it was not given all its folds because others of its batch did better on the first ones."""
        return self.state == "pruned" and (self.reason or "").startswith(BEHIND)


@dataclass(frozen=True)
class TrialWrite:
    """An attempt of a trial as it stands, and what is to be added to its run.

    Attributes:
        record: The trial, without `rebuild`; in any state but running, the write is its commit.
        metrics: (key, value, step) of each new point.
        now: The time of the write, in milliseconds since 1970.
        tags: The tags of the run, those of a committed record (`trial_tags`) among them.
        started: When the trial began, in milliseconds since 1970, for the write that creates its run; by default `now`.
        files: Artifacts of the launch that are written before, by path, their contents in base64.
    """

    record: TrialRecord
    metrics: Sequence[tuple[str, float, int]]
    now: int
    tags: Mapping[str, str] = field(default_factory=dict)
    started: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LaunchRecord:
    """One launch of a sweep.

    Attributes:
        run_id: The id of its MLflow run.
        name: The sweep's name.
        number: Which launch of the sweep it is, counted from 1.
        state: running, finished, failed or interrupted.
        method: The search method.
        started: When it began, in UTC.
        ended: When it ended, in UTC; None while it runs.
        total: How many trials the sweep counts.
        done: The number of its trials by state.
        best: Its best trial, once it is finished.
        test_score: The final model's score on the test part; None where there is no test part, or no score yet.
        ensemble: The trials that the model is made of and their weights, {"number", "weight"}; empty for a single trial's.
        expected: What the model is expected to score, {"score", "low", "high"}; None where that is not known.
        threshold: The probability of the second of two classes above which the model predicts it; None: the likeliest is predicted.
        tags: The tags of its run; of texts that were stored as artifacts still the path.
        by_hand: Its trials by hand: {"number", "params", "request"}; they come on top of `total`.
        space_changes: How the ranges of its space changed: {"number", "by", "ranges", "before"}.
        stopped: Why its search ended before the budget, in words; None where nothing ended it.
    """

    run_id: str
    name: str
    number: int
    state: str
    method: str
    started: datetime
    ended: datetime | None
    total: int | None
    done: Mapping[str, int]
    best: TrialRecord | None
    test_score: float | None
    ensemble: Sequence[Mapping[str, Any]]
    expected: Mapping[str, float] | None
    threshold: float | None
    tags: Mapping[str, str]
    by_hand: Sequence[Mapping[str, Any]] = ()
    space_changes: Sequence[Mapping[str, Any]] = ()
    stopped: str | None = None

    @property
    def metric(self) -> str:
        """The objective's curve; launches that do not say it were by the score."""
        return self.tags.get(schema.METRIC, "val_score")

    @property
    def direction(self) -> str:
        """Whether the objective is to "maximize" or to "minimize"."""
        return self.tags.get(schema.DIRECTION, "maximize")


def dumps(value: Any) -> str:
    """JSON in one line, NumPy values as plain numbers and lists, NaN and infinities as Python's `json` has them."""
    text = json.dumps(value, separators=(",", ":"), default=_plain, ensure_ascii=False)
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} {value!r} is not JSON data")


def param_text(value: Any) -> str:
    """A hyperparameter as users read it: strings bare, the rest as JSON; a long one is visibly cut."""
    text = _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else dumps(value)
    return text if len(text) <= PARAM_LIMIT else text[: PARAM_LIMIT - 40] + f"... (whole in the tag {schema.RECORD})"


def param_texts(params: Mapping[str, Any]) -> dict[str, str]:
    """Hyperparameters as MLflow's params."""
    return {key: param_text(value) for key, value in params.items()}


def fit(tags: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The tags as they fit, and by path the texts that must become artifacts; their tags then hold that path."""
    short: dict[str, str] = {}
    long: dict[str, str] = {}
    for key, given in tags.items():
        text = _SURROGATES.sub("\ufffd", given)
        # A short text that looks like our own reference becomes an artifact too, so that a reference is never
        # ambiguous; so does one that not every database takes.
        if len(text) <= TAG_LIMIT and not text.startswith(ARTIFACT) and "\x00" not in text:
            short[key] = text
        else:
            path = artifact_of(key, text)
            short[key] = ARTIFACT + path
            long[path] = text
    return short, long


def artifact_of(key: str, text: str) -> str:
    """The path of the artifact with the text of a tag."""
    return f"{schema.LONG_TAGS}/{key}.{'json' if text[:1] in '{[' else 'txt'}"


def spreads(record: TrialRecord) -> dict[str, float]:
    """How far a trial's networks are apart, as metrics: in all, and where it has several folds and seeds between each.

    The variance of all values is that of the folds' means and the mean of the variances within folds.
    """
    if record.spread is None:
        return {}
    found, n_seeds = {schema.SPREAD: float(record.spread)}, len(record.seeds)
    has_both = 1 < n_seeds < len(record.values) and len(record.values) % n_seeds == 0
    if has_both and all(map(math.isfinite, record.values)):
        folds = [record.values[first : first + n_seeds] for first in range(0, len(record.values), n_seeds)]
        found[schema.FOLD_SPREAD] = statistics.pstdev(statistics.fmean(fold) for fold in folds)
        found[schema.SEED_SPREAD] = math.sqrt(statistics.fmean(statistics.pvariance(fold) for fold in folds))
    return found


def trial_tags(record: TrialRecord) -> dict[str, str]:
    """The tags of a committed trial: the exact data as JSON, and what users filter by as tags of their own."""
    data: dict[str, Any] = {
        "value": record.value,
        "params": record.params,
        "epochs": record.epochs,
        "reason": record.reason,
        "kept_epochs": record.best_epochs,
        "values": record.values,
        "spread": record.spread,
        "seeds": record.seeds,
    }
    if record.copied:
        data |= {"configuration": record.configuration, "copied": record.copied}
    tags = {schema.STATE: record.state, schema.SEEDS: dumps(record.seeds), schema.RECORD: dumps(data)}
    if record.copied:
        tags[schema.COPIED] = ", ".join(f"trial {number} at epoch {epoch}" for epoch, number in record.copied)
        tags[schema.NOTE] = (
            f"Copied {tags[schema.COPIED]}. The parameters are what the trial began with; by this configuration its network is "
            f"trained from the start:\n\n```json\n{param_text(record.configuration)}\n```"
        )
    if record.reason is not None:
        tags[schema.REASON] = record.reason
    if record.rebuild:
        tags[schema.REBUILD] = dumps(record.rebuild)
    return tags


def trial_from_tags(
    tags: Mapping[str, str],
    record: Mapping[str, Any] | None,
    rebuild: Mapping[str, Any],
    *,
    run_id: str,
    committed: bool,
) -> TrialRecord:
    """The trial of a run; `record` and `rebuild` are the JSON of their tags. Without a commit it counts as running."""
    number, attempt = int(tags[schema.NUMBER]), int(tags.get(schema.ATTEMPT, "1"))
    record = record or {}
    state = tags.get(schema.STATE, "running")
    if not committed or state not in schema.TRIAL_STATUS:
        return TrialRecord(number, "running", None, record.get("params", {}), attempt=attempt, run_id=run_id)
    return TrialRecord(number, state, attempt=attempt, rebuild=rebuild, run_id=run_id, **_stored(record))


def best_json(record: TrialRecord, run_id: str | None) -> dict[str, Any]:
    """What a launch stores of its best trial, as JSON data."""
    schedule = {"configuration": record.configuration, "copied": record.copied} if record.copied else {}
    return {
        "number": record.number,
        "run_id": run_id,
        "params": record.params,
        "value": record.value,
        "epochs": record.epochs,
        "kept_epochs": record.best_epochs,
        "values": record.values,
        "spread": record.spread,
        "seeds": record.seeds,
        **schedule,
    }


def best_from_json(stored: Mapping[str, Any]) -> TrialRecord:
    """The best trial, from what `best_json` has stored."""
    return TrialRecord(stored["number"], "complete", run_id=stored.get("run_id"), **_stored(stored))


def _stored(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a trial's tag and the launch's best trial have in common."""
    return {
        "value": data.get("value"),
        "params": data.get("params", {}),
        "epochs": data.get("epochs", 0),
        "reason": data.get("reason"),
        "best_epochs": tuple(data.get("kept_epochs", ())),
        "values": tuple(data.get("values", ())),
        "spread": data.get("spread"),
        "seeds": tuple(data.get("seeds", ())),
        "configuration": data.get("configuration"),
        "copied": tuple((epoch, number) for epoch, number in data.get("copied", ())),
    }


def utc(milliseconds: int) -> datetime:
    """MLflow's milliseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
