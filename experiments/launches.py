"""Which launch of a sweep a name means: the one rule for commands, Python and sweep files.

`cars#2` is the second launch of the sweep `cars`. The name alone means its newest finished launch, or the newest one as long as
none is finished; what there is to know of the other launches then is said.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._text import counted
from ..tracking import lease, reader
from ..tracking.records import LaunchRecord
from .noise import Difference, difference
from .ranking import best_of_launch
from .short import number_text

_REFERENCE = re.compile(r"(?P<name>[^#]*)(?:#(?P<number>\d{1,9}))?", re.ASCII)
Say = Callable[[str], None]


def warn(line: str) -> None:
    """Say it as Python does: once for each place in the user's code."""
    warnings.warn(line, stacklevel=4)


@dataclass(frozen=True)
class Chosen:
    """The launch that was meant.

    Attributes:
        launch: The launch.
        state: Its state; `interrupted` also where its process has ended without a word.
        reference: What means it for sure: `cars#2`; the name alone where that does too.
        remark: What to know of the sweep's other launches, "" where there is nothing or one of them was asked for.
    """

    launch: LaunchRecord
    state: str
    reference: str
    remark: str = ""

    @property
    def run_id(self) -> str:
        return self.launch.run_id


def choose(uri: str | None, name: str, run: str | None = None, say: Say = lambda line: None) -> Chosen:
    """The launch that a `name`, `name#k` or a name and the beginning of a run's id mean; `say` is given the remark.

    Raises:
        NotFound: With the nearest name, or the launches that there are.
    """
    sweep, number = split(name)
    launches = reader.launches(uri, sweep)
    meant = default_of(launches)
    if number is not None and run is not None:
        raise reader.NotFound(f"{name!r} names a launch already; leave out the run {run!r}")
    if number is None and run is None:
        remark = _remark(meant, launches, uri)
        if remark:
            say(remark)
        return Chosen(meant, state_of(meant, uri), sweep, remark)
    launch = _by_number(sweep, number, launches) if number is not None else _by_run(sweep, str(run), launches)
    return Chosen(launch, state_of(launch, uri), sweep if launch is meant else f"{sweep}#{launch.number}")


def newest(uri: str | None, name: str) -> LaunchRecord:
    """The launch that was begun last, in whatever state: what `--resume` continues. Raises NotFound."""
    return reader.launch(uri, name)


def split(name: str) -> tuple[str, int | None]:
    """The sweep and the number of the launch that a name is of; None where it has none. Raises NotFound."""
    found = _REFERENCE.fullmatch(name)
    if found is None:
        raise reader.NotFound(f"{name!r} is not the name of a sweep, nor of a launch such as {name.split('#')[0]}#1")
    return found["name"], None if found["number"] is None else int(found["number"])


def default_of(launches: Sequence[LaunchRecord]) -> LaunchRecord:
    """The launch that the name alone means, of all launches of a sweep, newest first."""
    return next((launch for launch in launches if launch.state == "finished"), launches[0])


def state_of(launch: LaunchRecord, uri: str | None) -> str:
    """The state of a launch; one whose process ended without a word, on this host, is interrupted."""
    if launch.state == "running":
        holder = lease.lease_of(reader.launch_run(uri, launch.run_id)).holder
        if holder is not None and holder.is_alive() is False:
            return "interrupted"
    return launch.state


def _by_number(name: str, number: int, launches: Sequence[LaunchRecord]) -> LaunchRecord:
    found = [launch for launch in launches if launch.number == number]
    if len(found) != 1:
        known = ", ".join(f"#{launch.number}" for launch in reversed(launches))
        rule = f"more than one launch #{number}; --run tells them apart" if found else f"no launch #{number}"
        raise reader.NotFound(f"the sweep {name!r} has {rule}; its launches: {known}")
    return found[0]


def _by_run(name: str, run: str, launches: Sequence[LaunchRecord]) -> LaunchRecord:
    found = [launch for launch in launches if run and launch.run_id.startswith(run)]
    if len(found) != 1:
        known = ", ".join(launch.run_id for launch in launches)
        raise reader.NotFound(
            f"the sweep {name!r} has {'more than one' if found else 'no'} run {run!r}; its launches: {known}"
        )
    return found[0]


_BECAME = {"running": "is running", "interrupted": "was interrupted", "failed": "failed"}


def _remark(meant: LaunchRecord, launches: Sequence[LaunchRecord], uri: str | None) -> str:
    """What the user of the name alone has to know of the other launches, in one line."""
    facts = []
    for launch in launches[: launches.index(meant)]:
        state = state_of(launch, uri)
        facts.append(f"#{launch.number} {_BECAME.get(state, state)}")
    better = [
        (gap.value, launch)
        for launch, gap in _compared(meant, launches)
        if gap.value > 0 and gap.beyond_noise is not False
    ]
    if better:
        _, top = max(better, key=lambda pair: pair[0])
        facts.append(f"#{top.number} was better: {_score_text(top)}, against {_score_text(meant)}")
    if not facts:
        return ""
    rest = f" and {counted(len(facts) - 3, 'other')}" if len(facts) > 3 else ""
    return f"{meant.name}: this is launch #{meant.number}; {'; '.join(facts[:3])}{rest}"


def _compared(meant: LaunchRecord, launches: Sequence[LaunchRecord]) -> list[tuple[LaunchRecord, Difference]]:
    """The older finished launches that can be compared with the one that is meant, and how much better they were."""
    if meant.state != "finished":
        return []
    older = [launch for launch in launches[launches.index(meant) + 1 :] if launch.state == "finished"]
    return [(launch, gap) for launch in older if (gap := difference(launch, meant)) is not None]


def _score_text(launch: LaunchRecord) -> str:
    metric = launch.metric
    if launch.expected is not None:
        return f"expected {metric} {number_text(launch.expected['score'])}"
    return f"{metric} {number_text(launch.best.value if launch.best else None)}"


def best_value(launch: LaunchRecord, uri: str | None) -> float | None:
    """The best value of a launch: the recorded one, or that of the trials committed so far."""
    trials = [] if launch.best else reader.trials(uri, launch.run_id, rebuild=False)
    best = best_of_launch(launch, trials)
    return None if best is None else best.value
