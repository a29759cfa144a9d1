"""The exported program predicts what the model predicts: for every architecture, every kind of column and every form of table."""

import gzip
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.embeddings import EMBEDDINGS
from mlptune.core.losses import LOSSES
from mlptune.core.scaling import SCALINGS
from mlptune.experiments.data.reading import Reading
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.export import standalone
from mlptune.experiments.export.folder import difference, write
from mlptune.experiments.model import TunedModel, prediction_table
from tests.support.models import TOWNS, embedded, momentary_model, write_table

HIDDEN = [name for name in ACTIVATIONS if name != "threshold"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "rows.csv")


def error_of(model: TunedModel, table: Path, folder: Path) -> float:
    write(model, folder)
    exported = standalone.Model(folder / "model.npz")
    found = pd.DataFrame(exported.predict(standalone.read_columns(table, exported.columns)))
    expected = prediction_table(model, read_table(str(table), table.parent, known=exported.columns))
    assert list(found.columns) == list(expected.columns)
    if model.task == "classification":
        assert (found["prediction"] == expected["prediction"]).mean() > 0.99
    return difference(found, expected)


def test_every_kind_is_known() -> None:
    assert set(standalone.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(standalone.OUTPUTS) == set(LOSSES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation(dtype: str, table: Path, tmp_path: Path) -> None:
    for activation in HIDDEN:
        model = momentary_model(table, "classification", {"activation": activation}, dtype=dtype, temperature=1.3)
        assert error_of(model, table, tmp_path) < (1e-5 if dtype == "float32" else 1e-13), activation


@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_scaling_and_embedding(scaling: str, table: Path, tmp_path: Path) -> None:
    for embedding, config in embedded(scaling):
        assert error_of(momentary_model(table, "regression", config), table, tmp_path) < 1e-5, embedding


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_embeddings_of_categories_in_rows_that_nobody_has_seen(embedding: str, table: Path, tmp_path: Path) -> None:
    # Coded are town, or also code and colour, of which no category is rare, so that a new one has the code 0.
    for one_hot, n_coded in ((32, 1), (0, 3)):
        architecture = {"embedding": embedding, "scaling": "quantile", "hidden": [6, 6], "skip": True}
        other = {"embedding": "none", "scaling": "none", "feature_scale": True}
        model = momentary_model(table, "classification", architecture, other, one_hot=one_hot)
        assert len(model.parts[0].structure.levels) == n_coded
        frame = pd.read_csv(table, sep=";", dtype=str, keep_default_na=False)
        rng = np.random.default_rng(0)
        for name, own in (("town", TOWNS), ("code", ["7", "08", "A1"]), ("colour", ["red"])):
            frame[name] = rng.choice(["", "NA", "?", "never seen", "rare", *own], len(frame))
        frame.to_csv(tmp_path / "new.csv", index=False)
        assert error_of(model, tmp_path / "new.csv", tmp_path) < 1e-5


def test_only_numbers_and_only_categories(table: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(table, sep=";", dtype=str, keep_default_na=False)
    for columns in (["town", "colour"], ["town", "price"], ["price", "share"]):
        some = tmp_path / f"{'-'.join(columns)}.csv"
        frame[columns].to_csv(some, index=False)
        for embedding in ("none", "plr", "piecewise"):
            model = momentary_model(some, "regression", {"embedding": embedding, "scaling": "standard"}, one_hot=3)
            assert error_of(model, some, tmp_path) < 1e-5, (columns, embedding)


@settings(max_examples=20)
@given(data=st.data())
def test_ensembles_of_any_architectures(
    data: st.DataObject, table: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def architecture() -> dict[str, Any]:
        norm = data.draw(
            st.sampled_from([{}, {"batch_norm": True}, {"layer_norm": True}, {"batch_norm": [True, False]}])
        )
        return norm | {
            "activation": data.draw(st.sampled_from(HIDDEN)),
            "skip": data.draw(st.booleans()),
            "scaling": data.draw(st.sampled_from(SCALINGS)),
            "embedding": data.draw(st.sampled_from(list(EMBEDDINGS))),
            "feature_scale": data.draw(st.booleans()),
            "dropout": data.draw(st.sampled_from([0.0, 0.2])),
            "loss": data.draw(st.sampled_from(["auto", "squared_error"])),
            "hidden": [7, 5] if "batch_norm" in norm and norm["batch_norm"] is not True else data.draw(HIDDEN_SIZES),
        }

    architectures = [architecture() for _ in range(data.draw(st.integers(1, 3)))]
    task, classes = data.draw(st.sampled_from([("classification", 2), ("classification", 3), ("regression", 0)]))
    model = momentary_model(
        table,
        task,
        *architectures,
        classes=classes,
        temperature=data.draw(st.sampled_from([1.0, 0.7])),
        threshold=data.draw(st.sampled_from([None, 0.47])) if classes == 2 else None,
        one_hot=data.draw(st.sampled_from([0, 32, 1000])),
    )
    assert error_of(model, table, tmp_path_factory.mktemp("any")) < 1e-5


HIDDEN_SIZES = st.sampled_from([[], [3], [6, 9], [8, 4, 4]])

CODES = ("-999", "-999.0", "-999,00", "(999)", "9,999", "9.999", "9999")  # written as numbers, and perhaps missing
CELLS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "NA",
                "-",
                "true",
                "1,234",
                "(0,5)",
                "12 %",
                "$3k",
                "n.v.",
                "01.02.2024",
                "31/12/99",
                "13:08 pm",
            ),
            *("N.V.", "inf", "00:00", "9,999 km", "-5KM", "5 m", "km", *CODES),
        ]
    ),
    st.text(max_size=8).filter(lambda text: not set(text) & set("\r\n\0")),
    st.floats().map(repr),
    st.dates().map(str),
)


