"""JSON lines: cells keep the types that they are written with, and a line that is no object is named."""

import io

import pytest

from mlptune.experiments import json_lines
from mlptune.experiments.errors import UserError


def read(text: str | bytes):
    data = text.encode() if isinstance(text, str) else text
    return json_lines.read("a.jsonl", io.BytesIO(data), lambda line: None)


def test_cells_keep_their_types_and_lines_may_lack_some():
    frame = read('\ufeff{"n": 1, "code": "01", "mixed": 1}\n\n{"code": "2A", "mixed": "x", "late": true}\r\n{}\n')
    assert list(frame) == ["n", "code", "mixed", "late"]
    assert frame["code"].tolist()[:2] == ["01", "2A"]
    assert frame["mixed"].tolist()[:2] == [1, "x"]
    assert frame.isna().to_numpy().tolist() == [[False, False, False, True], [True, False, False, False], [True] * 4]


def test_an_object_inside_becomes_columns():
    assert list(read('{"size": {"width": 3, "height": 4}}\n')) == ["size.width", "size.height"]


def test_what_is_not_utf8_is_windows_1252():
    assert read('{"maker": "Citroën"}\n'.encode("cp1252"))["maker"].tolist() == ["Citroën"]


def test_names_are_known_where_the_whole_file_is_seen():
    text = b'{"a": 1}\n{"b": 2}\n'
    assert json_lines.column_names("a.jsonl", text, True) == ["a", "b"]
    assert json_lines.column_names("a.jsonl", text, False) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": \n', "a.jsonl: line 2 is not JSON: Expecting value"),
        ("[1, 2]\n", 'a.jsonl: line 1 holds a list; each line must be an object, {"column": value, ...}'),
        ("7\n", "a.jsonl: line 1 holds 7; each line must be an object"),
        ("a,b\n1,2\n", "a.jsonl: line 1 is not JSON"),
        (" \n\n", "a.jsonl: the file is empty"),
        ('{"a": ' + "[" * 100_000, "a.jsonl: line 1 is not JSON: "),
        ('{"a": "\\ud800"}\n', "a.jsonl: is not a table: "),
    ],
)
def test_other_lines_are_refused(text, message):
    with pytest.raises(UserError) as caught:
        read(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
