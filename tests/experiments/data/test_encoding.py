"""Encoders, held against scikit-learn's, and through JSON and back."""

import json
import math
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.columns import infer_schema
from mlptune.experiments.data.encoding import Encoder, merged_remark
from mlptune.experiments.data.features import Levels
from mlptune.experiments.errors import UserError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def fitted(frame: pd.DataFrame, **section) -> Encoder:
    return Encoder.fit(frame, infer_schema(frame, DataConfig(source="t.csv", **section)))


def strictly(data: dict) -> dict:
    return json.loads(json.dumps(data, allow_nan=False))


def mixed_frame(n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.2, np.nan, rng.normal(40, 12, n)),
            "sex": rng.choice(["male", "female"], n),
            "rooms": rng.integers(1, 5, n),
            "port": pd.Series(rng.choice(["S", "C", "Q"], n), dtype="str").where(rng.random(n) > 0.1),
            "member": rng.random(n) < 0.5,
        }
    )
    frame.loc[0, "port"] = "Zanzibar"
    return frame


def test_numbers_are_filled_and_scaled_like_scikit_learns():
    rng = np.random.default_rng(1)
    X = rng.lognormal(2, 3, (300, 4))
    X[rng.random(X.shape) < 0.15] = np.nan
    frame = pd.DataFrame(X, columns=list("abcd"))
    encoder = fitted(frame)
    reference = make_pipeline(SimpleImputer(strategy="median", add_indicator=False), StandardScaler()).fit(X)
    new = rng.lognormal(2, 3, (50, 4))
    new[::7, 2] = np.nan
    encoded = encoder.transform(pd.DataFrame(new, columns=list("abcd")))
    np.testing.assert_allclose(encoded[:, :4], reference.transform(new), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(encoded[:, 4:], np.isnan(new))
    assert encoder.n_plain == 4


def test_numbers_come_before_zeros_and_ones_but_not_in_encoders_of_before():
    frame = mixed_frame()
    encoder = fitted(frame)
    encoded = encoder.transform(frame)
    numeric = encoder.n_features - encoder.n_plain
    assert encoder.feature_names[:numeric] == ["age", "rooms", "member"]
    assert set(np.unique(encoded[:, numeric:])) == {0.0, 1.0}
    stored = strictly(encoder.to_json())
    assert stored.pop("numbers_first") is True
    before = Encoder.from_json(stored)
    assert before.n_plain == 0
    places = [before.feature_names.index(name) for name in encoder.feature_names]
    np.testing.assert_array_equal(before.transform(frame)[:, places], encoded)


def test_categories_are_one_hot_like_scikit_learns():
    frame = mixed_frame()[["sex", "port"]]
    encoder = fitted(frame)
    texts = frame.astype(object).where(frame.notna(), "<missing>").replace("Zanzibar", "<rare>")
    reference = OneHotEncoder(sparse_output=False).fit(texts)
    order = [name.split("=")[0] + "_" + name.split("=")[1] for name in encoder.feature_names]
    columns = list(reference.get_feature_names_out())
    expected = reference.transform(texts)[:, [columns.index(name) for name in order]]
    np.testing.assert_array_equal(encoder.transform(frame), expected)


def test_rare_categories_share_a_feature_and_unknown_ones_are_tolerated():
    frame = mixed_frame()
    encoder = fitted(frame)
    rows = frame.iloc[:3].assign(port=["Atlantis", "S", None], sex=["unknown", "male", None])
    encoded = pd.DataFrame(encoder.transform(rows), columns=encoder.feature_names)
    assert encoded["port=<rare>"].tolist() == [1, 0, 0]
    assert encoded["port=<missing>"].tolist() == [0, 0, 1]
    assert encoded[["sex=male", "sex=female"]].to_numpy().tolist() == [[0, 0], [1, 0], [0, 0]]


def test_as_many_categories_have_a_feature_as_have_five_rows():
    frame = pd.DataFrame({"code": [f"c{i % 180}" for i in range(2000)] + ["c3"] * 100 + ["few"] * 4 + ["fewer"] * 3})
    schema = infer_schema(frame, DataConfig(source="t.csv"))
    encoder = Encoder.fit(frame, schema, None, Levels(256, one_hot=256))
    assert encoder.n_features == 180 + 1
    assert encoder.feature_names[0] == "code=c3"
    assert encoder.transform(frame).sum(axis=1).tolist() == [1.0] * len(frame)
    assert merged_remark(encoder).startswith("code: 2 of 182 categories count as one")
    many = pd.DataFrame({"code": [f"c{i % 300}" for i in range(6000)]})
    assert Encoder.fit(many, schema, None, Levels(256, one_hot=256)).n_features == 256 + 1
    assert Encoder.fit(many, schema, None, Levels(300, 2, 300)).n_features == 300
    assert merged_remark(Encoder.fit(many, schema, None, Levels(300, 2))) == ""


def test_more_categories_than_are_one_hot_become_a_code_at_the_end():
    random = np.random.default_rng(0)
    code = [f"c{i % 40}" for i in range(400)] + ["few"] * 2 + ["fewer"] + [None] * 7
    frame = pd.DataFrame({"code": code, "a": random.normal(size=410), "sex": random.choice(["f", "m"], 410)})
    encoder = fitted(frame)
    assert encoder.feature_names[::3] == ["a", "code"]
    assert (encoder.n_numeric, encoder.n_plain, encoder.levels) == (1, 2, (1 + 40 + 1 + 1,))
    X = encoder.transform(frame)
    one_hot = Encoder.fit(frame, infer_schema(frame, DataConfig(source="t.csv")), None, Levels(one_hot=99))
    wide = one_hot.transform(frame)
    np.testing.assert_array_equal(
        X[:, :3], wide[:, [0, *np.flatnonzero([n.startswith("sex") for n in one_hot.feature_names])]]
    )
    places = [i for i, name in enumerate(one_hot.feature_names) if name.startswith("code=")]
    np.testing.assert_array_equal(X[:, 3], 1 + wide[:, places].argmax(axis=1))
    new = encoder.transform(frame.iloc[:3].assign(code=["Atlantis", "c1", None]))
    rare, missing = 41, 42
    assert new[:, 3].tolist() == [rare, 1 + encoder.features[0].categories.index("c1"), missing]
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again == encoder
    with pytest.raises(ValueError, match="codes need numbers_first"):
        Encoder.from_json({key: value for key, value in encoder.to_json().items() if key != "numbers_first"})


def test_a_category_that_training_rows_had_not_is_code_0_where_none_is_rare():
    frame = pd.DataFrame({"code": [f"c{i % 40}" for i in range(400)]})
    encoder = fitted(frame)
    assert encoder.levels == (41,)
    assert encoder.transform(pd.DataFrame({"code": ["Atlantis", None, "c0"]})).ravel().tolist()[:2] == [0.0, 0.0]


def test_a_category_is_rare_below_half_a_percent_of_the_rows():
    encoder = fitted(pd.DataFrame({"code": ["a"] * 981 + ["b"] * 5 + ["c"] * 4 + ["d"] * 10}))
    assert encoder.feature_names == ["code=a", "code=d", "code=b", "code=<rare>"]


@given(st.lists(FINITE, min_size=2, max_size=30).filter(lambda values: len(set(values)) > 1))
@example([1.7976931348620894e308, 1.7976931348620894e308, 1.797693134862081e308])
@example([1.7e308, 1.7e308, 1.6e308, 1.6e308])
@example([0.0, 5e-324])
def test_any_finite_numbers_give_finite_features(values):
    frame = pd.DataFrame({"x": values})
    encoder = Encoder.fit(frame, infer_schema(frame, DataConfig(source="t.csv", numeric=["x"])))
    encoded = encoder.transform(frame)
    assert np.isfinite(encoded).all()
    assert np.abs(encoded).max() <= math.sqrt(len(values)) * 1.001
    extreme = encoder.transform(pd.DataFrame({"x": [1.7e308, -1.7e308, np.inf, np.nan]}))
    assert np.isfinite(extreme).all()
    again = Encoder.from_json(strictly(encoder.to_json()))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(frame), encoded)


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=5), st.integers(), st.floats(), st.booleans()), min_size=4, max_size=40
    )
)
def test_any_mixture_of_cells_is_encoded_or_refused(cells):
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object), "y": np.linspace(0.0, 1.0, len(cells))})
    encoder = fitted(frame)
    assert Encoder.from_json(strictly(encoder.to_json())) == encoder
    assert np.isfinite(encoder.transform(frame)).all()
    forced = fitted(frame, categorical=["x"])
    assert set(np.unique(forced.transform(frame)[:, 1:])) <= {0.0, 1.0}