WORDS = st.sets(st.sampled_from(["n.v.", "-999", "-999.0", "9,999", "9.999", "true", "inf", "0", "2024", "31/12/99"]))


@example(cells=list(CODES), decimal=".", missing={"-999", "9,999"}, order="", unit="")
@example(cells=list(CODES), decimal=",", missing={"-999", "9,999"}, order="", unit="km")
@given(
    cells=st.lists(CELLS, min_size=1, max_size=5),
    decimal=st.sampled_from([".", ","]),
    missing=WORDS,
    order=st.sampled_from(["", "ymd", "dmy", "mdy", "clock", "digits"]),
    unit=st.sampled_from(["", "km"]),
)
def test_cells_are_read_as_in_a_sweep(cells: list[str], decimal: str, missing: set[str], order: str, unit: str) -> None:
    reading = Reading(decimal, tuple(sorted(missing)), order, unit)
    there = [cell or None for cell in cells]
    read = reading.apply(pd.Series(there, dtype=object))
    stored = reading.to_json()
    np.testing.assert_equal(standalone.read_numbers("x", there, stored), read.values)
    unread = [standalone.read_number(cell, stored) is None for cell in there]
    assert unread == (read.non_numeric | read.infinite).tolist()


def test_a_reading_has_nothing_that_the_program_does_not_know() -> None:
    assert {field.name for field in fields(Reading)} == {*Reading(unit="km").to_json()}
    assert {*Reading(unit="km").to_json()} == {"decimal", "missing", "order", "unit"}


@given(cells=st.lists(CELLS, min_size=1, max_size=5), decimal=st.sampled_from([".", ","]), missing=WORDS)
def test_categories_are_read_as_in_a_sweep(cells: list[str], decimal: str, missing: set[str]) -> None:
    reading = Reading(decimal, tuple(sorted(missing)))
    stored = {"reading": reading.to_json()}
    assert [standalone.category_name(stored, cell or None) for cell in cells] == [
        reading.category(cell) if cell else None for cell in cells
    ]
    assert standalone.category_name({}, "n.v.") == "n.v."


def test_a_line_of_names_is_what_the_model_remembers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("# rows\nred,small\nblue,big\n")
    assert standalone.read_columns(tmp_path / "t.csv", ["x0", "x1"], False)["x0"] == ["red", "blue"]
    assert list(standalone.read_columns(tmp_path / "t.csv", ["x0", "x1"])) == ["red", "small"]


@pytest.mark.parametrize("form", ["tab", "gzip", "utf-16", "quoted", "cp1252", "turned", "trailing"])
def test_a_table_in_any_form(form: str, table: Path, tmp_path: Path) -> None:
    model = momentary_model(table, "classification", {"scaling": "quantile"}, classes=2)
    frame = pd.read_csv(table, sep=";", dtype=str, keep_default_na=False)
    other = tmp_path / {"tab": "other.tsv", "gzip": "other.csv.gz"}.get(form, "other.csv")
    if form == "tab":
        frame.to_csv(other, sep="\t", index=False)
    elif form == "gzip":
        frame.to_csv(other, index=False)
    elif form == "utf-16":
        frame.to_csv(other, index=False, encoding="utf-16")
    elif form == "quoted":
        frame.assign(note='a "quoted"\nline').to_csv(other, index=False, quoting=1)
    elif form == "cp1252":
        frame.assign(colour="grün").to_csv(other, index=False, encoding="cp1252")
    elif form == "turned":
        frame[frame.columns[::-1]].assign(more=1).to_csv(other, index=False)
    else:
        other.write_text(table.read_text().replace("\n", ";\n"))
    assert error_of(model, other, tmp_path) < 1e-5


def test_what_cannot_be_used_is_one_line(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    write(momentary_model(table, "regression", {}), tmp_path)
    monkeypatch.setattr(standalone, "__file__", str(tmp_path / "predict.py"))
    for text, said in (
        ("price,share\n1,2\n", "the rows lack the column 'when'"),
        ("price,share\n1,2\n1,2,3\n", "row 2 has 3 fields, there are 2 columns"),
        (" \n", "the file is empty"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        assert standalone.main([str(tmp_path / "bad.csv")]) == 2
        assert said in capsys.readouterr().err
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(table.read_bytes())[:-99])
    assert standalone.main([str(tmp_path / "half.csv.gz")]) == 2
    assert "half.csv.gz: cannot be unpacked" in capsys.readouterr().err
    assert standalone.main([str(tmp_path / "none.csv")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert standalone.main([str(table)]) == 0
    assert capsys.readouterr().out.startswith("prediction\n")


def test_cells_that_cannot_be_read_are_told_once(table: Path, tmp_path: Path, capsys: Any) -> None:
    write(momentary_model(table, "regression", {}, {}), tmp_path)
    model = standalone.Model(tmp_path / "model.npz")
    model.about["encoders"] = model.about["encoders"][:1] * 3  # as where each fold has its own
    rows = standalone.read_columns(table, model.columns)
    model.predict({**rows, "way": [*rows["way"][:-1], "5 knots"]})
    assert capsys.readouterr().err == "way: 1 of 160 cells are no numbers (first: '5 knots')\n"
