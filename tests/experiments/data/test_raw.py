"""Raw rows: weights, groups and times have to be such, and a test file is read like the table that it belongs to."""

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.errors import UserError
from tests.support.passengers import loaded, people


def test_a_table_of_its_own_may_be_the_test_part(tmp_path):
    frame = people()
    frame.iloc[300:].drop(columns=["Name", "Ship"]).to_csv(tmp_path / "test.csv", index=False)
    data = loaded(tmp_path, frame.iloc[:300], test="test.csv")
    assert (data.n_rows, len(data.test()[1]), len(data.development().arrays.X)) == (300, 100, 300)
    rows, y, _ = data.test()
    np.testing.assert_array_equal(y, frame["Survived"].iloc[300:])
    assert data.folds()[0].encoder.transform(rows).shape == (100, data.n_features)


def negative(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(Weight=frame["Weight"].where(frame.index > 0, -1.0))


@pytest.mark.parametrize(
    ("change", "section", "message"),
    [
        (None, {"weight": "Sex"}, "[data] weight: column 'Sex' has no finite number in 400 rows"),
        (negative, {"weight": "Weight"}, "[data] weight: column 'Weight' has negative values, the least is -1"),
        (
            lambda frame: frame.assign(Weight=0),
            {"weight": "Weight"},
            "[data] weight: column 'Weight' is zero in every row",
        ),
        (
            lambda frame: frame.assign(Weight=1e39),
            {"weight": "Weight"},
            "[data] weight: column 'Weight' has values above",
        ),
        (None, {"group": "Port"}, "[data] group: column 'Port' has no value in"),
        (
            None,
            {"time": "Name"},
            "[data] time: column 'Name' has no number and no date such as 2024-03-01 in 400 of 400",
        ),
    ],
)
def test_a_weight_a_group_or_a_time_that_is_none_is_refused_in_one_line(tmp_path, change, section, message):
    frame = people()
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, frame if change is None else change(frame), **section)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="Survived"), "[data] test: test.csv has no column 'Survived'"),
        (lambda frame: frame.drop(columns="Age"), "[data] test: test.csv lacks the column 'Age' of people.csv"),
        (
            lambda frame: frame.assign(Survived=2),
            "[data] test: test.csv: target 'Survived': 2 is not one of its 2 classes",
        ),
        (lambda frame: frame.assign(Survived=None), "[data] test: column 'Survived' of test.csv has no values"),
    ],
)
def test_a_test_file_must_fit_the_table(tmp_path, change, message):
    change(people(50, 1)).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, people(), test="test.csv")
    assert str(caught.value).startswith(message)


def test_a_test_file_is_read_like_the_other_table(tmp_path):
    frame = people().assign(Fare=lambda f: [f"{fare:.1f}".replace(".", ",") for fare in f["Fare"]])
    frame[["Fare", "Age", "Sex"]].to_csv(tmp_path / "test.csv", index=False)
    whole = frame[["Fare", "Age", "Sex"]]
    data = loaded(tmp_path, whole, target="Fare", test="test.csv")
    _, y, _ = data.test()
    np.testing.assert_array_equal(y, [float(fare.replace(",", ".")) for fare in frame["Fare"]])
