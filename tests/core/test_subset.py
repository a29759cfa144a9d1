"""Smaller training data: which rows are in a subset, and that training on them is training on a smaller table."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.cost import operations
from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure, subset_size
from mlptune.core.subset import subset_rows
from mlptune.core.training import Fold, Network, start, train
from tests.support.stacks import same_bits, same_states

SEED = 4


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=200),
    st.floats(0.001, 1.0),
    st.floats(0.001, 1.0),
    st.booleans(),
    st.integers(0, 99),
)
def test_a_choice_is_nested_stratified_and_of_its_size(labels, share, other, has_classes, seed):
    y = np.array(labels)
    classes = y if has_classes else None
    small, large = (subset_rows(s, len(y), classes, seed) for s in sorted([share, other]))
    assert len(np.unique(small)) == len(small) == subset_size(min(share, other), len(y)) >= 1
    assert set(small) <= set(large) <= set(range(len(y)))
    np.testing.assert_array_equal(small, np.sort(small))
    np.testing.assert_array_equal(subset_rows(1.0, len(y), classes, seed), np.arange(len(y)))
    if has_classes:
        sizes, kept = (np.bincount(v, minlength=6) for v in (y, y[small]))
        assert (kept >= np.minimum(sizes, 1)).all() or len(small) < (sizes > 0).sum()
        # Of any two classes, the one that is ahead of the other is so by one row at most.
        for a in np.flatnonzero(sizes):
            for b in np.flatnonzero(sizes):
                assert (kept[a] - 1) / sizes[a] <= kept[b] / sizes[b] + 1e-12


def test_another_seed_chooses_others():
    assert not np.array_equal(subset_rows(0.5, 100, None, 0), subset_rows(0.5, 100, None, 1))
    # No class's rows are taken in the order in which they stand.
    assert not np.array_equal(subset_rows(0.5, 100, np.zeros(100, int), 0), np.arange(50))


def table(loss, n=90, n_val=30):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n + n_val, 5))
    y = generator.normal(size=(n + n_val, 2)) if loss == "squared_error" else generator.integers(0, 3, n + n_val)
    weight = generator.uniform(0.5, 2.0, n + n_val)
    return Fold(X[:n], y[:n], weight[:n], X[n:], y[n:], weight[n:])


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_training_on_a_share_is_training_on_a_smaller_table(loss):
    fold = table(loss)
    rows = subset_rows(0.4, 90, fold.y if loss == "cross_entropy" else None, SEED)
    fewer = replace(fold, X=fold.X[rows], y=fold.y[rows], weight=fold.weight[rows])
    settings = {
        "hidden": (6,),
        "epochs": 5,
        "scaling": "robust",
        "target_scaling": True,
        "init": "data",
        "batch_size": 7,
    }
    results = []
    for share, data in ((0.4, fold), (1.0, fewer)):
        hps = [Hyperparameters(**settings, subset=share, dropout=p, early_stopping=2) for p in (0.0, 0.3)]
        networks = [Network(hp, seed) for seed, hp in enumerate(hps)]
        n_outputs = 3 if loss == "cross_entropy" else 2
        group = Structure.of(hps[0], n_inputs=5, n_outputs=n_outputs, n_rows=len(data.X), loss=loss)
        assert (group.n_rows, group.steps) == (36, 6)
        half, first = train(group, networks, [data], start(group, networks), 2, order_seed=SEED)
        whole, second = train(group, networks, [data], half, 5, order_seed=SEED)
        results.append((whole, first, second))
    same_states(results[0][0], results[1][0])
    for one, other in zip(results[0][1:], results[1][1:], strict=True):
        for name, values in one.values.items():
            same_bits(values, other.values[name])


def test_fewer_rows_are_less_work_and_another_structure():
    sizes = {"n_inputs": 5, "n_outputs": 3, "n_rows": 1000, "loss": "cross_entropy"}
    full, tenth = (Structure.of(Hyperparameters(subset=share), **sizes) for share in (1.0, 0.1))
    assert operations(tenth) < 0.2 * operations(full)
    assert full != tenth
    assert Structure.of(Hyperparameters(subset=0.001, batch_size=32), **sizes).batch_size == 1


def test_data_that_contradicts_the_structure_is_refused_with_a_share_too():
    hp = Hyperparameters(subset=0.5)
    group = Structure.of(hp, n_inputs=5, n_outputs=3, n_rows=80, loss="cross_entropy")
    with pytest.raises(ValueError, match="must have the 40 rows of the structure, got 45"):
        train(group, [Network(hp, 0)], [table("cross_entropy")], start(group, [Network(hp, 0)]), 1, order_seed=0)


def test_estimators_train_on_a_share():
    fold = table("cross_entropy")
    model = MLPClassifier(epochs=3, subset=0.5, random_state=0).fit(fold.X, fold.y)
    assert set(model.predict(fold.X_val)) <= {0, 1, 2}
    assert not np.array_equal(
        model.predict_proba(fold.X_val),
        MLPClassifier(epochs=3, random_state=0).fit(fold.X, fold.y).predict_proba(fold.X_val),
    )
    stopped = MLPRegressor(epochs=3, subset=0.5, early_stopping=2, random_state=0).fit(fold.X, fold.X[:, 0])
    assert len(stopped.history_["val_loss"]) == 3
