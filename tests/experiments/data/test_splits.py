"""The parts of a split: every row once, sizes as told, classes in proportion, groups apart, time in order."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.data.splits import Split, split_rows
from mlptune.experiments.errors import UserError

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.1, 0.2, 0.25, 0.5])


def assert_partition(split: Split, n_rows: int) -> None:
    everything = np.concatenate([split.development, split.test])
    np.testing.assert_array_equal(np.sort(everything), np.arange(n_rows))
    for train, validation in split.parts:
        assert len(train) > 0
        assert len(validation) > 0
        assert not set(train) & set(validation)
        assert set(train) | set(validation) <= set(split.development)


@given(n=st.integers(3, 200), seed=SEEDS, test_size=SHARES, validation=SHARES)
def test_holdout_has_every_row_once_and_the_size_asked_for(n, seed, test_size, validation):
    split = split_rows(n, seed=seed, test_size=test_size, validation=validation)
    assert_partition(split, n)
    [(train, held)] = split.parts
    assert len(train) + len(held) == len(split.development)
    assert abs(len(split.test) - n * test_size) <= 1
    assert abs(len(held) - len(split.development) * validation) <= 1


@given(
    n=st.integers(12, 200),
    k=st.integers(2, 10),
    seed=SEEDS,
    classes=st.integers(1, 6),
    test_size=st.sampled_from([0, 0.1]),
)
def test_folds_are_of_equal_size_and_each_row_validates_at_most_once(n, k, seed, classes, test_size):
    labels = np.random.default_rng(seed).integers(0, classes, n)
    split = split_rows(n, seed=seed, test_size=test_size, validation=0.2, folds=k, labels=labels)
    assert_partition(split, n)
    assert len({len(train) for train, _ in split.parts}) == 1
    validated = np.concatenate([held for _, held in split.parts])
    assert len(set(validated)) == len(validated)
    assert len(split.development) - len(validated) < k
    for train, held in split.parts:
        assert len(train) + len(held) == len(split.development)


@given(sizes=st.lists(st.integers(10, 60), min_size=2, max_size=5), seed=SEEDS, share=SHARES)
def test_holdout_gives_each_class_its_share(sizes, seed, share):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    split = split_rows(len(labels), seed=seed, test_size=share, validation=share, labels=labels)
    expected = np.array(sizes) * len(split.test) / len(labels)
    assert np.abs(np.bincount(labels[split.test], minlength=len(sizes)) - expected).max() <= 1
    [(train, _)] = split.parts
    assert set(labels[train]) == set(range(len(sizes)))


@given(sizes=st.lists(st.integers(12, 60), min_size=2, max_size=4), k=st.integers(2, 5), seed=SEEDS)
def test_folds_give_each_class_its_share(sizes, k, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    split = split_rows(len(labels), seed=seed, test_size=0, validation=0.2, folds=k, labels=labels)
    counts = np.array([np.bincount(labels[held], minlength=len(sizes)) for _, held in split.parts])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1


@given(seed=SEEDS, n_groups=st.integers(4, 30), k=st.sampled_from([None, 2, 3]))
def test_a_group_is_on_one_side_only(seed, n_groups, k):
    groups = np.random.default_rng(seed).integers(0, n_groups, 100)
    split = split_rows(100, seed=seed, test_size=0.2, validation=0.2, folds=k, groups=groups)
    assert_partition(split, 100)
    assert not set(groups[split.test]) & set(groups[split.development])
    for train, held in split.parts:
        assert not set(groups[train]) & set(groups[held])


@given(seed=SEEDS, k=st.sampled_from([None, 2, 4]))
def test_time_goes_from_training_over_validation_to_test(seed, k):
    times = np.random.default_rng(seed).normal(size=50)
    split = split_rows(50, seed=seed, test_size=0.2, validation=0.2, folds=k, times=times)
    assert_partition(split, 50)
    assert times[split.development].max() < times[split.test].min()
    for train, held in split.parts:
        assert times[train].max() < times[held].min()


@given(seed=SEEDS)
@settings(max_examples=20)
def test_what_labels_are_called_does_not_matter(seed):
    labels = np.random.default_rng(seed).integers(0, 4, 60)
    renamed = np.array([7, 3, 900, -5])[labels]
    one, other = (split_rows(60, seed=seed, test_size=0.2, validation=0.2, labels=codes) for codes in (labels, renamed))
    np.testing.assert_array_equal(one.test, other.test)
    np.testing.assert_array_equal(one.parts[0][0], other.parts[0][0])


def test_the_test_part_depends_on_the_seed_and_not_on_how_the_rest_is_cut():
    parts = [split_rows(100, seed=3, test_size=0.2, **rest).test for rest in ({"validation": 0.2}, {"validation": 0.5})]
    folded = split_rows(100, seed=3, test_size=0.2, validation=0.2, folds=4).test
    np.testing.assert_array_equal(parts[0], parts[1])
    np.testing.assert_array_equal(parts[0], folded)
    assert set(parts[0]) != set(split_rows(100, seed=4, test_size=0.2, validation=0.2).test)


def test_the_only_row_of_a_class_trains():
    labels = np.array([0] * 30 + [1] * 30 + [2])
    for seed in range(20):
        split = split_rows(61, seed=seed, test_size=0.3, validation=0.3, labels=labels)
        assert 60 in split.parts[0][0]


def test_classes_too_rare_for_every_part_are_told():
    split = split_rows(10, seed=0, test_size=0.2, validation=0.2, labels=np.arange(10))
    assert len(split.test) == 2
    assert "without regard to classes" in split.messages[0]


@pytest.mark.parametrize(
    ("n", "settings", "message"),
    [
        (2, {}, "2 rows are too few"),
        (5, {"folds": 5}, "5 rows are too few"),
        (50, {"groups": np.zeros(50, dtype=np.int64)}, "1 group is too few"),
    ],
)
def test_impossible_splits_are_refused(n, settings, message):
    with pytest.raises(UserError, match=re.escape(message)):
        split_rows(n, **{"seed": 0, "test_size": 0.2, "validation": 0.2, **settings})
