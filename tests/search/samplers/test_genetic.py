"""The genetic algorithm: which trials are parents, and what their children inherit."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given, settings

from mlptune.search import Space, sampler
from mlptune.search.samplers.genetic import crossover
from tests.support.architectures import FEATURES, SEEDS, TABLE, draw, point


@given(SEEDS)
@settings(max_examples=200, deadline=None)
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


def told(name, values, **options):
    """A study over two words whose first trials had these values; and the point it proposes next."""
    table = {"a": list("abcdefgh"), "b": list("abcdefgh")}
    space = Space.parse(table)
    study = optuna.create_study(sampler=sampler(name, 0, space=space, **options))
    points = []
    for value in values:
        trial = study.ask()
        points.append(space.suggest(trial))
        study.tell(trial, value)
    return points, [space.suggest(study.ask()) for _ in range(5)]


def distance(a, b):
    return sum(a[name] != b[name] for name in a)


def test_the_best_of_all_times_have_children():
    points, children = told("genetic", [0, 1, 5, 4, 3, 2], population=2, crossover=0.0, mutation=1e-9)
    assert all(min(distance(child, points[0]), distance(child, points[1])) == 1 for child in children)
    points, children = told("genetic", [0, 1, 5, 4, 3, 2], population=2, crossover=0.0, mutation=1e-9, tournament=30)
    assert all(distance(child, points[0]) == 1 for child in children)


@pytest.mark.parametrize("name", ["genetic", "nas"])
def test_nothing_is_tried_twice(name):
    space = Space.parse({"a": [1, 2, 3, 4], "b": ["x", "y", "z"], "c": [True, False]})
    study = optuna.create_study(sampler=sampler(name, 0, space=space, population=4))
    seen = []
    for _ in range(4):
        trials = [study.ask() for _ in range(4)]
        seen += [tuple(space.suggest(trial).values()) for trial in trials]
        for trial in trials:
            study.tell(trial, seen[trial.number][0])
    assert len(set(seen[4:])) == 12


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("genetic", {"population": 1}, "population: 1 is not an integer of at least 2"),
        ("genetic", {"crossover": 1.5}, "crossover: 1.5 is not a number from 0 to 1"),
        ("genetic", {"mutation": 0}, "mutation: 0 is not a number above 0"),
        ("nas", {"predictor": "ridge"}, "predictor must be true or false, not 'ridge'"),
        ("nas", {"sample": 0}, "sample: 0 is not an integer of at least 1"),
        ("rl", {"decay": 2}, "decay: 2 is not a number from 0 to 1"),
    ],
)
def test_options_that_cannot_be_are_refused(name, options, line):
    with pytest.raises(ValueError, match=line):
        sampler(name, **options)
