"""One launch of a sweep: opened in the store or taken up again, searched, and finished.

`run.py` imports this module, and everything heavy with it, once the processes are starting.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from typing import Any

from ... import __version__
from ..._text import counted
from ...tracking import reader, schema, store
from ...tracking.description import Description
from ...tracking.records import LaunchRecord
from ...tracking.writer import Writer
from .. import space_changes
from ..config import Spec
from ..data.frames import MemoryTable
from ..data.tables import read_table
from ..errors import UserError
from ..execution import interruption, machine
from ..execution.evaluation import EndedTrial
from ..execution.executors import ExternalExecutor
from ..execution.workers import Workers
from ..progress import Observer
from ..results import SweepResult, load_result
from .by_hand import as_tried, fits, takes_by_hand
from .edited import as_searched
from .failures import LaunchFailures, before_launch
from .finish import Searched, best_of, finish
from .plan import SweepPlan, plan_of
from .prepared import PreparedSearch
from .recording import MlflowRecorder
from .resume import (
    as_begun,
    as_planned,
    budget_of,
    check_same,
    committed_trials,
    is_searched,
    resumable,
    wait_until_free,
)
from .space_history import SpaceHistory
from .steering import Steering, loads, requests_in
from .stop_rules import Stopped
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
        tried: A configuration to try by hand in the launch that is continued, and nothing else.
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
        tried: Point | None = None,
    ) -> None:
        self.tried = tried
        self.edit: Mapping[str, Mapping[str, Any]] = {}
        self.began = began
        with before_launch():
            self.earlier = resumable(uri, spec.name) if resume else None
            if self.earlier is not None:
                spec, self.edit = as_searched(as_begun(spec, self.earlier, uri), self.earlier, uri)
        if table is None:
            said: list[str] = []
            frame = read_table(spec.data.source, spec.base, header=spec.data.header, say=said.append)
            table = MemoryTable(frame, spec.data.target, said=tuple(said))
        self.plan = plan_of(spec, table)
        if self.earlier is not None:
            with before_launch():
                self.plan = as_planned(self.plan, self.earlier, uri)
        self.text = text
        self.uri = uri
        self.executor = executor
        self.writer_process = writer_process
        self.observer = observer

    def run(self) -> SweepResult:
        """Run the sweep and return its result; continued if it was begun, the result alone if it is finished."""
        plan, earlier, last_claim = self.plan, self.earlier, 0
        with before_launch():
            if earlier is not None:
                for warning in check_same(plan, earlier, self.uri):
                    self.observer.message(warning)
                if earlier.state == "finished" and self.tried is None and is_searched(plan, earlier, self.uri):
                    if self.edit:
                        budget = "trials" if plan.spec.search.epochs_total is None else "epochs_total"
                        raise UserError(
                            f"--resume: [space] {next(iter(self.edit))} is not that of the launch, and no trial is left to "
                            f"search it; give it more {budget} (`mlptune continue` keeps the space of the launch)"
                        )
                    return self._result_of(earlier)
                last_claim = wait_until_free(self.uri, earlier, self.observer.message)
                if self.tried is not None:
                    self.tried = as_tried(self.tried, plan, earlier, self.uri)
            given, costs = plan.spec.search.start, plan.point_costs
            start = start_points(given, plan.space, plan.total, self.uri, earlier, costs, plan.starts)
        return self._search(start, earlier, last_claim)

    def _search(self, start: Sequence[Point], earlier: LaunchRecord | None, last_claim: int) -> SweepResult:
        plan = self.plan
        writer = Writer(self.uri, self.writer_process, self.observer.message)
        spaces = self._spaces(writer, earlier)
        steering = self._steering(writer, earlier, last_claim, spaces)
        try:
            search = PreparedSearch(plan, self.executor, self.observer, self.began, start, steering, spaces)
        except BaseException:  # nothing is open yet, and nobody else would end the writer's thread
            writer.close()
            raise
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
                costs=None if plan.point_costs is None else plan.point_costs.recorded,
            )
            trials = search.run(recorder, committed, known=max(attempts, default=-1) + 1)
            searched = Searched(
                trials,
                search.library,
                search.study,
                recorder.curves,
                self._stopped(search, earlier),
                steering.numbers,
                spaces.changes,
                search.seconds,
            )
            if steering.only and earlier is not None and earlier.state != "finished":
                return self._leave_unfinished(searched, writer, launched.result())
            return finish(
                replace(plan, space=spaces.whole), searched, writer, launched.result(), self.executor, self.observer
            )

    def _steering(
        self, writer: Writer, earlier: LaunchRecord | None, last_claim: int, spaces: SpaceHistory
    ) -> Steering:
        """What users have done to the launch and want of it; more may come while it runs."""
        plan = self.plan
        return Steering(
            [] if earlier is None else loads(earlier.by_hand),
            {} if earlier is None else requests_in(earlier.tags),
            {} if self.tried is None else {secrets.token_hex(4): self.tried},
            claim=last_claim + 1,
            fits=lambda point: takes_by_hand(plan) and fits(point, spaces.latest, plan.point_costs),
            look=writer.requests,
            record=partial(self._record, writer, schema.BY_HAND),
        )

    def _spaces(self, writer: Writer, earlier: LaunchRecord | None) -> SpaceHistory:
        """The space of the launch, with the changes that it has had."""
        plan = self.plan
        return SpaceHistory(
            plan.space,
            [] if earlier is None else space_changes.loads(earlier.space_changes),
            self.edit,
            widen=plan.spec.search.widen,
            direction=plan.objective.direction,
            record=partial(self._record, writer, schema.SPACE_CHANGES),
            say=self.observer.message,
        )

    def _record(self, writer: Writer, tag: str, events: str) -> None:
        """Write events of the history down; they are in the store before what follows from them trains."""
        writer.tag_launch({tag: events})
        writer.flush()

    def _stopped(self, search: PreparedSearch, earlier: LaunchRecord | None) -> Stopped | None:
        """Why the sweep ended before its budget; a trial by hand leaves that as it was."""
        if search.stopped is None or search.stopped.by != "hand":
            return search.stopped
        return Stopped.loads(earlier.tags.get(schema.STOPPED)) if earlier is not None else None

    def _leave_unfinished(self, searched: Searched, writer: Writer, run_id: str) -> SweepResult:
        """After a trial by hand in a sweep that was interrupted: it stays so."""
        best_of(self.plan, searched.trials)
        writer.finish_launch("interrupted")
        writer.flush()
        return load_result(self.plan.spec.name, run_id, self.uri)

    def _open(
        self, writer: Writer, start: Sequence[Point], earlier: LaunchRecord | None, last_claim: int
    ) -> "Future[str]":
        """Ask the store for the launch's run, new or taken up again; the first trials train meanwhile."""
        plan, name = self.plan, self.plan.spec.name
        tags = {
            schema.METHOD: plan.spec.search.method,
            schema.SCHEDULER: plan.searcher.scheduler,
            schema.TOTAL: str(plan.total),
            schema.FIXED: json.dumps(plan.model),
            schema.METRIC: plan.objective.key,
            **({schema.METRIC_CODE: plan.metric_code} if plan.metric_code else {}),
            schema.DIRECTION: plan.objective.direction,
            **costs_tags(plan),
            schema.VERSION: __version__,
            schema.DATA: plan.dataset.fingerprint,
            schema.TASK: plan.dataset.task,
            schema.SEED: str(plan.spec.seed),
            schema.MACHINE: machine.fingerprint(),
            schema.BUDGET: json.dumps(budget_of(plan.spec.search)),
            schema.STOPPED_BY: "signal" if interruption.catches_signals() else "request",
            **start_tag(plan.spec.search.start, start),
        }
        if earlier is not None:
            tags[schema.STOPPED] = ""
            launched = writer.reopen_launch(name, earlier.run_id, after=last_claim, tags=tags)
        else:
            tags[schema.BASE] = str(plan.spec.base)
            launched = writer.open_launch(
                name, spec_text=self.text, spec=plan.spec.dump(), tags=tags, params=plan.model
            )
        writer.describe_launch(description_of(plan))
        return launched

    def _committed(
        self, writer: Writer, earlier: LaunchRecord | None
    ) -> tuple[Mapping[int, EndedTrial], Mapping[int, int], int]:
        """The trials that are committed already, how often each was begun, and up to which the ensemble's score was written."""
        if earlier is None:
            return {}, {}, 0
        writer.flush()
        committed, attempts = committed_trials(self.uri, earlier.run_id, self.plan)
        total = counted(self.plan.total + len(earlier.by_hand), "trial")
        self.observer.message(f"resumed: {len(committed)} of {total} there already")
        scores = reader.curves(self.uri, [earlier.run_id], [schema.ENSEMBLE_VALUE])
        return committed, attempts, len(scores[earlier.run_id][schema.ENSEMBLE_VALUE])

    def _result_of(self, earlier: LaunchRecord) -> SweepResult:
        """The result of a sweep that is finished already."""
        why = (
            f" (stopped: {earlier.stopped}; another patience or target goes on, or epochs_total)"
            if earlier.stopped
            else ""
        )
        self.observer.message(f"{earlier.name!r} is finished{why}; this is its result")
        result = load_result(earlier.name, earlier.run_id, self.uri)
        self.observer.finished(result)
        return result


def costs_tags(plan: SweepPlan) -> dict[str, str]:
    """What the costs of the launch's trials are counted from, where they matter to it, and which of them are minimised."""
    if plan.point_costs is None:
        return {}
    return {schema.COSTS: plan.costs.dumps(), schema.COUNTED: json.dumps(plan.objective.counted)}


def description_of(plan: SweepPlan) -> Description:
    """What the launch is about, for its page in MLflow."""
    names = plan.space.names
    source = plan.spec.data.source
    return Description(
        searched=names,
        grouped=names if plan.searcher.enumerates else (),
        target=plan.spec.data.target or "target",  # what `target_name` says
        source=store.redact(source),
        fingerprint=plan.dataset.fingerprint,
        rows=plan.dataset.n_rows,
        columns=len(plan.dataset.schema.inputs),
    )
