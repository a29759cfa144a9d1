"""Workbooks: the first sheet or a named one, with titles, blank lines and gaps around the table as people leave them."""

import datetime
import io

import openpyxl
import pandas as pd
import pytest

from mlptune.experiments import spreadsheets
from mlptune.experiments.errors import UserError


def book(**sheets: list[list]) -> io.BytesIO:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    buffer.seek(0)
    return buffer


def read(file: io.BytesIO, sheet: str = "", header: bool | None = None, said: list[str] | None = None) -> pd.DataFrame:
    file.seek(0)
    return spreadsheets.read("a.xlsx", file, sheet, header, (), ([] if said is None else said).append)


DAY = datetime.datetime(2020, 1, 31)
PLAIN = [["n", "code", "mixed", "day"], [1, "01", 1.5, DAY], [None, "NA", "x", None]]


def test_cells_are_as_they_are_stored():
    frame = read(book(A=PLAIN))
    assert list(frame) == PLAIN[0]
    assert frame["code"].tolist() == ["01", "NA"]
    assert frame["mixed"].tolist() == [1.5, "x"]
    assert frame["day"].tolist()[0] == pd.Timestamp(DAY)
    assert frame["n"].isna().tolist() == [False, True]


def test_sheets_by_name_and_the_first_one_is_said():
    said: list[str] = []
    file = book(A=PLAIN, B=[["x"], [7]])
    assert len(read(file, said=said)) == 2
    assert said == ["a.xlsx: the first of 2 sheets, 'A'; ?sheet=NAME after the file's name reads another"]
    assert read(file, "B").to_numpy().tolist() == [[7]]
    file.seek(0)
    assert spreadsheets.column_names("a.xlsx", file, "B", None, ()) == ["x"]
    with pytest.raises(UserError, match=r"^a\.xlsx: the workbook has no sheet 'C'; known: A, B$"):
        read(file, "C")


def test_titles_blank_lines_and_gaps():
    rows = [[None, "Sales of 2020"], [], [None, "in euros"], [None, *PLAIN[0], None, None], [None, *PLAIN[1]], []]
    said: list[str] = []
    frame = read(book(A=[*rows, [None, *PLAIN[2], None, "note"], [], [" "]]), said=said)
    assert list(frame) == [*PLAIN[0], "Unnamed: 6"]
    assert len(frame) == 2
    assert said == ["a.xlsx: 2 lines above the names of the columns are left out"]


def test_a_first_row_of_values_is_recognised_and_said():
    rows = [[1.5, "a", 2], [2.5, "b", 3], [3.5, "a", 4]]
    said: list[str] = []
    frame = read(book(A=rows), said=said)
    assert list(frame) == ["x0", "x1", "x2"]
    assert len(frame) == 3
    assert "the first row holds values" in said[0]
    assert list(read(book(A=rows), header=True)) == ["1.5", "a", "2"]
    assert len(read(book(A=PLAIN), header=False)) == 3


def test_a_wrong_range_in_the_file_loses_no_rows(tmp_path):
    workbook = openpyxl.Workbook()
    for row in PLAIN:
        workbook.active.append(row)
    workbook.active.calculate_dimension = lambda: "A1:A1"
    workbook.save(tmp_path / "a.xlsx")
    assert read(io.BytesIO((tmp_path / "a.xlsx").read_bytes())).shape == (2, 4)


def test_a_label_that_looks_like_a_formula_stays_a_label(tmp_path):
    frame = pd.DataFrame({"prediction": ["=1+1", "b"], "proba_=1+1": [0.75, 0.25]})
    spreadsheets.write(frame, tmp_path / "out")
    pd.testing.assert_frame_equal(read(io.BytesIO((tmp_path / "out").read_bytes())), frame)
    with pytest.raises(UserError, match="cannot hold this text"):
        spreadsheets.write(pd.DataFrame({"prediction": ["\x01"]}), tmp_path / "out")
    with pytest.raises(UserError, match=r"ends after 1048575 rows, there are 1048576; write \.parquet or \.csv"):
        spreadsheets.write(pd.DataFrame({"prediction": range(2**20)}), tmp_path / "out")


def test_what_is_not_a_workbook_is_refused():
    whole = book(A=PLAIN).getvalue()
    for data in (b"a,b\n1,2\n", whole[:-50], b"PK\x03\x04", whole[:300]):
        with pytest.raises(UserError, match=r"^a\.xlsx: is not an \.xlsx workbook: ") as caught:
            read(io.BytesIO(data))
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="the sheet is empty"):
        read(book(A=[]))
    with pytest.raises(UserError, match="'x' occurs 2 times"):
        read(book(A=[["x", "x"], [1, 2]]))
