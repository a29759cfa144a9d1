"""Ctrl-C while the commands are still being imported: the program ends at once, since there is nothing to keep yet.

It imports nothing slow, so that `main` can install the handler before it imports the commands.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the program at once until `restore_interrupt`; a program with a handler of its own keeps it."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def restore_interrupt() -> None:
    """Make Ctrl-C an exception again, which a command may answer."""
    if signal.getsignal(signal.SIGINT) is _exit:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _exit(signum: int, frame: FrameType | None) -> None:
    """End without an exception, which might get lost among the imports."""
    os.write(2, b"interrupted\n")
    os._exit(130)
