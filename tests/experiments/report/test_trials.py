"""Each trial is found in the pictures by its number, the best and the lost ones told apart, and the front is what costs buy."""

import re
from dataclasses import replace

from mlptune.experiments.front import LaunchCosts
from mlptune.experiments.report.trials import curves_section, front_section, search_section
from tests.support.facts import curves, healthy, trial, with_evidence


def drawn(html: str) -> dict[int, set[str]]:
    """By trial the classes of what is drawn of it."""
    found: dict[int, set[str]] = {}
    for css, number in re.findall(r'class="([^"]*)" data-trial="(\d+)"', html):
        found.setdefault(int(number), set()).update(css.split())
    return found


def test_every_trial_has_its_curve_and_the_best_and_the_diverged_are_told_apart() -> None:
    facts = healthy()
    lost = trial(24, None, "pruned", reason="diverged in epoch 3")
    facts = replace(facts, trials=[*facts.trials, lost], curves={**facts.curves, 24: curves()})
    seen = drawn(curves_section(facts))
    assert set(seen) == set(range(25))
    assert {number for number, css in seen.items() if "lost" in css} == {24}
    assert {number for number, css in seen.items() if "best" in css} == {facts.complete[0].number}


def test_every_complete_trial_is_in_the_search_and_every_hyperparameter_by_itself() -> None:
    facts = healthy()
    section = search_section(facts)
    assert set(drawn(section)) == set(range(24))
    for name in ("learning_rate", "dropout"):
        assert f"val_score by {name}" in section


def test_the_front_has_its_trials_with_their_costs_the_cheapest_first() -> None:
    trials = [trial(0, 0.9), trial(1, 0.8), trial(2, 0.7)]
    by_trial = {0: {"parameters": 5000}, 1: {"parameters": 70}, 2: {"parameters": 800}}
    facts = replace(healthy(), trials=trials, costs=LaunchCosts(("parameters",), by_trial, (trials[1], trials[0])))
    section = front_section(facts)
    assert re.findall(r"<tr data-trial=(\d+)>", section) == ["1", "0"]
    assert section.index("5,000") > section.index(">70<")
    assert set(drawn(section)) == {0, 1, 2}


def test_a_launch_without_trials_has_no_such_sections() -> None:
    facts = replace(healthy(), trials=(), curves={}, space={})
    assert curves_section(facts) == search_section(facts) == front_section(facts) == ""


def test_the_best_so_far_over_seconds_shows_each_improvement_where_all_times_are_known() -> None:
    facts = healthy()
    values = {t.number: t.value for t in facts.trials}
    seconds = {str(number): 30.0 - number for number in values}  # the last trial ended first
    told = search_section(with_evidence(facts, seconds=seconds))
    chart = told[told.index("Best so far over time") :].split("</figure>")[0]
    best, improved = -1.0, set()
    for number in sorted(values, key=lambda number: seconds[str(number)]):
        if (values[number] or 0.0) > best:
            best, improved = values[number] or 0.0, improved | {number}
    assert set(drawn(chart)) == improved
    del seconds["3"]  # replayed by a resume
    assert "over time" not in search_section(with_evidence(facts, seconds=seconds))
    assert "over time" not in search_section(facts)
