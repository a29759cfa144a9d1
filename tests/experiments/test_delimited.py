"""Text tables cut into cells: delimiters, lines of names, long tables in pieces."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments import delimited
from mlptune.experiments.errors import UserError


def read(text: str, delimiter: str = ",", named: bool = True) -> list[list]:
    first = next(iter(text.splitlines())).split(delimiter) if named else None
    frame = delimited.read("t.csv", io.BytesIO(text.encode()), "utf-8-sig", delimiter, first, lambda line: None)
    return [list(frame), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a;b\n10,4;3\n", ";"), ("a,b\n1;2,3\n", ","), ("a\tb\n1,5\t2,5\n", "\t"), ("a|b\n1|2\n", "|"), ("a\n1\n", ",")],
)
def test_the_delimiter_cuts_most_evenly(text, delimiter):
    assert delimited.sniff(text, True)[0] == delimiter


def test_lines_and_quotes():
    assert read('a,b\n"1, ""x""", 2\n\n  \n"3\n4",\n') == [["a", "b"], ['1, "x"', "2"], ["3\n4", None]]
    assert read("1,2\n3,4", named=False) == [["x0", "x1"], ["1", "2"], ["3", "4"]]
    assert read("a\r1\r2\r") == [["a"], ["1"], ["2"]]


@pytest.mark.parametrize(
    "text", ["a,b\n 1,\n\n2, x y \n", "a,b\r\n1,ä\r\n", "\ufeffa,b\n1,2\n", "a,b\n1,2", "a,b,\n1,2,\n"]
)
def test_reading_at_once_is_reading_by_record(text, monkeypatch):
    found = read(text.replace("\ufeff", ""))
    monkeypatch.setattr(delimited, "_at_once", lambda *_: None)
    assert read(text.replace("\ufeff", "")) == found


@settings(max_examples=100)
@given(st.text(alphabet="a1, \n\r.é\t", max_size=30), st.booleans())
def test_any_text_is_read_at_once_as_by_record(text, named):
    def outcome() -> object:
        try:
            return read("a,b,c\n" + text if named else "1,2,3\n" + text, named=named)
        except UserError as error:
            return str(error)

    found = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_at_once", lambda *_: None)
        assert outcome() == found


def test_a_long_table_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr(delimited, "_CHUNK", 7)
    rows = [[str(i), f"t{i}"] for i in range(100)]
    text = "a,b\n" + "".join(f"{a},{b}\n" for a, b in rows)
    assert read(text) == [["a", "b"], *rows]
    with pytest.raises(UserError, match=r"line 102 has 1$"):
        read(text + "5\n")


def test_an_open_quote_is_found_where_it_begins():
    with pytest.raises(UserError, match="a quote that is opened in line 3 is not closed"):
        read('a,b\n1,2\n3,"4\n5,6\n')


@pytest.mark.parametrize(
    "above",
    [
        "# made by x\n",
        "# of x, y and z, too, all\n#\n",
        "sep=;\n",
        "SEP=,\n\n",
        "Sales of 2020\n\nin euros\n",
        "Sales of 2020,,\n,,\n",
        "Sales; in euros\n",
        '"A title"\r\n',
        "\n \n",
    ],
)
def test_what_stands_above_a_table_is_left_out(above):
    assert delimited.above(f"{above}a,b,c\n1,2,x\n3,4,y\n") == above


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "#id,b\n1,2\n",
        "# y\n1\n2\n",
        "y\n1,5\n2,5\n",
        '"long\nname",b\n1,2\n',
        "y\n1\n2\n",
        "# a\n",
        "x\n1,2\n",
        "film,kinds\nx,a;b;c\ny,c;d;e\n",
        "film,note\nx,a;b,c\ny,a;b,c\n",
        "a;\nb;\nc;\n",
    ],
)
def test_names_and_rows_are_no_remarks_above_a_table(text):
    assert delimited.above(text) == ""


@given(st.text(alphabet='a1,;# \n\r"\t', max_size=40))
def test_what_stands_above_any_text_is_its_beginning(text):
    assert text.startswith(delimited.above(text))


def test_a_title_may_have_the_commas_of_decimals_below():
    table = "Größe (cm);Ort;Preis\n173,5;Köln;15.918,32 €\n184,5;Ulm;13.239,29 €\n"
    for title in ("Gebrauchtwagen, Stand 2024\n", "Gebrauchtwagen;;\n;;\n"):
        assert delimited.above(title + table) == title


def test_lines_of_old_macs():
    assert delimited.sniff("a;b\r1;2\r3;4\r", True) == (";", ["a", "b"], [["1", "2"], ["3", "4"]])
