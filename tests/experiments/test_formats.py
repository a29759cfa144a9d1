"""One table of formats: what reads, names, writes and recognises files agrees with it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from mlptune.experiments.config import default_name
from mlptune.experiments.config.schema import DataConfig, Spec
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError
from mlptune.experiments.formats import COMPRESSIONS, FORMATS, Address, is_table, open_table, without_suffixes


@pytest.mark.parametrize("suffix", [suffix for suffix, row in FORMATS.items() if row.write])
def test_what_is_written_is_read_back(tmp_path, suffix):
    frame = pd.DataFrame({"prediction": ["a", "b"], "proba_a": [0.75, 0.25]})
    write = FORMATS[suffix].write
    assert write is not None
    write(frame, tmp_path / f"out{suffix}")
    again = read_table(f"out{suffix}", tmp_path).astype({"proba_a": "float64"})  # cells of CSV are texts
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.parametrize("compression", ["", *COMPRESSIONS])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_format_is_known_by_its_suffix(suffix, compression):
    name = f"My cars.v2{suffix}{compression}"
    assert is_table(Path(name))
    assert is_table(Path(name.upper()))
    assert without_suffixes(name) == without_suffixes(name.lower().replace("my", "My")) == "My cars.v2"
    assert default_name(f"some/folder/{name}") == "My cars.v2"


@pytest.mark.parametrize(
    ("source", "address", "name"),
    [
        ("a/cars.xlsx?sheet=Year 2019", Address("a/cars.xlsx", "sheet", "Year 2019"), "cars-Year 2019"),
        ("shop.db?table=orders", Address("shop.db", "table", "orders"), "shop-orders"),
        ("shop.db?query=SELECT a?b", Address("shop.db", "query", "SELECT a?b"), "shop"),
        ("sqlite:///shop.db?table=t", Address("shop.db", "table", "t", "sqlite:///"), "shop-t"),
        ("sqlite:////d/shop", Address("/d/shop", scheme="sqlite:///"), "shop"),
        ("what?.csv", Address("what?.csv"), "what"),
        ("a.csv?sheet=", Address("a.csv?sheet="), "a.csv-sheet"),
    ],
)
def test_a_part_of_a_file_is_named_after_it(source, address, name):
    assert Address.parse(source) == address
    assert address.at(address.path) == source
    assert default_name(source) == name
    spec = Spec(name="x", data=DataConfig(source=source))
    spec._base = Path("/base")
    absolute = Address.parse(spec.absolute().data.source)
    assert absolute == Address(str(Path("/base", address.path)), *source_parts(address))


def source_parts(address: Address) -> tuple[str, str, str]:
    return address.part, address.wanted, address.scheme


def test_a_part_that_files_of_a_kind_do_not_have(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    for part, whose in (("sheet=x", ".xlsx"), ("table=x", ".sqlite, .sqlite3, .db")):
        with pytest.raises(UserError, match=rf"is for {whose}$"):
            read_table(f"a.csv?{part}", tmp_path)
    with pytest.raises(UserError, match=r"no such file; a part of a file is \?sheet=NAME"):
        read_table("a.csv?sheat=x", tmp_path)


@pytest.mark.parametrize(("name", "module"), [("a.xlsx", "openpyxl"), ("a.arff", "arff")])
def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch, name, module):
    (tmp_path / name).write_text("x")
    monkeypatch.setattr("mlptune.experiments.formats.find_spec", lambda asked: None if asked == module else asked)
    with (
        pytest.raises(UserError, match=r"needs the package (openpyxl|liac-arff): pip install 'mlptune\[formats\]'$"),
        open_table(name, tmp_path),
    ):
        pass


def test_other_files_are_not_tables():
    assert not is_table(Path("cars.toml"))
    assert not is_table(Path("csv"))
    assert is_table("cars.xlsx?sheet=a")
    assert is_table("sqlite:///shop")
    assert without_suffixes("notes.txt") == "notes.txt"


def test_formats_are_known_without_pandas():
    script = "import sys; import mlptune.experiments.run; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.parametrize("name", ["cars.zip", "cars.csv.zip", "CARS.ZIP"])
def test_an_archive_may_hold_other_files_beside_its_table(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("notes/README.txt", "of cars")
        archive.writestr("__MACOSX/._cars.csv", "x")
        archive.writestr("data/cars.csv", "a,b\n1,x\n2,y\n")
    assert read_table(name, tmp_path).to_numpy().tolist() == [["1", "x"], ["2", "y"]]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["a.csv", "b.tsv", "c.txt"],
            r"holds 3 files, 2 tables among them \(a.csv, b.tsv\); take out the one you mean",
        ),
        (["iris.data", "iris.names"], r"holds 2 files, no table among them \(iris.data, iris.names\)"),
        ([f"{i}.csv" for i in range(9)], r"9 tables among them \(0.csv, 1.csv, 2.csv, 3.csv, 4.csv, ...\)"),
        (["iris.data"], "a table ends in .csv"),
        ([], "holds 0 files, no table among them; take"),
    ],
)
def test_an_archive_without_one_table_says_what_it_holds(tmp_path, names, said):
    with zipfile.ZipFile(tmp_path / "cars.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "a\n1\n")
    with pytest.raises(UserError, match=said):
        read_table("cars.zip", tmp_path)
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match=r"no\.zip: cannot be read: File is not a zip file"):
        read_table("no.zip", tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_lines_above_a_table_are_left_out_and_said(tmp_path, encoding):
    text = "# größe\nsep=;\n\na;b\n1;ü\n"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (tmp_path / "t.csv").write_bytes(mark + text.encode(encoding))
    said: list[str] = []
    frame = read_table("t.csv", tmp_path, say=said.append)
    assert (list(frame), frame.to_numpy().tolist()) == (["a", "b"], [["1", "ü"]])
    assert said[0] == "t.csv: 1 line above the table is left out (first: '# größe')"
    with open_table("t.csv", tmp_path) as table:
        assert table.format.column_names(table) == ["a", "b"]


def test_lines_are_counted_from_the_beginning_of_the_file(tmp_path):
    (tmp_path / "t.csv").write_text("# one\n# two\na,b\n1,2\n1,2,3\n")
    with pytest.raises(UserError, match="the first line names 2 fields, line 5 has 3"):
        read_table("t.csv", tmp_path)
