"""Python values become those of TOML or are refused, and error messages show them in one short printable line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.config.text import MAX_DEPTH, plain, show, show_key
from mlptune.experiments.errors import UserError


def test_python_values_become_those_of_toml():
    value = {"a": (np.int64(1), 2.5), "b": None, "c": Path("x") / "y", "d": np.array([[1, 2]]), "e": {"f": True}}
    assert plain(value, "sweep") == {"a": [1, 2.5], "c": str(Path("x") / "y"), "d": [[1, 2]], "e": {"f": True}}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({1: 2}, "sweep: keys must be text, not 1"),
        ({"a": {1: 2}}, "sweep.a: keys must be text, not 1"),
        ({"a b": 2**63}, 'sweep."a b": whole numbers must fit 64 bits'),
        ({"a": "\ud800"}, "sweep.a: must be valid Unicode text"),
        ({"a": object()}, "sweep.a: must be text, a number, true or false, a list or a table, not a object"),
    ],
)
def test_other_values_are_refused_by_their_place(value, line):
    with pytest.raises(UserError) as caught:
        plain(value, "sweep")
    assert str(caught.value).startswith(line)


def test_depth_is_limited():
    value: list = []
    for _ in range(MAX_DEPTH + 2):
        value = [value]
    with pytest.raises(UserError, match="nested"):
        plain(value, "sweep")


@given(st.one_of(st.text(), st.lists(st.text()), st.floats(), st.dictionaries(st.text(), st.integers())))
def test_any_value_is_shown_in_one_short_line(value):
    text = show(value)
    assert text.isprintable()
    assert len(text) <= 60


def test_keys_are_shown_bare_where_they_may_be():
    assert [show_key(key) for key in ("units_1", "a b", "x" * 70)] == ["units_1", '"a b"', '"' + "x" * 56 + "..."]
