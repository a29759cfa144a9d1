"""Whatever a text holds, it stays a text, in every element of the page."""

from html.parser import HTMLParser

import pytest

from mlptune.experiments.report.elements import figure, section, sentence, side_by_side, table

HOSTILE = "<b>\"&'</b>"


class Read(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize(
    "html",
    [
        section(HOSTILE, "-", HOSTILE),
        figure(HOSTILE, "-", HOSTILE),
        table([HOSTILE], [(None, [HOSTILE])]),
    ],
    ids=["section", "figure", "table"],
)
def test_every_text_is_escaped(html: str) -> None:
    read = Read(html)
    assert read.texts.count(HOSTILE) == 2
    assert "b" not in [tag for tag, _ in read.tags]


def test_rows_of_a_table_name_their_trial_and_columns_of_texts_may_wrap() -> None:
    read = Read(table(["trial", "reason"], [(7, ["7", "diverged"]), (None, ["", ""])], text=["reason"]))
    assert [attrs for tag, attrs in read.tags if tag == "tr"] == [{}, {"data-trial": "7"}, {}]
    assert [attrs.get("class") for tag, attrs in read.tags if tag == "td"] == [None, "text", None, "text"]


def test_what_is_empty_leaves_no_element() -> None:
    assert section("Pareto front", "") == side_by_side([]) == ""


@pytest.mark.parametrize(("text", "whole"), [("as it is", "As it is."), ("why?", "Why?"), ("Yes!", "Yes!"), ("", ".")])
def test_a_sentence_begins_with_a_capital_and_ends(text: str, whole: str) -> None:
    assert sentence(text) == whole
