"""Hyperband: brackets of successive halving that trade the number of configurations against epochs for each.

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar 2018, JMLR 18-185, algorithm 1. Their R is `max_epochs / min_epochs`, the largest
budget in units of the smallest, and eta is `eta`. Brackets are numbered s = s_max ... 0 with s_max = floor(log_eta R). Bracket s
begins with n = ceil((s_max + 1) / (s + 1) * eta^s) configurations, of which n_i = floor(n / eta^i) train up to
r_i = max_epochs * eta^(i - s) epochs; after the last bracket the first one begins again. A promoted trial continues with its
network, so a rung costs only the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._text import counted
from ..samplers import ignores_history
from .decisions import Continue, Decision, Pause, Progress, Scheduler, Stop, refuse_ended
from .rungs import best_so_far, rungs

if TYPE_CHECKING:
    from optuna.study import Study


@dataclass(frozen=True)
class Bracket:
    """`sizes[i]` trials train up to epoch `epochs[i]`; trial number `first` is the first of them."""

    first: int
    sizes: tuple[int, ...]
    epochs: tuple[int, ...]

    @property
    def end(self) -> int:
        """The number of the first trial after this bracket."""
        return self.first + self.sizes[0]

    def begun_with(self, size: int) -> Bracket:
        """The bracket with fewer trials; each rung has its share of them, and at least one."""
        return Bracket(self.first, tuple(max(1, n * size // self.sizes[0]) for n in self.sizes), self.epochs)


class HyperbandScheduler(Scheduler):
    """Brackets one after the other; once a rung is complete, its best 1 / eta continue and the others stop.

    A trial that ends by itself (it diverged, or stopped early) leaves its rung; as many others are promoted as if it had stayed.

    Args:
        study: its direction says which values are better.
        max_epochs: of a trial that is promoted to the end.
        eta: one in `eta` is promoted.
        min_epochs: the lowest rung is not below this epoch.
        at_once: whether the trials of a bracket are asked together, which makes large stacks. Otherwise they are asked in the
            sweep's batches, and the sampler sees the first results of a rung before it proposes the next trials. Unless given:
            at once if the study's sampler ignores history.
    """

    def __init__(
        self, study: Study, max_epochs: int, *, eta: float = 3, min_epochs: int = 1, at_once: bool | None = None
    ) -> None:
        self._study = study
        self._at_once = ignores_history(study.sampler) if at_once is None else at_once
        self.brackets = _brackets(rungs(max_epochs, min_epochs, eta), eta)

    def bracket(self, number: int) -> Bracket:
        """The bracket of a trial."""
        cycle = self.brackets[-1].end
        start = number // cycle * cycle
        found = next(b for b in self.brackets if number - start < b.end)
        return Bracket(start + found.first, found.sizes, found.epochs)

    def batch(self, first: int) -> int | None:
        return self.bracket(first).end - first if self._at_once else None

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        return self._decide(live, last=False)

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        return self._decide(live, last=True)

    def describe(self, total: int) -> list[str]:
        """A line for each bracket."""
        cycle = self.brackets[-1].end
        stopped = ", most of them stopped early" if len(self.brackets[0].epochs) > 1 else ""
        lines = [f"Hyperband: {total} begun{stopped}; in turn these brackets, {counted(cycle, 'trial')} together"]
        top = len(self.brackets) - 1
        for s, bracket in zip(range(top, -1, -1), self.brackets, strict=True):
            steps = ", ".join(f"{n} to epoch {r}" for n, r in zip(bracket.sizes, bracket.epochs, strict=True))
            lines.append(f"  bracket {s}: {steps}")
        if total % cycle:
            lines.append(f"  {total} is not a multiple of {cycle}: the last bracket has fewer trials")
        return lines

    def _decide(self, live: Sequence[Progress], last: bool) -> list[Decision]:
        refuse_ended(live, self.brackets[0].epochs[-1])
        asked = len(self._study.get_trials(deepcopy=False))
        members: dict[Bracket, list[Progress]] = {}
        for progress in live:
            members.setdefault(self.bracket(progress.number), []).append(progress)
        decisions: dict[int, Decision] = {}
        for bracket, group in members.items():
            if any(p.epoch == 0 for p in group):
                first = bracket.epochs[0]
                decisions |= {p.number: Continue(first) if p.epoch == 0 else Pause() for p in group}
            elif bracket.end <= asked:
                decisions |= self._promote(bracket, group)
            elif last:
                decisions |= self._promote(bracket.begun_with(asked - bracket.first), group)
        return [decisions.get(p.number, Pause()) for p in live]

    def _promote(self, bracket: Bracket, group: Sequence[Progress]) -> dict[int, Decision]:
        maximize = self._study.direction.name == "MAXIMIZE"
        following = next(i for i, epoch in enumerate(bracket.epochs) if epoch > group[0].epoch)
        order = sorted(group, key=lambda p: (-best_so_far(p.values, maximize), p.number))
        promoted = {p.number for p in order[: bracket.sizes[following]]}
        return {
            p.number: Continue(bracket.epochs[following])
            if p.number in promoted
            else Stop(f"stopped at epoch {p.epoch}, not among the best {len(promoted)} of {len(group)}")
            for p in group
        }


def _brackets(epochs: Sequence[int], eta: float) -> list[Bracket]:
    """All brackets of a cycle; `epochs` are the rungs of the longest one."""
    brackets: list[Bracket] = []
    top = len(epochs) - 1
    for s in range(top, -1, -1):
        n = math.ceil((top + 1) / (s + 1) * eta**s - 1e-9)
        sizes = tuple(max(1, math.floor(n / eta**i + 1e-9)) for i in range(s + 1))
        brackets.append(Bracket(brackets[-1].end if brackets else 0, sizes, tuple(epochs[top - s :])))
    return brackets
