"""Which launch of a sweep is its k-th: a number that stays when other launches are deleted."""

from collections.abc import Iterable
from typing import Any

from . import schema


def launch_numbers(runs: Iterable[Any]) -> dict[str, int]:
    """The number of each launch by its run id, counted from 1 in order of start; `runs` are those of all launches of one sweep.

    It is a tag of the launch's run. Launches of 0.1.0 have none and are counted, until `delete` gives them theirs.
    """
    numbers: dict[str, int] = {}
    last = 0
    for run in sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id)):
        tag = run.data.tags.get(schema.LAUNCH, "")
        last = int(tag) if tag.isdigit() else last + 1
        numbers[run.info.run_id] = last
    return numbers


def next_number(runs: Iterable[Any]) -> int:
    """The number of a launch that is begun after these."""
    return max(launch_numbers(runs).values(), default=0) + 1
