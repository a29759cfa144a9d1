"""What a model costs against the networks that a sweep's model really has."""

import pytest

from mlptune.core.counted import COUNTED
from mlptune.experiments.config import load_spec
from mlptune.experiments.costs import Costs, costing, over
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.launch.plan import make_plan
from tests.support.sweeps import iris


def costs_of(**changes) -> Costs:
    spec, _ = load_spec(iris(**changes))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base)).costs


def test_it_counts_the_inputs_of_the_table_and_survives_its_tag() -> None:
    costs = costs_of()
    by_hand = (4 + 1) * 8 + (8 + 1) * 3
    found = costs.of({"hidden": [8], "learning_rate": 0.1})
    assert found == {"operations": by_hand, "parameters": by_hand, "bytes": 4 * by_hand}
    import json

    assert Costs.loads(json.loads(costs.dumps())) == costs
    assert costs.of({"hidden": [8], "class_weight": "balanced"}) == found, "which belongs to the rows"
    with pytest.raises(ValueError, match="hidden"):
        costs.of({"hidden": [0]})


def test_it_counts_the_networks_that_a_model_of_one_trial_has() -> None:
    one = costs_of().of({"hidden": [8]})["parameters"]
    assert costs_of(data__seeds=3).of({"hidden": [8]})["parameters"] == 3 * one
    assert costs_of(data__seeds=3, data__folds=4).of({"hidden": [8]})["parameters"] == 3 * one, "trained again on all"
    own = costs_of(data__folds=4, objective__refit=False)
    assert own.of({"hidden": [8]})["parameters"] == 4 * one


def test_the_names_on_which_costs_depend() -> None:
    names = ["learning_rate", "hidden", "layers", "units_2", "dropout", "embedding", "activation_1", "l2"]
    assert costing(names) == {"hidden", "layers", "units_2", "embedding", "activation_1"}


def test_what_is_over_a_limit_is_said() -> None:
    costs = {"operations": 12345, "parameters": 100, "bytes": 400}
    assert set(costs) == set(COUNTED)
    assert over(costs, {"parameters": 100.0, "bytes": 400}) is None
    assert over(costs, {"parameters": 100.0, "operations": 10000.0}) == "operations 12,345 over the limit of 10,000"
