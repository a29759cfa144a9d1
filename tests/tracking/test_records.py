"""Records survive the way through tags, whatever is in them."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.tracking import records, schema
from mlptune.tracking.records import TrialRecord

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_data = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
trial_records = st.builds(
    TrialRecord,
    number=st.integers(0, 10**6),
    state=st.sampled_from(sorted(schema.TRIAL_STATUS)),
    value=st.none() | st.floats(allow_nan=False),
    params=st.dictionaries(st.text(), scalars | st.lists(st.integers())),
    epochs=st.integers(0, 10**6),
    reason=st.none() | st.text(),
    attempt=st.integers(1, 100),
    best_epochs=st.lists(st.integers(1)).map(tuple),
    spread=st.none() | st.floats(0, allow_nan=False),
    seeds=st.lists(st.integers(0)).map(tuple),
    rebuild=st.dictionaries(st.text(), json_data),
    run_id=st.just("abc"),
)
epoch_and_trial = st.tuples(st.integers(1), st.integers(0))
schedules = st.tuples(st.dictionaries(st.text(), json_data), st.lists(epoch_and_trial, min_size=1).map(tuple))


@given(trial_records, st.none() | schedules)
def test_record_through_tags(record: TrialRecord, schedule: Any) -> None:
    if schedule is not None:
        record = replace(record, configuration=schedule[0], copied=schedule[1])
    tags = {
        **records.trial_tags(record),
        schema.NUMBER: str(record.number),
        schema.ATTEMPT: str(record.attempt),
    }
    assert all(isinstance(value, str) for value in tags.values())
    rebuild = json.loads(tags.get(schema.REBUILD, "{}"))
    back = records.trial_from_tags(tags, json.loads(tags[schema.RECORD]), rebuild, run_id="abc", committed=True)
    assert back == record


def test_uncommitted_trial_counts_as_running() -> None:
    tags = {schema.NUMBER: "3", schema.ATTEMPT: "2", schema.STATE: "complete"}
    back = records.trial_from_tags(tags, {"value": 1.0, "epochs": 5}, {}, run_id="abc", committed=False)
    assert (back.state, back.value, back.attempt) == ("running", None, 2)


def test_numpy_values_are_plain_numbers() -> None:
    data = {"a": np.float32(0.5), "b": np.int64(3), "c": np.array([1, 2]), "d": np.bool_(True)}
    assert json.loads(records.dumps(data)) == {"a": 0.5, "b": 3, "c": [1, 2], "d": True}
    assert math.isnan(json.loads(records.dumps(np.float64("nan"))))


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        records.dumps({"x": object()})


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=20) | st.just("x" * 8001) | st.just("artifact:etc"))
)
def test_long_tags_become_artifacts_without_loss(tags: dict[str, str]) -> None:
    short, long = records.fit(tags)
    assert short.keys() == tags.keys()
    for key, text in short.items():
        assert len(text) <= records.TAG_LIMIT
        whole = long[text.removeprefix(records.ARTIFACT)] if text.startswith(records.ARTIFACT) else text
        assert whole == tags[key]


def test_long_param_says_that_it_is_cut() -> None:
    text = records.param_text(list(range(5000)))
    assert len(text) <= records.PARAM_LIMIT
    assert schema.RECORD in text


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_the_spreads_between_folds_and_between_seeds_make_up_the_whole(folds: int, seeds: int, data: Any) -> None:
    values = np.array(data.draw(st.lists(st.floats(-1e3, 1e3), min_size=folds * seeds, max_size=folds * seeds)))
    spread = float(values.std()) if len(values) > 1 else None
    record = TrialRecord(0, "complete", 0.5, values=tuple(values.tolist()), seeds=tuple(range(seeds)), spread=spread)
    found = records.spreads(record)
    if spread is None:
        assert found == {}
    elif folds == 1 or seeds == 1:
        assert found == {schema.SPREAD: spread}
    else:
        assert found[schema.FOLD_SPREAD] == pytest.approx(values.reshape(folds, seeds).mean(axis=1).std(), abs=1e-9)
        assert math.hypot(found[schema.FOLD_SPREAD], found[schema.SEED_SPREAD]) == pytest.approx(spread, abs=1e-9)


def test_of_values_that_are_not_finite_there_is_only_the_whole() -> None:
    record = TrialRecord(0, "complete", 0.5, values=(1.0, math.inf, math.nan, 0.0), seeds=(1, 2), spread=math.nan)
    assert list(records.spreads(record)) == [schema.SPREAD]
