"""What the coordinator needs of whoever evaluates trials: the engine in a sweep, a lookup table in a benchmark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """Train trial `number` with this configuration (its hyperparameters, fixed and sampled) on to the epoch `until`.

    With `source` it first takes over the networks of that trial as they were before this call. The configuration is then the
    source's, changed from the next epoch on, so that training it from the start gives the same networks.
    """

    number: int
    configuration: Mapping[str, Any]
    until: int
    source: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came back of one stretch of one trial.

    `curves[key]` are the values of the epochs `first_epoch`, `first_epoch + 1`, ... (1-based), averaged over the trial's
    networks (seeds and folds); a network that has ended counts with its kept epoch from then on. `ended` is None while the trial
    could train on, else "finished", "diverged" or "failed" (a fault; `reason` says which). `value`, `spread` and `kept_epochs`
    belong to a finished trial: mean and standard deviation of the objective over its networks at their kept epochs. `reruns`
    counts the jobs of this trial that were lost with their worker, or failed, and were run again.
    """

    number: int
    first_epoch: int
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ended: str | None = None
    value: float | None = None
    spread: float | None = None
    kept_epochs: tuple[int, ...] = ()
    reason: str | None = None
    reruns: int = 0

    @property
    def last_epoch(self) -> int:
        """The last epoch that this stretch trained; `first_epoch - 1` where it trained none."""
        return self.first_epoch - 1 + max((len(values) for values in self.curves.values()), default=0)


class Evaluator(Protocol):
    """Trains trials. It keeps the state of every trial between stretches until `forget`."""

    @property
    def objective_key(self) -> str:
        """The curve that the objective is read from."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of a trial's networks."""

    def advance(self, requests: Sequence[Request]) -> Iterable[Outcome]:
        """Train all requests; outcomes come as they return, in any order, several for a trial if it trains in stretches.

        Ends when every request has reached its epoch or has ended.
        """

    def forget(self, number: int) -> None:
        """Trial `number` will not be trained any further."""
