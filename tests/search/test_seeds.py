"""Numbers by name: the same on every machine, uniform, and independent even for neighbouring seeds and trials."""

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from mlptune.search.seeds import derive, derive32, uniform


@pytest.mark.parametrize(
    ("seed", "words", "number"),
    [
        (0, (), 11243728523470438572),
        (0, ("sobol",), 10363835481609140926),
        (-3, ("whole", 12), 2831913045053326681),
        (2**64, ("é", "a,b"), 9720475725250392293),
    ],
)
def test_a_number_is_what_gnu_coreutils_compute(seed, words, number):
    """`printf '[0,"sobol"]' | b2sum -l 64`, read as a little-endian number; an é is written as \\u00e9."""
    assert derive(seed, *words) == number
    assert derive32(seed, *words) == number // 2**32
    assert uniform(seed, *words) == pytest.approx(number / 2**64, rel=1e-15)


def test_a_number_is_told_from_the_same_digits_as_a_word_and_words_are_not_run_together():
    assert len({derive(0, 1), derive(0, "1"), derive(1), derive(0, 1, ""), derive(0, "1", ""), derive(0, '1",""')}) == 6


def test_neighbouring_seeds_and_trials_are_independent_and_uniform():
    grid = np.array([[uniform(seed, trial, "x") for trial in range(60)] for seed in range(60)])
    assert kstest(grid.ravel(), "uniform").pvalue > 0.001
    for first, second in ((grid[:-1], grid[1:]), (grid[:, :-1], grid[:, 1:])):
        counts, *_ = np.histogram2d(first.ravel(), second.ravel(), bins=6, range=[(0, 1), (0, 1)])
        assert chisquare(counts.ravel()).pvalue > 0.001
    assert grid.min() >= 0
    assert grid.max() < 1