def test_rows_come_as_frames_in_any_order_arrays_or_lists():
    frame = mixed_frame().assign(constant=1)
    encoder = fitted(frame)
    encoded = encoder.transform(frame)
    assert encoded.dtype == np.float32
    assert encoded.flags.c_contiguous
    assert encoded.shape == (200, encoder.n_features)
    shuffled = frame[list(frame.columns[::-1])].assign(extra="nothing")
    np.testing.assert_array_equal(encoder.transform(shuffled), encoded)
    np.testing.assert_array_equal(encoder.transform(frame.to_numpy(dtype=object)), encoded)
    np.testing.assert_array_equal(encoder.transform(frame.drop(columns="constant").to_numpy(dtype=object)), encoded)
    np.testing.assert_array_equal(encoder.transform(frame.astype(object).to_numpy().tolist()), encoded)
    assert encoder.transform(frame.iloc[:0]).shape == (0, encoder.n_features)


@pytest.mark.parametrize("dtype", ["object", "str", "category", "string", "string[pyarrow]"])
def test_the_dtype_of_texts_does_not_matter(dtype):
    frame = mixed_frame()
    encoder = fitted(frame)
    other = frame.assign(port=frame["port"].astype(dtype), sex=frame["sex"].astype(dtype))
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(frame))
    assert fitted(other).to_json() == encoder.to_json()


@pytest.mark.parametrize(
    "cells",
    [
        pd.array([1, 2, 3, None] * 10, dtype="Int64"),
        pd.array([1, 2, 3, None] * 10, dtype="Float64"),
        pd.array([1.0, 2.0, 3.0, np.nan] * 10, dtype="float32"),
        pd.array([1, 2, 3, None] * 10, dtype="int64[pyarrow]"),
        pd.Series([Decimal("1.0"), Decimal("2"), Decimal("3"), None] * 10, dtype=object),
        pd.Series(["1", " 2", "3.0", " "] * 10, dtype="str"),
        pd.Series([1, "2", 3.0, pd.NA] * 10, dtype=object),
    ],
    ids=["Int64", "Float64", "float32", "arrow", "decimal", "text", "mixed"],
)
@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_the_dtype_of_numbers_does_not_matter(cells, kind):
    plain = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan] * 10})
    frame = pd.DataFrame({"x": cells})
    section = {kind: ["x"]} if kind == "categorical" else {}
    assert fitted(frame, **section).to_json() == fitted(plain, **section).to_json()
    np.testing.assert_array_equal(fitted(plain, **section).transform(frame), fitted(plain, **section).transform(plain))


def test_dates_named_numeric_count_in_seconds():
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=30), "x": np.arange(30) % 7})
    encoder = fitted(frame, numeric=["day"])
    texts = frame.assign(day=frame["day"].dt.strftime("%Y-%m-%d"))
    objects = frame.assign(day=[date.fromisoformat(text) for text in texts["day"]])
    expected = StandardScaler().fit_transform(np.arange(30.0)[:, np.newaxis])[:, 0]
    for rows in (frame, texts, objects):
        np.testing.assert_allclose(encoder.transform(rows)[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"agee": [1.0]}), "lack the column 'age' and 4 more; did you mean 'agee'"),
        (np.zeros((2, 3)), "have 3 columns; needed are the table's 5"),
        (np.zeros(5), r"shape is \(5,\)"),
        ([[1, 2], [3]], "two axes"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(UserError, match=message):
        fitted(mixed_frame()).transform(rows)


def damaged(change) -> dict:
    data = strictly(fitted(mixed_frame()).to_json())
    change(data)
    return data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("inputs"),
        lambda data: data.update(features=[]),
        lambda data: data.update(inputs="age"),
        lambda data: data["features"].append(data["features"][0]),
        lambda data: data["features"].append(None),
        lambda data: data["features"][0].update(kind="pickle"),
        lambda data: data["features"][0].update(scale=0.0),
        lambda data: data["features"][0].update(scale=math.nan),
        lambda data: data["features"][0].update(mean="1"),
        lambda data: data["features"][0].update(missing=1),
        lambda data: data["features"][1].update(categories=["a", "a"]),
        lambda data: data["features"][1].update(categories=[1]),
        lambda data: data["features"][1].update(column="other"),
    ],
)
def test_an_encoder_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError, match="encoder: "):
        Encoder.from_json(damaged(change))
