"""Trials and launches as plain data, and their one translation to and from what MLflow can hold: short strings.

MLflow cuts tags at 8,000 and params at 6,000 characters without a word. A longer text becomes an artifact of the run,
and the tag holds `artifact:` and its path.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import schema

TAG_LIMIT = 8000
PARAM_LIMIT = 6000
ARTIFACT = "artifact:"

# Halves of characters, as file names that are no UTF-8 have, are taken by no store, the end of a text in C not by every one.
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class TrialRecord:
    """All that is durable of one trial.

    `value` is the objective (None: none; it may be NaN or infinite), `params` as sampled (numbers, strings, lists),
    `epochs` those trained, `kept_epochs` one per network, `spread` the standard deviation over the networks. `rebuild`
    is JSON for whoever sets up the searcher again; the keys of its mappings come back as strings. A trial that has
    copied others, `copied` as (epoch, trial), has a `configuration` of its own, by which its network is trained; the
    others' follows from their params. `run_id` is MLflow's, known when read back.
    """

    number: int
    state: str
    value: float | None
    params: Mapping[str, Any]
    epochs: int
    reason: str | None = None
    attempt: int = 1
    kept_epochs: tuple[int, ...] = ()
    spread: float | None = None
    seeds: tuple[int, ...] = ()
    rebuild: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    configuration: Mapping[str, Any] | None = None
    copied: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class LaunchRecord:
    """One launch of a sweep: `done` counts its trials by state, `best` is the best one as `best_dict` has it, or None.

    `started` is in UTC; `test_score` is None where there is no test part or no score yet; `tags` are those of the run,
    texts that were stored as artifacts still by their path.
    """

    run_id: str
    name: str
    state: str
    method: str
    started: datetime
    total: int | None
    done: Mapping[str, int]
    best: Mapping[str, Any] | None
    test_score: float | None
    tags: Mapping[str, str]


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
    """A hyperparameter as people read it: strings bare, the rest as JSON; a long one is cut visibly."""
    text = _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else dumps(value)
    return text if len(text) <= PARAM_LIMIT else text[: PARAM_LIMIT - 40] + f"... (whole in the tag {schema.RECORD})"


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
            path = f"tags/{key}.{'json' if text[:1] in '{[' else 'txt'}"
            short[key] = ARTIFACT + path
            long[path] = text
    return short, long


def trial_tags(record: TrialRecord) -> dict[str, str]:
    """The tags of a committed trial; those that people filter by stand alone, the exact data is JSON."""
    data: dict[str, Any] = {
        "value": record.value,
        "params": record.params,
        "epochs": record.epochs,
        "reason": record.reason,
        "kept_epochs": record.kept_epochs,
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
        return TrialRecord(number, "running", None, record.get("params", {}), 0, attempt=attempt, run_id=run_id)
    return TrialRecord(
        number=number,
        state=state,
        value=record.get("value"),
        params=record.get("params", {}),
        epochs=record.get("epochs", 0),
        reason=record.get("reason"),
        attempt=attempt,
        kept_epochs=tuple(record.get("kept_epochs", ())),
        spread=record.get("spread"),
        seeds=tuple(record.get("seeds", ())),
        rebuild=rebuild,
        run_id=run_id,
        configuration=record.get("configuration"),
        copied=_pairs(record.get("copied", ())),
    )


def _pairs(value: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((epoch, number) for epoch, number in value)


def best_dict(record: TrialRecord, run_id: str | None) -> dict[str, Any]:
    """What the launch says about its best trial."""
    schedule = {"configuration": record.configuration, "copied": record.copied} if record.copied else {}
    return {
        "number": record.number,
        "run_id": run_id,
        "params": record.params,
        "value": record.value,
        "epochs": record.epochs,
        "kept_epochs": record.kept_epochs,
        "spread": record.spread,
        "seeds": record.seeds,
        **schedule,
    }


def utc(milliseconds: int) -> datetime:
    """MLflow's milliseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
