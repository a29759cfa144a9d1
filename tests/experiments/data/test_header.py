"""A slip in [data] is found in the header, before a table is read or a process started; what a header cannot tell is left open."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments import formats
from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.header import check_columns, check_header
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError
from mlptune.experiments.formats import open_table
from tests.support.table_bytes import feather, parquet, sqlite, xlsx

FRAME = pd.DataFrame({"age": [1, 2], "name": ["Ann", "Bo"], "price": [2.5, 3.5]})


def write(folder: Path, name: str, data: bytes) -> None:
    if name.endswith(".zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("inside.csv", data)
    else:
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


TEXT = FRAME.to_csv(index=False).encode()
TABLES = {
    "a.csv": TEXT,
    "a.csv.gz": TEXT,
    "a.csv.zip": TEXT,
    "a.tsv": TEXT.replace(b",", b"\t"),
    "utf16.csv": TEXT.decode().encode("utf-16"),
    "spaces.csv": TEXT.replace(b",", b" , "),
    "long.csv": TEXT + b"3,Cy,4.5\n" * 20000,
    "a.parquet": parquet(FRAME),
    "a.feather": feather(FRAME),
    "a.xlsx": xlsx(FRAME),
    "a.jsonl": FRAME.to_json(orient="records", lines=True).encode(),
    "a.arff": b"@relation r\n@attribute age real\n@attribute name string\n@attribute price real\n@DATA\n1,Ann,2.5\n",
    "a.db": sqlite(FRAME),
    "index.parquet": parquet(FRAME.set_index("age")),
    "range.parquet": parquet(FRAME.set_index(pd.RangeIndex(2, name="number"))),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_header_names_the_columns_that_reading_gives(tmp_path, name):
    write(tmp_path, name, TABLES[name])
    with open_table(name, tmp_path) as table:
        found = table.format.column_names(table)
    assert found is not None
    assert sorted(found) == sorted(read_table(name, tmp_path).columns)
    check_header(DataConfig(source=name, target="price", ignore=["age"]), tmp_path)
    with pytest.raises(UserError, match="no column 'prize'; did you mean 'price'"):
        check_header(DataConfig(source=name, target="prize"), tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("unnamed.csv", b",a\n1,2\n3,4\n"),
        ("wide.csv", ",".join(f"column{i}" for i in range(20000)).encode() + b"\n" + b"1," * 19999 + b"1\n"),
        ("inside.parquet.gz", parquet(FRAME)),
        ("numbers.parquet", parquet(FRAME.set_axis(["0", "1", "2"], axis=1))),
    ],
)
def test_where_a_header_cannot_tell_nothing_is_refused(tmp_path, name, data):
    write(tmp_path, name, data)
    if name == "numbers.parquet":
        FRAME.set_axis([0, 1, 2], axis=1).to_parquet(tmp_path / name)
    check_header(DataConfig(source=name, target="0"), tmp_path)


def test_the_columns_of_a_query_are_looked_at(tmp_path):
    write(tmp_path, "a.db", TABLES["a.db"])
    source = "sqlite:///a.db?query=SELECT age AS years, price FROM cars"
    check_header(DataConfig(source=source, target="price", ignore=["years"]), tmp_path)
    with pytest.raises(UserError, match="no column 'age'"):
        check_header(DataConfig(source=source, target="price", ignore=["age"]), tmp_path)
    with pytest.raises(UserError, match="no table 'cras'; did you mean 'cars'"):
        check_header(DataConfig(source="a.db?table=cras", target="price"), tmp_path)


def test_a_header_longer_than_the_first_look_is_read(tmp_path):
    names = [f"column{i}" for i in range(7000)]
    assert len(",".join(names)) > formats._HEAD
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n" + "1," * 6999 + "1\n")
    assert list(read_table("wide.csv", tmp_path)) == names


def test_a_first_line_of_values_is_told_where_a_name_is_missing(tmp_path):
    (tmp_path / "iris.csv").write_text("5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n")
    with pytest.raises(
        UserError, match=r"no column 'setosa'; there are 'x0', .*: the first line holds values; \[data\] header"
    ):
        check_header(DataConfig(source="iris.csv", target="setosa"), tmp_path)
    check_header(DataConfig(source="iris.csv", target="x2"), tmp_path)
    check_header(DataConfig(source="iris.csv", target="setosa", header=True), tmp_path)


def test_arrays_and_bundled_sets_are_left_to_reading(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros((3, 2)))
    check_header(DataConfig(source="a.npz", target="nope"), tmp_path)
    check_header(DataConfig(source="sklearn:iris", target="nope"), tmp_path)
    with pytest.raises(UserError, match="did you mean 'iris'"):
        check_header(DataConfig(source="sklearn:irsi"), tmp_path)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"ignore": ["agee"]}, "[data] ignore: the table has no column 'agee'; did you mean 'age'?"),
        ({"numeric": ["AGE"]}, "[data] numeric: the table has no column 'AGE'; did you mean 'age'?"),
        ({"weight": "zzz"}, "[data] weight: the table has no column 'zzz'; there are 'age', 'name', 'price'"),
        ({"ignore": ["price"]}, "[data] ignore: 'price' is the target"),
    ],
)
def test_columns_that_the_table_lacks_are_refused(section, message):
    with pytest.raises(UserError) as caught:
        check_columns(DataConfig(source="a.csv", **section), "price", list(FRAME))
    assert str(caught.value) == message


BAD = [
    ({"source": "nothere.csv"}, "nothere.csv: there is no such file"),
    ({"source": "cras.csv"}, "cras.csv: there is no such file; did you mean 'cars.csv'?"),
    ({"source": "cars.xlsx"}, "cars.xlsx: there is no such file"),
    ({"source": "."}, ".: is a folder"),
    ({"source": "fake.parquet"}, "fake.parquet: is not a Parquet table"),
    ({"source": "page.csv"}, "page.csv: is not a text table: it is a web page or XML"),
    ({"source": "cars.csv"}, "[data] target: name the column to predict"),
    ({"source": "cars.csv", "target": "nope"}, "[data] target: the table has no column 'nope'"),
    (
        {"source": "cars.csv", "target": "age, price"},
        "[data] target: the table has no column 'age, price'; several targets are a sweep each",
    ),
    ({"source": "cars.csv", "target": "price", "group": "owner"}, "[data] group: the table has no column 'owner'"),
    ({"source": "cars.csv", "target": "price", "test": "new.csv"}, "new.csv: there is no such file"),
    ({"source": "cars.csv", "target": "price", "test": "other.csv"}, "[data] test: other.csv has no column 'price'"),
    ({"source": "sklearn:digit"}, "sklearn:digit: is not a bundled set; did you mean 'digits'?"),
]


@pytest.mark.parametrize(("section", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_a_sweep_starts_no_process_for_a_slip(tmp_path, monkeypatch, section, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlptune.experiments.run.Workers", pytest.fail)
    monkeypatch.setattr("mlptune.experiments.run.open_executor", pytest.fail)
    FRAME.to_csv("cars.csv", index=False)
    FRAME.drop(columns="price").to_csv("other.csv", index=False)
    Path("fake.parquet").write_bytes(b"PAR1xxxx")
    Path("page.csv").write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(UserError) as caught:
        mlptune.run_sweep({"data": section})
    assert str(caught.value).startswith(message)


def test_fields_that_something_else_separates_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("a b y\n1 2 3\n")
    with pytest.raises(UserError, match="there is only 'a b y': a comma, semicolon, tab or bar separates fields"):
        check_header(DataConfig(source="a.csv", target="y"), tmp_path)
