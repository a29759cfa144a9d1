"""The end of a sweep: its model, an ensemble or the best configuration alone, scored once on the test part, and stored."""

import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from ... import __version__
from ..._text import counted
from ...tracking import schema
from ...tracking.description import LEADERS
from ...tracking.records import TrialRecord
from ...tracking.writer import Writer
from ..config import spec_toml
from ..data.dataset import EncodedFold
from ..documents import best_document, show_document
from ..ensemble import Expected
from ..errors import SweepFailed
from ..execution import machine
from ..execution.evaluation import TrainedNetwork
from ..front import LaunchCosts, on_front, trial_costs
from ..model import Part, TunedModel
from ..progress import Observer
from ..ranking import best_trial, ranked
from ..report.facts import Facts, made_with
from ..report.page import report_html
from ..report.rules import Finding, diagnose
from ..results import SweepResult
from ..short import time_text
from ..signature import signature_of
from ..space_changes import SpaceChange
from . import forecast
from .evidence import measure
from .finalists import Finalist, best_finalist, finalists, table
from .library import Library
from .members import (
    choose_members,
    complete_library,
    ensemble_model,
    validation_outputs,
    validation_rows,
)
from .plan import SweepPlan
from .retraining import refit, train_again, trained_configuration
from .stop_rules import Stopped

# Training the members again takes longer than what one waits for without a word.
SAID_SECONDS = 3.0
# Stored in every logged model: MLflow imports it to load one.
LOADER_MODULE = "mlptune.experiments.model"


@dataclass(frozen=True)
class Searched:
    """What a search leaves behind.

    Attributes:
        trials: All trials by number.
        library: What the model may be made of.
        study: Optuna's study.
        curves: By trial its curves, from epoch 1.
        stopped: Why it ended before its budget; None where nothing ended it.
        by_hand: The numbers of the trials by hand.
        space_changes: How the ranges of the space changed.
        seconds: When each trial that this process trained ended, in seconds from the beginning of the search.
    """

    trials: Mapping[int, TrialRecord]
    library: Library
    study: optuna.Study
    curves: Mapping[int, Mapping[str, Sequence[float]]]
    stopped: Stopped | None = None
    by_hand: Sequence[int] = ()
    space_changes: Sequence[SpaceChange] = ()
    seconds: Mapping[int, float] = field(default_factory=dict)


def finish(
    plan: SweepPlan, searched: Searched, writer: Writer, run_id: str, executor: Executor, observer: Observer
) -> SweepResult:
    """Make the sweep's model of its trials, and store it, the result and a report in the launch `run_id`.

    Raises:
        SweepFailed: If no trial is complete.
    """
    trials, library = searched.trials, searched.library
    finals = find_finalists(plan, trials, executor, observer)
    best = best_finalist(finals, best_of(plan, trials))
    scored_before = writer.count_scored(plan.dataset.fingerprint)
    model, expected = make_model(plan, best, trials, library, executor, observer)
    complete = {**trained_configuration(plan, best), **plan.of_rows}
    test_score = score_test(plan, model)
    if test_score is not None and math.isnan(test_score):
        observer.message(
            f"{plan.objective.key.removeprefix('val_')} is not a number on the test part, which may lack a class"
        )
    scorings = None if test_score is None else 1 + scored_before.result()
    if scorings is not None and scorings > 1:
        observer.message(
            f"models of this sweep have now been scored {scorings} times on the test part: the more often, the less it proves"
        )
    name, method = plan.spec.name, plan.spec.search.method
    document = best_document(
        name,
        run_id,
        best,
        plan.objective.key,
        test_score,
        complete,
        [{"number": number, "weight": weight} for number, weight in model.members.items()],
        None if expected is None else vars(expected),
        model.threshold,
    )
    result = Result(model, replace(best, seeds=plan.seeds), complete, expected, test_score, scorings, finals)
    facts = _facts(plan, searched, result, document)
    findings = diagnose(facts)
    leaders = ranked(trials.values(), plan.objective.direction)[:LEADERS]
    said = [f"{finding.text}: {finding.advice}" for finding in findings]
    stopped = {} if searched.stopped is None else {schema.STOPPED: searched.stopped.dumps()}
    front = [trial.number for trial in facts.costs.front]
    _store(plan, writer, result, library, _report_files(facts, findings), leaders, said, stopped, front)
    stored = [replace(trial, run_id=writer.trial_run_id(trial.number)) for trial in trials.values()]
    stopped_text = None if searched.stopped is None else searched.stopped.text
    changes = [vars(change) for change in searched.space_changes]
    summary = show_document(
        name,
        run_id,
        "finished",
        method,
        stored,
        document,
        stopped_text,
        searched.by_hand,
        changes,
        facts.costs,
    )
    found = SweepResult(name, run_id, writer.uri, summary, complete, best.copied, findings)
    observer.finished(found)
    return found


