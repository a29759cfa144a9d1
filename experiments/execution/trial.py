"""One trial in training: its networks, how far each has come, and what of that has been reported."""

import math
from collections.abc import Sequence

import numpy as np

from ...core.array import Array
from ...core.crossfit import Kept
from ...core.structure import Structure
from ...core.training import DIVERGED, RUNNING, Network, State
from .evaluation import Outcome, TrainedNetwork


class Trial:
    """The networks of one trial (one per fold and seed) and what is known of them so far.

    Attributes:
        predictions: For each network that has finished, what it predicts for its fold's validation rows, (n, o).
        crossfit: For each network that chooses its best epoch, what it predicts for these rows where the choice has not seen them.
        active: How many of the networks train, the first ones.
        values: The objective of those whose active networks have all ended.
        attempts: For each network, how many jobs in a row it has been lost with.
        reported_epochs: The epochs that have been given out as outcomes.
        seconds: The trial's share of the time of its jobs.
        reruns: How many of its jobs were run again.
        fault: Why the trial has failed, if it has.
    """

    def __init__(self, number: int, networks: tuple[Network, ...], structures: tuple[Structure, ...]) -> None:
        self.number = number
        self.networks = networks
        self.structures = structures
        self.states: list[State | None] = [None] * len(networks)
        self.curves: list[dict[str, list[float]]] = [{} for _ in networks]
        self.predictions: list[Array | None] = [None] * len(networks)
        self.crossfit: list[Kept | None] = [None] * len(networks)
        self.active = len(networks)
        self.values: tuple[float, ...] = ()
        self.attempts = [0] * len(networks)
        self.reported_epochs = 0
        self.seconds = 0.0
        self.reruns = 0
        self.fault: str | None = None

    def take_over(self, source: "Trial") -> None:
        """Go on from where the networks of `source` stand."""
        self.states = list(source.states)
        self.predictions = list(source.predictions)
        self.crossfit = list(source.crossfit)
        self.curves = [{key: list(values) for key, values in curves.items()} for curves in source.curves]

    def keep(self, i: int, kept: Kept | None) -> None:
        """Add what a further segment of network `i` kept."""
        before = self.crossfit[i]
        self.crossfit[i] = kept if before is None else before.then(kept)

    def epoch(self, i: int) -> int:
        """How many epochs network `i` has trained."""
        state = self.states[i]
        return 0 if state is None else int(state.epoch[0])

    def ended(self, i: int) -> bool:
        """Whether network `i` has stopped early, diverged, or trained all its epochs."""
        state = self.states[i]
        return state is not None and state.status[0] != RUNNING

    def diverged(self, i: int) -> bool:
        state = self.states[i]
        return state is not None and state.status[0] == DIVERGED

    def best_epoch(self, i: int) -> int:
        """The epoch whose weights network `i` keeps so far."""
        state = self.states[i]
        return 0 if state is None else int(state.best_epoch[0])

    def at(self, key: str, epoch: int, i: int) -> float:
        """The value of a curve of network `i` at an epoch; once the network has ended, its last one."""
        values = self.curves[i][key]
        return values[min(epoch, len(values)) - 1]

    def kept(self, key: str, epoch: int, i: int) -> float:
        """The same, but once the network has ended its value at the epoch it keeps."""
        return self.at(key, epoch if epoch <= len(self.curves[i][key]) else self.best_epoch(i), i)

    def outcome(self, objective: str) -> Outcome | None:
        """What is new since the last call, if anything: an epoch counts once all networks have reached it.

        It does not depend on how training was cut into segments: a divergence ends the trial before its epoch, and is
        reported once all other networks have got as far.
        """
        if self.fault is not None:
            return Outcome(
                self.number,
                self.reported_epochs + 1,
                ended="failed",
                reason=self.fault,
                reruns=self.reruns,
                values=self.values,
            )
        indices = range(self.active)
        training = [self.epoch(i) for i in indices if not self.ended(i)]
        reached = min(training) if training else max(self.epoch(i) for i in indices)
        broken = min((self.epoch(i) for i in indices if self.diverged(i)), default=math.inf)
        first, ended = self.reported_epochs + 1, None if training else "finished"
        if reached >= broken:
            reached, ended = int(broken) - 1, "diverged"
        if self.is_partial and ended != "diverged":
            # Its curves are means over all networks, so they wait for the others.
            if ended is not None:
                self.values = self._values(objective)
            return Outcome(self.number, first, reruns=self.reruns, values=self.values) if ended else None
        if reached < first and ended is None:
            return None
        self.reported_epochs = max(self.reported_epochs, reached)
        if ended == "finished":
            return self.finish(objective, first, reached)
        return Outcome(
            self.number,
            first,
            self._means(first, reached),
            ended=ended,
            reason=f"diverged in epoch {reached + 1}" if ended else None,
            reruns=self.reruns,
            values=self.values,
            judged=self._judged(objective, first, reached),
        )

    def finish(self, objective: str, first: int | None = None, last: int = 0) -> Outcome:
        """The end of the trial with its networks as they stand, from `first` to `last` with new epochs; by default with none."""
        if first is None:
            first, last = self.reported_epochs + 1, self.reported_epochs
        if self.is_partial:
            first, last = 1, max(self.epoch(i) for i in range(self.active))
        values = self._values(objective)
        spread = float(np.std(values)) if len(values) > 1 else None
        return Outcome(
            self.number,
            first,
            self._means(first, last),
            ended="behind" if self.is_partial else "finished",
            value=float(np.mean(values)),
            spread=spread,
            best_epochs=tuple(self.best_epoch(i) for i in range(self.active)),
            values=values,
            reruns=self.reruns,
            predictions=self._by_fold(self.predictions),
            crossfit=self._by_fold(
                [
                    one if kept is None else kept.outputs
                    for one, kept in zip(self.predictions, self.crossfit, strict=True)
                ]
            ),
            networks=() if self.is_partial else self._trained_networks(),
            judged=self._judged(objective, first, last),
        )

    @property
    def is_partial(self) -> bool:
        """Whether only some of its networks train so far."""
        return self.active < len(self.networks)

    def _values(self, objective: str) -> tuple[float, ...]:
        """The objective of the active networks at the epochs that they keep."""
        return tuple(self.at(objective, self.best_epoch(i), i) for i in range(self.active))

    def _means(self, first: int, last: int) -> dict[str, list[float]]:
        """The curves from one epoch to another, the means over the active networks."""
        return {
            key: [_mean([self.at(key, epoch, i) for i in range(self.active)]) for epoch in range(first, last + 1)]
            for key in self.curves[0]
        }

    def _judged(self, objective: str, first: int, last: int) -> list[float] | None:
        """The objective from one epoch to another as trials are compared by it; None for a single network, whose curve that is."""
        if self.active == 1:
            return None
        return [_mean([self.kept(objective, epoch, i) for i in range(self.active)]) for epoch in range(first, last + 1)]

    def _by_fold(self, predictions: Sequence[Array | None]) -> tuple[Array, ...]:
        """The mean over the seeds for each fold; empty if a fold has no validation rows."""
        by_fold: dict[int, list[Array]] = {}
        for network, predicted in zip(self.networks, predictions, strict=True):
            if predicted is None:
                return ()
            by_fold.setdefault(network.fold, []).append(predicted)
        return tuple(one[0] if len(one) == 1 else np.mean(one, axis=0) for one in by_fold.values())

    def _trained_networks(self) -> tuple[TrainedNetwork, ...]:
        return tuple(
            TrainedNetwork(structure, network.fold, np.array(state.best_theta[0]), np.array(state.best_buffers[0]))
            for structure, network, state in zip(self.structures, self.networks, self.states, strict=True)
            if state is not None
        )


def _mean(values: list[float]) -> float:
    """NumPy's mean, which is slow for the single value that most trials have."""
    return float(np.mean(values)) if len(values) > 1 else values[0]
