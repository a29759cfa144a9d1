"""REINFORCE: the step is the gradient it claims to be, and the run shows what the policy has learned."""

import numpy as np
import optuna
import pytest

from mlptune.search import Space, sampler
from mlptune.search.samplers.rl import BASELINE, ENTROPY, _Policy
from mlptune.search.surrogate.features import Features

TABLE = {
    "layers": {"low": 1, "high": 2},
    "units_1": {"low": 8, "high": 512, "log": True},
    "units_2": {"low": 8, "high": 512, "log": True},
    "activation": ["relu", "tanh", "silu"],
}
SPACE = Space.parse(TABLE)
FEATURES = Features(SPACE.distributions, SPACE)


def policy(seed):
    made = _Policy(FEATURES)
    made.logits = np.where(made.exists, np.random.default_rng(seed).standard_normal(made.logits.shape), 0.0)
    made.baseline, made.spread = 1.0, 0.5
    return made


@pytest.mark.parametrize("layers", [1, 2])
def test_a_step_is_the_gradient_of_reward_and_entropy(layers):
    codes = FEATURES.encode({"layers": layers, "units_1": 20, "units_2": 300, "activation": "tanh"})
    chosen = [layers - 1, int(np.log(20 / 8) / np.log(64) * 8), int(np.log(300 / 8) / np.log(64) * 8), 1]
    made = policy(0)
    before, active = made.logits.copy(), FEATURES.active(codes)

    def score(logits):
        made.logits = logits
        p = made.probabilities()
        log = np.log(np.where(p > 0, p, 1))
        gain = (0.75 - 1.0) / 0.5 * log[np.arange(4), chosen] - 0.3 * (p * log).sum(axis=1)
        return gain[active].sum()

    expected = np.zeros_like(before)
    for index in np.ndindex(before.shape):
        up, down = before.copy(), before.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        expected[index] = (score(up) - score(down)) / 2e-6
    made.logits = before.copy()
    made.update(codes, 0.75, rate=1.0, bonus=0.3, decay=0.9)
    np.testing.assert_allclose((made.logits - before)[made.exists], expected[made.exists], atol=1e-7)
    assert made.baseline == pytest.approx(0.9 * 1.0 + 0.1 * 0.75)
    assert (layers == 1) == (made.logits[2] == before[2]).all()


def test_what_failed_is_chosen_less_often():
    made = policy(1)
    codes = FEATURES.encode({"layers": 1, "units_1": 20, "activation": "silu"})
    before = made.probabilities()
    made.update(codes, None, rate=0.5, bonus=0.0, decay=0.9)
    after = made.probabilities()
    assert after[3, 2] < before[3, 2]
    assert (made.baseline, made.spread) == (1.0, 0.5)


def test_draws_follow_the_policy_and_fill_the_bins():
    made = policy(2)
    generator = np.random.default_rng(0)
    p = made.probabilities()
    draws = np.array([made.draw(p, generator) for _ in range(4000)])
    np.testing.assert_allclose(np.bincount(draws[:, 3].astype(int), minlength=3) / 4000, p[3, :3], atol=0.03)
    np.testing.assert_allclose(np.histogram(draws[:, 1], bins=8, range=(0, 1))[0] / 4000, p[1], atol=0.03)
    assert len(set(draws[:, 1])) > 400


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_run_shows_how_the_policy_makes_up_its_mind(direction):
    sign = 1 if direction == "minimize" else -1
    study = optuna.create_study(sampler=sampler("rl", 0, space=SPACE), direction=direction)
    for _ in range(120):
        trial = study.ask()
        point = SPACE.suggest(trial)
        study.tell(trial, sign * (10.0 + abs(np.log(point["units_1"] / 64)) + (point["activation"] != "tanh")))
    entropies = [t.system_attrs[ENTROPY] for t in study.trials]
    baselines = [t.system_attrs[BASELINE] for t in study.trials]
    assert entropies[0] == pytest.approx(1.0)
    assert entropies[-1] < 0.8
    assert baselines[0] is None
    assert sign * baselines[-1] < sign * baselines[10]
    assert 10 <= sign * baselines[-1] < 11
    late = [t.params["activation"] for t in study.trials[-30:]]
    assert late.count("tanh") > 20


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"decay": 2}, "decay: 2 is not a number from 0 to 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options, line):
    with pytest.raises(ValueError, match=line):
        sampler("rl", **options)
