"""One network of a stack: the streams of its random numbers."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import DATA_INITIALIZATION, DROPOUT, INITIALIZATION, Network
from mlptune.core.training import start, train
from tests.support.classes import group_of, three_classes


def words(network, purpose, *tags):
    return tuple(network.stream(purpose, *tags).random_raw(4).tolist())


def test_each_seed_purpose_and_epoch_has_a_stream_of_its_own():
    streams = [
        words(Network(Hyperparameters(), seed), purpose, *tags)
        for seed in (0, 1, 2, 2**31)
        for purpose, *tags in ((INITIALIZATION,), (DATA_INITIALIZATION,), (DROPOUT, 1), (DROPOUT, 2), (DROPOUT, 3))
    ]
    assert len(set(streams)) == len(streams)


def test_a_stream_is_a_function_of_seed_purpose_and_tags_alone():
    expected = words(Network(Hyperparameters(), 7), DROPOUT, 3)
    other = Network(Hyperparameters(hidden=(3,), dropout=0.5, learning_rate=0.2), 7, fold=2)
    words(other, INITIALIZATION)
    assert words(other, DROPOUT, 3) == words(other, DROPOUT, 3) == expected


@pytest.mark.parametrize("seed", [-1, 2**32, 2**32 + 1, 2**64])
def test_a_seed_whose_streams_would_be_those_of_another_is_refused(seed):
    with pytest.raises(ValueError, match=f"^seed must be from 0 to 4294967295, got {seed}$"):
        Network(Hyperparameters(), seed)
    fold, networks = three_classes(), [Network(Hyperparameters(), 2**32 - 1)]
    structure = group_of(Hyperparameters(), fold)
    with pytest.raises(ValueError, match=f"^order_seed must be from 0 to 4294967295, got {seed}$"):
        train(structure, networks, [fold], start(structure, networks), 1, order_seed=seed)


def test_the_streams_of_the_largest_seed_are_what_they_were():
    expected = np.random.SFC64(np.random.SeedSequence((2**32 - 1, DROPOUT, 3))).random_raw(4).tolist()
    assert words(Network(Hyperparameters(), 2**32 - 1), DROPOUT, 3) == tuple(expected)
