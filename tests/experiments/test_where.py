"""Conditions on trials: a small grammar, and nothing outside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.errors import UserError
from mlptune.experiments.where import parse

NAMES = ("operations", "bytes", "val_score")


def holds(text: str, **values: float) -> bool:
    return all(condition.holds(values) for condition in parse(text, NAMES))


def test_comparisons_joined_by_and() -> None:
    assert holds("operations < 1e5", operations=99_999)
    assert not holds("operations < 1e5", operations=100_000)
    assert holds("operations<=100_000 and val_score>=.9", operations=100_000, val_score=0.9)
    assert holds(" bytes == 4 and operations > 3 and val_score < 1 ", bytes=4, operations=4, val_score=0.5)
    assert not holds("bytes > 0", operations=3), "a trial without the cost"
    assert holds("val_score > -1", val_score=0.0)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "'' is not NAME < NUMBER"),
        ("operations", "'operations' is not NAME < NUMBER"),
        ("operations < 1 or bytes < 2", "is not NAME < NUMBER"),
        ("operations < 1 and", "'' is not NAME < NUMBER"),
        ("1 < operations", "is not NAME < NUMBER"),
        ("__import__('os').system('true') < 1", "is not NAME < NUMBER"),
        ("operation < 1", "'operation' is not a metric here; did you mean 'operations'"),
        ("operations < many", "'many' is not a number"),
        ("operations < nan", "'nan' is not a number"),
        ("operations != 3", "is not NAME < NUMBER"),
    ],
)
def test_anything_else_is_one_line(text: str, rule: str) -> None:
    with pytest.raises(UserError, match=rule.replace("(", r"\(").replace(")", r"\)")) as refused:
        parse(text, NAMES)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=40))
def test_no_text_gives_another_error(text: str) -> None:
    try:
        parse(text, NAMES)
    except UserError as error:
        assert str(error).startswith("where: ")
