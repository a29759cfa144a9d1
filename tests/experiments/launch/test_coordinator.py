"""The loop on a table of curves instead of an engine: decisions, order and counts, held against plain Optuna."""

import math
from collections.abc import Sequence
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from mlptune.experiments.execution.evaluation import Request
from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.progress import Observer
from mlptune.search import Continue, Copy, Pause, Scheduler, Space, Stop, pruner, sampler, scheduler
from tests.support.curve_table import EPOCHS, SPACE, Table, accuracy
from tests.support.recorders import MemoryRecorder


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def coordinate(method: str, stopper: str, table: Table, trials: int = 40, batch: int = 8, rule=None, **plan):
    study = optuna.create_study(
        study_name="table",
        direction="maximize",
        sampler=sampler(method, seed=1, space=Space.parse(SPACE)),
        pruner=pruner(stopper, max_epochs=EPOCHS),
    )
    recorder = MemoryRecorder()
    coordinator = Coordinator(
        study,
        Space.parse(SPACE),
        rule if isinstance(rule, Scheduler) else scheduler(rule or "pruner", study, EPOCHS),
        table,
        fixed={},
        recorder=recorder,
        observer=Observer(),
    )
    coordinator.run(Budget(trials, batch, EPOCHS, **plan))
    assert sorted(recorder.ends) == list(range(len(study.trials)))
    return coordinator, study


@pytest.mark.parametrize("method", ["random", "tpe"])
@pytest.mark.parametrize("stopper", ["none", "hyperband", "median"])
def test_the_order_in_which_trials_return_does_not_matter(method: str, stopper: str) -> None:
    first, _ = coordinate(method, stopper, Table(seed=1))
    second, _ = coordinate(method, stopper, Table(seed=2))
    assert {n: first.trials[n] for n in sorted(first.trials)} == {n: second.trials[n] for n in sorted(second.trials)}


@pytest.mark.parametrize("method", ["random", "tpe", "bayesian"])
def test_a_value_that_is_not_a_number_is_recorded_and_not_learned_from(method: str) -> None:
    class Undefined(Table):
        def advance(self, requests: Sequence[Request]):
            for outcome in super().advance(requests):
                yield replace(outcome, value=math.nan) if outcome.number % 3 == 0 else outcome

    found, study = coordinate(method, "none", Undefined(), trials=12, batch=4)
    undefined = [number for number, trial in found.trials.items() if math.isnan(trial.value)]
    assert sorted(undefined) == [0, 3, 6, 9]
    assert [trial.number for trial in study.trials if trial.state == TrialState.FAIL] == sorted(undefined)


@pytest.mark.parametrize("rule", ["asha", "hyperband"])
def test_nor_does_it_matter_where_trials_wait_to_be_promoted(rule: str) -> None:
    first, _ = coordinate("tpe", "none", Table(seed=1), rule=rule)
    second, _ = coordinate("tpe", "none", Table(seed=2), rule=rule)
    assert {n: first.trials[n] for n in sorted(first.trials)} == {n: second.trials[n] for n in sorted(second.trials)}
    assert {trial.epochs for trial in first.trials.values()} == {1, 3, 9}


@pytest.mark.parametrize("stopper", ["none", "hyperband", "asha", "median"])
def test_in_batches_of_one_it_is_the_loop_of_optuna(stopper: str) -> None:
    ours, _ = coordinate("random", stopper, Table(), batch=1)

    def objective(trial: optuna.trial.Trial) -> float:
        params = Space.parse(SPACE).suggest(trial)
        for epoch in range(1, EPOCHS + 1):
            trial.report(accuracy(params, epoch), epoch)
            if epoch < EPOCHS and trial.should_prune():
                raise optuna.TrialPruned
        return accuracy(params, EPOCHS)

    study = optuna.create_study(
        study_name="table",
        direction="maximize",
        sampler=sampler("random", seed=1),
        pruner=pruner(stopper, max_epochs=EPOCHS),
    )
    study.optimize(objective, n_trials=40)
    for trial in study.trials:
        mine = ours.trials[trial.number]
        assert (mine.state, mine.value, mine.epochs) == (
            trial.state.name.lower(),
            trial.value,
            len(trial.intermediate_values),
        )
    assert stopper == "none" or any(trial.state == "pruned" for trial in ours.trials.values())


def test_all_live_trials_of_a_batch_meet_at_each_rung() -> None:
    table = Table()
    coordinate("random", "asha", table, trials=8)
    assert [{until for _, until in asked} for asked in table.asked] == [{1}, {3}, {9}]
    assert [len(asked) for asked in table.asked] == sorted([len(asked) for asked in table.asked], reverse=True)
    assert all([n for n, _ in asked] == sorted(n for n, _ in asked) for asked in table.asked)


