"""Why a job did not return, in words: the reason that a failed trial is recorded with."""

import re
from concurrent.futures import BrokenExecutor

LONGEST = 300


def reason(error: BaseException) -> str:
    """One line that says what happened to a job that ended in `error`."""
    if isinstance(error, BrokenExecutor):
        # loky's message names the exit codes of the process, in the last of several lines.
        code = re.search(r"\{([A-Z]+)\((-?\d+)\)", str(error))
        how = f" ({code[1]} {code[2]})" if code else ""
        hint = ", as when memory runs out" if code and code[1] == "SIGKILL" else ""
        return f"its worker process died{how}{hint}"
    if isinstance(error, MemoryError):
        return f"its memory ran out: {_line(error)}".removesuffix(": ")
    return f"{type(error).__name__}: {_line(error)}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:LONGEST]
