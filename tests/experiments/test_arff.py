"""ARFF: nominal attributes are categories whatever they look like, beside texts, dates and missing cells."""

import io

import pandas as pd
import pytest

from mlptune.experiments import arff
from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.columns import infer_schema
from mlptune.experiments.errors import UserError

TEXT = """% a comment
@RELATION cars
@attribute weight numeric
@attribute 'number of doors' {2, 4}
@attribute colour {'dark red', blue, "it's"}
@attribute 'built on' DATE "yyyy-MM-dd"
@attribute remark string
@DATA
1.5, 2, 'dark red', 2020-01-31, 'a, b'
?, 4, blue, '2020-02-01', ?
2, ?, "it's", ?, "say \\"x\\""
"""


def read(text: str) -> pd.DataFrame:
    return arff.read("a.arff", io.BytesIO(text.encode()))


def test_kinds_of_attributes():
    frame = read(TEXT)
    assert list(frame) == ["weight", "number of doors", "colour", "built on", "remark"]
    assert arff.column_names("a.arff", TEXT.encode()) == list(frame)
    assert arff.column_names("a.arff", TEXT[:100].encode()) is None
    assert frame["colour"].tolist() == ["dark red", "blue", "it's"]
    assert frame["number of doors"].isna().tolist() == [False, False, True]
    assert frame["built on"].tolist()[0] == "2020-01-31"
    assert frame["remark"].tolist()[0] == "a, b"
    kinds = infer_schema(pd.concat([frame] * 20, ignore_index=True), DataConfig(source="a")).kinds
    assert kinds["number of doors"] == kinds["colour"] == "categorical"
    assert (kinds["weight"], kinds["built on"]) == ("numeric", "calendar")


def test_a_sparse_file_leaves_out_zeros_and_first_values():
    frame = read("@relation r\n@attribute a numeric\n@attribute b {no,yes}\n@data\n{0 3}\n{1 yes}\n{0 ?}\n")
    assert frame["a"].tolist()[:2] == [3.0, 0.0]
    assert frame["b"].tolist() == ["no", "yes", "no"]
    assert frame["a"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "@relation r\n@attribute a {x}\n@data\ny\n",
        "@relation r\n@attribute a numeric\n@data\n1,2\n",
        "@relation r\n@attribute a numeric\n@attribute a numeric\n@data\n1,2\n",
        "@relation r\n@attribute a relational\n@data\n1\n",
        "@relation r\n@data\n1\n",
    ],
)
def test_what_is_not_arff_is_refused_with_its_line(text):
    with pytest.raises(UserError, match=r"^a\.arff: is not an ARFF table: .*line \d") as caught:
        read(text)
    assert "\n" not in str(caught.value)
