"""Pruners by name."""

import optuna
import pytest
from optuna.pruners import ThresholdPruner

from mlptune.search import pruner


@pytest.mark.parametrize("epochs", [27, 50, 81, 100])
def test_hyperband_has_four_brackets_whose_first_rungs_differ(epochs):
    study = optuna.create_study(pruner=pruner("hyperband", epochs), study_name="s")
    trial = study.ask()
    trial.report(1.0, 1)
    trial.should_prune()
    assert study.pruner._n_brackets == 4


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("hyperbnd", {}, "pruner: 'hyperbnd' is unknown; did you mean 'hyperband'?"),
        ("medianpruner", {}, "pruner: 'medianpruner' is unknown; did you mean 'MedianPruner'?"),
        ("asha", {"eta": 3}, "pruner asha: unknown option 'eta'"),
        ("asha", {"reduction_facto": 3}, "pruner asha: unknown option 'reduction_facto'; did you mean"),
        ("none", {"max_epochs": 0}, "max_epochs: 0 is not an integer of at least 1"),
    ],
)
def test_a_pruner_that_cannot_be_is_refused_in_one_line(name, options, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        pruner(name, **options)
    assert str(refusal.value).startswith(line)


def test_optunas_pruners_go_by_their_class_names():
    assert type(pruner("ThresholdPruner", upper=1.0)) is ThresholdPruner
    assert pruner("HyperbandPruner", 40)._max_resource == 40
