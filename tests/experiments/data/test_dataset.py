"""Whole tables made ready for a sweep: nothing leaks, everything repeats, and what cannot be used is said in a line."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlptune.experiments.data import dataset
from mlptune.experiments.data.dataset import Dataset, EncodedFold
from mlptune.experiments.errors import UserError
from tests.support.passengers import loaded, people, section


def assert_same(one: EncodedFold, other: EncodedFold, *names: str) -> None:
    for name in names or ("X", "y", "weight", "X_val", "y_val", "weight_val"):
        np.testing.assert_array_equal(getattr(one.arrays, name), getattr(other.arrays, name))


def test_an_awkward_table_gives_clean_arrays(tmp_path):
    data = loaded(tmp_path, people(), weight="Weight")
    assert (data.task, data.classes, data.n_rows, len(data.test()[1])) == ("classification", [0, 1], 400, 80)
    [encoded] = data.folds()
    fold = encoded.arrays
    assert fold.X.shape == (256, data.n_features)
    assert fold.X_val.shape == (64, data.n_features)
    for X in (fold.X, fold.X_val):
        assert X.dtype == np.float32
        assert X.flags.c_contiguous
        assert np.isfinite(X).all()
    assert fold.y.dtype == np.int64
    assert fold.weight.dtype == np.float32
    assert set(encoded.encoder.columns) == {"Class", "Sex", "Age", "Fare", "Cabin", "Port", "Family", "Boarded"}
    messages = "\n".join(data.messages)
    for name in ("PassengerId", "Name", "Boarded", "Ship", "Cabin"):
        assert name in messages
    assert "Sex" not in messages
    score = LogisticRegression(max_iter=1000).fit(fold.X, fold.y).score(fold.X_val, fold.y_val)
    assert score > 0.7


@pytest.mark.parametrize(
    "section", [{}, {"folds": 4}, {"group": "Family"}, {"time": "Boarded"}, {"time": "Boarded", "folds": 3}]
)
def test_parts_are_repeatable_and_do_not_overlap(tmp_path, section):
    frame = people()
    data = loaded(tmp_path, frame, **section)
    again = loaded(tmp_path, **section)
    other = loaded(tmp_path, seed=1, **section)
    assert data.fingerprint == again.fingerprint
    assert (data.fingerprint == other.fingerprint) == ("time" in section)
    for one, same in zip(data.folds(), again.folds(), strict=True):
        assert_same(one, same)
        assert one.arrays.X.shape[1] == data.n_features
    rows, y, weight = data.test()
    assert weight is None
    assert "Survived" not in rows
    np.testing.assert_array_equal(frame["Survived"].to_numpy()[rows.index], y)
    assert len(rows) + len(data.development().arrays.X) == len(frame)


def test_folds_have_training_parts_of_one_shape_and_development_has_all_rows(tmp_path):
    data = loaded(tmp_path, people(), folds=3)
    assert len({fold.arrays.X.shape for fold in data.folds()}) == 1
    everything = data.development()
    assert len(everything.arrays.X) == 320
    assert everything.arrays.X_val is None
    assert everything.arrays.weight is None
    numeric = everything.encoder.feature_names.index("Fare")
    assert abs(everything.arrays.X[:, numeric].mean()) < 1e-5
    assert abs(data.folds()[0].arrays.X[:, numeric].mean()) < 1e-5
    assert abs(data.folds()[0].arrays.X_val[:, numeric].mean()) > 1e-5


@pytest.mark.parametrize("held", ["test", "validation"])
def test_rows_that_are_held_back_change_nothing_in_training(tmp_path, held):
    """Other cells, of other types, in held-back rows leave training arrays, columns and messages as they are."""
    frame = people()
    before = loaded(tmp_path, frame)
    test_rows = before.test()[0].index
    # Who validates is not public: the rows that are found neither in the test part nor in the training matrix.
    [fold] = before.folds()
    trained = {row.tobytes() for row in fold.arrays.X}
    development = frame.drop(index=test_rows)
    encoded = fold.encoder.transform(development)
    validation = development.index[[row.tobytes() not in trained for row in encoded]]
    assert len(validation) > 50
    rows = test_rows if held == "test" else validation
    spoilt = frame.astype({"Age": object, "Class": object, "Fare": object, "Ship": object, "PassengerId": object})
    spoilt.loc[rows, ["Age", "Port", "Sex"]] = ["unknown", "Atlantis", "other"]
    spoilt.loc[rows, ["Class", "Fare", "Ship"]] = ["first", "inf", "Carpathia"]
    spoilt.loc[rows, "PassengerId"] = "x"
    after = loaded(tmp_path, spoilt)
    assert after.messages == before.messages
    assert after.folds()[0].encoder.to_json() == fold.encoder.to_json()
    assert_same(after.folds()[0], fold, "X", "y", "y_val")
    if held == "test":
        assert_same(after.folds()[0], fold, "X_val")
        assert_same(after.development(), before.development())
    assert after.fingerprint != before.fingerprint


def test_the_same_table_as_parquet_gives_the_same_arrays(tmp_path):
    frame = people()
    csv = loaded(tmp_path, frame)
    frame.astype({"Class": "int8", "Sex": "category", "Survived": "int32"}).to_parquet(tmp_path / "people.parquet")
    parquet = loaded(tmp_path, source="people.parquet")
    assert_same(parquet.folds()[0], csv.folds()[0])
    assert parquet.fingerprint == csv.fingerprint


def test_regression_targets_are_standardised_on_training_rows(tmp_path):
    frame = people()
    data = loaded(tmp_path, frame, target="Fare")
    assert (data.task, data.classes) == ("regression", None)
    y = data.folds()[0].arrays.y
    assert y.shape == (256, 1)
    assert y.dtype == np.float32
    assert abs(y.mean()) < 1e-6
    assert abs(y.std() - 1) < 1e-5
    rows, y, _ = data.test()
    np.testing.assert_array_equal(y, frame["Fare"].to_numpy()[rows.index])


def test_rows_without_a_target_are_dropped_and_told(tmp_path):
    frame = people()
    frame["Survived"] = frame["Survived"].where(frame.index >= 10)
    data = loaded(tmp_path, frame)
    assert data.n_rows == 390
    assert data.classes == [0, 1]
    assert all(type(label) is int for label in data.classes)
    assert "10 rows without a value of Survived" in data.messages[0]


def test_without_a_test_part_there_is_none(tmp_path):
    data = loaded(tmp_path, people(), test_size=0.0)
    assert data.test() is None


def test_text_classes_keep_their_names(tmp_path):
    frame = people()
    frame["Survived"] = frame["Survived"].map({0: "no", 1: "yes"})
    data = loaded(tmp_path, frame)
    assert data.classes == ["no", "yes"]
    _, y, _ = data.test()
    assert set(y) == {"no", "yes"}
    assert data.folds()[0].target.decode([[0.1], [0.9]]).tolist() == ["no", "yes"]


def test_groups_stay_together(tmp_path):
    frame = people()
    data = loaded(tmp_path, frame, group="Family")
    rows, _, _ = data.test()
    assert not set(rows["Family"]) & set(frame.drop(index=rows.index)["Family"])
    assert "Family" not in data.folds()[0].encoder.columns


def test_shares_of_classes_are_those_of_rows_that_are_not_test(tmp_path):
    frame = people()
    data = loaded(tmp_path, frame)
    rest = frame.drop(index=data.test()[0].index)
    assert data.class_shares() == rest["Survived"].value_counts(normalize=True).sort_index().to_dict()
    assert loaded(tmp_path, target="Fare").class_shares() == {}


def test_encoded_parts_travel_to_workers(tmp_path):
    [fold] = loaded(tmp_path, people(), weight="Weight").folds()
    assert_same(pickle.loads(pickle.dumps(fold)), fold)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_bundled_sets_load(name, tmp_path):
    data = Dataset.load(section(source=f"sklearn:{name}", target=None), 0, tmp_path)
    assert data.task == ("regression" if name == "diabetes" else "classification")
    assert data.messages == ()
    assert data.n_features == data.folds()[0].arrays.X.shape[1]


@pytest.mark.parametrize(
    ("change", "section", "message"),
    [
        (
            None,
            {"target": None},
            "[data] target: name the column to predict (on the command line: --target); there are 'PassengerId', 'Survived'",
        ),
        (None, {"ignore": ["Agee"]}, "[data] ignore: the table has no column 'Agee'; did you mean 'Age'?"),
        (None, {"target": "survived"}, "[data] target: the table has no column 'survived'; did you mean 'Survived'?"),
        (None, {"target": "Ship"}, "[data] target: column 'Ship' has one class only, 'Titanic'"),
        (
            None,
            {"target": "Sex", "task": "regression"},
            "[data] target: regression needs finite numbers, column 'Sex' holds",
        ),
        (None, {"test": "absent.csv"}, "absent.csv: there is no such file"),
        (
            lambda frame: frame[:5],
            {"folds": 5, "target": "Fare"},
            "data: 5 rows are too few for the parts asked for, 6 are",
        ),
        (None, {"test": "people.csv", "target": "Absent"}, "[data] target: the table has no column 'Absent'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, change, section, message):
    frame = people()
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, frame if change is None else change(frame), **section)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_sections_are_only_read(tmp_path):
    people().to_csv(tmp_path / "people.csv", index=False)
    data = section(ignore=["Age"])
    Dataset.load(data, 0, tmp_path)
    assert data == section(ignore=["Age"])


def test_one_number_written_otherwise_does_not_make_classes(tmp_path):
    prices = ["1,200", *map(str, np.random.default_rng(0).integers(0, 1000, 399))]
    data = loaded(tmp_path, people().assign(Price=prices), target="Price")
    assert data.task == "regression"
    assert data.messages[0] == "Price: '1,200' is read as 1200"


def test_categories_have_features_where_rows_allow(tmp_path):
    rng = np.random.default_rng(0)
    country = rng.permutation(np.arange(4000) % 180)
    frame = pd.DataFrame({"country": [f"c{i}" for i in country], "y": rng.normal(size=180)[country]})
    data = loaded(tmp_path, frame, target="y", one_hot=180)
    assert data.n_features == 180
    few = loaded(tmp_path, frame, target="y", levels=50, one_hot=50)
    assert few.n_features == 51
    assert few.messages[1].startswith("country: 130 of 180 categories count as one")
    coded = loaded(tmp_path, frame, target="y")
    assert (coded.n_features, coded.folds()[0].encoder.levels) == (1, (181,))
    assert len({few.fingerprint, data.fingerprint, coded.fingerprint}) == 3


def test_a_table_without_names_needs_none(tmp_path):
    frame = people()[["Age", "Fare", "Sex"]].fillna(0)
    frame.to_csv(tmp_path / "people.csv", index=False, header=False)
    data = loaded(tmp_path, target="x2")
    assert data.classes == ["female", "male"]
    assert data.messages[0].startswith("people.csv: the first line holds values, so the columns are called x0 to x2")
    assert loaded(tmp_path, target="x2", header=False).n_rows == 400
    with pytest.raises(UserError, match="no column 'x2'"):
        loaded(tmp_path, target="x2", header=True)


@pytest.mark.parametrize(
    "keys", [{}, {"decimal": ","}, {"missing": ["-999"]}, {"categorical": ["plain"]}, {"numeric": ["date"]}]
)
@pytest.mark.parametrize("commas", [False, True])
def test_plain_numbers_read_at_once_are_the_same(tmp_path, monkeypatch, keys, commas):
    rng = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame(
        {
            "plain": rng.choice(["1.234", "2.500", "-999", "007", " 7 ", ""], n),
            "id": [str(i) for i in range(n)],
            "date": [f"202403{day:02d}" for day in rng.integers(1, 29, n)],
            "mixed": rng.choice(["1", "2", "x"], n),
            "size": [f"{value:.3f}".replace(".", "," if commas else ".") for value in rng.normal(size=n)],
            "y": rng.normal(size=n).round(3),
        }
    )
    found = []
    for reads in (dataset._read_plain, lambda frame, data: frame):
        monkeypatch.setattr(dataset, "_read_plain", reads)
        data = loaded(tmp_path, frame, target="y", **keys)
        found.append((data.fingerprint, data.messages, data.schema, data.development().encoder.to_json()))
        X = data.folds()[0].arrays.X
    assert found[0] == found[1]
    np.testing.assert_array_equal(X, data.folds()[0].arrays.X)
