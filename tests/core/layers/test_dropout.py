"""Dropout: the share of units that it silences, the mean that it keeps, and where it is off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers import dropout
from mlptune.core.layers.dropout import DropoutMasks, dropout_threshold
from tests.support.classes import run, three_classes


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_silences_its_share_and_keeps_the_mean(p, monkeypatch):
    seen = []
    forward = dropout.BoundDropout.forward
    monkeypatch.setattr(
        dropout.BoundDropout, "forward", lambda self: (forward(self), seen.append(self.out[0, :-1] / self.x[0, :-1]))
    )
    fold = three_classes(n=96)
    hp = Hyperparameters(hidden=(50, 40), activation="logistic", dropout=p, epochs=6, learning_rate=1e-30)
    run([hp], fold)
    factors = np.concatenate([np.ravel(s) for s in seen])
    kept = factors != 0
    assert kept.mean() == pytest.approx(1 - p, abs=5 * np.sqrt(p * (1 - p) / len(factors)))
    np.testing.assert_allclose(factors[kept], 1 / (1 - p), rtol=1e-4)
    by_unit = np.stack([s.mean(axis=1) for s in seen if s.shape[0] == 50])
    assert len(np.unique(by_unit, axis=0)) == len(by_unit)


def test_dropout_is_off_in_validation():
    fold = three_classes()
    losses = []
    for p in (0.0, 0.7):
        _, _, curves = run([Hyperparameters(dropout=p, learning_rate=1e-30, epochs=1)], fold)
        losses.append((curves.values["val_loss"][0, 0], curves.values["train_loss"][0, 0]))
    assert losses[0][0] == losses[1][0]
    assert losses[0][1] != losses[1][1]


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_over_all_bits_the_share_is_the_rate_and_the_mean_is_one(p):
    threshold, scale = dropout_threshold([p], "float64")
    survivors = (np.arange(2**16) >= threshold[0]).mean()
    assert survivors > 0
    assert survivors == pytest.approx(1 - p, abs=2**-16)
    assert survivors * scale[0, 0] == pytest.approx(1)


def test_a_network_without_dropout_keeps_its_units_beside_one_that_has_it():
    masks = DropoutMasks((5, 3), K=2, rows=7, count=2, dtype="float64")
    masks.load(2, [None, np.random.SFC64(0)])
    drawn = []
    for j in range(2):
        masks.draw(j, *dropout_threshold([0.0, 0.5], "float64"))
        drawn.append([mask.copy() for mask in masks.by_layer])
    assert [mask.shape for mask in drawn[0]] == [(2, 5, 7), (2, 3, 7)]
    for mask in (*drawn[0], *drawn[1]):
        np.testing.assert_array_equal(mask[0], 1)
        assert set(np.unique(mask[1])) == {0, 2}
    assert not np.array_equal(drawn[0][0][1], drawn[1][0][1])
