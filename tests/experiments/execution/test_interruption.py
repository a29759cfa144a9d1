"""A request to stop is noted before anything else, and programs with handlers of their own keep them."""

import signal
import threading

import pytest

from mlptune.experiments.execution import interruption
from tests.support.processes import SwallowedCtrlC

pytestmark = pytest.mark.usefixtures("plain_handlers")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_request_is_noted_before_it_is_raised() -> None:
    with interruption.catch_signals():
        interruption.check()
        SwallowedCtrlC()
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
    interruption.check()
    with interruption.catch_signals(raising=False) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.made
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_program_with_handlers_of_its_own_keeps_them() -> None:
    def own(*_: object) -> None: ...

    signal.signal(signal.SIGINT, own)
    with interruption.catch_signals():
        assert signal.getsignal(signal.SIGINT) is own
    found = []

    def elsewhere() -> None:
        with interruption.catch_signals() as stop:
            interruption.check()
            found.append(stop.made)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [False]
