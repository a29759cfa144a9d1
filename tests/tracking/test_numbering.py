"""Numbers of launches: in order of start, and the same whatever happens to the others."""

from types import SimpleNamespace
from typing import Any

from mlptune.tracking import schema
from mlptune.tracking.numbering import launch_numbers, next_number


def run(run_id: str, start: int, number: int | None = None) -> Any:
    tags = {} if number is None else {schema.LAUNCH: str(number)}
    return SimpleNamespace(info=SimpleNamespace(run_id=run_id, start_time=start), data=SimpleNamespace(tags=tags))


def test_launches_of_older_versions_are_counted_and_later_ones_go_on() -> None:
    assert launch_numbers([run("c", 3, 3), run("b", 2), run("a", 1)]) == {"a": 1, "b": 2, "c": 3}
    assert launch_numbers([run("c", 3, 3), run("a", 1, 1)]) == {"a": 1, "c": 3}
    assert next_number([run("a", 1), run("d", 4, 7)]) == 8
    assert next_number([]) == 1
