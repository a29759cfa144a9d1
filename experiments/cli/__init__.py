"""The command line: the commands, what each of them does, and how results and a running sweep are shown."""

import os


def main() -> None:
    """Entry point of the command `mlptune`: import the commands, and run the one that was typed."""
    from .early_interrupt import exit_on_interrupt

    # Nobody's plugins have to do with our options, and to look for them reads the metadata of all that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with exit_on_interrupt():
        from .commands import app
        from .exit_status import PROGRAM

        app(prog_name=PROGRAM)
