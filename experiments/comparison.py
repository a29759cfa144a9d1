"""Launches side by side: the settings that differ, what they scored, whether that is noise, and how they got there."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..tracking import reader, schema
from ..tracking.records import TrialRecord
from .errors import UserError
from .launches import Chosen, choose, split
from .noise import difference, same_question
from .ranking import best_of_launch, best_so_far


def comparison(names: Sequence[str], tracking_uri: str | None = None) -> dict[str, Any]:
    """What `mlptune compare --json` prints.

    Args:
        names: Sweeps, which mean their newest finished launch each, and launches such as `cars#2`; of one sweep alone, all of
            its launches.
        tracking_uri: The store.

    Raises:
        NotFound: If one is not there, with the nearest name.
        UserError: If there are not two different launches.
    """
    chosen = _chosen(names, tracking_uri)
    specs = [_dotted(reader.launch_data(tracking_uri, one.launch, schema.SPEC) or {}) for one in chosen]
    trials = [reader.trials(tracking_uri, one.run_id, rebuild=False) for one in chosen]
    return {
        "launches": [_launch(one, found) for one, found in zip(chosen, trials, strict=True)],
        "settings": _settings(specs),
        "same_question": all(same_question(chosen[0].launch, one.launch) for one in chosen[1:]),
        "differences": _differences(chosen),
    }


def _chosen(names: Sequence[str], uri: str | None) -> list[Chosen]:
    if len(names) == 1 and split(names[0])[1] is None:
        launches = reader.launches(uri, names[0])
        names = [f"{launch.name}#{launch.number}" for launch in reversed(launches)]
    chosen = list({one.run_id: one for one in (choose(uri, name) for name in names)}.values())
    if len(chosen) < 2:
        only = chosen[0].launch
        raise UserError(f"compare needs two launches; there is only {only.name}#{only.number}")
    return chosen


def _launch(chosen: Chosen, trials: Sequence[TrialRecord]) -> dict[str, Any]:
    launch = chosen.launch
    best = best_of_launch(launch, trials)
    return {
        "name": launch.name,
        "launch": launch.number,
        "run_id": launch.run_id,
        "state": chosen.state,
        "method": launch.method,
        "metric": launch.tags.get(schema.METRIC),
        "direction": launch.direction,
        "trials": len(trials),
        "best_value": None if best is None else best.value,
        "expected": None if launch.expected is None else dict(launch.expected),
        "test_score": launch.test_score,
        "best_so_far": best_so_far(trials, launch.direction),
    }


def _dotted(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a sweep file with their tables' names before them."""
    found: dict[str, Any] = {}
    for key, value in tables.items():
        found |= {f"{key}.{inner}": v for inner, v in value.items()} if isinstance(value, Mapping) else {key: value}
    return found


def _settings(specs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The keys of the sweep file in which not all are equal, but for the name; a key that is not there is null."""
    keys = dict.fromkeys(key for spec in specs for key in spec if key != "name")
    rows = [{"key": key, "values": [spec.get(key) for spec in specs]} for key in keys]
    return [row for row in rows if any(value != row["values"][0] for value in row["values"])]


def _differences(chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
    """How much better the best of them is than each of the others that it can be compared with."""
    numbered = list(enumerate(one.launch for one in chosen))
    comparable = [
        [(place, gap) for place, other in numbered if place != top and (gap := difference(launch, other)) is not None]
        for top, launch in numbered
    ]
    best = max(
        range(len(chosen)), key=lambda top: (len(comparable[top]), all(gap.value >= 0 for _, gap in comparable[top]))
    )
    return [
        {"better": best, "other": place, "by": gap.value, "of": gap.of, "beyond_noise": gap.beyond_noise}
        for place, gap in comparable[best]
    ]
