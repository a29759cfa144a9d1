"""The errors that reach the user, each with its exit status; every message is one or two clear lines.

The whole tree, with those of the store, which `mlptune.tracking` defines:

    ValueError
    ├── UserError                  2  wrong usage, sweep file or data                    everything before training
    ├── UnusableStore              2  the store cannot be what its address says          mlptune.tracking.store.errors
    ├── UnfinishedLaunch           2  the name belongs to a launch that has not ended    mlptune.tracking.runs.launches
    ├── HeldElsewhere              2  another process runs the launch                    mlptune.tracking.lease
    ├── NameTaken                  2  something else has the new name                    mlptune.tracking.renaming
    └── NothingFits                2  no configuration is within the limits              mlptune.search.samplers.limited
    LookupError
    └── NotFound                   2  no such store, sweep, run or model                 mlptune.tracking.reader
    RuntimeError
    ├── SweepFailed                1  the sweep gave no result                           run_sweep, mlptune ui
    │   └── ExecutorLost           1  the executor accepts no more jobs                  run_sweep
    └── StoreError                 1  the store did not take a write                     mlptune.tracking.store.errors
        ├── StoreAway              1  it may take the same write later                   (tried again, then raised)
        └── LeaseLost              1  another process has taken the launch over          mlptune.tracking.lease
    KeyboardInterrupt
    └── Interrupted              130  Ctrl-C or SIGTERM; can be resumed                  run_sweep

`run_sweep` raises those of this module only: what the store raises, `launch/failures.py` turns into them. `best_config`,
`load_result` and `load_model` raise `NotFound`, `UnusableStore` and `StoreError` too, which are public for that.
`cli/exit_status.py` makes the exit statuses of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Wrong usage, sweep file or data; names the place and the rule.

    Of several `problems` the message is the first, and how many more there are; `mlptune check` shows all.
    """

    exit_status = 2

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong, one line each."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        first, *others = self.problems or ("",)
        return f"{first} (and {len(others)} more)" if others else first


class SweepFailed(RuntimeError):
    """The sweep could not give a result, for instance because every trial failed."""

    exit_status = 1


class ExecutorLost(SweepFailed):
    """The executor accepts no more jobs; what is committed stays, and `--resume` continues with this or another executor."""


class Interrupted(KeyboardInterrupt):
    """The user stopped the sweep; what is committed stays, and `--resume` continues."""

    exit_status = 130


def reason(error: BaseException) -> str:
    """What went wrong in one line, without the path, which a message names itself."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())[:200] or type(error).__name__


@contextmanager
def user_errors() -> Iterator[None]:
    """Around functions of other rooms: what they refuse, in the sweep file or of the store's address, is the user's to mend."""
    try:
        yield
    except ValueError as error:
        raise UserError(str(error)) from error
