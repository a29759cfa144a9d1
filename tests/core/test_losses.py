"""Losses: the same from output sums and from what is predicted by them."""

import numpy as np
import pytest

from mlptune.core.losses import LOSSES, likeliest_classes

CASES = [
    (name, o)
    for name, loss in LOSSES.items()
    for o in (1, 3)
    if loss.from_outputs and (name, o) not in {("cross_entropy", 1), ("log_loss", 3)}
]


@pytest.mark.parametrize(("name", "o"), CASES)
def test_predictions_determine_the_loss(name, o):
    generator = np.random.default_rng(0)
    loss, z = LOSSES[name], generator.normal(size=(o, 20))
    if loss.task == "regression":
        y, unit = generator.normal(size=(20, o)), 2.5
        target = y.T / unit
        outputs = unit * loss.outputs(z).T
    else:
        y, unit = generator.integers(0, max(o, 2), 20), 1.0
        target = y[None].astype(float) if o == 1 else np.eye(o)[y].T
        outputs = loss.outputs(z).T
    assert loss.from_outputs is not None
    np.testing.assert_allclose(loss.from_outputs(outputs, y, unit), loss.values(z, target), rtol=1e-12)


def test_a_decision_does_not_determine_the_perceptron_loss():
    assert [name for name, loss in LOSSES.items() if loss.from_outputs is None] == ["perceptron"]


def test_of_equal_sums_the_first_class_is_the_likeliest():
    assert likeliest_classes(np.array([[1.0, 2.0], [1.0, 3.0]])).tolist() == [0, 1]
    assert likeliest_classes(np.array([[0.0, 0.1]])).tolist() == [0, 1]
