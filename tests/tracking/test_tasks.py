"""Futures say what there is to say while somebody waits for them, and know whether a failure was seen."""

import threading
from collections.abc import Callable

import pytest

from mlptune.tracking import tasks
from mlptune.tracking.tasks import ObservedFuture


def test_whoever_waits_for_a_result_hears_the_notices_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third notice is what lets the result come: it would never come if nothing were said before."""
    monkeypatch.setattr(tasks, "POLL_SECONDS", 0.01)
    said: list[str] = []

    def deliver() -> None:
        said.append("the store is away")
        if len(said) == 3:
            threading.Thread(target=future.set_result, args=("the run",)).start()

    future = ObservedFuture[str](deliver)
    assert future.result(60) == "the run"


@pytest.mark.parametrize("ask", [ObservedFuture.result, ObservedFuture.exception])
def test_a_failure_counts_as_seen_once_it_was_asked_for(ask: Callable[[ObservedFuture[str], float], object]) -> None:
    future = ObservedFuture[str](lambda: None)
    with pytest.raises(TimeoutError):
        ask(future, 0.01)
    assert not future.seen, "to wait in vain is to see nothing"
    future.set_exception(ValueError("refused"))
    assert not future.seen
    try:
        found = ask(future, 0.01)
    except ValueError as error:
        found = error
    assert str(found) == "refused"
    assert future.seen
