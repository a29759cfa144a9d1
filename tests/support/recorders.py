"""A recorder in memory, in place of the store."""

from collections.abc import Mapping
from typing import Any

from mlptune.experiments.execution.evaluation import Outcome
from mlptune.experiments.launch.coordinator import LiveTrial
from mlptune.experiments.launch.replay import Committed
from mlptune.experiments.progress import TrialSummary
from mlptune.search import configuration


class MemoryRecorder:
    """Keeps the curves and the ends of trials; `fixed` are the sweep's fixed hyperparameters.

    `ends[number]` is the trial's summary and the best epochs of its networks, in the order of the commits.
    """

    def __init__(self, fixed: Mapping[str, Any] | None = None) -> None:
        self.curves: dict[int, dict[str, list[float]]] = {}
        self.ends: dict[int, tuple[TrialSummary, tuple[int, ...]]] = {}
        self._fixed = fixed or {}

    def log_segment(self, live: LiveTrial, outcome: Outcome) -> None:
        for key, values in outcome.curves.items():
            curve = self.curves.setdefault(live.number, {}).setdefault(key, [])
            assert len(curve) == outcome.first_epoch - 1
            curve.extend(values)

    def commit(self, live: LiveTrial, summary: TrialSummary, outcome: Outcome | None) -> None:
        assert live.number not in self.ends
        if outcome is not None:
            self.log_segment(live, outcome)
        self.ends[live.number] = summary, outcome.best_epochs if outcome else ()

    @property
    def committed(self) -> dict[int, Committed]:
        """What a resume would find in the store, in the order of the commits."""
        return {
            number: Committed(
                configuration=configuration(summary.params, self._fixed),
                state=summary.state,
                curves=self.curves.get(number, {}),
                epochs=summary.epochs,
                value=summary.value,
                spread=summary.spread,
                kept_epochs=best_epochs,
                reason=summary.reason,
                diverged=(summary.reason or "").startswith("diverged"),
            )
            for number, (summary, best_epochs) in self.ends.items()
        }
