"""A sweep from beginning to end: read the data, search, refit the best, score it once, store model and result."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._text import counted
from ..errors import ExecutorLost, Interrupted, SweepFailed, UserError
from ..execution.executors import Elsewhere
from ..execution.workers import Workers
from ..progress import Observer, SweepInfo, TrialSummary

if TYPE_CHECKING:
    import optuna

    from ...search.schedulers.decisions import Scheduler
    from ...tracking.records import LaunchRecord
    from ..results import SweepResult
    from .problem import Problem


# How long Ctrl-C waits for a store that is away; what it has not taken by then is written by --resume.
INTERRUPTED_PATIENCE_SECONDS = 10.0


class _Launch:
    """One launch of a sweep, or the continuation of one."""

    def __init__(
        self,
        problem: "Problem",
        text: str,
        uri: str,
        pool: Workers | Elsewhere,
        scribe: Workers,
        observer: Observer,
    ) -> None:
        self.problem = problem
        self.text = text
        self.uri = uri
        self.pool = pool
        self.scribe = scribe
        self.observer = observer
        self.start_tag: dict[str, str] = {}

    def run(self, resume: bool) -> "SweepResult":
        from ...tracking.store.errors import StoreError, UnusableStore
        from .resume import check_same, resumable, wait_until_free
        from .warm_start import start_points, start_tag

        problem = self.problem
        try:
            earlier = resumable(self.uri, problem.spec.name) if resume else None
            if earlier is not None:
                for warning in check_same(problem, earlier, self.uri):
                    self.observer.message(warning)
                if earlier.state == "finished" and sum(earlier.done.values()) >= problem.total:
                    return self._finished(earlier)
                after = wait_until_free(self.uri, earlier, self.observer.message)
            start = start_points(problem, self.uri, earlier)
        except UnusableStore as error:
            raise UserError(str(error)) from error
        except StoreError as error:
            raise SweepFailed(f"{error}; nothing was begun, try again when it is back") from error
        self.start_tag = start_tag(problem, start)
        study = problem.study(start)
        plan = problem.plan(study)
        rule = problem.scheduler(study)
        self.observer.started(self._info(problem.outline(study, rule)))
        return self._search(study, rule, plan, earlier, after if earlier else 0)

    def _search(
        self, study: "optuna.Study", rule: "Scheduler", plan: Any, earlier: "LaunchRecord | None", after: int
    ) -> "SweepResult":
        from ...tracking import reader
        from ...tracking.store.errors import UnusableStore
        from ...tracking.writer import HeldElsewhere, StoreError, UnfinishedLaunch, Writer
        from ..execution.engine import EngineEvaluator
        from .coordinator import Coordinator
        from .recording import MlflowRecorder
        from .replay import Replay
        from .resume import OTHER_NAME, committed_trials, way_on

        problem = self.problem
        evaluator: Any = EngineEvaluator(problem.task(), self.pool, len(self.pool), problem.spec.search.trial_timeout)
        attempts: dict[int, int] = {}
        committed: dict[int, Any] = {}
        writer = Writer(self.uri, self.scribe, self.observer.message)
        launched: Future[str] | None = None
        patience: float | None = None
        try:
            if earlier is None:
                launched = writer.open_launch(
                    problem.spec.name,
                    spec_text=self.text,
                    spec=problem.spec.dump(),
                    tags=self._tags(),
                    params=problem.fixed,
                )
            else:
                launched = writer.reopen_launch(problem.spec.name, earlier.run_id, after=after, tags=self._tags())
                writer.flush()
                committed, attempts = committed_trials(self.uri, earlier.run_id, problem.objective.key, problem.fixed)
                evaluator = Replay(evaluator, committed)
                self.observer.message(f"resumed: {len(committed)} of {counted(problem.total, 'trial')} there already")
            recorder = MlflowRecorder(
                writer, launched, study, problem.seeds, committed=committed, attempts=attempts, changing=rule.changing
            )
            coordinator = Coordinator(
                study,
                problem.space,
                rule,
                evaluator,
                fixed=problem.fixed,
                recorder=recorder,
                observer=self.observer,
            )
            coordinator.run(plan)
            return self._finish(writer, launched.result(), coordinator.trials, coordinator.kept_epochs)
        except UnfinishedLaunch as error:
            way = f"wait for it, or {OTHER_NAME}"
            if not error.running:
                way = way_on(problem, reader.launch(self.uri, error.name, error.run_id), self.uri)
            raise UserError(f"{error}; {way}") from error
        except HeldElsewhere as error:
            raise UserError(f"the sweep {problem.spec.name!r}: {error}") from error
        except KeyboardInterrupt as error:
            self.pool.shutdown(wait=False)
            patience = INTERRUPTED_PATIENCE_SECONDS
            with suppress(StoreError):  # told already
                writer.finish_launch("interrupted")
            raise Interrupted(f"stopped; what is committed stays, --resume continues {problem.spec.name!r}") from error
        except ExecutorLost as error:
            writer.finish_launch("interrupted")
            raise ExecutorLost(f"{error}; what is committed stays, --resume continues {problem.spec.name!r}") from error
        except SweepFailed:
            writer.finish_launch("failed")
            raise
        except UnusableStore as error:
            raise UserError(str(error)) from error
        except StoreError as error:
            begun = launched is not None and launched.done() and not launched.exception()
            raise SweepFailed(_with_way_on(error, begun)) from error
        except Exception:
            # A fault of a sampler, or of ours: told as it is, but nobody shall find the name taken by a launch that never ends.
            if earlier is None:
                with suppress(StoreError):
                    writer.finish_launch("failed")
            raise
        finally:
            try:
                writer.close(patience)
            except StoreError as error:
                if patience is None:
                    raise SweepFailed(_with_way_on(error, begun=True)) from error
                self.observer.message(str(error))

    def _finish(
        self,
        writer: Any,
        run_id: str,
        trials: dict[int, TrialSummary],
        kept_epochs: Mapping[int, tuple[int, ...]],
    ) -> "SweepResult":
        from ...search.spaces.layers import configuration
        from ...tracking.records import TrialRecord
        from .. import results
        from .final import fit_final, score_test

        problem = self.problem
        best = results.best_trial(list(trials.values()), problem.objective.direction)
        if best is None:
            raise SweepFailed(_why_nothing(trials))
        self.observer.refitting(best.number)
        scored = writer.count_scored(problem.dataset.fingerprint)
        complete = dict(best.configuration or configuration(best.params, problem.fixed))
        model = fit_final(problem, complete, kept_epochs[best.number], self.pool, self.observer)
        test_score = score_test(problem, model)
        metrics, tags = {}, {}
        if test_score is not None:
            metrics["test_score"] = test_score
            times = 1 + scored.result()
            tags["mlptune.test_scorings"] = str(times)
            if times > 1:
                self.observer.message(
                    f"{times} launches of this sweep have now been scored on the test part: the more, the less it proves"
                )
        record = TrialRecord(
            number=best.number,
            state=best.state,
            value=best.value,
            params=best.params,
            epochs=best.epochs,
            kept_epochs=kept_epochs[best.number],
            spread=best.spread,
            seeds=problem.seeds,
            configuration=best.configuration,
            copied=best.copied,
        )
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder, "model"))
            stored = writer.log_model(
                Path(folder, "model"), name=problem.spec.name, loader_module="mlptune.experiments.model"
            )
            writer.finish_launch(
                "finished",
                best=record,
                metrics=metrics,
                tags=tags,
                artifacts={
                    "best_config.json": json.dumps(complete, indent=1),
                    results.SPEC_ARTIFACT: json.dumps(problem.spec.absolute().dump(), indent=1),
                },
            )
            writer.flush()
            stored.result()
        summaries = [_with_run_id(trial, writer.trial_run_id(trial.number)) for trial in trials.values()]
        document = results.best_document(problem.spec.name, run_id, best, problem.objective.key, test_score, complete)
        result = results.SweepResult(
            problem.spec.name,
            run_id,
            self.uri,
            results.summary(problem.spec.name, run_id, "finished", problem.spec.search.method, summaries, document),
            complete,
            best.copied,
        )
        self.observer.finished(result)
        return result

    def _finished(self, earlier: "LaunchRecord") -> "SweepResult":
        """What a finished sweep answers to `resume`: its result."""
        from .. import results

        self.observer.message(f"{earlier.name!r} is finished; this is its result")
        summary = results.show(earlier.name, earlier.run_id, self.uri)
        _, configuration, copied = results.best_schedule(earlier.name, earlier.run_id, self.uri)
        result = results.SweepResult(earlier.name, earlier.run_id, self.uri, summary, configuration, copied)
        self.observer.finished(result)
        return result

    def _info(self, outline: Sequence[str]) -> SweepInfo:
        problem = self.problem
        return SweepInfo(
            name=problem.spec.name,
            method=problem.spec.search.method,
            total=problem.total,
            workers=len(self.pool),
            max_epochs=problem.max_epochs,
            metric=problem.objective.key,
            direction=problem.objective.direction,
            messages=(*self.pool.messages, *problem.dataset.messages, *outline),
        )

    def _tags(self) -> dict[str, str]:
        from ... import __version__
        from ...tracking import records
        from .. import results
        from ..execution import machine

        problem = self.problem
        return {
            records.METHOD: problem.spec.search.method,
            records.TOTAL: str(problem.total),
            results.FIXED: json.dumps(problem.fixed),
            results.METRIC: problem.objective.key,
            results.DIRECTION: problem.objective.direction,
            "mlptune.version": __version__,
            records.DATA: problem.dataset.fingerprint,
            "mlptune.task": problem.dataset.task,
            "mlptune.seed": str(problem.spec.seed),
            "mlptune.machine": machine.fingerprint(),
            **self.start_tag,
        }


def _with_way_on(error: Exception, begun: bool) -> str:
    from ...tracking.lease import LeaseLost

    text = str(error)
    known = "--resume" in text or isinstance(error, LeaseLost)
    return text if known or not begun else f"{text}; what is committed stays, --resume continues"


def _why_nothing(trials: Mapping[int, TrialSummary]) -> str:
    """The commonest reason; the rest is in `mlptune show`."""
    reasons = Counter(
        "diverged" if (t.reason or "").startswith("diverged") else t.reason or t.state for t in trials.values()
    )
    [(reason, count)] = reasons.most_common(1)
    which = "the only trial is not" if len(trials) == 1 else f"none of the {len(trials)} trials is"
    return f"{which} complete ({reason})" if count == len(trials) else f"{which} complete ({count}: {reason})"


def _with_run_id(trial: TrialSummary, run_id: str | None) -> TrialSummary:
    return replace(trial, run_id=run_id)
