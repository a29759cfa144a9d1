"""The default spaces."""

import optuna
import pytest

from mlptune.search import Space, configuration, default_space
from mlptune.search.spaces.defaults import architecture_space


@pytest.mark.parametrize("n_rows", [10, 2000, 15000, 10**6])
def test_the_default_space_is_a_valid_table_with_few_structures(n_rows):
    space = Space.parse(default_space(n_rows, "classification"))
    structures = Space.parse({name: space.table()[name] for name in ("hidden", "batch_size")})
    assert structures.grid_size() <= 8
    with pytest.raises(ValueError, match="did you mean 'regression'"):
        default_space(n_rows, "regresion")


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
