"""The best so far while a sweep runs: what the ensemble of the finished trials scores, batch after batch."""

from ..progress import Observer
from .coordinator import Recorder
from .library import Library
from .members import ensemble_value
from .plan import SweepPlan


class RunningEnsemble:
    """Selects the ensemble of `library` anew when a batch has changed it, and says what it scores."""

    def __init__(self, plan: SweepPlan, library: Library, recorder: Recorder, observer: Observer) -> None:
        self._plan = plan
        self._library = library
        self._recorder = recorder
        self._observer = observer
        self._seen: tuple[int, ...] = ()

    def update(self, trials: int) -> None:
        """A batch has ended, after so many trials of the sweep."""
        now = tuple(entry.record.number for entry in self._library.entries())
        if now == self._seen:
            return
        self._seen = now
        value = ensemble_value(self._plan, self._library)
        if value is not None:
            self._recorder.log_ensemble(trials, value)
            self._observer.ensemble_advanced(value)
