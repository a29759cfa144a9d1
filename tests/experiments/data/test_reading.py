"""How a column is read is learned once: what is predicted for a row depends on that row alone, whatever file it comes in."""

import contextlib
import datetime
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import Network
from mlptune.core.structure import Structure
from mlptune.core.training import start
from mlptune.core.workspace import outputs_by_row
from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.columns import infer_schema
from mlptune.experiments.data.encoding import Encoder
from mlptune.experiments.data.reading import Reading, decimal_marks, try_dates, try_numbers
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.formats import FORMATS

DATES = {"ymd": "%Y-%m-%d", "dmy": "%d.%m.%Y", "mdy": "%m/%d/%Y", "words": "%d-%b-%y"}


def written(value: float, decimal: str, grouped: bool, sign: str) -> str:
    text = f"{value:,.2f}" if grouped else f"{value:.2f}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{sign}{text}"


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same rows twice: every cell as a text of CSV, and typed as in Parquet."""
    n = draw(st.integers(25, 40))
    texts: dict[str, list[str]] = {}
    typed: dict[str, pd.Series] = {}

    def add(name: str, values: list, cells: list[str]) -> None:
        word = draw(st.sampled_from(["", "NA"]))
        missing = draw(st.lists(st.booleans(), min_size=n, max_size=n)) if draw(st.booleans()) else [False] * n
        texts[name] = [word if gone else cell for cell, gone in zip(cells, missing, strict=True)]
        typed[name] = pd.Series([None if gone else value for value, gone in zip(values, missing, strict=True)])

    for i in range(draw(st.integers(1, 2))):
        numbers = [v / 100 for v in draw(st.lists(st.integers(-(10**6), 10**6), min_size=n, max_size=n, unique=True))]
        style = draw(st.sampled_from(".,")), draw(st.booleans()), draw(st.sampled_from(["", "$", "€ "]))
        add(f"number{i}", numbers, [written(value, *style) for value in numbers])
    rows = st.lists(st.integers(0, 11), min_size=n, max_size=n)
    counts = draw(rows)
    add("count", counts, [str(value) for value in counts])
    codes = [f"{value:02d}" for value in draw(rows)]
    add("code", [int(code) for code in codes] if draw(st.booleans()) else list(codes), codes)
    mixed = [["01", "07", "2A", "10", "B"][value % 5] for value in draw(rows)]
    add("mixed", list(mixed), mixed)
    words = [["red", "Nr. 3.1", "a;b", "a,b", 'q"q', "1.2.3", "grün"][value % 7] for value in draw(rows)]
    add("word", list(words), words)
    days = [
        datetime.datetime(1990, 1, 1) + datetime.timedelta(days=d)
        for d in draw(st.lists(st.integers(0, 14000), min_size=n, max_size=n))
    ]
    form = DATES[draw(st.sampled_from(sorted(DATES)))]
    add("day", days, [day.strftime(form) for day in days])
    truths = [value % 2 == 0 for value in draw(rows)]
    add("truth", list(truths), [str(value) for value in truths])
    return pd.DataFrame(texts), pd.DataFrame(typed)


def write_json_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, date_format="iso", double_precision=15)


def write_sqlite(frame: pd.DataFrame, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        frame.to_sql("rows", connection, index=False, if_exists="replace")


def write_arff(frame: pd.DataFrame, path: Path) -> None:
    """Numbers as they are, all else quoted: liac-arff writes words only where it is told all of them."""
    numeric = {name: pd.api.types.is_any_real_numeric_dtype(frame[name]) for name in frame}
    lines = [f"@attribute '{name}' {'numeric' if numeric[name] else 'string'}" for name in frame]
    cells = [
        [
            "?" if pd.isna(c) else repr(c) if numeric[n] else "'" + str(c).replace("'", "\\'") + "'"
            for n, c in row.items()
        ]
        for row in frame.to_dict("records")
    ]
    path.write_text("\n".join(["@relation r", *lines, "@data", *map(",".join, cells)]), encoding="utf-8")


TYPED = {
    ".parquet": FORMATS[".parquet"].write,
    ".feather": FORMATS[".feather"].write,
    ".xlsx": FORMATS[".xlsx"].write,
    ".jsonl": write_json_lines,
    ".db": write_sqlite,
    ".arff": write_arff,
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(table=tables(), data=st.data())
def test_a_row_is_read_alike_in_any_file(tmp_path: Path, table: tuple[pd.DataFrame, pd.DataFrame], data: st.DataObject):
    texts, typed = table
    delimiter = data.draw(st.sampled_from(",;\t|"))

    def stored(rows: np.ndarray, suffix: str) -> pd.DataFrame:
        if suffix in TYPED:
            TYPED[suffix](typed.iloc[rows].reset_index(drop=True), tmp_path / f"part{suffix}")
            return read_table(f"part{suffix}", tmp_path, known=list(texts))
        texts.iloc[rows].to_csv(tmp_path / "part.csv", index=False, sep=delimiter)
        return read_table("part.csv", tmp_path, known=list(texts))

    everything = np.arange(len(texts))
    suffixes = st.sampled_from([".csv", *TYPED])
    trained = data.draw(suffixes, label="trained on")
    if trained in TYPED and texts["day"].str.contains("/").any():  # which no typed date says how to read
        texts["day"] = typed["day"].dt.strftime("%Y-%m-%d").fillna("")
    train = stored(everything[: data.draw(st.integers(20, len(texts)))], trained)
    schema = infer_schema(train, DataConfig(source="t.csv"))
    encoder = Encoder.fit(train, schema)
    encoder = Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    expected = encoder.transform(texts.replace("", None))
    predict = network(encoder)
    predicted = predict(expected)
    order = data.draw(st.permutations(everything.tolist()))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(order) - 1), max_size=6)))
    for rows in np.split(np.array(order), cuts):
        if len(rows):
            part = encoder.transform(stored(rows, data.draw(suffixes)))
            np.testing.assert_array_equal(part, expected[rows])
            np.testing.assert_array_equal(predict(part), predicted[:, rows])


def network(encoder: Encoder) -> Callable[[np.ndarray], np.ndarray]:
    """What a network for these columns predicts, untrained as it is."""
    hp = Hyperparameters(hidden=(24, 24), scaling="none")
    sizes = {"n_inputs": encoder.n_features, "n_plain": encoder.n_plain, "levels": encoder.levels}
    structure = Structure.of(hp, **sizes, n_outputs=3, n_rows=50, loss="cross_entropy")
    state = start(structure, [Network(hp, 0)])
    return lambda rows: outputs_by_row(structure, state.theta, state.buffers, rows)


def test_a_file_without_the_letters_is_still_a_file_of_codes():
    codes = [f"{i:02d}" for i in range(1, 20)] + ["2A", "2B"]
    encoder = fitted(pd.DataFrame({"code": codes * 20}))
    whole = encoder.transform(pd.DataFrame({"code": codes}))
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"code": list(range(1, 20))})), whole[:19])
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"code": [1.0, None]}))[0], whole[0])
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"code": ["01"]}))[0], whole[0])
    both = fitted(pd.DataFrame({"code": [*codes, "1"] * 20}))
    assert (both.transform(pd.DataFrame({"code": ["01"]})) != both.transform(pd.DataFrame({"code": [1]}))).any()


def test_a_note_with_a_point_changes_no_decimal_comma(tmp_path):
    lines = "".join(f"{i},4;{i % 3};21,{i % 9};ok\n" for i in range(100))
    (tmp_path / "a.csv").write_text("x;n;y;note\n" + lines)
    (tmp_path / "b.csv").write_text("x;n;y;note\n" + lines.replace("0,4;0;21,0;ok", "0,4;0;21,0;Nr. 3.1", 1))
    encoder = fitted(read_table("a.csv", tmp_path)[["x", "n", "y"]])
    assert encoder.columns == ["x", "n", "y"]
    np.testing.assert_array_equal(
        encoder.transform(read_table("b.csv", tmp_path)), encoder.transform(read_table("a.csv", tmp_path))
    )


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_decimal_commas_beside_dates_with_points_under_any_delimiter(tmp_path, delimiter):
    lines = [f"{1 + i % 28:02d}.01.2024;10,{i};1.234,5{i % 10}" for i in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["day;x;y", *lines]).replace(";", delimiter))
    frame = read_table("a.csv", tmp_path)
    marks = decimal_marks(frame)
    assert (marks["x"], marks["y"]) == (",", ",")
    assert try_numbers(frame["x"], ",").read.values[:3].tolist() == [10.0, 10.1, 10.2]
    assert try_numbers(frame["y"], ",").read.values[:2].tolist() == [1234.5, 1234.51]
    assert try_dates("day", frame["day"]) == Reading(order="ymd")


@pytest.mark.parametrize(("decimal", "missing"), [(",", ["9,999", "9999.0"]), (".", ["9.999", "9,999"])])
def test_numbers_that_mean_missing_are_written_as_in_their_column(decimal: str, missing: list[str]) -> None:
    cells = pd.Series(["9,999", "9.999", "9998", "-9999"])
    read = try_numbers(cells, decimal, missing).read.values
    np.testing.assert_equal(read, [np.nan, np.nan, 9998.0, -9999.0])


def test_a_unit_is_learned_and_kept():
    numbers = np.arange(40) * 1.5 - 7
    texts = pd.Series([f"{value:.1f} km".replace(".", ",") for value in numbers])
    encoder = fitted(pd.DataFrame({"way": texts, "x": numbers}))
    encoder = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    expected = encoder.transform(pd.DataFrame({"way": texts, "x": numbers}))
    rows = pd.DataFrame({"way": [" 3,5KM", "3,5", 3.5, "3,5 m", "3,5 kkm"], "x": numbers[7]})
    found = encoder.transform(rows)
    np.testing.assert_array_equal(found[:3], np.repeat(expected[7:8], 3, axis=0))
    assert [trouble.message for trouble in encoder.unread(rows)] == [
        "2 of 5 cells are no numbers (first: '3,5 m'); they count as missing"
    ]


def test_words_for_missing_are_remembered():
    encoder = fitted(pd.DataFrame({"x": [*map(str, range(0, 200, 2)), *["#NULL!"] * 15, "gone"]}))
    new = pd.DataFrame({"x": ["#null!", "GONE", "4", "other"]})
    assert encoder.transform(new)[:, 1].tolist() == [1, 1, 0, 1]
    [trouble] = encoder.unread(new)
    assert (trouble.column, trouble.most) == ("x", False)
    assert trouble.message == "1 of 4 cells is no number (first: 'other'); it counts as missing"


def test_words_with_few_numbers_are_categories():
    reading, read, _ = try_numbers(pd.Series(["1", "2", "x3"] * 20), ".")
    assert reading == Reading()
    assert read.non_numeric.sum() == 20


def test_nonsense_is_refused():
    for stored in (
        [],
        {"decimal": ";", "missing": []},
        {"decimal": ".", "missing": "x"},
        {"decimal": ".", "missing": [], "order": "dym"},
    ):
        with pytest.raises(ValueError, match="encoder: "):
            Reading.from_json(stored)
    assert Reading.from_json(None) == Reading()


def fitted(frame: pd.DataFrame) -> Encoder:
    return Encoder.fit(frame, infer_schema(frame, DataConfig(source="t.csv")))


@pytest.mark.parametrize(
    ("cells", "typed", "kind"),
    [
        (["red", "BLUE", "nix", " Nix ", "-999"], ["red", "BLUE", "nix", None, -999.0], "categorical"),
        (["2024-03-01", "2023-01-31", "nix", "NIX", "1900-01-01"], None, "calendar"),
        (["01/13/2024", "02/28/2023", "nix", "", "01/01/1900"], None, "calendar"),
    ],
)
def test_what_the_user_says_to_be_missing_is_so_among_dates_and_categories(cells, typed, kind):
    frame = pd.DataFrame({"x": cells * 10})
    schema = infer_schema(frame, DataConfig(source="t.csv", missing=["nix", "-999.0", "01/01/1900", "1900-01-01"]))
    assert schema.kinds["x"] == kind
    encoder = Encoder.fit(frame, schema)
    encoder = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    indicator = encoder.feature_names.index("x=<missing>")
    assert encoder.transform(frame)[:5, indicator].tolist() == [0, 0, 1, 1, 1]
    assert not encoder.unread(frame)
    if typed is not None:
        np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"x": typed})), encoder.transform(frame)[:5])


def test_a_column_of_which_only_counts_whether_it_is_missing_knows_the_users_words():
    frame = pd.DataFrame({"x": ["there", "nix"] * 20, "n": ["5", "-999"] * 20})
    schema = infer_schema(frame, DataConfig(source="t.csv", missing=["nix", "-999"]))
    encoder = Encoder.from_json(json.loads(json.dumps(Encoder.fit(frame, schema).to_json())))
    assert dict(schema.kinds) == {"x": "presence", "n": "presence"}
    assert encoder.transform(frame)[:2].tolist() == [[0, 0], [1, 1]]
    assert encoder.transform(pd.DataFrame({"x": ["else"], "n": [-999.0]})).tolist() == [[0, 1]]


def test_categories_with_decimal_commas_are_those_of_typed_numbers():
    cells = ["10,4", "1.234,5", "7", "0,25"]
    frame = pd.DataFrame({"size": cells * 10, "tags": ["1,2", "1,20", "3", "3"] * 10})
    schema = infer_schema(frame, DataConfig(source="t.csv", categorical=["size", "tags"]))
    encoder = Encoder.from_json(json.loads(json.dumps(Encoder.fit(frame, schema).to_json())))
    new = pd.DataFrame({"size": [10.4, 1234.5, 7, 0.25], "tags": ["1,2", "1,20", "3", "3"]})
    np.testing.assert_array_equal(encoder.transform(new), encoder.transform(frame)[:4])
    assert [name for name in encoder.feature_names if "tags" in name] == ["tags=3", "tags=1,2", "tags=1,20"]


def test_a_reading_that_says_nothing_is_not_stored_with_categories():
    frame = pd.DataFrame({"c": ["a", "b"] * 20})
    assert "reading" not in Encoder.fit(frame, infer_schema(frame, DataConfig(source="t.csv"))).to_json()["features"][0]


def test_a_comma_before_a_power_of_ten_is_the_decimal_mark():
    frame = pd.DataFrame({"x": ["1,257E-01", "2,500e+03"] * 20, "y": ["1.5", "2.25"] * 20})
    assert decimal_marks(frame) == {"x": ",", "y": "."}
    assert try_numbers(frame["x"], ",").read.values[:2].tolist() == [0.1257, 2500.0]


def test_numbers_that_are_codes_are_said():
    zips = infer_schema(pd.DataFrame({"zip": ["02139", "10001", "90210"] * 20}), DataConfig(source="t.csv"))
    assert zips.messages == ("zip: '02139' is read as 2139; data.categorical takes them as texts",)
    for cells in (["9007199254740993", "9007199254740992", "5"] * 20, [2**53 + 1, 2**53, 5] * 20):
        [message] = infer_schema(pd.DataFrame({"key": cells}), DataConfig(source="t.csv")).messages
        assert message.startswith("key: '900719925474099")
