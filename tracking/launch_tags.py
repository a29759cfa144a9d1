"""The tags of a launch as the store has them: few that users read, and what only programs read gathered in two, as JSON.

All other modules know each tag by its name, wherever it lies: `stored` gathers on the way in, `tags_of` spreads on the way out.
Launches of 0.1.0 have each tag by itself, and are read and continued alike.
"""

import json
from collections.abc import Mapping
from typing import Any

from . import records, schema

_PREFIX = "mlptune."


def tags_of(run: Any) -> dict[str, str]:
    """The tags of the launch of an MLflow run, each by its name."""
    tags = dict(run.data.tags)
    for holder in schema.GATHERED:
        tags |= _spread(tags.pop(holder, None))
    return tags


def stored(tags: Mapping[str, str], before: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """These tags of a launch as they are stored, and by path the texts that must become artifacts.

    Args:
        tags: By name, those that change.
        before: The tags of the launch's run, of which what is gathered and does not change is taken over.
    """
    short, long = records.fit(tags)
    for holder, names in schema.GATHERED.items():
        found = {name: short.pop(name) for name in names if name in short}
        if found:
            short[holder], more = _gathered({**_spread(before.get(holder)), **found})
            long |= more
    return short, long


def _gathered(tags: dict[str, str]) -> tuple[str, dict[str, str]]:
    """One text of these tags, and by path the longest of them where they are too long together."""
    long: dict[str, str] = {}
    while (
        len(text := records.dumps({name.removeprefix(_PREFIX): value for name, value in tags.items()}))
        > records.TAG_LIMIT
    ):
        name = max(tags, key=lambda name: len(tags[name]))
        path = records.artifact_of(name, tags[name])
        long[path] = tags[name]
        tags = {**tags, name: records.ARTIFACT + path}
    return text, long


def _spread(text: str | None) -> dict[str, str]:
    return {} if text is None else {_PREFIX + name: value for name, value in json.loads(text).items()}
