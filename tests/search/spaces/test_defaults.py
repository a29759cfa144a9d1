"""The default spaces."""

import optuna
import pytest

from mlptune.search import Space, configuration, default_space
from mlptune.search.spaces.defaults import architecture_space, plain_space, portfolio


@pytest.mark.parametrize("make", [default_space, plain_space])
@pytest.mark.parametrize("n_rows", [10, 2000, 15000, 10**6])
def test_the_default_spaces_are_valid_tables_with_few_structures(make, n_rows):
    from mlptune.core.hyperparameters import PARAMETERS, Hyperparameters

    space = Space.parse(make(n_rows, "classification"))
    structural = {name: entry for name, entry in space.table().items() if PARAMETERS[name].structural}
    assert Space.parse(structural).grid_size() <= 8
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        Hyperparameters.from_config(configuration(space.suggest(study.ask()), {}))
    with pytest.raises(ValueError, match="did you mean 'regression'"):
        make(n_rows, "regresion")


def test_all_trials_of_the_default_space_have_one_width():
    hidden = default_space(5000, "regression")["hidden"]
    assert len({units for shape in hidden for units in shape}) == 1


@pytest.mark.parametrize("n_rows", [10, 10**6])
def test_the_space_of_architectures_has_depth_and_each_layer_by_itself(n_rows):
    from mlptune.core.hyperparameters import Hyperparameters

    space = Space.parse(architecture_space(n_rows, "regression"))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    depths = set()
    for _ in range(30):
        made = configuration(space.suggest(study.ask()), {})
        assert Hyperparameters.from_config(made).hidden == tuple(made["hidden"])
        assert {len(made[family]) for family in ("activation", "batch_norm", "skip")} == {len(made["hidden"])}
        depths.add(len(made["hidden"]))
    assert depths == {1, 2, 3, 4}


@pytest.mark.parametrize("n_rows", [10, 5000, 10**6])
def test_the_portfolio_lies_in_the_default_space(n_rows):
    space = Space.parse(default_space(n_rows, "classification"))
    points = portfolio(n_rows)
    for point in points:
        assert space.encode(point).keys() == point.keys()
        assert all(name in point for name in space if space.active(name, point) and name != "embedding_sigma")
        assert ("embedding_sigma" in point) == (point["embedding"] != "none")
    assert len({repr(point) for point in points}) == 8
