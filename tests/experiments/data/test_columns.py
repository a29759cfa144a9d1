"""What columns are recognised as, which are left out, and what the user is told."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.columns import Schema, infer_schema
from mlptune.experiments.errors import UserError

N = 200
RNG = np.random.default_rng(0)


def schema_of(frame: pd.DataFrame, **section) -> Schema:
    return infer_schema(frame, DataConfig(source="t.csv", **section))


def words(n: int) -> list[str]:
    return [f"word{i} and then some more" for i in range(n)]


COLUMNS = {
    "years": (np.arange(1800, 1800 + N), "numeric"),
    "ages": (np.arange(N)[RNG.permutation(N)], "numeric"),
    "populations": (pd.Series([f"{i},{i % 1000:03d},001" for i in range(1, N + 1)]), "numeric"),
    "prices": (pd.Series([f"${i % 90 + 1},{i % 1000:03d}.50" for i in range(1, N + 1)]), "numeric"),
    "shares": (pd.Series([f"{i % 37}%" for i in range(N)]), "numeric"),
    "bracketed": (pd.Series(["(1,234)", "12", "-", "(5)"] * (N // 4)), "numeric"),
    "magnitudes": (pd.Series(["177 B", "1.5M", "12K", "800"] * (N // 4)), "numeric"),
    "blanks": (pd.Series(["40 430", " 27,275.25 ", "1'000", "3"] * (N // 4)), "numeric"),
    "lengths": (pd.Series([f"{i % 97}.{i % 7} km" for i in range(N)]), "numeric"),
    "consumption": (pd.Series([*["n.v."] * 9, *[f"{i},5 l/100km" for i in range(9, N)]]), "numeric"),
    "terms": (pd.Series(["36 months", "60 months"] * (N // 2)), "categorical"),
    "in two units": (
        pd.Series([f"{i} {'cm' if i % 2 else 'm'}" for i in range(N)]),
        "texts that are (nearly) all different",
    ),
    "decimal commas": (pd.Series(["10,4", "3", "1.234,50", "0,125"] * (N // 4)), "numeric"),
    "spreadsheet": (pd.Series([*["#NULL!", "n.v.", "."] * 20, *map(str, range(0, 2 * (N - 60), 2))]), "numeric"),
    "few with a placeholder": (pd.Series(["1", "2", "..", "3"] * (N // 4)), "numeric"),
    "times": (pd.Series([f"{i % 24}:{i % 60:02d}" for i in range(N)]), "calendar"),
    "oracle": (pd.Series(["31-Jul-18", "01-Aug-18", "2-Sep-19", None] * (N // 4)), "calendar"),
    "month and year": (pd.Series(["Sep-63", "Oct-63", "Jan-64", "Feb-71"] * (N // 4)), "calendar"),
    "German": (pd.Series([f"{1 + i % 28:02d}.01.2024" for i in range(N)]), "calendar"),
    "sale_date": (np.array([20140502, 20141231, 20150101, 20150228] * (N // 4)), "calendar"),
    "date yymmdd": (np.array([140502, 141231, 150101, 150228] * (N // 4)), "calendar"),
    "size in mm": (np.array([140502, 141231, 150101, 150228] * (N // 4)), "numeric"),
    "floats": (RNG.normal(size=N), "numeric"),
    "few integers": (RNG.integers(0, 3, N), "numeric"),
    "booleans": (RNG.random(N) < 0.5, "numeric"),
    "booleans with holes": (pd.Series([True, False, None, True] * (N // 4), dtype=object), "numeric"),
    "numbers as text": (pd.Series([f"{x:.3f}" for x in RNG.normal(size=N)], dtype="str"), "numeric"),
    "numbers with a few words": (pd.Series([*map(str, range(0, 2 * N - 10, 2)), *["none left"] * 5]), "numeric"),
    "infinite numbers": (np.where(RNG.random(N) < 0.3, np.inf, 1.0 + RNG.integers(0, 3, N)), "numeric"),
    "time spans": (pd.to_timedelta(RNG.integers(0, 1000, N), unit="s"), "numeric"),
    "unsorted unique integers": (RNG.permutation(10**6)[:N], "numeric"),
    "texts": (RNG.choice(["a", "b", "c"], N), "categorical"),
    "categories of numbers": (pd.Categorical(RNG.integers(0, 3, N)), "categorical"),
    "mixed cells": (pd.Series([1, "x", 2.5, True] * (N // 4), dtype=object), "categorical"),
    "codes": (pd.Series(["01", "02", "x3", None] * (N // 4)), "categorical"),
    "known or not": (pd.Series(["yes", None] * (N // 2)), "presence"),
    "measured or not": (np.where(RNG.random(N) < 0.5, 1.0, np.nan), "presence"),
    "cabin": (pd.Series([*words(N // 4), *[None] * (N - N // 4)]), "presence"),
    "name": (pd.Series(words(N)), "texts that are (nearly) all different"),
    "ticket": (pd.Series([f"T{i}" for i in RNG.integers(0, N, N)]), "texts that are (nearly) all different"),
    "essay": (pd.Series([f"{i % 60} " + "long text " * 10 for i in range(N)]), "free text"),
    "day": (pd.date_range("2024-01-01", periods=N), "calendar"),
    "day in New York": (pd.date_range("2024-01-01", periods=N, tz="America/New_York"), "calendar"),
    "month": (pd.period_range("2000-01", periods=N, freq="M"), "calendar"),
    "day as text": (pd.Series(["2024-03-01", "2024-03-02T10:00", None, "2023-01-01"] * (N // 4)), "calendar"),
    "day as other text": (pd.Series(["01/03/2024", "13.3.24"] * (N // 2)), "calendar"),
    "day as object": (pd.Series([date(2024, 1, 1 + i % 28) for i in range(N)], dtype=object), "calendar"),
    "constant": (np.ones(N), "one value only"),
    "constant text": (pd.Series(["x"] * N), "one value only"),
    "empty": (np.full(N, np.nan), "no value in any training row"),
    "empty objects": (pd.Series([None] * N, dtype=object), "no value in any training row"),
    "blank texts": (pd.Series([" ", ""] * (N // 2)), "no value in any training row"),
    "PassengerId": (RNG.permutation(10**6)[:N], "integers that only number the rows"),
    "counter": (np.arange(N), "integers that only number the rows"),
    "counter from 1": (np.arange(1, N + 1).astype(float), "integers that only number the rows"),
    "steps": (np.arange(N) * 7 + 3, "numeric"),
    "backwards": (np.arange(N)[::-1].astype(float), "numeric"),
    "Unnamed: 0": (RNG.permutation(10**5)[:N], "integers that only number the rows"),
    "lists": (pd.Series([[1, 2], [3]] * (N // 2), dtype=object), "neither numbers nor texts"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_recognised(name):
    values, expected = COLUMNS[name]
    frame = pd.DataFrame({name: values, "other": RNG.normal(size=N)})
    schema = schema_of(frame)
    assert schema.kinds.get(name, schema.left_out.get(name)) == expected
    if name in schema.left_out:
        assert any(name in message and expected in message for message in schema.messages)


@pytest.mark.parametrize("n", [1, 2, 5, 19])
def test_small_tables_do_not_lose_their_integers(n):
    frame = pd.DataFrame({"x": np.arange(n), "y": np.linspace(0.1, 0.2, n)})
    if n == 1:
        with pytest.raises(UserError, match="no column is left"):
            schema_of(frame)
    else:
        assert list(schema_of(frame).kinds) == ["x", "y"]


def test_the_user_overrides_the_guess():
    frame = pd.DataFrame(
        {name: COLUMNS[name][0] for name in ("counter", "name", "few integers", "floats", "day", "texts")}
    )
    section = {"numeric": ["counter", "day"], "categorical": ["few integers", "name"], "ignore": ["floats"]}
    schema = schema_of(frame, **section)
    assert dict(schema.kinds) == {
        "counter": "numeric",
        "name": "categorical",
        "few integers": "categorical",
        "day": "date",
        "texts": "categorical",
    }
    assert dict(schema.left_out) == {"floats": "ignore"}
    assert schema.messages == ()


def test_columns_with_a_role_are_no_inputs_unless_named():
    frame = pd.DataFrame(
        {"g": RNG.integers(0, 9, N), "t": RNG.normal(size=N), "w": np.ones(N), "x": RNG.normal(size=N)}
    )
    assert list(schema_of(frame, group="g", time="t", weight="w").kinds) == ["x"]
    assert list(schema_of(frame, group="g", time="t", weight="w", numeric=["t"], categorical=["g"]).kinds) == [
        "g",
        "t",
        "x",
    ]


def test_other_cells_among_numbers_are_counted():
    cells = [*map(str, range(0, 2 * N - 10, 2)), *["none left", "ask Ann", "see below"], "inf", "inf"]
    assert schema_of(pd.DataFrame({"x": cells})).messages == (
        "x: 5 cells are not finite numbers and count as missing; data.categorical takes all as texts",
    )


def test_one_or_two_words_among_many_numbers_are_missing_values():
    name = "numbers with a few words"
    schema = schema_of(pd.DataFrame({name: COLUMNS[name][0]}))
    assert schema.messages == (f"{name}: 'none left' (5 cells) counts as missing; data.missing says it instead",)
    assert schema.readings[name].missing == ("none left",)


def test_one_line_tells_a_kind_of_thing_for_all_columns():
    frame = pd.DataFrame({name: COLUMNS[name][0] for name in ("prices", "decimal commas", "shares", "times", "German")})
    assert schema_of(frame).messages == (
        'times: times of day, used as elapsed time and cycles; likewise German; data.dates says it instead ("dmy", "mdy"), or '
        'drops them ("drop")',
        "prices: '$2,001.50' is read as 2001.5; likewise decimal commas, shares; data.categorical takes them as texts",
    )


def test_a_column_without_evidence_follows_the_table():
    frame = pd.DataFrame({"a": ["1,234", "2,345"] * 50, "b": ["10,4", "3,5"] * 50, "c": ["1.234", "2.345"] * 50})
    assert {name: reading.decimal for name, reading in schema_of(frame).readings.items()} == dict.fromkeys("abc", ",")
    assert {reading.decimal for reading in schema_of(frame[["a", "c"]]).readings.values()} == {"."}


def test_dates_can_be_dropped():
    frame = pd.DataFrame({"day": COLUMNS["day"][0], "other": RNG.normal(size=N)})
    assert schema_of(frame, dates="drop").left_out == {"day": "dates"}


def test_numeric_forces_formatted_numbers():
    frame = pd.DataFrame({"price": ["$1,234", "$5", "ask", "call", "none left"] * 40, "other": RNG.normal(size=N)})
    assert schema_of(frame).kinds["price"] == "categorical"
    schema = schema_of(frame, numeric=["price"])
    assert schema.kinds["price"] == "numeric"
    assert "price: 120 cells are not finite numbers and count as missing" in schema.messages[0]


def test_many_columns_left_out_are_one_short_line():
    frame = pd.DataFrame({f"c{i}": np.zeros(N) for i in range(100)} | {"x": RNG.normal(size=N)})
    [message] = schema_of(frame).messages
    assert message == "left out, one value only: c0, c1, c2, c3, c4, c5, c6, c7 and 92 more"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"numeric": ["Sex"]}, "[data] numeric: column 'Sex' holds no numbers, for instance 'a'"),
        ({"ignore": ["Age", "Sex"]}, "data: no column is left to learn from: Age (ignore), Sex (ignore)"),
    ],
)
def test_sections_that_do_not_fit_the_table_are_refused(section, message):
    frame = pd.DataFrame({"Age": RNG.normal(size=N), "Sex": ["a", "b"] * (N // 2)})
    with pytest.raises(UserError) as caught:
        schema_of(frame, **section)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_spellings_of_one_category_are_told():
    frame = pd.DataFrame({"c": ["Red", "red", "RED", "blue"] * 20, "d": ["a", "b"] * 40})
    schema = infer_schema(frame, DataConfig(source="t.csv"))
    assert schema.messages == (
        "c: 'RED', 'Red' and 'red' differ in case or blanks alone, and are told apart; one spelling in the table makes them one",
    )
