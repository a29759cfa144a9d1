"""The table of `mlptune columns` fits its width, whatever the names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.cli.understood import columns_text
from mlptune.experiments.columns import Description
from mlptune.experiments.data.understanding import Column

TEXT = st.text(min_size=1, max_size=60)
COLUMNS = st.builds(
    Column,
    name=TEXT,
    kind=st.sampled_from(["numeric", "categorical", "target"]),
    used=st.booleans(),
    reason=TEXT,
    missing=st.integers(0, 10**6),
    levels=st.integers(0, 10**6),
    inputs=st.integers(0, 300),
    becomes=TEXT,
    remarks=st.lists(TEXT, max_size=2).map(tuple),
    changed_by=st.just("data.numeric"),
)


@given(st.lists(COLUMNS, min_size=1, max_size=5), st.sampled_from([80, 100]))
def test_lines_fit_and_no_control_character_gets_through(columns: list[Column], width: int) -> None:
    text = columns_text(Description(columns, 10, ()), "t.csv", width)
    assert all(len(line) <= width and line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("used", [True, False])
def test_a_row_says_what_becomes_of_a_column(used: bool) -> None:
    column = Column(
        "x", "numeric", used, "" if used else "one value only", 3, 7, 2, "2 inputs", ("a remark (data.numeric)",), ""
    )
    head, names, row, legend = columns_text(Description([column], 10, ()), "t.csv", 100).splitlines()
    assert head.startswith("t.csv: 10 rows, 1 column; ")
    assert names.split()[:4] == ["name", "kind", "missing", "levels"]
    assert row.split()[:4] == ["x", "numeric", "3", "7"]
    assert ("2 inputs; a remark" in row) is used
    assert ("left out: one value only" in row) is not used
    assert legend.startswith("In brackets")
