"""Label smoothing over the training: constant, fading, or in waves."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.schedules import SMOOTHING_SCHEDULES, multiplier
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from tests.support.stacks import same_bits, same_states

EPOCHS, STEPS, RATE = 8, 3, 1e-9


def smoothing_by_epoch(schedule, change):
    """The mean smoothing in each epoch, from how far the bias of the one class that occurs has moved.

    A network whose parameters are all 0 moves it by RATE (1 - smoothing) (1 - 1/3) in each step of plain gradients.
    """
    settings = {"hidden": (), "init": "zeros", "optimizer": "sgd", "learning_rate": RATE, "batch_size": 5}
    hp = Hyperparameters(
        **settings, epochs=EPOCHS, label_smoothing=0.3, label_smoothing_schedule=schedule, changes=change
    )
    group = Structure.of(hp, n_inputs=1, n_outputs=3, n_rows=5 * STEPS, loss="cross_entropy", dtype="float64")
    state, biases = start(group, [Network(hp, 0)]), [0.0]
    for epoch in range(1, EPOCHS + 1):
        fold = Fold(np.zeros((5 * STEPS, 1)), np.zeros(5 * STEPS, dtype=np.int64))
        state, _ = train(group, [Network(hp, 0)], [fold], state, epoch, order_seed=0)
        biases.append(state.theta[0, 3])
    return 1.0 - np.diff(biases) / (RATE * 2 / 3 * STEPS)


@pytest.mark.parametrize(
    ("schedule", "change", "smoothing"),
    [
        ("constant", (), np.full(EPOCHS, 0.3)),
        (
            "coslog4",
            (),
            0.3 * multiplier("coslog4", np.arange(EPOCHS * STEPS), EPOCHS * STEPS, 0, 0).reshape(-1, 3).mean(1),
        ),
        (
            "coslog4",
            [[2, {"label_smoothing": 0.0}]],
            np.r_[0.3 * multiplier("coslog4", np.arange(3), 24, 0, 0).mean(), [0.0] * 7],
        ),
    ],
)
def test_smoothing_follows_its_schedule_step_by_step(schedule, change, smoothing):
    np.testing.assert_allclose(smoothing_by_epoch(schedule, change), smoothing, atol=1e-6)


def test_smoothing_that_fades_is_whole_before_the_middle_and_gone_at_the_end():
    found = smoothing_by_epoch("fade", ())
    np.testing.assert_allclose(found[:4], 0.3, atol=1e-6)
    assert (np.diff(found[3:]) < 0).all()
    assert found[-1] < 0.1 * 0.3


def test_networks_of_all_schedules_share_a_stack():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
    networks = [
        Network(
            Hyperparameters(hidden=(4,), epochs=5, batch_size=7, label_smoothing=s, label_smoothing_schedule=name), 0
        )
        for name in SMOOTHING_SCHEDULES
        for s in (0.0, 0.2)
    ]
    group = Structure.of(networks[0].hyperparameters, n_inputs=3, n_outputs=3, n_rows=50, loss="cross_entropy")
    stacked = start(group, networks)
    for until in (2, 5):
        stacked, _ = train(group, networks, [Fold(X, y)], stacked, until, order_seed=0)
    for k, network in enumerate(networks):
        alone, _ = train(group, [network], [Fold(X, y)], start(group, [network]), 5, order_seed=0)
        same_states(stacked.take([k]), alone)
    without = [k for k, network in enumerate(networks) if not network.hyperparameters.label_smoothing]
    for k in without:
        same_bits(stacked.theta[k], stacked.theta[without[0]])
    assert len(np.unique(stacked.theta, axis=0)) == 1 + len(SMOOTHING_SCHEDULES)
