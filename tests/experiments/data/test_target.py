"""The column to predict: recognised as classes or numbers, and through the network's outputs and JSON and back."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlptune.experiments.data.target import Target, clean_target, target_reading
from mlptune.experiments.errors import UserError


def strictly(data: dict) -> dict:
    return json.loads(json.dumps(data, allow_nan=False))


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=2, max_size=30))
@example([1.6768770489734142e68, 1.6768770489734194e68, 1.6768770489734142e68])
def test_regression_targets_return_to_their_own_unit(values):
    target = Target.fit("price", np.array(values), "regression")
    assert Target.from_json(strictly(target.to_json())) == target
    encoded = target.encode(values)
    assert encoded.shape == (len(values), 1)
    assert encoded.dtype == np.float32
    back = target.decode(encoded)
    np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-5 * np.abs(values).max())


@pytest.mark.parametrize("values", [["b", "a", "c"], [3, 1, 2], [2.5, 0.5, 1.0], [True, False], ["01", "1", "x"]])
def test_classes_return_as_they_were(values):
    labels = np.array(values * 4, dtype=object if isinstance(values[0], str) else None)
    target = Target.from_json(strictly(Target.fit("y", labels, "classification").to_json()))
    indices = target.encode(labels)
    assert indices.dtype == np.int64
    decoded = target.decode(np.eye(len(values))[indices])
    assert decoded.tolist() == labels.tolist()
    assert type(decoded.tolist()[0]) is type(values[0])


def test_one_output_serves_two_classes():
    target = Target.fit("y", np.array(["no", "yes"], dtype=object), "classification")
    assert target.n_outputs == 1
    assert target.decode(np.array([[0.2], [0.7]])).tolist() == ["no", "yes"]
    np.testing.assert_allclose(target.probabilities(np.array([[0.25]])), [[0.75, 0.25]])
    with pytest.raises(ValueError, match="'maybe' is not one of its 2 classes"):
        target.encode(["maybe"])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "y", "task": "ranking"},
        {"name": "y", "task": "regression", "mean": 0.0, "scale": 0.0},
        {"name": "y", "task": "regression", "mean": math.inf, "scale": 1.0},
        {"name": "y", "task": "classification", "type": "int", "classes": [1]},
        {"name": "y", "task": "classification", "type": "int", "classes": [2, 1]},
        {"name": "y", "task": "classification", "type": "int", "classes": [0, True]},
        {"name": "y", "task": "classification", "type": "float", "classes": [0.0, math.nan]},
        {"name": "y", "task": "classification", "type": "object", "classes": ["a", "b"]},
    ],
)
def test_a_target_that_makes_no_sense_is_refused(data):
    with pytest.raises(ValueError, match="target: "):
        Target.from_json(data)


@pytest.mark.parametrize(
    ("cells", "task", "first"),
    [
        ([0, 1] * 20, "classification", 0),
        ([0.0, 1.0, None, 1.0] * 10, "classification", 0),
        (["a", "b"] * 20, "classification", "a"),
        ([True, False] * 20, "classification", True),
        (pd.Categorical([1.5, 2.5] * 20), "classification", 1.5),
        (["0.5", "1.5", "2.5", "7"] * 10, "regression", 0.5),
        (["0", "1"] * 20, "classification", 0),
        (["01", "02"] * 20, "classification", "01"),
        (["True", "false"] * 20, "classification", True),
        ([*map(str, range(0, 4000, 10)), "1,200"], "regression", 0.0),
        (["10,4", "3", "21,8", "5"] * 10, "regression", 10.4),
        ([*map(str, range(100, 180)), *["#NULL!"] * 20], "regression", 100.0),
        (["1", "2", "."] * 20, "classification", 1),
        (list(range(40)), "regression", 0.0),
        ([0.5, 1.5] * 20, "regression", 0.5),
        (list(range(1, 7)) * 2, "regression", 1.0),
    ],
)
def test_the_task_is_recognised(cells, task, first):
    found, values, kept = clean_target("y", pd.Series(cells), "auto")
    assert found == task
    assert values.tolist()[0] == first
    assert type(values.tolist()[0]) is type(first)
    assert len(values) == kept.sum()


@pytest.mark.parametrize(
    ("cells", "task", "message"),
    [
        ([None, np.nan] * 5, "auto", "has no values"),
        (["a"] * 10, "auto", "has one class only, 'a'"),
        ([1.5] * 10, "auto", "the same value 1.5 in every row"),
        (["a", "b"] * 5, "regression", "needs finite numbers, column 'y' holds 'a'"),
        ([1.0, np.inf] * 5, "regression", "needs finite numbers, column 'y' holds 'inf'"),
        ([1.5, np.inf, 2.5] * 5, "auto", "needs finite numbers"),
        (
            [f"text {i}" for i in range(50)],
            "auto",
            "50 values in 50 rows, too many for classes; it holds texts such as",
        ),
        (list(np.linspace(0, 1, 50)), "classification", "too many for classes"),
        ([[1], [2]] * 5, "auto", "neither numbers nor texts"),
        ([f"text {i}" for i in range(20)], "auto", "20 values in 20 rows, too many for classes"),
        (
            [*map(str, range(100)), "ask Ann", "see below", "none left"],
            "auto",
            "needs finite numbers, .* holds 'ask Ann'",
        ),
    ],
)
def test_a_target_without_sense_is_refused(cells, task, message):
    with pytest.raises(UserError, match=message):
        clean_target("y", pd.Series(cells), task)


def told(cells: list, task: str = "auto") -> list[str]:
    lines: list[str] = []
    clean_target("y", pd.Series(cells), task, say=lines.append)
    return lines


@pytest.mark.parametrize(
    ("cells", "missing", "classes"),
    [
        (["yes", "no", "unk", "Unk "], ["unk"], {"yes", "no"}),
        (["1", "2", "-9", "-9.0"], ["-9"], {1, 2}),
        ([1, 2, -9, 1], ["-9"], {1, 2}),
        ([True, False, "?", True], [], {True, False}),
    ],
)
def test_what_the_user_says_to_be_missing_is_no_class(cells, missing, classes):
    frame = pd.DataFrame({"y": cells * 10})
    task, labels, kept = clean_target("y", frame["y"], "auto", target_reading("y", frame, None, missing))
    assert (task, set(labels.tolist())) == ("classification", classes)
    assert kept.sum() == len(labels) == sum(cell in classes or str(cell) in map(str, classes) for cell in frame["y"])


def test_classes_that_differ_in_spelling_alone_are_said():
    assert told(["yes", "Yes", "no", "YES "] * 10) == [
        "y: 'YES', 'Yes' and 'yes' differ in case or blanks alone, and are classes of their own"
    ]


def test_what_the_user_may_have_meant_otherwise_is_said():
    assert told(list(range(7)) * 10) == ['y: 7 whole numbers, taken as classes; data.task = "regression" changes that']
    assert told([0, 1] * 10) == told(list(range(7)) * 10, "classification") == told(["a", "b"] * 10) == []
    assert told([*map(str, range(30)), "$1,200", "k.A.", "k.A."]) == [
        "y: '$1,200' is read as 1200",
        "y: 'k.A.' (2 cells) counts as missing",
    ]


def test_in_a_target_of_words_only_an_empty_cell_is_no_label():
    cells = [*["None", "Minor", "Severe", "NA", "null"] * 20, None, "", "nan"]
    task, values, kept = clean_target("y", pd.Series(cells), "auto")
    assert (task, set(values)) == ("classification", {"None", "Minor", "Severe", "NA", "null"})
    assert kept.tolist() == [True] * 100 + [False] * 3
    assert told(cells)[0] == "y: 'NA' is a label like the others, in 20 rows"


def test_predictions_stay_near_what_was_seen():
    target = Target.fit("price", np.array([10.0, 20.0, 30.0]), "regression")
    again = Target.from_json(strictly(target.to_json()))
    assert again == target
    assert again.decode([[-100.0], [0.0], [100.0]]).tolist() == [8.0, 20.0, 32.0]
    old = Target.from_json({"name": "price", "task": "regression", "mean": 20.0, "scale": 10.0})
    assert old.decode([[-100.0], [100.0]]).tolist() == [-980.0, 1020.0]
    assert set(old.to_json()) == {"name", "task", "mean", "scale"}
