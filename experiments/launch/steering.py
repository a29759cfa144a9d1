"""Steering: what the user does to a sweep while it is searched, as events of its history.

What is asked for (a configuration to try, a stop) is a tag on the launch, which its coordinator sees with its heartbeat. Between
two batches it makes an event of it: the configuration becomes the next trial, and its number is in the store before it trains. A
replay finds the event there and tries the same configuration at the same place, so the sweep is a function of its history.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...tracking import schema
from .stop_rules import Stopped

Point = Mapping[str, Any]


@dataclass(frozen=True)
class ByHand:
    """A trial by hand: its number, what of its configuration was given, and the request that it came from."""

    number: int
    params: Mapping[str, Any]
    request: str = ""


def dumps(events: Sequence[ByHand]) -> str:
    """The trials by hand as the launch's tag has them."""
    return json.dumps([{"number": e.number, "params": dict(e.params), "request": e.request} for e in events])


def loads(stored: Any) -> list[ByHand]:
    """The trials by hand of the launch's tag, from its JSON data; none where there is none."""
    return [ByHand(event["number"], event["params"], event.get("request", "")) for event in stored or ()]


def requests_in(tags: Mapping[str, str]) -> dict[str, Point]:
    """The configurations that the tags of a launch ask to be tried, by request."""
    prefix = f"{schema.TRY_REQUEST}."
    return {key.removeprefix(prefix): json.loads(text) for key, text in tags.items() if key.startswith(prefix)}


class Steering:
    """The trials by hand of one launch, those that are events already and those that are asked for.

    Args:
        events: The trials by hand so far.
        requests: What is to be tried besides, by the ids of the requests.
        tried: The same; but once these are tried the search ends, whatever is left of its budget.
        claim: The number of the coordinator's claim on the launch, which a request to stop names.
        fits: Whether a configuration can be tried at all; what cannot is passed over.
        look: Gives the launch's request tags as they were last seen.
        record: Writes the events down, and returns when they are in the store.
    """

    def __init__(
        self,
        events: Sequence[ByHand] = (),
        requests: Mapping[str, Point] | None = None,
        tried: Mapping[str, Point] | None = None,
        *,
        claim: int = 0,
        fits: Callable[[Point], bool] = lambda point: True,
        look: Callable[[], Mapping[str, str]] = dict,
        record: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._events = list(events)
        self._requests = {**(requests or {}), **(tried or {})}
        self.only = bool(tried)
        self._fits = fits
        self._claim = claim
        self._look = look
        self._record = record

    @property
    def numbers(self) -> list[int]:
        """The numbers of the trials by hand."""
        return [event.number for event in self._events]

    @property
    def count(self) -> int:
        """How many trials by hand there are, with those that are asked for."""
        return len(self._events) + len(self._requests.keys() - {event.request for event in self._events})

    def check(self) -> None:
        """Raise KeyboardInterrupt if this coordinator was asked to stop."""
        if self._look().get(schema.STOP_REQUEST) == str(self._claim):
            raise KeyboardInterrupt

    def take_up(self, number: int) -> None:
        """Make events of all requests that are none yet: trials `number`, `number + 1` and so on."""
        known = {event.request for event in self._events}
        asked = {**self._requests, **requests_in(self._look())}
        fresh = {request: point for request, point in asked.items() if request not in known and self._fits(point)}
        first = max((event.number + 1 for event in self._events), default=0)
        for i, (request, point) in enumerate(fresh.items(), max(number, first)):
            self._events.append(ByHand(i, point, request))
        if fresh:
            self._record(dumps(self._events))

    def point(self, number: int) -> Point | None:
        """What trial `number` tries by hand; None of one that the searcher proposes."""
        return next((event.params for event in self._events if event.number == number), None)

    def until_next(self, number: int) -> float:
        """How many trials there are from `number` to the next one by hand."""
        return min((event.number - number for event in self._events if event.number >= number), default=float("inf"))

    def stopped(self) -> Stopped | None:
        """Whether the search ends here, where no trial by hand is next."""
        return Stopped("hand", "the trial by hand has ended") if self.only else None
