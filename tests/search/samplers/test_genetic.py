"""The genetic algorithm: which trials are parents, and what their children inherit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from mlptune.search import sampler
from mlptune.search.samplers.genetic import crossover
from tests.support.architectures import FEATURES, SEEDS, TABLE, draw, point
from tests.support.families import distance, told


@given(SEEDS)
@settings(max_examples=80)
def test_a_child_has_its_parents_genes_and_none_that_were_not_in_use(seed):
    generator = np.random.default_rng(seed)
    first, second = draw(generator), draw(generator)
    mother, father, child = (
        point(first),
        point(second),
        point(FEATURES.canonicalized(crossover(FEATURES, first, second, generator)[None])[0]),
    )
    for name, value in child.items():
        owners = [parent[name] for parent in (mother, father) if name in parent]
        if isinstance(TABLE[name], list) or name == "layers":
            assert value in owners
        elif len(owners) == 1:
            assert value == pytest.approx(owners[0])
        else:
            low, high = sorted(map(math.log, owners))
            reach = 0.5 * (high - low) + 0.1
            assert low - reach <= math.log(value) <= high + reach


def test_the_best_of_all_times_have_children():
    points, children = told("genetic", [0, 1, 5, 4, 3, 2], population=2, crossover=0.0, mutation=1e-9)
    assert all(min(distance(child, points[0]), distance(child, points[1])) == 1 for child in children)
    points, children = told("genetic", [0, 1, 5, 4, 3, 2], population=2, crossover=0.0, mutation=1e-9, tournament=30)
    assert all(distance(child, points[0]) == 1 for child in children)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"population": 1}, "population: 1 is not an integer of at least 2"),
        ({"crossover": 1.5}, "crossover: 1.5 is not a number from 0 to 1"),
        ({"mutation": 0}, "mutation: 0 is not a number above 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options, line):
    with pytest.raises(ValueError, match=line):
        sampler("genetic", **options)
