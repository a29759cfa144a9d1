"""What waits in the writer's queue: calls of `Runs`, and writes of trials."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from .process import Call
from .records import TrialWrite
from .runs.launches import LaunchClaim

# How often a thread that waits for a future says what there is to say about the store.
POLL_SECONDS = 0.5

R = TypeVar("R")


class ObservedFuture(Future[R]):
    """A future that knows whether its failure was seen by a caller; `Writer.close` raises those that were not.

    `deliver_notices` is called while a caller waits, so that it learns what there is to say about the store.
    """

    def __init__(self, deliver_notices: Callable[[], None]) -> None:
        super().__init__()
        self.seen = False
        self._deliver_notices = deliver_notices

    def result(self, timeout: float | None = None) -> R:
        """As of any future; delivers notices while it waits."""
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.done() and (until is None or time.monotonic() < until - POLL_SECONDS):
                self._deliver_notices()
                try:
                    return super().result(POLL_SECONDS)
                except TimeoutError:
                    if self.done():
                        raise
            self._deliver_notices()
            return super().result(None if until is None else max(0.0, until - time.monotonic()))
        except BaseException:
            self.seen = self.done()
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As of any future."""
        found = super().exception(timeout)
        self.seen = self.seen or found is not None
        return found


@dataclass(frozen=True)
class OpenTask:
    """Opens the launch or takes it up again; the future gives its run's id."""

    call: Call[LaunchClaim]
    future: ObservedFuture[str]

    @property
    def doing(self) -> str:
        """What it does, for messages."""
        return self.call.doing


@dataclass(frozen=True)
class CallTask:
    """Any other call; a future where its result is wanted."""

    call: Call[Any]
    future: ObservedFuture[Any] | None = None

    @property
    def doing(self) -> str:
        """What it does, for messages."""
        return self.call.doing


@dataclass
class TrialTask:
    """A write of a trial.

    Attributes:
        doing: What it does, for messages.
        write: The write itself; None while it lies in the spool.
        place: Where it lies in the spool.
        left_over: Whether an earlier holder of the launch has left it there.
    """

    doing: str
    write: TrialWrite | None = None
    place: int | None = None
    left_over: bool = False


Task = OpenTask | CallTask | TrialTask
