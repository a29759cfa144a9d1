"""One launch of a sweep: opened in the store or taken up again, searched, and finished.

`run.py` imports this module, and everything heavy with it, once the processes are starting.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future

from ... import __version__
from ..._text import counted
from ...tracking import reader, schema
from ...tracking.records import LaunchRecord
from ...tracking.writer import Writer
from .. import results
from ..config import Spec
from ..data.frames import MemoryTable
from ..data.tables import read_table
from ..execution import machine
from ..execution.executors import ExternalExecutor
from ..execution.workers import Workers
from ..progress import Observer
from .failures import LaunchFailures, before_launch
from .finish import Searched, finish
from .plan import plan_of
from .prepared import PreparedSearch
from .recording import MlflowRecorder
from .replay import CommittedTrial
from .resume import as_begun, check_same, committed_trials, resumable, wait_until_free
from .warm_start import Point, start_points, start_tag


class Launch:
    """One launch of a sweep, or the continuation of one.

    Args:
        spec: The sweep file.
        text: The sweep file as it was written, for the store.
        uri: The store's address.
        executor: Where training runs.
        writer_process: The process that writes to the store.
        observer: What the user sees of it.
        began: When the sweep was called, a time of `time.monotonic`.
        resume: Continue the latest launch, if there is one.
        table: The data, where they were handed over in Python; else they are read as the sweep file says.
    """

    def __init__(
        self,
        spec: Spec,
        text: str,
        uri: str,
        executor: Workers | ExternalExecutor,
        writer_process: Executor,
        observer: Observer,
        began: float,
        resume: bool,
        table: MemoryTable | None = None,
    ) -> None:
        self.began = began
        with before_launch():
            self.earlier = resumable(uri, spec.name) if resume else None
            if self.earlier is not None:
                spec = as_begun(spec, self.earlier, uri)
        if table is None:
            said: list[str] = []
            frame = read_table(spec.data.source, spec.base, header=spec.data.header, say=said.append)
            table = MemoryTable(frame, spec.data.target, said=tuple(said))
        self.plan = plan_of(spec, table)
        self.text = text
        self.uri = uri
        self.executor = executor
        self.writer_process = writer_process
        self.observer = observer

    def run(self) -> results.SweepResult:
        """Run the sweep and return its result; continued if it was begun, the result alone if it is finished."""
        plan, earlier, last_claim = self.plan, self.earlier, 0
        with before_launch():
            if earlier is not None:
                for warning in check_same(plan, earlier, self.uri):
                    self.observer.message(warning)
                if earlier.state == "finished" and self._is_searched(earlier):
                    return self._result_of(earlier)
                last_claim = wait_until_free(self.uri, earlier, self.observer.message)
            start = start_points(plan.spec.search.start, plan.space, plan.total, self.uri, earlier)
        return self._search(start, earlier, last_claim)

    def _is_searched(self, earlier: LaunchRecord) -> bool:
        """Whether nothing is left of the budget: a resume gives what the first call gave, unless the budget has grown."""
        minutes = self.plan.spec.search.minutes
        if minutes is None:
            return sum(earlier.done.values()) >= self.plan.total
        stored = reader.launch_data(self.uri, earlier, schema.SPEC) or {}
        return bool(minutes <= stored.get("search", {}).get("minutes", 0.0))

    def _search(self, start: Sequence[Point], earlier: LaunchRecord | None, last_claim: int) -> results.SweepResult:
        plan = self.plan
        search = PreparedSearch(plan, self.executor, self.observer, self.began, start)
        writer = Writer(self.uri, self.writer_process, self.observer.message)
        with LaunchFailures(plan, writer, self.executor, self.observer, resumed=earlier is not None) as failures:
            launched = failures.launched = self._open(writer, start, earlier, last_claim)
            committed, attempts, ensembles = self._committed(writer, earlier)
            recorder = MlflowRecorder(
                writer,
                launched,
                search.study,
                plan.seeds,
                search.library,
                committed=committed,
                attempts=attempts,
                changing=search.scheduler.changing,
                ensembles=ensembles,
            )
            trials = search.run(recorder, committed)
            searched = Searched(trials, search.library, search.study, recorder.curves)
            return finish(plan, searched, writer, launched.result(), self.executor, self.observer)

    def _open(
        self, writer: Writer, start: Sequence[Point], earlier: LaunchRecord | None, last_claim: int
    ) -> "Future[str]":
        """Ask the store for the launch's run, new or taken up again; the first trials train meanwhile."""
        plan, name = self.plan, self.plan.spec.name
        tags = {
            schema.METHOD: plan.spec.search.method,
            schema.TOTAL: str(plan.total),
            schema.FIXED: json.dumps(plan.model),
            schema.METRIC: plan.objective.key,
            **({schema.METRIC_CODE: plan.metric_code} if plan.metric_code else {}),
            schema.DIRECTION: plan.objective.direction,
            schema.VERSION: __version__,
            schema.DATA: plan.dataset.fingerprint,
            schema.TASK: plan.dataset.task,
            schema.SEED: str(plan.spec.seed),
            schema.MACHINE: machine.fingerprint(),
            **start_tag(plan.spec.search.start, start),
        }
        if earlier is not None:
            return writer.reopen_launch(name, earlier.run_id, after=last_claim, tags=tags)
        return writer.open_launch(name, spec_text=self.text, spec=plan.spec.dump(), tags=tags, params=plan.model)

    def _committed(
        self, writer: Writer, earlier: LaunchRecord | None
    ) -> tuple[Mapping[int, CommittedTrial], Mapping[int, int], int]:
        """The trials that are committed already, how often each was begun, and up to which the ensemble's score was written."""
        if earlier is None:
            return {}, {}, 0
        writer.flush()
        committed, attempts = committed_trials(self.uri, earlier.run_id, self.plan)
        self.observer.message(f"resumed: {len(committed)} of {counted(self.plan.total, 'trial')} there already")
        scores = reader.curves(self.uri, [earlier.run_id], [schema.ENSEMBLE_VALUE])
        return committed, attempts, len(scores[earlier.run_id][schema.ENSEMBLE_VALUE])

    def _result_of(self, earlier: LaunchRecord) -> results.SweepResult:
        """The result of a sweep that is finished already."""
        self.observer.message(f"{earlier.name!r} is finished; this is its result")
        result = results.load_result(earlier.name, earlier.run_id, self.uri)
        self.observer.finished(result)
        return result
