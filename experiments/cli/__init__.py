"""The command line: the commands, what each of them does, and how results and a running sweep are shown."""

import os
import signal
from types import FrameType


def main() -> None:
    """Entry point of the command `mlptune`: load the commands, and run the one that was typed."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    try:
        from .commands import app
        from .exit_status import PROGRAM

        app(prog_name=PROGRAM)
    finally:
        signal.signal(signal.SIGINT, usual)


def loaded() -> None:
    """From here on a Ctrl-C is an exception again, which a command may answer."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(signum: int, frame: FrameType | None) -> None:
    """End at once: while the commands are loaded there is nothing to keep, and an exception might get lost among imports."""
    os.write(2, b"interrupted\n")
    os._exit(130)
