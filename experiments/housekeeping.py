"""Deleting and renaming launches and sweeps: what a name means then, and what may not be touched."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .._text import counted
from ..tracking import lease, reader, removal, renaming
from ..tracking.records import LaunchRecord
from ..tracking.store.address import redact, store_uri
from .config.schema import NAME_PATTERN
from .errors import UserError
from .launches import choose, split


@dataclass(frozen=True)
class Deletion:
    """Launches to be deleted.

    Attributes:
        uri: The store's address.
        launches: What is deleted.
        what: The same in words.
    """

    uri: str
    launches: tuple[LaunchRecord, ...]
    what: str

    def carry_out(self, say: Callable[[str], None]) -> None:
        """Delete them; `say` is given a line on what it waits for. Raises UserError, with nothing deleted, if one is being run."""
        try:
            removal.delete_launches(self.uri, self.launches, say)
        except lease.HeldElsewhere as error:
            raise UserError(f"{error}; stop it first, nothing is deleted") from None

    @property
    def afterwards(self) -> str:
        """How the space is freed."""
        if self.uri.startswith(("http://", "https://")):
            return "MLflow can restore the runs, until `mlflow gc` on the server's machine frees the space"
        address = redact(self.uri)
        return (
            "MLflow can restore the runs, until this frees the space:\n"
            f"  mlflow gc --tracking-uri '{address}' --backend-store-uri '{address}'"
        )


def deletion(uri: str | None, name: str, run: str | None = None) -> Deletion:
    """What `delete` deletes: the launch `name#k` or `run`, or the sweep `name` with all its launches. Raises NotFound."""
    sweep, number = split(name)
    address = store_uri(uri)
    if number is None and run is None:
        launches = tuple(reader.launches(address, sweep))
        count = counted(len(launches), "launch", "launches")
        return Deletion(address, launches, f"the sweep {sweep!r} with {count} ({_trials(launches)})")
    launch = choose(address, name, run).launch
    return Deletion(address, (launch,), f"launch #{launch.number} of {sweep!r} ({_trials((launch,))})")


def _trials(launches: tuple[LaunchRecord, ...]) -> str:
    return counted(sum(sum(launch.done.values()) for launch in launches), "trial")


def rename(uri: str | None, name: str, new: str, say: Callable[[str], None]) -> None:
    """Give a sweep another name.

    Raises:
        NotFound: If there is no such sweep.
        UserError: For a name that no sweep can have or that is taken, and if a launch of the sweep is being run.
    """
    sweep, number = split(name)
    if number is not None:
        raise UserError(
            f"{name!r} is one launch; a sweep is renamed with all its launches: mlptune rename {sweep} {new}"
        )
    if not re.fullmatch(NAME_PATTERN, new):
        raise UserError(
            f"{new!r} cannot be a name; names are up to 100 letters, digits, dots, hyphens, underscores and blanks, "
            "and begin with a letter or digit"
        )
    launches = reader.launches(uri, sweep)
    if new == sweep:
        raise UserError(f"the sweep is called {new!r} already")
    try:
        renaming.rename_sweep(store_uri(uri), launches, new, say)
    except (lease.HeldElsewhere, renaming.NameTaken) as error:
        raise UserError(f"{error}; nothing is renamed") from None
