"""Every optimizer for 30 steps against torch (where it is installed) and against recurrences written by hand."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train

N, D, H, C, STEPS = 12, 4, 5, 3, 30
CASES = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "sgd with l2": {"optimizer": "sgd", "learning_rate": 0.1, "l2": 0.01},
    "momentum": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.8, "nesterov": True},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.01},
    "rmsprop with momentum": {"optimizer": "rmsprop", "learning_rate": 0.01, "beta_2": 0.9, "momentum": 0.5},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.1},
    "adagrad with large epsilon": {"optimizer": "adagrad", "epsilon": 0.1, "l2": 0.01},
    "adam": {"optimizer": "adam", "learning_rate": 0.01},
    "adam with large epsilon": {"optimizer": "adam", "learning_rate": 0.01, "epsilon": 0.1, "beta_1": 0.7},
    "adam with clipping": {"optimizer": "adam", "learning_rate": 0.01, "clip_norm": 0.05},
    "adamw": {"optimizer": "adamw", "learning_rate": 0.01},
    "adamw with decay": {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.3},
    "nadam": {"optimizer": "nadam", "learning_rate": 0.01},
    "nadam without momentum": {"optimizer": "nadam", "beta_1": 0.0, "beta_2": 0.9},
    "nadam with short memory": {"optimizer": "nadam", "beta_1": 0.1, "epsilon": 0.01, "l2": 0.01},
}


def data():
    generator = np.random.default_rng(0)
    return generator.normal(size=(N, D)), generator.integers(0, C, N)


def trained(settings):
    """Parameters before and after 30 full-batch steps in float64."""
    hp = Hyperparameters(hidden=(H,), activation="tanh", batch_size=N, epochs=STEPS, **settings)
    group = Structure.of(hp, n_inputs=D, n_outputs=C, n_rows=N, loss="cross_entropy", dtype="float64")
    state = start(group, [Network(hp, 0)])
    after, _ = train(group, [Network(hp, 0)], [Fold(*data())], state, STEPS, order_seed=0)
    return weight_blocks(group, state.theta), weight_blocks(group, after.theta)


def test_every_optimizer_has_a_case():
    assert {case["optimizer"] for case in CASES.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize("case", CASES)
def test_thirty_steps_equal_torch(case, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch, the independent reference, is not installed")
    # NAdam's product of momenta is kept in torch's default precision.
    monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)
    settings = CASES[case]
    before, after = trained(settings)
    weights = [torch.tensor(np.array(W[0, :-1]), requires_grad=True) for W in before]
    biases = [torch.tensor(np.array(W[0, -1]), requires_grad=True) for W in before]
    hp = Hyperparameters(**settings)
    decay = hp.l2 or hp.effective_weight_decay
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    common = {"lr": hp.effective_learning_rate, "weight_decay": 0.0}
    optimizer = {
        "sgd": lambda: torch.optim.SGD(groups, momentum=hp.momentum, nesterov=hp.nesterov, **common),
        "rmsprop": lambda: torch.optim.RMSprop(
            groups, alpha=hp.effective_beta_2, momentum=hp.momentum, eps=hp.epsilon, **common
        ),
        "adagrad": lambda: torch.optim.Adagrad(groups, eps=hp.epsilon, **common),
        "nadam": lambda: torch.optim.NAdam(groups, betas=(hp.beta_1, hp.effective_beta_2), eps=hp.epsilon, **common),
        "adam": lambda: torch.optim.Adam(groups, betas=(hp.beta_1, hp.effective_beta_2), eps=hp.epsilon, **common),
        "adamw": lambda: torch.optim.AdamW(groups, betas=(hp.beta_1, hp.effective_beta_2), eps=hp.epsilon, **common),
    }[hp.optimizer]()
    X, y = (torch.tensor(array) for array in data())
    for _ in range(STEPS):
        optimizer.zero_grad()
        z = torch.tanh(X @ weights[0] + biases[0]) @ weights[1] + biases[1]
        torch.nn.functional.cross_entropy(z, y).backward()
        if hp.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([*weights, *biases], hp.clip_norm)
        optimizer.step()
    # torch divides by the norm + 1e-6 where it clips.
    tolerance = 1e-8 if hp.clip_norm is None else 1e-4
    for W, weight, bias in zip(after, weights, biases, strict=True):
        np.testing.assert_allclose(W[0, :-1], weight.detach().numpy(), rtol=tolerance, atol=1e-9)
        np.testing.assert_allclose(W[0, -1], bias.detach().numpy(), rtol=tolerance, atol=1e-9)


def recurrence(settings, gradient, w, steps):
    """One weight's path as the papers write it, one number at a time."""
    hp = Hyperparameters(**settings)
    m = v = b = 0.0
    products = [1.0]
    for t in range(1, steps + 1):
        g = gradient(w) + hp.l2 * w
        if hp.clip_norm is not None and abs(g) > hp.clip_norm:
            g *= hp.clip_norm / abs(g)
        w -= hp.effective_learning_rate * hp.effective_weight_decay * w
        if hp.optimizer == "sgd":
            b = hp.momentum * b + g
            w -= hp.effective_learning_rate * (g + hp.momentum * b if hp.nesterov else b)
        elif hp.optimizer == "rmsprop":
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            b = hp.momentum * b + g / (v**0.5 + hp.epsilon)
            w -= hp.effective_learning_rate * b
        elif hp.optimizer == "adagrad":
            v += g * g
            w -= hp.effective_learning_rate * g / (v**0.5 + hp.epsilon)
        elif hp.optimizer == "nadam":
            mu, coming = (hp.beta_1 * (1 - 0.5 * 0.96 ** (0.004 * s)) for s in (t, t + 1))
            products.append(products[-1] * mu)
            m = hp.beta_1 * m + (1 - hp.beta_1) * g
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            root = (v / (1 - hp.effective_beta_2**t)) ** 0.5 + hp.epsilon
            w -= hp.effective_learning_rate * (1 - mu) / (1 - products[-1]) * g / root
            w -= hp.effective_learning_rate * coming / (1 - products[-1] * coming) * m / root
        else:
            m = hp.beta_1 * m + (1 - hp.beta_1) * g
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            w -= (
                hp.effective_learning_rate
                * (m / (1 - hp.beta_1**t))
                / ((v / (1 - hp.effective_beta_2**t)) ** 0.5 + hp.epsilon)
            )
    return w


@pytest.mark.parametrize("case", CASES)
def test_thirty_steps_of_one_weight_follow_the_recurrence(case):
    # Without an input the bias alone would learn; with one input and a target that needs no bias the weight alone does,
    # if the data is symmetric: squared error over x = +-1, y = +-3, so that the slope is 2 (w - 3).
    settings = CASES[case]
    hp = Hyperparameters(hidden=(), batch_size=2, epochs=STEPS, **settings)
    group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=2, loss="squared_error", dtype="float64")
    state = start(group, [Network(hp, 0)])
    w = float(state.theta[0, 0])
    fold = Fold(np.array([[1.0], [-1.0]]), np.array([3.0, -3.0]))
    after, _ = train(group, [Network(hp, 0)], [fold], state, STEPS, order_seed=0)
    assert after.theta[0, 1] == 0.0
    np.testing.assert_allclose(after.theta[0, 0], recurrence(settings, lambda w: 2 * (w - 3), w, STEPS), rtol=1e-10)
