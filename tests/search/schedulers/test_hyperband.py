"""Hyperband's brackets and promotions against the paper's rules counted by hand."""

from collections import Counter

import optuna
import pytest

from mlptune.search import sampler, scheduler

from .loop import quality, run


@pytest.mark.parametrize(
    ("epochs", "options", "brackets"),
    [
        # Li et al. 2018 with R = 81 and eta = 3.
        (
            81,
            {},
            [
                [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
                [(34, 3), (11, 9), (3, 27), (1, 81)],
                [(15, 9), (5, 27), (1, 81)],
                [(8, 27), (2, 81)],
                [(5, 81)],
            ],
        ),
        (50, {"min_epochs": 5}, [[(9, 6), (3, 17), (1, 50)], [(5, 17), (1, 50)], [(3, 50)]]),
        (50, {"eta": 4, "min_epochs": 3}, [[(16, 3), (4, 12), (1, 50)], [(6, 12), (1, 50)], [(3, 50)]]),
        (16, {"eta": 2, "min_epochs": 4}, [[(4, 4), (2, 8), (1, 16)], [(3, 8), (1, 16)], [(3, 16)]]),
        (3, {}, [[(3, 1), (1, 3)], [(2, 3)]]),
        (2, {}, [[(1, 2)]]),
        (1, {}, [[(1, 1)]]),
    ],
)
def test_the_brackets_of_hyperband(epochs, options, brackets):
    made = scheduler("hyperband", optuna.create_study(), epochs, **options).brackets
    assert [list(zip(b.sizes, b.epochs, strict=True)) for b in made] == brackets


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_hyperband_trains_the_best_of_each_rung_on(batch, at_once):
    trained = run("hyperband", 27, 49, batch, at_once=at_once)
    first = 0
    for sizes, epochs in [((27, 9, 3, 1), (1, 3, 9, 27)), ((12, 4, 1), (3, 9, 27)), ((6, 2), (9, 27)), ((4,), (27,))]:
        order = sorted(range(first, first + sizes[0]), key=quality, reverse=True)
        reached = [max(r for n, r in zip(sizes, epochs, strict=True) if place < n) for place in range(sizes[0])]
        assert [trained[n] for n in order] == reached
        first += sizes[0]


@pytest.mark.parametrize(
    ("name", "options", "sizes"),
    [("random", {}, [27, 12, 6, 4, 27]), ("tpe", {}, [None] * 5), ("tpe", {"at_once": True}, [27, 12, 6, 4, 27])],
)
def test_a_bracket_is_asked_at_once_where_nothing_is_learned_meanwhile(name, options, sizes):
    rule = scheduler("hyperband", optuna.create_study(sampler=sampler(name)), 27, **options)
    assert [rule.batch(first) for first in (0, 27, 39, 45, 49)] == sizes


def test_an_unfinished_bracket_is_finished_with_its_share():
    trained = run("hyperband", 27, 14, 4)
    assert Counter(trained) == {1: 10, 3: 3, 27: 1}, "14, 14 * 9 // 27, 1 and 1 trials"
    assert max(range(14), key=quality) == trained.index(27)
    assert run("hyperband", 27, 1, 8) == [27]


def test_values_that_are_missing_are_the_worst():
    trained = run("hyperband", 9, 9, 9, curve=lambda n, e: None if n % 2 == 0 and e < 9 else quality(n))
    assert [n for n in range(9) if trained[n] > 1] == sorted(sorted(range(1, 9, 2), key=quality, reverse=True)[:3])
