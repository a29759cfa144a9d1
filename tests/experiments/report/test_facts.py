"""The facts of a launch: what follows from its trials and curves."""

import math
from dataclasses import replace

from mlptune.experiments.report.facts import CURVE_POINTS, short_curve, space_of
from mlptune.tracking.records import TrialRecord
from tests.support.facts import healthy, trial, with_best


def test_best_so_far_follows_the_direction() -> None:
    values = [0.5, 0.7, math.nan, 0.6, 0.8]
    facts = replace(healthy(), trials=[trial(i, v) for i, v in enumerate(values)])
    assert facts.best_so_far == [0.5, 0.7, 0.7, 0.7, 0.8]
    assert replace(facts, direction="minimize").best_so_far == [0.5] * 5
    assert [t.number for t in facts.complete] == [4, 1, 3, 0]


def test_before_the_first_complete_trial_there_is_no_best() -> None:
    facts = replace(healthy(), trials=[trial(0, None, "failed"), trial(1, 0.4), trial(2, None, "running")])
    assert math.isnan(facts.best_so_far[0])
    assert facts.best_so_far[1:] == [0.4]


def test_noise_is_a_standard_error() -> None:
    facts = with_best(healthy(), expected={"score": 0.9, "low": 0.9 - 1.96 * 0.01, "high": 0.9 + 1.96 * 0.01})
    assert facts.noise is not None
    assert abs(facts.noise - 0.01) < 1e-9
    alone = [TrialRecord(0, "complete", 0.9, best_epochs=(3, 4, 5, 6), spread=0.02)]
    assert with_best(replace(healthy(), trials=alone), expected=None).noise == 0.01


def test_a_curve_ends_with_its_last_finite_value() -> None:
    facts = replace(healthy(), curves={0: {"val_loss": [1.0, math.nan, 0.5, math.nan]}})
    assert facts.curve(0, "val_loss")[-1] == 0.5
    assert facts.curve(0, "other") == []
    assert facts.curve(99, "val_loss") == []


def test_long_curves_keep_their_ends() -> None:
    shown = short_curve([float(i) for i in range(1000)])
    assert len(shown) <= CURVE_POINTS
    assert (shown[0], shown[-1]) == ((1.0, 0.0), (1000.0, 999.0))
    assert short_curve([1.0, math.nan, 3.0]) == [(1.0, 1.0), (3.0, 3.0)]


def test_the_space_is_read_from_what_trials_were_drawn_from() -> None:
    rate = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}'
    shape = '{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}}'
    drawn = trial(0, rebuild={"distributions": {"learning_rate": rate, "shape": shape}})
    assert space_of([drawn]) == {
        "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "shape": {"choices": ["a", "b"]},
    }
