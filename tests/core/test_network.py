"""One network of a stack: the streams of its random numbers."""

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import DATA_INITIALIZATION, DROPOUT, INITIALIZATION, Network


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
