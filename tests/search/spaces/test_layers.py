"""Hyperparameters of single layers, folded into a configuration."""

import pytest

from mlptune.search import configuration


def test_configuration_folds_layers_into_hidden():
    fixed = {"epochs": 5, "hidden": [9], "learning_rate": 0.1}
    params = {"layers": 2, "units_1": 8, "units_2": 4, "learning_rate": 0.2}
    assert configuration(params, fixed) == {"epochs": 5, "learning_rate": 0.2, "hidden": [8, 4]}
    assert configuration({"hidden": [3]}, {"layers": 1, "units_1": 2}) == {"hidden": [3]}
    assert configuration({"layers": 0}, {"units_1": 4}) == {"hidden": []}
    with pytest.raises(ValueError, match="units_2: missing, but layers = 2"):
        configuration({"layers": 2, "units_1": 8}, {})
    with pytest.raises(ValueError, match="layers: cannot be given together with hidden"):
        configuration({}, {"layers": 1, "units_1": 2, "hidden": [3]})
    with pytest.raises(ValueError, match="units_1: needs layers"):
        configuration({"units_1": 8}, {})


def test_configuration_folds_choices_of_layers_into_lists():
    layers = {"layers": 2, "units_1": 8, "units_2": 4}
    assert configuration({**layers, "skip_1": False, "skip_2": True}, {}) == {"hidden": [8, 4], "skip": [False, True]}
    assert configuration(layers, {"skip_3": True, "skip": False})["skip"] == [False, False]
    assert configuration({"skip_2": True}, {"hidden": [3, 4], "skip": False}) == {
        "hidden": [3, 4],
        "skip": [False, True],
    }
    assert configuration({"layers": 0}, {"skip_1": True}) == {"hidden": [], "skip": []}
    assert configuration({"layers": 1, "units_1": 8}, {"skip": True}) == {"hidden": [8], "skip": True}
    for params, fixed, line in (
        ({**layers, "skip_2": True}, {}, "skip_1: missing, but layers = 2"),
        ({"skip_1": True}, {}, "skip_1: needs layers or hidden"),
        ({**layers, "skip_2": True}, {"skip": [True, False]}, "skip: a list cannot be given together with skip_2"),
    ):
        with pytest.raises(ValueError, match=line):
            configuration(params, fixed)
