"""Problems are gathered in their order, each once, and raised together."""

import pytest

from mlptune.experiments.errors import UserError
from mlptune.experiments.gathered import Gathered


def refuse(*problems: str) -> int:
    raise UserError(*problems)


def test_all_problems_are_raised_and_the_message_is_the_first() -> None:
    found = Gathered()
    assert found.value(int, "3") == 3
    assert found.value(refuse, "one") is None
    assert not found.passes(refuse, "two", "three")
    assert found.passes(int, "3")
    found.add("one")
    with pytest.raises(UserError) as caught:
        found.raise_any()
    assert caught.value.problems == ("one", "two", "three")
    assert str(caught.value) == "one (and 2 more)"


def test_nothing_is_raised_where_nothing_was_refused() -> None:
    Gathered().raise_any()


def test_what_is_no_refusal_passes_through() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Gathered().value(int, "three")
