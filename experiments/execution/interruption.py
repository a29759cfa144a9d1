"""Ctrl-C and SIGTERM as a request that cannot get lost: it is noted before anything else happens.

An exception that a signal handler raises lands wherever the program happens to be, also in a destructor or in the callback of a
weak reference, where Python prints and drops it. So every loop and every long wait calls `check` from time to time, and what
Python would print of such a dropped exception is not shown to the user.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# How long waits last before they check: short enough that Ctrl-C seems to act at once.
CHECK_SECONDS = 0.5


class StopRequest:
    """The user's request to stop, and the signal handler that notes it.

    Attributes:
        raising: Whether the first signal raises `KeyboardInterrupt` too; a second one always does.
        made: Whether a signal has come.
    """

    def __init__(self, raising: bool) -> None:
        self.raising = raising
        self.made = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        again, self.made = self.made, True
        if self.raising or again:
            raise KeyboardInterrupt


_current: StopRequest | None = None


@contextmanager
def catch_signals(raising: bool = True) -> Iterator[StopRequest]:
    """Catch Ctrl-C and SIGTERM where Python's own handlers would; a program that has handlers of its own keeps them.

    Signals reach the main thread only: in any other thread nothing is caught.
    """
    global _current
    outer, request = _current, StopRequest(raising)
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            if signal.getsignal(number) is default:
                replaced[number] = signal.signal(number, request)
        _current = request
    usual_hook = sys.unraisablehook

    def unless_requested(unraisable: Any) -> None:
        if not (request.made and issubclass(unraisable.exc_type, KeyboardInterrupt)):
            usual_hook(unraisable)

    sys.unraisablehook = unless_requested
    try:
        yield request
    finally:
        sys.unraisablehook = usual_hook
        for number, handler in replaced.items():
            signal.signal(number, handler)
        _current = outer


def catches_signals() -> bool:
    """Whether SIGTERM ends what runs here as Ctrl-C does, and nothing else happens."""
    return _current is not None and signal.getsignal(signal.SIGTERM) is _current


def check() -> None:
    """Raise the `KeyboardInterrupt` that was requested and got lost."""
    if _current is not None and _current.made and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt
