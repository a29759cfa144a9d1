"""Each rule of the diagnosis: a made-up case that it must see, and that a healthy sweep is left in peace."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mlptune.experiments.report.facts import Facts
from mlptune.experiments.report.rules import RULES, diagnose
from tests.support.facts import EPOCHS, curves, healthy, trial, with_best, with_curves, with_evidence

LEADERS = [trial.number for trial in healthy().complete[:5]]


def rates(facts: Facts, at: Callable[[int], float]) -> Facts:
    """The same sweep with a learning rate for each place among the best."""
    order = {t.number: place for place, t in enumerate(facts.complete)}
    trials = [replace(t, params={**t.params, "learning_rate": at(order[t.number])}) for t in facts.trials]
    return replace(facts, trials=trials)


def ends(facts: Facts, count: int, reason: str, state: str = "pruned", rate: float = 0.09) -> Facts:
    lost = [trial(100 + i, None, state, reason=reason, params={"learning_rate": rate + i * 1e-3}) for i in range(count)]
    return replace(facts, trials=[*facts.trials, *lost])


def flat(facts: Facts, step: float) -> Facts:
    """All trials nearly alike, the best one first."""
    return replace(facts, trials=[replace(t, value=0.9 - step * t.number) for t in facts.trials])


RISING = [*np.linspace(1.0, 0.3, 8), *np.linspace(0.31, 0.6, EPOCHS - 8)]
FALLING = list(np.linspace(1.0, 0.3, EPOCHS))
EARLY = [1.0, 0.5, 0.3, *np.linspace(0.31, 0.4, EPOCHS - 3)]

CASES: dict[str, Callable[[Facts], Facts]] = {
    "constant": lambda f: with_best(f, expected={"score": 0.61, "low": 0.58, "high": 0.64}, test_score=0.61),
    "giveaway": lambda f: with_evidence(f, score=1.0, importance=[["a", 0.4], ["b", 0.0], ["c", -0.01]]),
    "failures": lambda f: ends(f, 4, "worker died", state="failed"),
    "divergence": lambda f: ends(f, 4, "diverged in epoch 2"),
    "underfitting": lambda f: with_evidence(
        f, baselines=[{"name": "mlptune", "score": 0.7}, {"name": "gradient boosting", "score": 0.8}]
    ),
    "overfitting": lambda f: with_curves(f, LEADERS, curves(RISING, FALLING, train_score=0.99)),
    "still_falling": lambda f: with_curves(f, LEADERS, curves(FALLING, FALLING)),
    "dead_units": lambda f: with_evidence(f, layers=[{"gradient_norm": 1.0, "constant_units": 0.6}]),
    "vanishing_gradients": lambda f: with_evidence(
        f, layers=[{"gradient_norm": 1e-6, "constant_units": 0.0}, {"gradient_norm": 0.1, "constant_units": 0.0}]
    ),
    "exploding_gradients": lambda f: with_evidence(
        f, layers=[{"gradient_norm": 1e5, "constant_units": 0.0}, {"gradient_norm": 0.1, "constant_units": 0.0}]
    ),
    "edge": lambda f: rates(f, lambda place: 0.1 if place < 4 else 0.005),
    "odd_fold": lambda f: with_evidence(f, by_fold=[0.9, 0.89, 0.6, 0.9, 0.91]),
    "rare_classes": lambda f: with_evidence(f, shares={"no": 0.996, "yes": 0.004}),
    "promise": lambda f: with_best(f, test_score=0.8),
    "repeated_rows": lambda f: with_evidence(f, repeated=80),
    "best_early": lambda f: with_curves(
        f, LEADERS, {**curves(EARLY, EARLY), "val_score": list(np.linspace(0.9, 0.8, EPOCHS))}
    ),
    "stagnation": lambda f: flat(f, 1e-4),
    "noise": lambda f: flat(f, 1e-4),
}


def found(facts: Facts) -> set[str]:
    return {finding.rule for finding in diagnose(facts)}


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_sees_its_case(rule: str) -> None:
    [finding] = [f for f in diagnose(CASES[rule](healthy())) if f.rule == rule]
    assert finding.text
    assert finding.advice
    assert finding.evidence
    assert finding.severity in ("problem", "note")


def test_every_rule_has_a_case() -> None:
    seen = set()
    for rule in RULES:
        names = {f.rule for case in CASES.values() if (f := rule(case(healthy()))) is not None}
        assert names, rule.__name__
        seen |= names
    assert seen == set(CASES)


def test_nothing_is_said_of_a_healthy_sweep() -> None:
    assert found(healthy()) == set()


def test_a_case_sets_off_its_own_rule_and_few_others() -> None:
    for name, case in CASES.items():
        assert len(found(case(healthy()))) <= 2, name


@pytest.mark.parametrize("rule", CASES)
def test_where_facts_are_missing_nothing_is_claimed(rule: str) -> None:
    """A launch that has just begun, of an older version, or without an end."""
    facts = CASES[rule](healthy())
    assert found(replace(facts, trials=(), curves={}, best=None, evidence={}, space={})) == set()
    diagnose(replace(facts, evidence={}))
    diagnose(replace(facts, curves={}))
    diagnose(replace(facts, best=None))


def test_losses_count_the_other_way_round() -> None:
    """The same sweep, judged by a loss."""
    facts = healthy()
    trials = [replace(t, value=1 - (t.value or 0.0)) for t in facts.trials]
    low = with_best(
        with_evidence(facts, constant=0.4), expected={"score": 0.105, "low": 0.102, "high": 0.108}, test_score=0.104
    )
    low = replace(low, trials=trials, direction="minimize", metric="val_zero_one")
    low = with_evidence(
        low, baselines=[{"name": "mlptune", "score": 0.105}, {"name": "gradient boosting", "score": 0.11}], score=0.105
    )
    assert found(low) == set()
    worse = [{"name": "mlptune", "score": 0.3}, {"name": "gradient boosting", "score": 0.2}]
    assert found(with_evidence(low, baselines=worse)) == {"underfitting"}
    assert found(with_best(low, expected={"score": 0.39, "low": 0.36, "high": 0.42})) >= {"constant"}


def test_problems_come_first() -> None:
    facts = flat(with_evidence(healthy(), by_fold=[0.9, 0.89, 0.6, 0.9, 0.91]), 1e-4)
    severities = [finding.severity for finding in diagnose(facts)]
    assert severities == sorted(severities, reverse=True)
    assert severities[0] == "problem"


def test_some_dead_units_are_usual() -> None:
    """On the digits a third of a layer's units was dead after an epoch of a network that scores .98."""
    assert found(with_evidence(healthy(), layers=[{"gradient_norm": 1.0, "constant_units": 0.35}])) == set()


@pytest.mark.parametrize(("share", "severity"), [(0.79, "note"), (0.95, "problem")])
def test_a_layer_that_is_mostly_dead_is_a_note_and_a_dead_one_a_problem(share: float, severity: str) -> None:
    """On the table mv a model with R2 .9999 had been called a problem, for 79 % of a layer after an epoch."""
    dead = with_evidence(healthy(), layers=[{"gradient_norm": 1.0, "constant_units": share}])
    assert [(finding.rule, finding.severity) for finding in diagnose(dead)] == [("dead_units", severity)]


def test_one_that_diverges_is_told_of_where_there_are_few() -> None:
    """A grid of three rates of which the largest is far too large: 'nothing conspicuous' was said of it."""
    facts = healthy()
    few = ends(replace(facts, trials=facts.trials[:2]), 1, "diverged in epoch 1", rate=10.0)
    [finding] = [f for f in diagnose(few) if f.rule == "divergence"]
    assert finding.text == "1 of 3 trials diverged, with a learning rate of 10"
    assert "high end of learning_rate near 10" in finding.advice
    grid = {**few.space, "learning_rate": {"choices": [0.1, 1.0, 10.0]}}
    [finding] = [f for f in diagnose(replace(few, space=grid)) if f.rule == "divergence"]
    assert "leave 10 out of learning_rate" in finding.advice
    assert "divergence" not in found(ends(facts, 1, "diverged in epoch 1"))


def test_an_edge_where_all_trials_tie_is_chance() -> None:
    """On the iris all good trials score the same, and the first of them stood at the highest learning rate."""
    facts = rates(healthy(), lambda place: 0.1 if place < 4 else 0.005)
    assert found(facts) == {"edge"}
    best = facts.complete[0].value
    tied = replace(facts, trials=[replace(t, value=best) for t in facts.trials])
    assert "edge" not in found(rates(tied, lambda place: 0.1 if place < 4 else 0.005))


def test_an_edge_of_the_default_space_is_a_note() -> None:
    """Its bounds were chosen on many tables: of three at which the best stood, two had nothing better beyond."""
    facts = rates(healthy(), lambda place: 0.1 if place < 4 else 0.005)
    written = replace(facts, spec='name = "x"\n\n[space]\nlearning_rate = { low = 0.001, high = 0.1 }\n')
    default = replace(facts, spec='name = "x"\n\n[data]\nsource = "x.csv"\n')
    assert [finding.severity for finding in diagnose(written)] == ["problem"]
    assert [finding.severity for finding in diagnose(default)] == ["note"]


def test_a_loss_that_rises_while_the_score_stays_is_no_trouble() -> None:
    """With early stopping the best epoch is kept, and a lower rate would gain nothing."""
    early = {**curves(EARLY, EARLY), "val_score": [0.9] * EPOCHS}
    worse = {**early, "val_score": list(np.linspace(0.9, 0.8, EPOCHS))}
    assert "best_early" not in found(with_curves(healthy(), LEADERS, early))
    assert "best_early" in found(with_curves(healthy(), LEADERS, worse))


def test_a_lower_bound_of_zero_is_no_edge() -> None:
    facts = healthy()
    trials = [replace(t, params={**t.params, "dropout": 0.0}) for t in facts.trials]
    assert found(replace(facts, trials=trials)) == set()
