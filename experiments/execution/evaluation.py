"""What the coordinator needs of an evaluator of trials: the engine in a sweep, a lookup table in a benchmark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ...core.array import Array
    from ...core.structure import Structure
    from ...tracking.records import TrialRecord


@dataclass(frozen=True)
class Request:
    """Train trial `number` with this configuration (its hyperparameters, fixed and sampled) up to the epoch `until`.

    With `source` it first takes over the networks of that trial as they were before this call. The configuration is then the
    source's, changed from the next epoch on, so that training it from the start gives the same networks.

    `networks` says that only the first so many of its networks train (fold by fold and within a fold seed by seed); a later
    request lets more of them train.
    """

    number: int
    configuration: Mapping[str, Any]
    until: int
    source: int | None = None
    networks: int | None = None


@dataclass(frozen=True)
class TrainedNetwork:
    """A network at its best epoch: its structure and fold, parameters (P,) and buffers (R,)."""

    structure: "Structure"
    fold: int
    theta: "Array"
    buffers: "Array"


@dataclass(frozen=True)
class Returned:
    """A job that has returned.

    Attributes:
        expected: How many seconds it takes by the count of its operations.
        seconds: How many it took.
        processor_seconds: In how many of these it had a processor.
    """

    expected: float
    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class Outcome:
    """What one segment of one trial gave.

    Attributes:
        number: The trial.
        first_epoch: The epoch (1-based) of the first value in each curve.
        curves: Values by epoch, averaged over the trial's networks (seeds and folds); a network that has ended counts with its
            last values from then on, so that no curve steps there.
        judged: The objective by epoch as trials are compared by it: a network that has ended counts with its best epoch, which it
            keeps. None where that is its curve.
        ended: None while the trial could train on, else "finished", "diverged", "failed" (a fault; `reason` says why), or "behind"
            where only some of its networks were trained.
        value: For a finished trial, or one that is behind, the mean of the objective over its networks at their best epochs.
        spread: The standard deviation to `value`; None for a single network.
        best_epochs: For a finished trial, the epoch whose weights each of its networks keeps.
        estimate: Of a trial that is behind, what its value would be with all its networks.
        values: The objective of each network at its best epoch, of those of a request that have all ended.
        reason: Why the trial diverged or failed.
        reruns: How many jobs of this trial were lost with their worker, or failed, and were run again.
        predictions: For a finished trial, what it predicts for each fold's validation rows, (n, o) in the engine's units, the mean
            over its seeds; empty where the evaluator does not know them.
        crossfit: The same at epochs that were chosen without the rows that are predicted; see `core.crossfit`.
        networks: For a finished trial its networks, fold by fold and within a fold seed by seed; empty where they are not at hand.
        jobs: The jobs that have returned since the outcome before, of whatever trials.
    """

    number: int
    first_epoch: int
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ended: str | None = None
    value: float | None = None
    spread: float | None = None
    best_epochs: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    estimate: float | None = None
    reason: str | None = None
    reruns: int = 0
    predictions: tuple["Array", ...] = ()
    crossfit: tuple["Array", ...] = ()
    networks: tuple[TrainedNetwork, ...] = ()
    judged: Sequence[float] | None = None
    jobs: tuple[Returned, ...] = field(default=(), compare=False)

    def objective(self, key: str) -> Sequence[float]:
        """What is reported to samplers and schedulers, epoch by epoch; `key` names the curve of the objective."""
        return self.curves.get(key, ()) if self.judged is None else self.judged

    @property
    def last_epoch(self) -> int:
        """The last epoch of this segment; `first_epoch - 1` where it trained none."""
        return self.first_epoch - 1 + max((len(values) for values in self.curves.values()), default=0)


@dataclass(frozen=True)
class EndedTrial:
    """A trial that has ended, with what a resume replays of it and what a model is made of.

    Attributes:
        record: The trial.
        curves: From epoch 1; empty where nobody replays it.
        predictions: By fold (n, o), in the engine's units; empty where they are not known.
        crossfit: The same at epochs that were chosen without the rows that are predicted.
        networks: Fold by fold and within a fold seed by seed; empty where they are not in memory.
    """

    record: "TrialRecord"
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    predictions: tuple["Array", ...] = ()
    crossfit: tuple["Array", ...] = ()
    networks: tuple[TrainedNetwork, ...] = ()


class Evaluator(Protocol):
    """Trains trials, and keeps the state of each between segments until `forget`."""

    @property
    def objective_key(self) -> str:
        """The curve that the objective is read from."""

    def advance(
        self, requests: Sequence[Request], deadline: float | None = None, *, until_one: bool = False
    ) -> Iterable[Outcome]:
        """Train all requests; outcomes come in any order, several for a trial that trains in segments.

        Ends when every trial has reached its epoch or has ended, or soon after the `deadline`, a time of `time.monotonic`; with
        `until_one` not before one of the trials has finished or can be concluded.
        """

    def conclude(self, number: int) -> Outcome | None:
        """End a trial where it stands: its outcome as if that had been its last epoch; None without a whole epoch, or diverged."""

    def forget(self, number: int) -> None:
        """Trial `number` will not be trained any further."""