def _facts(plan: SweepPlan, searched: Searched, result: "Result", document: Mapping[str, Any]) -> Facts:
    outputs = validation_outputs(plan, searched.library, result.model, result.best.number)
    evidence = {}
    if outputs is not None:
        rows = validation_rows(plan)
        evidence = measure(plan, searched.study, rows, outputs, result.model, result.configuration)
        evidence |= {"seconds": {str(number): round(s, 2) for number, s in sorted(searched.seconds.items())}}
    return Facts(
        name=plan.spec.name,
        run_id=document["run_id"],
        state="finished",
        method=plan.spec.search.method,
        metric=plan.objective.key,
        direction=plan.objective.direction,
        trials=[trial for _, trial in sorted(searched.trials.items())],
        curves=searched.curves,
        space=evidence.get("space", {}),
        max_epochs=plan.max_epochs,
        best=document,
        evidence=evidence,
        spec=spec_toml(plan.spec.absolute()),
        stopped=None if searched.stopped is None else searched.stopped.text,
        costs=costs_of(plan, searched.trials),
        space_changes=[change.text for change in searched.space_changes],
        made_with=made_with(__version__, machine.fingerprint(), plan.dataset.fingerprint),
    )


def costs_of(plan: SweepPlan, trials: Mapping[int, TrialRecord]) -> LaunchCosts:
    """With several metrics what each trial costs, and the Pareto front."""
    if not plan.objective.counted:
        return LaunchCosts()
    costs = trial_costs(trials.values(), plan.costs, plan.model)
    return on_front(list(trials.values()), costs, plan.objective.counted, plan.objective.direction)


def _report_files(facts: Facts, findings: Sequence[Finding]) -> dict[str, str]:
    return {
        schema.EVIDENCE_FILE: json.dumps(facts.evidence, allow_nan=False),
        schema.REPORT_FILE: report_html(facts, findings),
    }


def best_of(plan: SweepPlan, trials: Mapping[int, TrialRecord]) -> TrialRecord:
    """The best complete trial. Raises SweepFailed if there is none, with the commonest reason."""
    best = best_trial(trials.values(), plan.objective.direction)
    if best is None:
        raise SweepFailed(_why_nothing(trials, plan.objective.key))
    return best


def find_finalists(
    plan: SweepPlan, trials: Mapping[int, TrialRecord], executor: Executor, observer: Observer
) -> list[Finalist]:
    """The finalists, and a line that says what came of them."""
    found = finalists(plan, trials, executor)
    if found:
        best = best_of(plan, trials)
        winner = best_finalist(found, best)
        other = " too" if winner.number == best.number else f", not trial {best.number}"
        observer.message(
            f"{len(found)} finalists trained from fresh seeds: trial {winner.number} is the best in the mean{other}"
        )
    return found


def make_model(
    plan: SweepPlan,
    best: TrialRecord,
    trials: Mapping[int, TrialRecord],
    library: Library,
    executor: Executor,
    observer: Observer,
) -> tuple[TunedModel, Expected | None]:
    """The model of a sweep whose best trial is `best`, and what it can be expected to score; no test row is looked at."""
    complete_library(plan, library, trials.values(), executor)
    chosen = choose_members(plan, library, best.number)
    if chosen.counts:
        seconds = forecast.seconds(plan.retraining_operations, len(executor) if isinstance(executor, Sized) else 1)
        if seconds >= SAID_SECONDS:
            observer.message(
                f"training the {counted(len(chosen.counts), 'trial')} of the model on more rows, about {time_text(seconds)}"
            )
        return ensemble_model(plan, library, chosen, trained_configuration(plan, best), executor), chosen.expected
    observer.refitting(best.number)
    model = fit_final(plan, best, executor, observer)
    model.threshold = chosen.threshold
    return model, chosen.expected


@dataclass(frozen=True)
class Result:
    """What a sweep hands back, as it is stored.

    Attributes:
        model: The fitted model.
        best: The best trial.
        configuration: Its complete configuration.
        expected: What the model can be expected to score.
        test_score: What it scores on the test part.
        scorings: How often models of the sweep have been scored there, this time included.
        finalists: The trials from which the best was named, where they were trained again for it.
    """

    model: TunedModel
    best: TrialRecord
    configuration: Mapping[str, Any]
    expected: Expected | None
    test_score: float | None
    scorings: int | None
    finalists: Sequence[Finalist] = ()


