"""The tags of a launch: gathered in few, whatever their texts and sizes, and found again by their names."""

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlptune.tracking import launch_tags, records, schema

GATHERED = [name for names in schema.GATHERED.values() for name in names]
TEXTS = st.text(max_size=50) | st.integers(100, 9000).map("é".__mul__) | st.just('{"a": "b"}' * 400)
TAGS = st.dictionaries(st.sampled_from([*GATHERED, schema.STATE, schema.METHOD, "mine"]), TEXTS)


def run(tags: dict[str, str]) -> Any:
    return SimpleNamespace(data=SimpleNamespace(tags=tags))


@given(TAGS, TAGS)
def test_written_twice_all_are_found_again_by_their_names(first: dict[str, str], second: dict[str, str]) -> None:
    tags, files = launch_tags.stored(first, before={})
    changed, more = launch_tags.stored(second, before=tags)
    tags, files = {**tags, **changed}, {**files, **more}
    assert not tags.keys() & set(GATHERED)
    assert all(len(text) <= records.TAG_LIMIT for text in tags.values())
    found = launch_tags.tags_of(run(tags))
    whole = {
        name: files[text.removeprefix(records.ARTIFACT)] if text.startswith(records.ARTIFACT) else text
        for name, text in found.items()
    }
    assert whole == {**first, **second}


def test_a_launch_of_a_version_that_had_each_by_itself_is_read_and_goes_on() -> None:
    old = {schema.STATE: "interrupted", schema.BUDGET: "8 trials", schema.SEED: "3", schema.DIRECTION: "minimize"}
    changed, _ = launch_tags.stored({schema.STATE: "running", schema.BUDGET: "9 trials"}, before=old)
    assert json.loads(changed[schema.SETUP]) == {"budget": "9 trials"}
    assert launch_tags.tags_of(run({**old, **changed})) == {**old, schema.STATE: "running", schema.BUDGET: "9 trials"}
