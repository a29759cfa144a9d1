"""The command line: the commands, what each of them does, and how results and a running sweep are shown."""


def main() -> None:
    """Entry point of the command `mlptune`: import the commands, and run the one that was typed."""
    from .early_interrupt import exit_on_interrupt

    with exit_on_interrupt():
        from .commands import app
        from .exit_status import PROGRAM

        app(prog_name=PROGRAM)
