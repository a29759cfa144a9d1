"""Ctrl-C as a wish that cannot get lost: it is written down before anything else happens.

An exception that a signal handler raises lands wherever the program happens to be, also in a destructor or in the callback of a
weak reference, where Python prints and drops it. So whoever loops or waits for long asks `check` from time to time, and what Python
would print of a wish that is written down is kept from the person.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# How long those who wait do so before they ask: what a person who pressed Ctrl-C hardly notices.
CHECK_SECONDS = 0.5


class Wish:
    """A person's wish to stop. `raising` says whether the first signal raises KeyboardInterrupt too; a second always does."""

    def __init__(self, raising: bool) -> None:
        self.raising = raising
        self.made = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        again, self.made = self.made, True
        if self.raising or again:
            raise KeyboardInterrupt


_wish: Wish | None = None


@contextmanager
def listening(raising: bool = True) -> Iterator[Wish]:
    """Listen to Ctrl-C and SIGTERM meanwhile, where Python's own handlers would; a program that has others keeps them.

    Signals reach the main thread alone: in another one nobody is listened to.
    """
    global _wish
    outer, wish = _wish, Wish(raising)
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            if signal.getsignal(number) is default:
                replaced[number] = signal.signal(number, wish)
        _wish = wish
    printing = sys.unraisablehook

    def unless_wished(unraisable: Any) -> None:
        if not (wish.made and issubclass(unraisable.exc_type, KeyboardInterrupt)):
            printing(unraisable)

    sys.unraisablehook = unless_wished
    try:
        yield wish
    finally:
        sys.unraisablehook = printing
        for number, handler in replaced.items():
            signal.signal(number, handler)
        _wish = outer


def check() -> None:
    """Raise the KeyboardInterrupt that somebody wished for and that did not get through."""
    if _wish is not None and _wish.made and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt
