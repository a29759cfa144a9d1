"""What is recorded of trials, in memory in place of the store."""

from collections.abc import Iterable, Mapping
from typing import Any

from mlptune.experiments.execution.evaluation import EndedTrial, Outcome
from mlptune.experiments.launch.coordinator import LiveTrial
from mlptune.tracking.records import CURVE, TrialRecord


class MemoryRecorder:
    """Keeps the curves and the ends of trials.

    `ends[number]` is the trial's record and the best epochs of its networks, in the order of the commits.
    """

    def __init__(self) -> None:
        self.curves: dict[int, dict[str, list[float]]] = {}
        self.ends: dict[int, tuple[TrialRecord, tuple[int, ...]]] = {}

    def log_segment(self, live: LiveTrial, outcome: Outcome) -> None:
        for key, values in outcome.curves.items():
            curve = self.curves.setdefault(live.number, {}).setdefault(key, [])
            assert len(curve) == outcome.first_epoch - 1
            curve.extend(values)

    def commit(self, live: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        assert live.number not in self.ends
        if outcome is not None:
            self.log_segment(live, outcome)
        self.ends[live.number] = record, outcome.best_epochs if outcome else ()

    @property
    def committed(self) -> dict[int, EndedTrial]:
        """What a resume would find in the store, in the order of the commits."""
        return {number: EndedTrial(record, self.curves.get(number, {})) for number, (record, _) in self.ends.items()}


def committed_trial(configuration: Mapping[str, Any], outcomes: Iterable[Outcome]) -> EndedTrial:
    """What a resume would find of a trial that was begun with `configuration` and gave these outcomes to its end."""
    curves: dict[str, list[float]] = {}
    judged: list[float] = []
    for outcome in outcomes:
        judged += outcome.judged or ()
        for key, values in outcome.curves.items():
            curves.setdefault(key, []).extend(values)
    states = {"finished": "complete", "diverged": "pruned", "failed": "failed", "behind": "pruned"}
    record = TrialRecord(
        outcome.number,
        states[str(outcome.ended)],
        outcome.value,
        configuration,
        epochs=outcome.last_epoch,
        reason=outcome.reason,
        best_epochs=outcome.best_epochs,
        values=outcome.values,
        spread=outcome.spread,
        rebuild={CURVE: judged},
    )
    return EndedTrial(record, curves)
