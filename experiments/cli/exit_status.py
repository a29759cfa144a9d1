"""Where errors become exit statuses and one clear line: the group that every command of `mlptune` runs in."""

import errno
import shlex
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import Interrupted, SweepFailed, UserError
from ..show_text import escape_control_characters
from . import loaded

PROGRAM = "mlptune"


class Commands(TyperGroup):
    """The group of commands, with the one place where errors become exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which a person meets them."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Exit status 1: no result; 2: wrong usage or input; 130: interrupted."""
        try:
            loaded()
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except (UserError, SweepFailed) as error:
            _complain(error)
            if "--resume" in str(error) and "--resume" not in sys.argv and sys.argv[1:2] == ["sweep"]:
                print(f"  {resume_line()}", file=sys.stderr)
            raise typer.Exit(error.exit_status) from None
        except KeyboardInterrupt as error:
            _say_interrupted(error)
            raise typer.Exit(Interrupted.exit_status) from None
        except LookupError as error:
            from ...tracking.reader import NotFound

            if not isinstance(error, NotFound):
                raise
            _complain(error)
            raise typer.Exit(UserError.exit_status) from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                _complain(UserError(f"{str(error.filename)[:60]}...: the name is too long for a file"))
                raise typer.Exit(UserError.exit_status) from None
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            _complain(error)
            raise typer.Exit(SweepFailed.exit_status) from None
        except Exception as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                # Python wraps what is raised while it makes a class, and Ctrl-C may land there during an import.
                _say_interrupted(error.__cause__)
                raise typer.Exit(Interrupted.exit_status) from None
            from ...tracking.store.errors import StoreError

            if not isinstance(error, StoreError) and not type(error).__module__.startswith("mlflow."):
                raise
            _complain(error)  # the store is away, or refuses
            raise typer.Exit(SweepFailed.exit_status) from None


def _complain(error: BaseException) -> None:
    # Two lines at most, whatever a message has quoted.
    from ...tracking.store.address import redact

    lines = [escape_control_characters(redact(line)) for line in str(error).splitlines() if line.strip()][:2] or [
        type(error).__name__
    ]
    print(
        f"{PROGRAM}: " + "\n".join(line if len(line) <= 600 else line[:597] + "..." for line in lines), file=sys.stderr
    )


def _say_interrupted(error: BaseException) -> None:
    if sys.argv[1:2] != ["sweep"]:
        print(escape_control_characters(str(error) or "interrupted"), file=sys.stderr)
        return
    print("interrupted; what is finished is kept. Continue with:", file=sys.stderr)
    print(f"  {resume_line()}", file=sys.stderr)


def resume_line() -> str:
    """Return the command that was typed with --resume, without a password that it may have held."""
    from ...tracking.store.address import redact

    arguments = sys.argv[1:] if "--resume" in sys.argv else [*sys.argv[1:], "--resume"]
    return escape_control_characters(shlex.join([PROGRAM, *map(redact, arguments)]))
