"""The command line: the commands, what each of them does, and how results and a running sweep are shown."""

from .commands import main as main
