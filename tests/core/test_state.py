"""The state of a stack: taken apart, put together and pickled, it goes on as if nothing had happened."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.training import RUNNING, Network, State, start
from tests.support.classes import group_of, run, three_classes
from tests.support.stacks import same_states


def test_a_pickled_state_goes_on_as_if_never_interrupted():
    fold = three_classes()
    hps = [Hyperparameters(epochs=9, dropout=p, schedule="cosine", early_stopping=4) for p in (0.0, 0.4)]
    _, whole, curves = run(hps, fold)
    _, half, first = run(hps, fold, until=4)
    assert half.status.tolist() == [RUNNING, RUNNING]
    _, rest, second = run(hps, fold, state=pickle.loads(pickle.dumps(half)))
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(values, getattr(rest, name))
    assert second.first_epoch == 5
    for name, values in curves.values.items():
        joined = np.concatenate([first.values[name], second.values[name]], axis=1)
        np.testing.assert_array_equal(values[:, : joined.shape[1]], joined[:, : values.shape[1]])


def five(first_seed):
    hp = Hyperparameters(hidden=(2,), batch_norm=True)
    return start(group_of(hp, three_classes()), [Network(hp, first_seed + k) for k in range(5)])


@given(st.permutations(range(5)), st.integers(0, 5))
def test_parts_put_back_in_any_order_are_the_whole(order, cut):
    state = five(0)
    parts = [state.take(order[:cut]), state.take(order[cut:])]
    joined = State.concatenate(parts)
    assert [len(part) for part in (*parts, joined)] == [cut, 5 - cut, 5]
    same_states(joined, state.take(order))
    other = five(10)
    other.put(order, joined)
    same_states(other, state)


def test_what_is_taken_is_a_copy_and_what_is_put_leaves_the_others():
    state = five(0)
    taken = state.take([3, 1])
    for values in vars(taken).values():
        values[...] = 7
    same_states(state, five(0))
    state.put([3, 1], taken)
    same_states(state.take([0, 2, 4]), five(0).take([0, 2, 4]))
    assert (state.theta[[1, 3]] == 7).all()
