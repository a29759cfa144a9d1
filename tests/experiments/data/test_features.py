"""Features of one column: what cannot be used is found, what shares a feature is known, and older models stay as they are."""

import numpy as np
import pandas as pd

from mlptune.experiments.data.features import USUAL_LEVELS, Categorical, Feature, Levels, MissingIndicator, Numeric
from mlptune.experiments.data.reading import Reading


def encoded(feature: Feature, cells: list) -> list[list[float]]:
    out = np.zeros((len(cells), len(feature.names)), dtype=np.float32)
    feature.write(pd.Series(cells, dtype=object), out)
    return out.tolist()


def test_a_level_needs_five_rows_or_half_a_percent():
    assert [Levels().needed(n) for n in (10, 400, 1000, 10**6)] == [2, 2, 5, 5]
    assert Levels(1000, 2).needed(10**6) == 2


def test_unseen_categories_are_told_and_merged_ones_are_not():
    cells = pd.Series(["a"] * 20 + ["b"] * 20 + ["c", "d", "NA"])
    feature = Categorical.fit("x", cells, None, Levels())
    assert (feature.categories, feature.merged, feature.missing_indicator) == (("a", "b"), ("c", "d"), True)
    new = pd.Series(["a", "c", "z", "None", None])
    assert feature.unread(new).cells.tolist() == [False, False, True, False, False]
    assert encoded(feature, new.tolist()) == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_numbers_that_cannot_be_read_are_found():
    feature = Numeric.fit("x", "numeric", pd.Series([1.0, 2.0, 3.0]), None, Reading())
    unread = feature.unread(pd.Series(["$4", "many", "inf", None, "NA"]))
    assert unread.cells.tolist() == [False, True, True, False, False]
    assert unread.many


def test_a_word_that_means_missing_is_missing_in_any_column():
    assert encoded(MissingIndicator("x"), ["NA", "", None, "a", 3]) == [[1], [1], [1], [0], [0]]


def test_models_of_0_1_0_have_no_reading():
    stored = {"kind": "numeric", "column": "x", "fill": 1.0, "mean": 0.0, "scale": 1.0, "missing": False}
    assert encoded(Numeric.from_json(stored), ["2.5", 2.5, None]) == [[2.5], [2.5], [1.0]]
    assert Numeric.from_json(stored | {"kind": "date"}).reading == Reading(order="ymd")
    old = {"kind": "categorical", "column": "x", "categories": ["None", "01"], "rare": False, "missing": False}
    assert encoded(Categorical.from_json(old), ["None", 1, "1", "z"]) == [[1, 0], [0, 1], [0, 1], [0, 0]]
    assert Categorical.from_json(old).unread(pd.Series(["z"])).many
    assert not Categorical.from_json(old | {"rare": True}).unread(pd.Series(["z"])).many


def test_long_numbers_are_categories_to_the_last_digit():
    cells = pd.Series([str(2**60 + i % 3) for i in range(30)])
    feature = Categorical.fit("key", cells, None, USUAL_LEVELS)
    assert set(feature.categories) == {str(2**60 + i) for i in range(3)}
    for written in (cells, cells.astype("int64"), cells.astype(object).map(int)):
        out = np.zeros((30, 3), dtype=np.float32)
        feature.write(written, out)
        assert out.sum(axis=0).tolist() == [10, 10, 10]


def test_long_numbers_have_the_feature_that_earlier_models_gave_them():
    earlier = Categorical("key", (repr(float(2**60)), "7"), False, False)
    out = np.zeros((3, 2), dtype=np.float32)
    earlier.write(pd.Series([str(2**60 + 1), str(2**60), "7"]), out)
    assert out.tolist() == [[1, 0], [1, 0], [0, 1]]
