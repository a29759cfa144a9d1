"""Errors become exit statuses and one clear line, in the group that every command of `mlptune` runs in."""

import errno
import os
import shlex
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from ..._text import escape_control_characters
from ..errors import Interrupted, SweepFailed, UserError
from .early_interrupt import restore_interrupt

PROGRAM = "mlptune"
UsageError: Any = typer.BadParameter.__base__  # which has no name in typer


class Commands(TyperGroup):
    """The group of commands, and the one place where errors become exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order in which a user needs them."""
        return list(self.commands)

    def make_context(self, *arguments: Any, **others: Any) -> Any:
        """Read the command line as far as the command's name."""
        try:
            return super().make_context(*arguments, **others)
        except UsageError as error:
            raise typer.Exit(_explain_usage(error)) from None

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Exit status 1: no result; 2: wrong usage or input; 130: interrupted."""
        try:
            restore_interrupt()
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except (Exception, KeyboardInterrupt) as error:
            status = _explain(error)
            if status is None:
                raise
            raise typer.Exit(status) from None


def _explain(error: BaseException) -> int | None:
    """Print what an error means to the user and return its exit status; None for one that needs its traceback."""
    match error:
        case typer.Exit() | typer.Abort():
            return None
        case UsageError():
            return _explain_usage(error)
        case UserError() | SweepFailed():
            _complain(error)
            if "--resume" in str(error) and "--resume" not in sys.argv and sys.argv[1:2] == ["sweep"]:
                print(f"  {resume_line()}", file=sys.stderr)
            return error.exit_status
        case KeyboardInterrupt():
            _say_interrupted(error)
            return Interrupted.exit_status
        case FileNotFoundError() if _folder_is_gone():
            _complain(UserError("the current folder no longer exists; change to another one"))
            return UserError.exit_status
        case OSError(errno=errno.ENAMETOOLONG):
            _complain(UserError(f"{str(error.filename)[:60]}...: the name is too long for a file"))
            return UserError.exit_status
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EROFS):
            _complain(error)
            return SweepFailed.exit_status
        case OSError():
            return None
    if isinstance(error.__cause__, KeyboardInterrupt):
        # Python wraps what is raised while it makes a class, and Ctrl-C may land there during an import.
        _say_interrupted(error.__cause__)
        return Interrupted.exit_status
    from ...tracking.reader import NotFound
    from ...tracking.store.errors import StoreError

    if isinstance(error, NotFound):
        _complain(error)
        return UserError.exit_status
    if isinstance(error, StoreError) or type(error).__module__.startswith("mlflow."):
        _complain(error)  # the store is away, or refuses
        return SweepFailed.exit_status
    return None


def _folder_is_gone() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _explain_usage(error: Any) -> int:
    """Print what is wrong with a command line, and how it is written: a line each. Without any argument, the help."""
    text = error.format_message()
    if error.ctx is None or not text or "\n" in text:
        error.show()
        return int(error.exit_code)
    _complain(UserError(text.rstrip(".")))
    print(f"{error.ctx.get_usage()}; more with --help", file=sys.stderr)
    return UserError.exit_status


def _complain(error: BaseException) -> None:
    """Print an error in two lines at most, whatever its message quotes."""
    from ...tracking.store.address import redact

    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    lines = [escape_control_characters(redact(line)) for line in lines[:2]]
    lines = [line if len(line) <= 600 else f"{line[:597]}..." for line in lines]
    print(f"{PROGRAM}: " + "\n".join(lines), file=sys.stderr)


def _say_interrupted(error: BaseException) -> None:
    if sys.argv[1:2] not in (["sweep"], ["continue"], ["try"]):
        print(escape_control_characters(str(error) or "interrupted"), file=sys.stderr)
        return
    print("interrupted; what is finished is kept. Continue with:", file=sys.stderr)
    print(f"  {resume_line()}", file=sys.stderr)


def resume_line() -> str:
    """Return the command that was typed with --resume, without a password that it may have held."""
    from ...tracking.store.address import redact

    if sys.argv[1:2] in (["continue"], ["try"]):  # which know the sweep by its name, and the budget from the store
        place = [part for i, part in enumerate(sys.argv) if "--tracking-uri" in (part, sys.argv[i - 1])]
        name = next(part for part in [*sys.argv[2:], ""] if not part.startswith("-"))
        return escape_control_characters(shlex.join([PROGRAM, "continue", name, *map(redact, place)]))
    arguments = sys.argv[1:] if "--resume" in sys.argv else [*sys.argv[1:], "--resume"]
    return escape_control_characters(shlex.join([PROGRAM, *map(redact, arguments)]))
