"""Each trial is found in the pictures by its number, the best and the diverged ones are marked, and the front is what costs buy."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.front import LaunchCosts
from mlptune.experiments.report.trials import FIELD, curves_section, front_section, search_section, shades
from tests.support.facts import curves, healthy, trial, with_evidence


def drawn(html: str) -> dict[int, set[str]]:
    """By trial the classes of what is drawn of it."""
    found: dict[int, set[str]] = {}
    for css, number in re.findall(r'class="([^"]*)" data-trial="(\d+)"', html):
        found.setdefault(int(number), set()).update(css.split())
    return found


def test_every_trial_has_its_curve_and_the_best_and_the_diverged_are_told_apart() -> None:
    facts = healthy()
    diverged = trial(24, None, "pruned", reason="diverged in epoch 3")
    facts = replace(facts, trials=[*facts.trials, diverged], curves={**facts.curves, 24: curves()})
    seen = drawn(curves_section(facts))
    assert set(seen) == set(range(25))
    assert {number for number, css in seen.items() if "diverged" in css} == {24}
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


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=40))
def test_a_field_lies_between_the_values_that_it_is_the_mean_of(places: list[tuple[float, float, float]]) -> None:
    values = [value for *_, value in places]
    field = shades([(x, y) for x, y, _ in places], values)
    assert (len(field), len(field[0])) == FIELD
    known = [shade for row in field for shade in row if shade is not None]
    assert known
    assert min(values) - 1e-9 <= min(known) <= max(known) <= max(values) + 1e-9


def test_a_field_is_dark_where_the_good_ones_lie_and_empty_where_none_do() -> None:
    good = np.random.default_rng(0).uniform(0.7, 0.95, (40, 2))  # at the top, on the right
    poor = np.random.default_rng(1).uniform(0.05, 0.3, (40, 2))
    field = shades([*map(tuple, good), *map(tuple, poor)], [1.0] * 40 + [0.0] * 40)
    assert field[2][-4] == pytest.approx(1.0, abs=0.05)
    assert field[-3][3] == pytest.approx(0.0, abs=0.05)
    assert field[0][0] is field[-1][-1] is None


def test_the_ranges_that_matter_are_shown_two_by_two() -> None:
    facts = with_evidence(healthy(), hyperparameter_importance={"dropout": 0.7, "learning_rate": 0.3})
    section = search_section(facts)
    assert "dropout and learning_rate" in section
    assert 'class="field"' in section
    assert 'class="field"' not in search_section(replace(facts, trials=facts.trials[:5]))


def test_lines_are_thin_where_there_are_hundreds() -> None:
    trials = [trial(i, 0.5 + i / 1000) for i in range(300)]
    many = replace(healthy(), trials=trials, curves={i: curves() for i in range(300)})
    assert sum("thin" in css for css in drawn(curves_section(many)).values()) == 298  # but for the best and the median
    assert not any("thin" in css for css in drawn(curves_section(healthy())).values())


def test_why_a_value_lies_above_its_curve_is_said_where_networks_kept_different_epochs() -> None:
    facts = healthy()
    assert "own best epoch" not in curves_section(facts)
    folds = [replace(t, best_epochs=(3, 9)) for t in facts.trials]
    assert "own best epoch" in curves_section(replace(facts, trials=folds))
