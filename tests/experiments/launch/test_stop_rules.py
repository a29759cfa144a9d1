"""Stop rules: where they end a search, and that what is there then is the beginning of the sweep without them."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.config.checks import searcher_of
from mlptune.experiments.launch.stop_rules import NOISE_SHARE, Stopped, StopRules, margin
from mlptune.search.schedulers import early_curves
from mlptune.tracking import reader
from mlptune.tracking.records import TrialRecord
from tests.support.observers import AfterTrials, Listener, press_ctrl_c
from tests.support.sweeps import essence, small

VALUES = st.lists(st.one_of(st.none(), st.just(math.nan), st.integers(0, 9).map(lambda i: i / 10)), max_size=30)


def records(values: list[float | None], spread: float | None = None, networks: int = 1) -> list[TrialRecord]:
    """Trials with these values; None for one that was pruned."""
    return [
        TrialRecord(i, "pruned" if value is None else "complete", value, spread=spread, best_epochs=(1,) * networks)
        for i, value in enumerate(values)
    ]


@given(VALUES, st.integers(1, 12))
def test_without_noise_patience_counts_the_trials_since_the_best_one(values: list[float | None], patience: int) -> None:
    """Against the definition, written with maxima: the first best trial is so many trials ago."""
    finite = [v for v in values if v is not None and not math.isnan(v)]
    expected = bool(finite) and len(values) - 1 - values.index(max(finite)) >= patience
    assert (StopRules(patience=patience).stopped(records(values), len(values)) is not None) == expected
    negative = [None if v is None else -v for v in values]
    assert (
        StopRules(patience=patience, direction="minimize").stopped(records(negative), len(values)) is not None
    ) == expected


@given(VALUES, st.integers(0, 9))
def test_a_target_is_reached_by_the_first_complete_trial_that_has_it(values: list[float | None], tenths: int) -> None:
    reached = [i for i, v in enumerate(values) if v is not None and not math.isnan(v) and v >= tenths / 10]
    found = StopRules(target=tenths / 10).stopped(reversed(records(values)), len(values))
    assert (found is not None) == bool(reached)
    assert found is None or found.text.startswith(f"trial {reached[0]} reached ")


def test_small_gains_count_once_they_add_up_beyond_the_noise() -> None:
    rule = StopRules(patience=3)
    noise = margin(records([0.5], spread=0.02, networks=4)[0])
    assert noise == NOISE_SHARE * 0.02 / 2
    still = records([0.5, 0.501, 0.502, 0.503], spread=0.02, networks=4)
    assert rule.stopped(still, 4) == Stopped("patience", "the last 3 trials gained 0.003; the noise is 0.005")
    creeping = records([0.5, 0.502, 0.504, 0.506, 0.508], spread=0.02, networks=4)
    assert rule.stopped(creeping, 5) is None
    assert rule.stopped(records([0.5, 0.1, 0.2, None]), 4) == Stopped("patience", "the last 3 trials gained nothing")


def test_a_trial_that_was_paused_gains_in_the_batch_in_which_it_ends() -> None:
    rule, trials = StopRules(patience=6), records([0.5, 0.6])
    assert rule.stopped(trials, 8) is not None
    assert rule.stopped(trials, 8, {1: 4}) is None
    assert rule.stopped(trials, 11, {1: 4}) == Stopped("patience", "the last 6 trials gained nothing")


@pytest.mark.parametrize("method", ["random", "tpe", "asha"])
def test_a_sweep_with_a_rule_is_the_beginning_of_the_one_without(store: str, method: str) -> None:
    spec = small(method, model={"epochs": 9}, search__trials=24 if method == "asha" else 12)
    whole = mlptune.run_sweep({**spec, "name": "whole"}, workers=1).summary()["trials"]
    for rule in ({"target": 0.9}, {"patience": 3}):
        name = "-".join(rule)
        check_beginning({**spec, "name": name, "search": {**spec["search"], **rule}}, whole)


def check_beginning(spec: dict[str, Any], all_of_it: list[dict[str, Any]]) -> None:
    listener = Listener()
    ended = mlptune.run_sweep(spec, workers=2, observer=listener)
    there = ended.summary()["trials"]
    assert 0 < len(there) < len(all_of_it)
    for mine, other in zip(there, all_of_it, strict=False):
        assert mine["params"] == other["params"]
        if "paused" not in (mine["reason"] or ""):
            assert (mine["value"], mine["state"]) == (other["value"], other["state"])
    text = ended.summary()["stopped"]
    assert f"stopped: {text}" in listener.messages
    assert mlptune.load_result(spec["name"]).summary() == ended.summary()
    assert f"The search was stopped: {text}." in ended.report()


def test_killed_and_resumed_it_ends_at_the_same_trial_and_a_larger_patience_goes_on(store: str, tmp_path: Path) -> None:
    spec = small("tpe", search={"method": "tpe", "trials": 24, "batch": 4, "patience": 5})
    once = mlptune.run_sweep({**spec, "name": "once"}, workers=2)
    assert 6 < len(once.trials) < 24
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, workers=1, observer=AfterTrials(6, press_ctrl_c))
    resumed = mlptune.run_sweep(spec, workers=1, resume=True)
    assert essence(resumed, with_name=False) == essence(once, with_name=False)
    listener = Listener()
    assert mlptune.run_sweep(spec, resume=True, observer=listener).summary() == resumed.summary()
    assert any("another patience or target goes on" in text for text in listener.messages)
    further = {**spec, "search": {"method": "tpe", "trials": 24, "batch": 4}}
    on = mlptune.run_sweep(further, workers=1, resume=True)
    assert (len(on.trials), on.summary()["stopped"]) == (24, None)
    before = resumed.summary()["trials"]
    assert [t["value"] for t in on.summary()["trials"]][: len(before)] == [t["value"] for t in before]
    assert reader.launch(store, "small").stopped is None


def test_a_target_that_no_score_reaches_is_refused() -> None:
    with pytest.raises(
        mlptune.UserError, match=r"\[search\] target: val_score is at most 1, not 98.0; did you mean 0.98"
    ):
        mlptune.run_sweep(small(search__target=98))
    with pytest.raises(mlptune.UserError, match=r"\[search\] patience: must be a whole number from 1"):
        mlptune.run_sweep(small(search__patience=0))


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 60), st.integers(0, 20))
def test_a_budget_in_epochs_is_spent_by_ended_and_paused_trials(epochs: list[int], budget: int, paused: int) -> None:
    trials = [TrialRecord(i, "pruned", None, epochs=n) for i, n in enumerate(epochs)]
    found = StopRules(epochs=budget).stopped(trials, len(trials), paused_epochs=paused)
    assert (found is not None) == (sum(epochs) + paused >= budget)


def test_a_budget_in_epochs_is_the_beginning_of_the_sweep_without_it(store: str) -> None:
    """Nine epochs a trial at most: 40 of them are a batch of four and a part, and early stopping makes room for more."""
    spec = small(search={"method": "tpe", "batch": 4, "epochs_total": 40})
    cut = mlptune.run_sweep(spec, workers=2)
    document = cut.summary()
    spent = sum(trial["epochs"] for trial in document["trials"])
    assert spent >= 40 > sum(trial["epochs"] for trial in document["trials"][:-4])
    assert document["stopped"] == f"{len(document['trials'])} trials trained {spent} of 40 epochs"
    again = {**spec, "name": "again"}
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(again, workers=1, observer=AfterTrials(3, press_ctrl_c))
    assert essence(mlptune.run_sweep(again, workers=1, resume=True), with_name=False) == essence(cut, with_name=False)
    assert mlptune.run_sweep(spec, resume=True).summary() == document, "nothing is left"
    more = mlptune.run_sweep(small(search={**spec["search"], "epochs_total": 80}), resume=True, workers=1).summary()
    n = len(document["trials"])
    assert [t["value"] for t in more["trials"]][:n] == [t["value"] for t in document["trials"]]
    assert len(more["trials"]) > n


def resumed_messages(spec: dict[str, Any]) -> list[str]:
    listener = Listener()
    mlptune.run_sweep(spec, workers=1, resume=True, observer=listener)
    return listener.messages


def test_with_a_budget_in_epochs_curves_decide_who_goes_on(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_curves, "SHARE", 0.5)  # so that it is soon decided
    spec = small(search={"method": "auto", "batch": 4, "epochs_total": 100}, model={"epochs": 9})
    listener = Listener()
    whole = mlptune.run_sweep(spec, workers=2, observer=listener)
    [decided] = [line for line in listener.messages if "with a correlation of" in line]
    trials = whole.summary()["trials"]
    assert "the best third" in decided or "all that follow" in decided
    assert sum(trial["epochs"] == 9 for trial in trials) >= early_curves.CONTROLS
    assert any("paused" in (trial["reason"] or "") for trial in trials)
    again = {**spec, "name": "again"}
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(again, workers=1, observer=AfterTrials(3, press_ctrl_c))
    assert essence(mlptune.run_sweep(again, workers=1, resume=True), with_name=False) == essence(whole, with_name=False)
    further = {**spec, "search": {**spec["search"], "epochs_total": 180}}
    assert len(mlptune.run_sweep(further, workers=1, resume=True).trials) > len(trials)
    with pytest.raises(mlptune.UserError, match="begun with epochs_total chooses how long trials train"):
        mlptune.run_sweep({**further, "search": {**further["search"], "widen": True}}, resume=True)
    # Without the budget it goes on as it was begun, and one that was begun without it stays as it was.
    on = {**spec, "search": {"method": "auto", "batch": 4, "trials": 80}}
    assert any("with a correlation of" in line for line in resumed_messages(on))
    began = {**small("auto", search__trials=8), "name": "full"}
    mlptune.run_sweep(began, workers=1)
    with_budget = {**began, "search": {**began["search"], "trials": 16, "epochs_total": 900}}
    assert not any("correlation" in line for line in resumed_messages(with_budget))
    assert {trial["state"] for trial in mlptune.load_result("full").summary()["trials"]} == {"complete"}
    for search in ({"widen": True}, {"race": True}, {"pruner": "none"}):
        plain = {
            **small(search={"method": "auto", "trials": 8, "epochs_total": 900, **search}),
            "name": "-".join(search),
        }
        if "race" in search:
            plain["data"] = {"source": plain["data"]["source"], "target": plain["data"]["target"], "folds": 2}
        trials = mlptune.run_sweep(plain, workers=1).summary()["trials"]
        assert not [trial for trial in trials if "paused" in (trial["reason"] or "")]


@pytest.mark.parametrize(
    ("trials", "epochs", "scheduler"),
    [(7, 4, "pruner"), (8, 1, "pruner"), (8, 4, "early_curves"), (None, 4, "early_curves")],
)
def test_no_trial_waits_where_too_few_follow_or_no_epoch(trials: int | None, epochs: int, scheduler: str) -> None:
    table = small(search={"method": "auto", "trials": trials, "epochs_total": 900}, model={"epochs": epochs})
    table["search"] = {key: value for key, value in table["search"].items() if value is not None}
    assert searcher_of(load_spec(table)[0]).scheduler == scheduler


def test_with_fewer_trials_than_are_judged_all_train_to_the_end_within_a_budget_in_epochs(store: str) -> None:
    spec = small(search={"method": "auto", "trials": 4, "epochs_total": 900}, model={"epochs": 4})
    assert [trial["epochs"] for trial in mlptune.run_sweep(spec, workers=1).summary()["trials"]] == [4] * 4
    more = {**spec, "search": {**spec["search"], "trials": 9}}
    trials = mlptune.run_sweep(more, workers=1, resume=True).summary()["trials"]
    assert [trial["epochs"] for trial in trials] == [4] * 9