def test_diverged_trials_are_pruned_and_reported_as_the_worst() -> None:
    coordinator, study = coordinate("tpe", "none", Table(diverging=0.1))
    diverged = {n for n, trial in coordinator.trials.items() if trial.reason == "diverged in epoch 1"}
    assert diverged
    for trial in study.trials:
        if trial.number in diverged:
            assert (trial.state.name, trial.value) == ("PRUNED", -math.inf)
            assert (coordinator.trials[trial.number].state, coordinator.trials[trial.number].value) == ("pruned", None)


def test_failed_trials_are_faults_and_the_sweep_goes_on() -> None:
    coordinator, study = coordinate("tpe", "hyperband", Table(failing=frozenset({2, 11})))
    assert [t.number for t in study.trials if t.state.name == "FAIL"] == [2, 11]
    assert coordinator.trials[11].state == "failed"
    assert len(coordinator.trials) == 40


class Promoting(Scheduler):
    """Three epochs for every trial; then the best of all that wait goes on, once a batch; at the end trial 1, too."""

    def decide(self, live):
        waiting = [p for p in live if p.epoch == 3]
        best = max(waiting, key=lambda p: p.values[-1]) if len(waiting) in (2, 5) else None
        return [Continue(3) if p.epoch == 0 else Continue(EPOCHS) if p is best else Pause() for p in live]

    def finish(self, live):
        return [Continue(EPOCHS) if p.number == 1 else Pause() for p in live]

    def batch(self, first):
        return 2 if first == 0 else None


def test_paused_trials_wait_over_batches_and_are_stopped_at_the_end() -> None:
    table = Table()
    coordinator, study = coordinate("random", "none", table, trials=6, batch=4, rule=Promoting())
    value = {trial.number: trial.intermediate_values[3] for trial in study.trials}
    first = max((0, 1), key=value.__getitem__)
    second = max({*range(6)} - {first}, key=value.__getitem__)
    promoted = {first, second, 1}
    assert [until for asked in table.asked for _, until in asked].count(EPOCHS) == len(promoted)
    assert {n for n, trial in coordinator.trials.items() if trial.state == "complete"} == promoted
    assert all(
        trial.state == "pruned" and trial.epochs == 3 and trial.reason == "paused at epoch 3, below the cut-off"
        for number, trial in coordinator.trials.items()
        if number not in promoted
    )
    assert all(trial.state.is_finished() for trial in study.trials)


@pytest.mark.parametrize(
    "reason", ["diverged too often", "diverged in epoch 3", "out of time", "paused at epoch 2", "behind after 1"]
)
def test_what_a_scheduler_says_of_a_trial_is_not_taken_for_our_own_words(reason: str) -> None:
    class Stopping(Scheduler):
        def decide(self, live):
            return [Continue(2) if p.epoch == 0 else Stop(reason) for p in live]

    coordinator, _ = coordinate("random", "none", Table(), trials=2, batch=2, rule=Stopping())
    for trial in coordinator.trials.values():
        assert (trial.state, trial.reason) == ("pruned", f"stopped: {reason}")
        assert not trial.diverged
        assert not trial.behind


class Swapping(Scheduler):
    """At epoch 3 trials 0 and 1 change places, trial 2 changes itself, and trial 3 copies trial 2 as it was."""

    def decide(self, live):
        copies = {0: Copy(1, {"learning_rate": 0.5}, EPOCHS), 1: Copy(0, {}, EPOCHS)}
        copies |= {2: Copy(2, {"momentum": 0.1}, EPOCHS), 3: Copy(2, {}, EPOCHS)}
        return [Continue(3) if p.epoch == 0 else copies[p.number] for p in live]


def test_copies_are_of_trials_as_they_stood_at_the_rung() -> None:
    table, seen = Table(), {}
    advance = table.advance

    def advance_and_note(requests):
        seen.update({request.number: request for request in requests})
        return advance(requests)

    table.advance = advance_and_note
    coordinator, _ = coordinate("random", "none", table, trials=4, batch=4, rule=Swapping())
    params = {number: trial.params for number, trial in coordinator.trials.items()}
    assert {n: (request.source, request.configuration) for n, request in seen.items()} == {
        0: (1, {**params[1], "changes": [[4, {"learning_rate": 0.5}]]}),
        1: (0, params[0]),
        2: (2, {**params[2], "changes": [[4, {"momentum": 0.1}]]}),
        3: (2, params[2]),
    }


def test_a_trial_that_is_elsewhere_cannot_be_copied() -> None:
    class Misled(Scheduler):
        def decide(self, live):
            return [
                Copy(0, {}, 5) if p.number == 1 and live[0].epoch else Continue(3) if p.number == 0 else Pause()
                for p in live
            ]

    with pytest.raises(ValueError, match="trial 1 cannot copy trial 0, which is not at epoch 0"):
        coordinate("random", "none", Table(), rule=Misled())


def test_timeout_acts_between_batches_and_what_is_done_is_equal_up_to_there() -> None:
    whole, _ = coordinate("tpe", "none", Table())
    cut, _ = coordinate("tpe", "none", Table(), timeout=1e-9)
    assert cut.trials == {n: whole.trials[n] for n in range(8)}
