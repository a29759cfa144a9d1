"""Copies of rows: found whatever the file, told from rows that agree by chance, and never on both sides of a split."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.data.repeats import count_shared, repeated_rows


def rich(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {"size": rng.normal(size=n).round(4), "age": rng.integers(20, 70, n), "colour": rng.choice(["a", "b"], n)}
    return pd.DataFrame(columns)


def loaded(tmp_path: Path, frame: pd.DataFrame, **data: Any) -> Dataset:
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec, _ = load_spec({"name": "t", "data": {"source": str(tmp_path / "t.csv"), "target": "y", **data}})
    return Dataset.load(spec.data, spec.seed, tmp_path)


@settings(max_examples=30)
@given(n=st.integers(4, 60), seed=st.integers(0, 2**32 - 1))
def test_rows_are_the_same_exactly_if_pandas_says_so(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = rich(30).iloc[rng.integers(0, 30, n)].reset_index(drop=True)
    y = (frame["age"] % 2).to_numpy()
    codes = repeated_rows(frame, y)
    expected = frame.assign(y=y).groupby([*frame, "y"]).ngroup().to_numpy()
    if codes is None:
        assert len(np.unique(expected)) == n or n > 5 * len(np.unique(expected))
    else:
        assert len(np.unique(codes)) == len(np.unique(expected)) == len(set(zip(codes, expected, strict=True)))


def test_a_file_of_texts_has_the_same_copies() -> None:
    frame = pd.concat([rich(40), rich(40)[:10]], ignore_index=True)
    frame["note"] = np.where(np.arange(50) % 10 == 0, None, "x")
    texts = frame.astype(object).map(lambda cell: cell if cell is None or isinstance(cell, str) else f" {cell:.6f}")
    y = np.concatenate([np.arange(40), np.arange(10)])
    codes = repeated_rows(frame, y)
    assert codes is not None
    np.testing.assert_array_equal(codes[40:], codes[:10])
    np.testing.assert_array_equal(repeated_rows(texts, y), codes)
    assert repeated_rows(frame, np.arange(50)) is None  # of another target, so no copies


@pytest.mark.parametrize("name", ["id", "row"])
def test_numbers_of_the_rows_do_not_hide_copies(name: str) -> None:
    frame = pd.concat([rich(40), rich(40)[:10]], ignore_index=True)
    assert repeated_rows(frame.assign(**{name: np.arange(50)}), np.zeros(50)) is not None
    assert repeated_rows(frame.assign(**{name: np.arange(50) ** 2 % 977 + 0.5}), np.zeros(50)) is None


def test_rows_that_agree_by_chance_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    answers = pd.DataFrame({f"q{i}": rng.integers(0, 3, 500) for i in range(5)})
    assert answers.duplicated().sum() > 200
    assert repeated_rows(answers, np.zeros(500)) is None
    country = rng.permutation(np.arange(2000) % 100)
    countries = pd.DataFrame({"country": [f"c{i}" for i in country], "people": rng.normal(size=100)[country]})
    assert repeated_rows(countries, country % 2) is None
    assert repeated_rows(countries[:0].reindex(range(50)), np.zeros(50)) is None


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("cut", [{"folds": 5}, {"validation": 0.25}])
def test_copies_are_on_one_side_of_every_split(tmp_path: Path, task: str, cut: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    frame = rich(160)
    frame["y"] = rng.integers(0, 3, 160) if task == "classification" else rng.normal(size=160).round(5)
    copied = pd.concat([frame, frame[:60], frame[:20], frame[40:50]], ignore_index=True)
    copied = copied.sample(frac=1.0, random_state=0).reset_index(drop=True)
    data = loaded(tmp_path, copied, task=task, **cut)
    split, which = data._split, copied.groupby(list(copied)).ngroup().to_numpy()
    parts = [(split.development, split.test), *split.parts]
    assert all(not set(which[one]) & set(which[other]) for one, other in parts)
    assert len(split.test) == 50
    assert len({len(train) for train, _ in split.parts}) == 1  # so that folds train in one stack
    assert sum(len(held) for _, held in split.parts) == (200 if "folds" in cut else 50)
    if task == "classification":
        shares = np.bincount(copied["y"]) / len(copied)
        for rows in [split.test, *(held for _, held in split.parts)]:
            np.testing.assert_allclose(np.bincount(copied["y"][rows]) / len(rows), shares, atol=0.08)
    assert 'data.duplicates = "apart"' in data.messages[-1]
    again = loaded(tmp_path, copied, task=task, **cut)
    assert again.fingerprint == data.fingerprint
    apart = loaded(tmp_path, copied, task=task, duplicates="apart", **cut)
    assert set(which[apart._split.development]) & set(which[apart._split.test])
    assert not any("duplicates" in line for line in apart.messages)


def test_without_copies_nothing_changes(tmp_path: Path) -> None:
    frame = rich(90).assign(y=np.arange(90) % 2)
    together, apart = loaded(tmp_path, frame), loaded(tmp_path, frame, duplicates="apart")
    assert together.fingerprint == apart.fingerprint
    assert together.messages == apart.messages


def test_a_few_different_rows_are_split_all_the_same(tmp_path: Path) -> None:
    frame = pd.concat([rich(4).assign(y=[0, 1, 0, 1])] * 4, ignore_index=True)
    data = loaded(tmp_path, frame, folds=5)
    assert all(len(held) for _, held in data._split.parts)


def test_rows_of_a_test_file_that_were_trained_on_are_told(tmp_path: Path) -> None:
    frame = rich(90).assign(y=np.arange(90) % 2)
    pd.concat([frame[:7], rich(30, seed=2).assign(y=np.arange(30) % 2)]).to_csv(tmp_path / "test.csv", index=False)
    data = loaded(tmp_path, frame, test="test.csv")
    assert any("7 rows of test.csv are in" in line for line in data.messages)
    assert count_shared(frame, np.zeros(90), 45) == 0
