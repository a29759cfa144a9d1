"""TOML written by us is read back by the standard library as what it was."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.config import load_spec
from mlptune.experiments.config.toml import LINE, toml_document, toml_key, toml_value

leaves = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=4))
def test_any_document_is_read_back(tables):
    assert tomllib.loads(toml_document(tables)) == tables


def test_keys_are_quoted_where_they_must_be():
    assert [toml_key(key) for key in ("units_1", "a b", "")] == ["units_1", '"a b"', '""']


def test_a_long_list_has_a_line_for_each_item():
    text = toml_document({"data": {"ignore": [f"column {i}" for i in range(30)]}})
    assert all(len(line) <= LINE for line in text.splitlines())
    assert tomllib.loads(text)["data"]["ignore"][29] == "column 29"


def test_what_toml_does_not_have_is_refused():
    with pytest.raises(TypeError, match="TOML has no NoneType"):
        toml_value([None])


def test_a_schedule_of_hyperparameters_is_written_out_and_loads_again() -> None:
    changes = [[3, {"learning_rate": 0.02, "l2": 1e-4}], [5, {"l2": 0.0}]]
    spec, text = load_spec({"data": {"source": "sklearn:digits"}, "model": {"changes": changes}})
    assert spec.model["changes"] == tomllib.loads(text)["model"]["changes"] == changes
