"""Tables are read whatever their wrapping; what is not a table is refused in one line that names the file."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlptune.experiments.data.reading import decimal_marks, try_numbers
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError
from mlptune.experiments.formats import FORMATS
from tests.support.table_bytes import feather, parquet, sqlite, xlsx

TEXT = "age,name,price\n1,Ann,2.5\n2,Bo,3.5\n,Cy,4.5\n"
FRAME = pd.DataFrame({"age": [1.0, 2.0, np.nan], "name": ["Ann", "Bo", "Cy"], "price": [2.5, 3.5, 4.5]})


def meant(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its cells as what they say."""
    marks = decimal_marks(frame)
    return frame.assign(**{name: try_numbers(frame[name], marks[name]).read.values for name in ("age", "price")})


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


def zst(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


JSON_LINES = FRAME.to_json(orient="records", lines=True).encode()
ARFF = b"@relation r\n@attribute age real\n@attribute name string\n@attribute price real\n@data\n" + (
    TEXT.partition("\n")[2].replace("\n,", "\n?,").encode()
)


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
        ("a.csv.zst", zst(TEXT.encode())),
        ("two frames.csv.zst", zst(TEXT[:20].encode()) + zst(TEXT[20:].encode())),
        ("a.feather", feather(FRAME)),
        ("a.arrow", feather(FRAME)),
        ("a.xlsx", xlsx(FRAME)),
        ("a.jsonl", JSON_LINES),
        ("a.ndjson.zst", zst(JSON_LINES)),
        ("a.arff", ARFF),
        ("a.arff.gz", gzip.compress(ARFF, mtime=0)),
        ("a.db", sqlite(FRAME)),
        ("a.sqlite3", sqlite(FRAME)),
        ("a.parquet", parquet(FRAME)),
        ("a.parquet.gz", gzip.compress(parquet(FRAME), mtime=0)),
        ("index.parquet", parquet(FRAME.set_axis([3, 5, 9]))),
        ("named index.parquet", parquet(FRAME.set_index("age"))),
    ],
)
def test_the_same_table_in_many_wrappings(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    pd.testing.assert_frame_equal(meant(read_table(name, tmp_path)), FRAME)
    pd.testing.assert_frame_equal(meant(read_table(str(tmp_path / name), tmp_path / "elsewhere")), FRAME)


def test_the_cells_of_a_text_table_are_texts(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n01,NA\n 1,\n1.50, x\n")
    frame = read_table("a.csv", tmp_path)
    assert frame["a"].tolist() == ["01", "1", "1.50"]
    assert frame["b"].isna().tolist() == [False, True, False]


def test_rows_of_other_lengths_are_refused_with_their_lines(tmp_path):
    short = "".join("1,2,3\n" if i % 8 else "1,3\n" for i in range(1, 400))
    (tmp_path / "a.csv").write_text("a,b,c\n" + short)
    with pytest.raises(UserError) as caught:
        read_table("a.csv", tmp_path)
    assert str(caught.value) == (
        "a.csv: is not a table: the first line names 3 fields, line 9 has 2, line 17 has 2, line 25 has 2"
    )
    (tmp_path / "b.csv").write_text('a,b\n"1\n2",3\n\n1,2,\n4\n')
    with pytest.raises(UserError, match=r"names 2 fields, line 6 has 1$"):
        read_table("b.csv", tmp_path)


def test_a_delimiter_at_the_end_of_every_line_is_no_column(tmp_path):
    for text in ("a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b,\n1,2\n3,4\n"):
        (tmp_path / "a.csv").write_text(text)
        assert read_table("a.csv", tmp_path).to_numpy().tolist() == [["1", "2"], ["3", "4"]]


HEADERLESS = {
    "5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n": False,
    "M,0.455,15\nF,0.35,7\nM,0.53,9\n": False,
    "39,State-gov,77516\n50,Private,83311\n38,State-gov,215646\n": False,
    "6,148,72,1\n1,85,66,0\n8,183,64,1\n": False,
    "1.5,2.5\n3.5,4.5\n": False,
    "a,b,a\nx,1,y\nz,2,w\n": True,
    "0,1,2\n5,6,7\n8,9,1\n": True,
    "country,1990,2000,2010\nFrance,1,2,3\nSpain,4,5,6\n": True,
    "1x1,1x2\n1,2\n3,4\n": True,
    "name,town\nAnn,Rome\nBo,Oslo\n": True,
}


@pytest.mark.parametrize("text", HEADERLESS)
def test_a_first_line_of_values_is_recognised_and_said(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    said: list[str] = []
    if HEADERLESS[text]:
        if "a,b,a" in text:
            with pytest.raises(UserError, match="'a' occurs 2 times"):
                read_table("a.csv", tmp_path)
            return
        assert list(read_table("a.csv", tmp_path, say=said.append)) == text.split("\n")[0].split(",")
        assert not said
        frame = read_table("a.csv", tmp_path, header=False, say=said.append)
    else:
        frame = read_table("a.csv", tmp_path, say=said.append)
    assert frame.columns[0] == "x0"
    assert frame.iloc[0].tolist() == text.split("\n")[0].split(",")
    assert "the first line holds values, so the columns are called x0 to x" in said[0]
    assert len(frame) + 1 == text.count("\n") + HEADERLESS[text] + (not HEADERLESS[text])


def test_known_names_are_no_values(tmp_path):
    (tmp_path / "a.csv").write_text("2019,2021\n1,2\n")
    assert list(read_table("a.csv", tmp_path, known=["2021", "2019"])) == ["2019", "2021"]


def test_what_is_not_utf8_is_windows_1252_cell_by_cell(tmp_path):
    said: list[str] = []
    (tmp_path / "a.csv").write_bytes(
        "maker,ö\n".encode("cp1252") + "Citroën,1\n".encode("cp1252") + "Škoda €,2\n".encode()
    )
    frame = read_table("a.csv", tmp_path, say=said.append)
    assert list(frame) == ["maker", "ö"]
    assert frame["maker"].tolist() == ["Citroën", "Škoda €"]
    assert said == ["a.csv: is not all UTF-8; what is not was read as Windows-1252"]


def test_texts_in_parquet_that_are_not_utf8_are_windows_1252(tmp_path):
    binary = pa.array(["Citroën".encode("cp1252"), "Škoda".encode(), None], pa.binary())
    cells = pa.Array.from_buffers(pa.string(), 3, binary.buffers())
    pq.write_table(pa.table({"maker": cells, "n": [1, 2, 3]}), tmp_path / "a.parquet")
    said: list[str] = []
    frame = read_table("a.parquet", tmp_path, say=said.append)
    assert frame["maker"].tolist()[:2] == ["Citroën", "Škoda"]
    assert frame["maker"].isna().tolist() == [False, False, True]
    assert said == ["a.parquet: is not all UTF-8; what is not was read as Windows-1252"]


def test_delimiters_inside_quotes_do_not_count(tmp_path):
    (tmp_path / "a.csv").write_text('name;note\n"Braund, Mr. Owen";"a, b, c"\n"Heikkinen, Miss; Laina";"d, e, f"\n')
    frame = read_table("a.csv", tmp_path)
    assert frame["name"].tolist() == ["Braund, Mr. Owen", "Heikkinen, Miss; Laina"]


WRONG = {
    "missing.csv": (None, "there is no such file"),
    "nowhere/a.csv": (None, "no folder"),
    "folder.csv": ("folder", "is a folder"),
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n  \n", "the file is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "twice.csv": (
        b"a,b,a\n1,2,3\n",
        "the column name 'a' occurs 2 times; give each its own, or where the first line holds values, set data.header",
    ),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "is not a table: the first line names 2 fields, line 3 has 3"),
    "wide.csv": (b"a,b\n1,2,3\n4,5,6\n", "the first line names 2 fields, line 2 has 3, line 3 has 3"),
    "short.csv": (b"a,b\n1\n", "the first line names 2 fields, line 2 has 1"),
    "quote.csv": (b'a,b\n1,"2\n', "a quote that is opened in line 2 is not closed"),
    "half.csv": (b"\xff\xfea\0,\0b", "is not UTF-16 text, as its first bytes say"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\0\0", "is not a text table: it is a PNG image"),
    "page.csv": (b"\n<!DOCTYPE html><html></html>", "a web page"),
    "document.csv": (b"%PDF-1.7 ...", "a PDF document"),
    "binary.csv": (b"a,b\n\0\1\2\n", "binary data"),
    "zipped.csv": (gzip.compress(b"a,b\n1,2\n"), "gzip data; name it .gz"),
    "sheet.csv": (zipped(b"", "xl/workbook.xml"), "spreadsheet"),
    "sheet.ods": (b"PK", "a table ends in .csv, .tsv, .parquet, .npz"),
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
    "plain.csv.zst": (b"a,b\n1,2\n", "cannot be read as .zst"),
    "cut.csv.zst": (zst(b"a,b\n" + b"1,2\n" * 9999)[:-9], "cannot be read as .zst: Truncated"),
    "frames.csv": (zst(b"a,b\n1,2\n"), "zstd data; name it .zst"),
    "arrow.csv": (feather(FRAME), "Feather; name it .feather"),
    "database.csv": (sqlite(FRAME), "an SQLite database; name it .sqlite"),
    "database.db.gz": (gzip.compress(sqlite(FRAME)), "is a compressed database; unpack it first"),
    "zero.db": (b"", "the file is empty"),
    "none.sqlite": (sqlite(FRAME.iloc[:0]), "no rows"),
    "picture.jsonl": (b"\x89PNG\r\n\x1a\n\0\0", "it is a PNG image"),
    "objects.jsonl": (b"{}\n{}\n", "the table has no columns"),
    "binary.arff": (b"a\0", "it is binary data"),
    "rows.arff": (b"@relation r\n@attribute a real\n@data\n", "no rows"),
    "rows.xlsx": (xlsx(FRAME.iloc[:0]), "no rows"),
    "rows.feather": (feather(FRAME.iloc[:0]), "no rows"),
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    data=st.binary(max_size=200),
    suffix=st.sampled_from([*FORMATS, ".csv.gz", ".csv.zip", ".csv.xz", ".csv.zst"]),
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(alphabet='ab1.;,\t"\n -?é', max_size=80))
def test_any_text_is_a_table_or_refused(tmp_path, text):
    (tmp_path / "any.csv").write_text(text, encoding="utf-8")
    try:
        frame = read_table("any.csv", tmp_path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(frame) > 0