def _store(
    plan: SweepPlan,
    writer: Writer,
    result: Result,
    library: Library,
    report: Mapping[str, str],
    leaders: Sequence[TrialRecord],
    said: Sequence[str],
    tags: Mapping[str, str],
    front: Sequence[int],
) -> None:
    """Write the model and the result, and wait until the store has both."""
    if result.scorings is not None:
        tags = {**tags, schema.TEST_SCORINGS: str(result.scorings)}
    metrics = {} if result.test_score is None else {schema.TEST_SCORE: result.test_score}
    if result.expected is not None:
        names = (schema.EXPECTED_SCORE, schema.EXPECTED_LOW, schema.EXPECTED_HIGH)
        metrics |= dict(zip(names, (result.expected.score, result.expected.low, result.expected.high), strict=True))
    if result.model.threshold is not None:
        metrics[schema.DECISION_THRESHOLD] = result.model.threshold
    artifacts = {
        **report,
        schema.BEST_CONFIG_FILE: json.dumps(result.configuration, indent=1),
        schema.SPEC_FILE: json.dumps(plan.spec.absolute().dump(), indent=1),
    }
    if result.finalists:
        artifacts[schema.FINALISTS_FILE] = json.dumps(table(result.finalists), indent=1)
    if result.model.members:
        artifacts[schema.ENSEMBLE_FILE] = json.dumps(_member_table(result.model.members, library), indent=1)
    with tempfile.TemporaryDirectory() as folder:
        result.model.save(Path(folder, "model"))
        stored = writer.log_model(
            Path(folder, "model"),
            name=plan.spec.name,
            loader_module=LOADER_MODULE,
            signature=signature_of(result.model),
        )
        writer.finish_launch(
            "finished",
            best=result.best,
            metrics=metrics,
            tags=tags,
            members=result.model.members,
            artifacts=artifacts,
            leaders=leaders,
            said=said,
            front=front,
        )
        writer.flush()
        stored.result()


def _member_table(members: Mapping[int, float], library: Library) -> dict[str, Any]:
    """The members as MLflow's interface shows tables: columns and rows, the greatest weight first."""
    records = {entry.record.number: entry.record for entry in library.entries()}
    names = list(dict.fromkeys(name for number in members for name in records[number].params))
    order = sorted(members, key=lambda number: (-members[number], number))
    rows = [
        [number, members[number], records[number].value, *(records[number].params.get(name) for name in names)]
        for number in order
    ]
    return {"columns": ["trial", "weight", "value", *names], "data": rows}


def _why_nothing(trials: Mapping[int, TrialRecord], objective: str) -> str:
    """The commonest reason; `mlptune show` has the others."""
    if not trials:
        return "no trial was begun"
    if any(trial.state == "complete" for trial in trials.values()):
        return f"{objective} is not a number in any trial"
    reasons = Counter("diverged" if t.diverged else t.reason or t.state for t in trials.values())
    [(reason, count)] = reasons.most_common(1)
    which = "the only trial is not" if len(trials) == 1 else f"none of the {len(trials)} trials is"
    return f"{which} complete ({reason})" if count == len(trials) else f"{which} complete ({count}: {reason})"


def fit_final(plan: SweepPlan, best: TrialRecord, executor: Executor, observer: Observer) -> TunedModel:
    """The model of a sweep's best trial.

    Refitted: trained on all of train + validation (on `member_subset` of them, whatever was enough for the search) from the
    trial's seeds, up to the median of its networks' best epochs, without early stopping. Otherwise, or where the refit diverges,
    the trial's own networks: trained again, which gives the same numbers.
    """
    configuration = trained_configuration(plan, best)
    if plan.spec.objective.refit:
        development, on_all = refit(plan, [best], executor)
        if on_all:
            return TunedModel([_part(development, on_all[best.number])], configuration)
        observer.message(
            "training the best configuration on all rows diverged; the model keeps the trial's own networks"
        )
    own = train_again(plan, [best], executor)[best.number].networks
    parts = [
        _part(fold, [network for network in own if network.fold == i]) for i, fold in enumerate(plan.dataset.folds())
    ]
    return TunedModel(parts, configuration)


def _part(fold: EncodedFold, networks: Sequence[TrainedNetwork]) -> Part:
    return Part(
        encoder=fold.encoder,
        target=fold.target,
        structure=networks[0].structure,
        theta=np.stack([network.theta for network in networks]),
        running=np.stack([network.buffers for network in networks]),
    )


def score_test(plan: SweepPlan, model: TunedModel) -> float | None:
    """The objective's metric on the sealed test part, None where there is none."""
    test = plan.dataset.test()
    if test is None:
        return None
    frame, y, weight = test
    if plan.objective.key == "val_score":
        return model.score(frame, y, weight)
    return model.evaluate(frame, y, weight, plan.objective.metric or "loss")
