"""Cross-fitted validation predictions against a plain search over the epochs, in segments and stacks as alone and at once."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from mlptune.core.crossfit import PARTS, CrossFit, Kept
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs, outputs_of_sums
from tests.support.classes import group_of, three_classes

EPOCHS = 25


def crossfits(hps: list[Hyperparameters], fold: Fold, untils: list[int], **shape) -> list[Kept | None]:
    """What is kept of each network after these segments."""
    structure = group_of(hps[0], fold, **shape)
    networks = [Network(hp, 0) for hp in hps]
    state, kept = start(structure, networks), [None] * len(hps)
    for until in untils:
        seen = CrossFit(networks)
        state, _ = train(structure, networks, [fold], state, until, order_seed=0, crossfit=seen)
        for k in range(len(hps)):
            if (found := seen.sums(k)) is not None:
                new = Kept(found[0], outputs_of_sums(structure, state.buffers[k : k + 1], found[1][None])[0])
                kept[k] = new if kept[k] is None else kept[k].then(new)
    return kept


def plainly(hp: Hyperparameters, fold: Fold, judge, **shape) -> np.ndarray:
    """Each part at the epoch that is best on the others, from the weights of every epoch."""
    structure, networks = group_of(hp, fold, **shape), [Network(hp, 0)]
    by_epoch, state = [], start(structure, networks)
    for until in range(1, EPOCHS + 1):
        before = state.epoch[0]
        state, _ = train(structure, networks, [fold], state, until, order_seed=0)
        if state.epoch[0] > before:
            by_epoch.append(outputs(structure, state.theta, state.buffers, fold.X_val)[0])
    n = len(fold.y_val)
    result = np.empty_like(by_epoch[0])
    for part in range(PARTS):
        others = np.arange(n) % PARTS != part
        weight = None if fold.weight_val is None else fold.weight_val[others]
        best = min(by_epoch, key=lambda p, o=others, w=weight: judge(fold.y_val[o], p[o], sample_weight=w))
        result[~others] = best[~others]
    return result


def settings(**more) -> Hyperparameters:
    return Hyperparameters(hidden=(16,), learning_rate=0.02, epochs=EPOCHS, early_stopping=10, **more)


@pytest.mark.parametrize("weighted", [False, True])
def test_each_part_is_predicted_at_the_epoch_that_is_best_on_the_others(weighted: bool) -> None:
    fold = three_classes(n_val=43, noise=2.0)
    if weighted:
        weight = np.random.default_rng(0).uniform(0, 2, 43)
        fold = Fold(fold.X, fold.y, None, fold.X_val, fold.y_val, weight)

    def loss(y, p, sample_weight):
        p = p.astype(np.float64)
        return log_loss(y, p / p.sum(axis=1, keepdims=True), sample_weight=sample_weight, labels=[0, 1, 2])

    [kept] = crossfits([settings()], fold, [EPOCHS])
    np.testing.assert_allclose(kept.outputs, plainly(settings(), fold, loss), rtol=1e-5, atol=1e-6)
    assert len(np.unique(kept.losses.round(6))) == PARTS


def test_of_numbers_too_in_their_own_unit() -> None:
    random = np.random.default_rng(3)
    X, y = random.normal(size=(90, 4)), random.normal(7, 3, 90)
    fold = Fold(X[:60], y[:60], None, X[60:], y[60:], None)
    hp = settings(target_scaling=True)
    shape = {"loss": "squared_error", "n_outputs": 1}
    [kept] = crossfits([hp], fold, [EPOCHS], **shape)
    np.testing.assert_allclose(kept.outputs, plainly(hp, fold, mean_squared_error, **shape), rtol=1e-5)


def test_in_segments_and_in_stacks_it_is_the_same_bit_for_bit() -> None:
    fold = three_classes(n_val=40, noise=2.0)
    hps = [settings(dropout=p) for p in (0.0, 0.2, 0.5)]
    together = crossfits(hps, fold, [EPOCHS])
    for found in (crossfits(hps, fold, [3, 4, 11, EPOCHS]), [crossfits([hp], fold, [EPOCHS])[0] for hp in hps]):
        for one, other in zip(together, found, strict=True):
            np.testing.assert_array_equal(one.losses, other.losses)
            np.testing.assert_array_equal(one.outputs, other.outputs)


def test_where_no_epoch_is_chosen_or_rows_are_few_nothing_is_kept() -> None:
    last = Hyperparameters(epochs=3, early_stopping=0)
    assert crossfits([last], three_classes(), [3]) == [None]
    assert crossfits([settings()], three_classes(n_val=2 * PARTS - 1), [3]) == [None]
