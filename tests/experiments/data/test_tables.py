"""Tables are read whatever their wrapping; what is not a table is refused in one line that names the file."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError

TEXT = "age,name,price\n1,Ann,2.5\n2,Bo,3.5\n,Cy,4.5\n"
FRAME = pd.DataFrame({"age": [1.0, 2.0, np.nan], "name": ["Ann", "Bo", "Cy"], "price": [2.5, 3.5, 4.5]})


def zipped(data: bytes, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return buffer.getvalue()


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TEXT.encode()),
        ("a.CSV", TEXT.encode()),
        ("a.tsv", TEXT.replace(",", "\t").encode()),
        ("semicolons.csv", TEXT.replace(",", ";").encode()),
        ("bars.csv", TEXT.replace(",", "|").encode()),
        ("decimal commas.csv", TEXT.replace(",", ";").replace(".", ",").encode()),
        ("spaces.csv", TEXT.replace(",", ", ").encode()),
        ("mark.csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("utf16.csv", TEXT.encode("utf-16")),
        ("windows.csv", TEXT.replace("\n", "\r\n").encode()),
        ("question.csv", TEXT.replace("\n,Cy", "\n?,Cy").encode()),
        ("a.csv.gz", gzip.compress(TEXT.encode(), mtime=0)),
        ("a.csv.bz2", bz2.compress(TEXT.encode())),
        ("a.csv.xz", lzma.compress(TEXT.encode())),
        ("a.csv.zip", zipped(TEXT.encode(), "a.csv")),
        ("a.parquet", parquet(FRAME)),
        ("a.parquet.gz", gzip.compress(parquet(FRAME), mtime=0)),
        ("index.parquet", parquet(FRAME.set_axis([3, 5, 9]))),
        ("named index.parquet", parquet(FRAME.set_index("age"))),
    ],
)
def test_the_same_table_in_many_wrappings(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    pd.testing.assert_frame_equal(read_table(name, tmp_path), FRAME)
    pd.testing.assert_frame_equal(read_table(str(tmp_path / name), tmp_path / "elsewhere"), FRAME)


def test_delimiters_inside_quotes_do_not_count(tmp_path):
    (tmp_path / "a.csv").write_text('name;note\n"Braund, Mr. Owen";"a, b, c"\n"Heikkinen, Miss; Laina";"d, e, f"\n')
    frame = read_table("a.csv", tmp_path)
    assert frame["name"].tolist() == ["Braund, Mr. Owen", "Heikkinen, Miss; Laina"]


def test_arrays_become_columns(tmp_path):
    X, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])
    np.savez_compressed(tmp_path / "a.npz", X=X, y=y)
    expected = pd.DataFrame({"x0": X[:, 0], "x1": X[:, 1], "target": y})
    pd.testing.assert_frame_equal(read_table("a.npz", tmp_path), expected)
    np.savez(tmp_path / "b.npz", X=X)
    pd.testing.assert_frame_equal(read_table("b.npz", tmp_path), expected.drop(columns="target"))


WRONG = {
    "missing.csv": (None, "there is no such file"),
    "nowhere/a.csv": (None, "no folder"),
    "folder.csv": ("folder", "is a folder"),
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n  \n", "the file is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "the column name 'a' occurs 2 times"),
    "numbers.csv": (b"1.5,2.5\n3.5,4.5\n", "first line holds numbers"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "is not a table"),
    "wide.csv": (b"a,b\n1,2,3\n4,5,6\n", "3 fields where the first line names 2"),
    "quote.csv": (b'a,b\n1,"2\n', "is not a table"),
    "latin.csv": ("a,b\n1,é\n".encode("latin-1"), "0xe9 is not UTF-8"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\0\0", "is not a text table: it is a PNG image"),
    "page.csv": (b"\n<!DOCTYPE html><html></html>", "a web page"),
    "document.csv": (b"%PDF-1.7 ...", "a PDF document"),
    "binary.csv": (b"a,b\n\0\1\2\n", "binary data"),
    "zipped.csv": (gzip.compress(b"a,b\n1,2\n"), "gzip data; name it .gz"),
    "sheet.csv": (zipped(b"", "xl/workbook.xml"), "spreadsheet"),
    "sheet.xlsx": (b"PK", "a table ends in .csv, .tsv, .parquet, .npz"),
    "noname": (b"a,b\n1,2\n", "a table ends in"),
    "plain.csv.gz": (b"a,b\n1,2\n", "cannot be read as .gz"),
    "cut.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:40], "cannot be read as .gz"),
    "plain.csv.bz2": (b"a,b\n1,2\n", "cannot be read as .bz2"),
    "plain.csv.xz": (b"a,b\n1,2\n", "cannot be read as .xz"),
    "plain.csv.zip": (b"a,b\n1,2\n", "cannot be read as .zip"),
    "two.csv.zip": (zipped(b"a\n1\n", "a.csv", "b.csv"), "holds 2 files"),
    "text.parquet": (b"a,b\n1,2\n", "is not a Parquet table"),
    "cut.parquet": (parquet(FRAME)[:-100], "is not a Parquet table"),
    "rows.parquet": (parquet(FRAME.iloc[:0]), "no rows"),
    "text.npz": (b"a,b\n1,2\n", "is not an .npz file of plain arrays"),
    "pickle.npz": (pickle.dumps({"X": [1]}), "is not an .npz file of plain arrays"),
    "objects.npz": (npz(X=np.array([[1, "a"]], dtype=object)), "is not an .npz file of plain arrays"),
    "names.npz": (npz(data=np.zeros((2, 2))), "needs an array X"),
    "flat.npz": (npz(X=np.zeros(3)), "X must have two axes"),
    "short.npz": (npz(X=np.zeros((3, 2)), y=np.zeros(2)), "y must have shape (3,)"),
    "none.npz": (npz(X=np.zeros((0, 2))), "no rows"),
    "sklearn:digit": (None, "did you mean 'digits'"),
    "sklearn:mnist": (None, "digits, iris, wine, breast_cancer, diabetes"),
    "a\0b.csv": (None, "is not a file name"),
    "x" * 300 + ".csv": (None, "xxx"),
    "~nobody-of-that-name/a.csv": (None, "nobody"),
}


@pytest.mark.parametrize("name", WRONG, ids=lambda name: ascii(name[:30]))
def test_what_is_not_a_table_is_refused_in_one_line(tmp_path, name):
    data, message = WRONG[name]
    if data == "folder":
        (tmp_path / name).mkdir()
    elif data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_table(name, tmp_path)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert len(text) < 400
    if len(name) < 100 and "\0" not in name:
        assert text.startswith(name)


def test_a_misspelt_file_has_a_nearest_one(tmp_path):
    (tmp_path / "titanic.csv").write_text(TEXT)
    with pytest.raises(UserError, match=r"did you mean 'titanic.csv'\?"):
        read_table("titanik.csv", tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".parquet", ".npz", ".csv.gz", ".csv.zip", ".csv.xz"])
)
def test_any_bytes_are_a_table_or_refused(tmp_path, data, suffix):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(data)
    try:
        frame = read_table(path.name, tmp_path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(frame) > 0
        assert len(set(frame.columns)) == frame.shape[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(text=st.text(alphabet='ab1.;,\t"\n -?é', max_size=80))
def test_any_text_is_a_table_or_refused(tmp_path, text):
    (tmp_path / "any.csv").write_text(text, encoding="utf-8")
    try:
        frame = read_table("any.csv", tmp_path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(frame) > 0
