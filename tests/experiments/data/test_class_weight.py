"""Class weights multiply the weights of training rows, and of no others; what cannot be meant is said in a line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils import compute_class_weight

from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.class_weight import training_weights
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.data.target import Target
from mlptune.experiments.errors import UserError


def table(folder: Path, labels: tuple = ("no", "yes"), n: int = 300) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"a": generator.normal(size=n), "weight": generator.integers(0, 4, n)})
    frame["y"] = np.array(labels, dtype=object)[generator.integers(0, len(labels) + 2, n).clip(max=len(labels) - 1)]
    frame.to_csv(folder / "table.csv", index=False)
    return frame


def loaded(folder: Path, class_weight=None, **changes) -> Dataset:
    return Dataset.load(DataConfig(source="table.csv", target="y", **changes), 0, folder, class_weight)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
def test_balanced_is_scikit_learns(seed, classes, weighted):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, 40)
    weight = generator.uniform(0.1, 3, 40).astype(np.float32) if weighted else None
    found = training_weights("balanced", Target("y", "classification", tuple(range(classes))), y, weight)
    of_class = compute_class_weight("balanced", classes=np.unique(y), y=y, sample_weight=weight)
    own = np.ones(40) if weight is None else weight
    np.testing.assert_allclose(found, own * of_class[np.searchsorted(np.unique(y), y)], rtol=1e-6)
    assert found.dtype == np.float32
    assert found.sum() == pytest.approx(own.sum(), rel=1e-5)
    sums = np.bincount(y, found)
    np.testing.assert_allclose(sums[sums > 0], own.sum() / np.count_nonzero(sums), rtol=1e-5)


def test_a_class_whose_rows_weigh_nothing_is_not_counted():
    target = Target("y", "classification", ("a", "b", "c"))
    y, weight = np.array([0, 0, 0, 1, 2]), np.array([1, 1, 1, 1, 0], np.float32)
    assert training_weights("balanced", target, y, weight).tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 0])


@pytest.mark.parametrize("given", ["balanced", {"yes": 5.0}, {"yes": 5.0, "no": 0.0}])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_only_training_rows_are_weighed(tmp_path, given, weight):
    table(tmp_path)
    options = {"weight": weight, "folds": 3} if weight else {"folds": 3, "ignore": ["weight"]}
    plain, weighed = loaded(tmp_path, **options), loaded(tmp_path, given, **options)
    pairs = [*zip(plain.folds(), weighed.folds(), strict=True), (plain.development(), weighed.development())]
    for before, after in pairs:
        y, own = before.arrays.y, before.arrays.weight
        own = np.ones(len(y)) if own is None else own
        if given == "balanced":
            by_class = compute_class_weight("balanced", classes=np.array([0, 1]), y=y, sample_weight=own)
        else:
            by_class = np.array([given.get("no", 1.0), given["yes"]])
        np.testing.assert_allclose(after.arrays.weight, own * by_class[y], rtol=1e-6)
        for name in ("X", "y", "X_val", "y_val", "weight_val"):
            np.testing.assert_array_equal(getattr(before.arrays, name), getattr(after.arrays, name))
    for before, after in zip(plain.test()[1:], weighed.test()[1:], strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("labels", [(0, 1, 2), (0.5, 1.5, 2.0), (False, True), ("a b", "ü", "3")])
def test_labels_are_named_by_their_text(tmp_path, labels):
    table(tmp_path, labels)
    data = loaded(tmp_path, {str(labels[1]): 7.0}, ignore=["weight"], task="classification")
    arrays = data.folds()[0].arrays
    assert arrays.weight.tolist() == np.where(arrays.y == data.classes.index(labels[1]), 7.0, 1.0).tolist()


def test_the_fingerprint_has_them_where_they_are_given(tmp_path):
    table(tmp_path)
    prints = [loaded(tmp_path, given).fingerprint for given in (None, "balanced", {"yes": 2.0}, {"yes": 3})]
    assert len(set(prints)) == 4
    assert loaded(tmp_path, {"yes": 2}).fingerprint == prints[2]


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        (
            ("no", "yes"),
            {"yess": 2.0},
            "[model] class_weight: 'yess' is not a class of the target 'y'; did you mean 'yes'?",
        ),
        ((3, 4), {"9": 2.0}, "[model] class_weight: '9' is not a class of the target 'y'; known: 3, 4"),
        (
            (False, True),
            {"true": 2.0},
            "[model] class_weight: 'true' is not a class of the target 'y'; did you mean 'True'?",
        ),
        (
            ("no", "yes"),
            {"no": 0.0, "yes": 0.0},
            "[model] class_weight: no training row has a weight above 0; give some class that has rows one",
        ),
        (
            (0.1, 0.2, 0.3),
            "balanced",
            "[model] class_weight: the target 'y' is numbers (regression) and has no classes; leave it out, weigh the rows with "
            '[data] weight, or set [data] task = "classification"',
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path, labels, given, message):
    table(tmp_path, labels)
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, given, ignore=["weight"]).folds()
    assert str(caught.value) == message
