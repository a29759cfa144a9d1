"""Population-based training: the worst members of a population copy the best ones and perturb their hyperparameters.

Jaderberg et al. 2017, "Population Based Training of Neural Networks", https://arxiv.org/abs/1711.09846. Its result is a
schedule of hyperparameters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._text import counted
from ..plugins import check_integer, check_number
from ..samplers.random import from_unit
from ..seeds import uniform
from ..spaces.changes import values_at
from ..spaces.dimensions import Choices, Dimension
from .decisions import Continue, Copy, Decision, Progress, Scheduler, refuse_ended

if TYPE_CHECKING:
    from optuna.study import Study

    from ..spaces.space import Space

# All members keep their networks in memory until the last epoch; more trials than this are split into populations.
MOST_MEMBERS = 64
DOWN, UP = 0.8, 1.25


class PopulationBasedTraining(Scheduler):
    """The trials of a batch are one population and train in step; every `interval` epochs its worst members copy the best.

    Exploit is the paper's truncation selection: the worst `quantile` of the members copy network and configuration of the
    best `quantile`, which are assigned at random, each once. Explore then changes each searched hyperparameter that may
    change: with probability `resample` it is drawn again from the space, else it is multiplied by 0.8 or 1.25, by at least
    one step, or moved to the next choice; at the end of the space it moves the other way. Draws depend only on the seed, the
    member's number and the epoch.

    In the paper's words, eval is the objective after the last epoch, theta the whole state with the optimizer's moments, and
    h the configuration; sizes and everything else that cannot change are copied with the network. A member is ready after
    each interval. A member that diverges has ended and is not replaced.

    Args:
        study: its direction says which values are better.
        max_epochs: of every member.
        seed: any integer.
        space: the Space that is searched.
        changeable: the hyperparameters that may change while a network trains.
        trials: how many members there are in all.
        population: how many train together; the others follow as separate populations. By default `trials`, or parts of
            equal size of at most 64.
        interval: epochs between rungs, by default a tenth of `max_epochs`.
        quantile: the share of members that copy, from 0 to 0.5.
        resample: the probability that a value is drawn again from the space.

    Raises:
        ValueError: if nothing in `space` may change, and for options out of their range.
    """

    def __init__(
        self,
        study: Study,
        max_epochs: int,
        *,
        seed: int = 0,
        space: Space | None = None,
        changeable: Collection[str] = (),
        trials: int | None = None,
        population: int | None = None,
        interval: int | None = None,
        quantile: float = 0.2,
        resample: float = 0.25,
    ) -> None:
        dimensions = {} if space is None else space.dimensions
        self._dimensions = {name: entry for name, entry in dimensions.items() if name in changeable and _varies(entry)}
        if dimensions and not self._dimensions:
            possible = [name for name in changeable if name not in dimensions][:4]
            single = [name for name in dimensions if name in changeable]
            one = f"; {' and '.join(single)} may, but with one value only" if single else ""
            raise ValueError(
                f"method pbt: nothing in the space ({', '.join(dimensions)}) may change during training{one}; "
                f"search something that may: {', '.join(possible)} ..."
            )
        self.changing = tuple(self._dimensions)
        if population is None:
            members = MOST_MEMBERS if trials is None else trials
            population = math.ceil(members / math.ceil(members / MOST_MEMBERS))
        self._population = check_integer("population", population)
        self._interval = check_integer("interval", max(1, round(max_epochs / 10)) if interval is None else interval)
        self._quantile = check_number("quantile", quantile, 0.5)
        self._resample = check_number("resample", resample)
        self._max_epochs = max_epochs
        self._seed = seed
        self._sign = -1.0 if study.direction.name == "MAXIMIZE" else 1.0

    @property
    def rungs(self) -> list[int]:
        """The epochs after which members copy, ascending."""
        return list(range(self._interval, self._max_epochs, self._interval))

    def batch(self, first: int) -> int:
        return self._population

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        refuse_ended(live, self._max_epochs)
        sources = self._sources(live)
        return [self._decide(progress, sources.get(progress.number)) for progress in live]

    def describe(self, total: int) -> list[str]:
        full, rest = divmod(total, self._population)
        sizes = [self._population] * full + [rest] * (rest > 0)
        if len(sizes) == 1:
            size = f"one population of {counted(total, 'member')}"
        else:
            size = f"{len(sizes)} populations one after the other, of {', '.join(map(str, sizes))} members"
        lines = [f"{size}, all trained for {counted(self._max_epochs, 'epoch')}"]
        if self.rungs and self._copies(sizes[0]):
            first = self._copies(sizes[0])
            every = "every epoch" if self._interval == 1 else f"every {self._interval} epochs"
            copying = f"the worst {first} copy the networks of the best {first} and change"
            if first == 1:
                copying = "the worst copies the network of the best and changes"
            lines.append(f"{every} {copying} {', '.join(self.changing)}")
        else:
            lines.append("no member copies: that takes two members, and more epochs than the interval")
        return lines

    def _copies(self, members: int) -> int:
        """How many of this many members copy at a rung."""
        return min(max(1, round(self._quantile * members)), members // 2) if self._quantile else 0

    def _sources(self, live: Sequence[Progress]) -> dict[int, Progress]:
        """The member that each of the worst copies, by the number of the latter."""
        if not live or not live[0].epoch:
            return {}
        ranked = sorted(live, key=lambda progress: (self._loss(progress), progress.number))
        n = self._copies(len(live))
        best, worst = ranked[:n], ranked[len(ranked) - n :]
        sources = sorted(best, key=lambda progress: uniform(self._seed, "source", progress.number, progress.epoch))
        return {progress.number: source for progress, source in zip(worst, sources, strict=True)}

    def _loss(self, progress: Progress) -> float:
        value = progress.values[-1]
        return math.inf if value is None or math.isnan(value) else self._sign * value

    def _decide(self, progress: Progress, source: Progress | None) -> Decision:
        epoch = progress.epoch
        until = min(epoch + self._interval, self._max_epochs)
        if source is None:
            return Continue(until)
        return Copy(source.number, self._explored(progress.number, epoch, source.configuration), until)

    def _explored(self, number: int, epoch: int, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """New values of what may change; they differ from the present ones wherever the space has others."""
        present = values_at(configuration, epoch)
        explored = {}
        for name, dimension in self._dimensions.items():
            draws = [uniform(self._seed, what, number, epoch, name) for what in ("resample", "value", "up")]
            value = present[name]
            new = (
                dimension.decode(from_unit(dimension.distribution(), draws[1])) if draws[0] < self._resample else value
            )
            for up in (draws[2] < 0.5, draws[2] >= 0.5):
                if new == value:
                    new = _moved(dimension, value, up)
            if new != value:
                explored[name] = new
        return explored


def _varies(dimension: Dimension) -> bool:
    return len(dimension.values) > 1 if isinstance(dimension, Choices) else dimension.low < dimension.last


def _moved(dimension: Dimension, value: Any, up: bool) -> Any:
    """The next value up or down; the same where the space ends there."""
    if isinstance(dimension, Choices):
        choices = sorted(dimension.values)
        return choices[min(max(choices.index(value) + (1 if up else -1), 0), len(choices) - 1)]
    target = value * (UP if up else DOWN)
    unit = dimension.step or (1 if dimension.integer else None)
    if unit is None:
        return min(max(target, dimension.low), dimension.high)
    steps, now = round((target - dimension.low) / unit), round((value - dimension.low) / unit)
    steps = max(steps, now + 1) if up else min(steps, now - 1)
    return dimension.decode(min(max(dimension.low + steps * unit, dimension.low), dimension.last))
