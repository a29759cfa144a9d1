"""Rows that sum up the others are told, and no category that only sounds so."""

import pandas as pd
import pytest

from mlptune.experiments.data.totals import total_remarks


@pytest.mark.parametrize("word", ["Total", " SUMME ", "Grand total:"])
def test_a_sum_below_the_rows_is_told(word):
    frame = pd.DataFrame({"n": range(31), "c": [*["a", "b", "c"] * 10, word]})
    assert total_remarks(frame) == [
        f"row 31 says {word.strip()!r} in c: a sum is not a row like the others; take it out of the table"
    ]


@pytest.mark.parametrize(
    "cells", [["total", "part"] * 10, ["total", *["part"] * 19], [*["part"] * 19, "totalled"], [None] * 20, ["total"]]
)
def test_a_category_is_no_sum(cells):
    assert not total_remarks(pd.DataFrame({"c": cells, "n": range(len(cells))}))
