"""Records torch's numbers for the tests of optimizers, activations, layers and schedules.

Run by hand where torch and NumPy are installed: `python tests/core/reference/record_torch.py`. It writes the .npz files
beside it, and uses nothing of mlptune: inputs, starts and results are torch's or NumPy's. The settings that the tests
hand to the engine stand beside torch's own, so that both can be read in one place. Last run with torch 2.13.0.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

STEPS = 30
# NAdam's product of momenta is kept in the default precision.
torch.set_default_dtype(torch.float64)


def save(name, arrays, **settings):
    arrays = dict(arrays, torch=np.array(torch.__version__))
    arrays |= {f"{key}_json": np.array(json.dumps(value)) for key, value in settings.items()}
    np.savez_compressed(Path(__file__).parent / f"{name}.npz", **arrays)


def numbers(tensor):
    return tensor.detach().numpy().copy()


# The engine's settings, torch's optimizer with its options, and the weight decay (None: the default of that class).
ADAM = {"lr": 0.01}
OPTIMIZERS = {
    "sgd": ({"optimizer": "sgd", "learning_rate": 0.1}, torch.optim.SGD, {"lr": 0.1}, 0.0),
    "sgd with l2": ({"optimizer": "sgd", "learning_rate": 0.1, "l2": 0.01}, torch.optim.SGD, {"lr": 0.1}, 0.01),
    "momentum": (
        {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.9},
        0.0,
    ),
    "nesterov": (
        {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.8, "nesterov": True},
        torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
        0.0,
    ),
    "rmsprop": ({"optimizer": "rmsprop", "learning_rate": 0.01}, torch.optim.RMSprop, {"lr": 0.01}, 0.0),
    "rmsprop with momentum": (
        {"optimizer": "rmsprop", "learning_rate": 0.01, "beta_2": 0.9, "momentum": 0.5},
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.5},
        0.0,
    ),
    "adagrad": (
        {"optimizer": "adagrad", "learning_rate": 0.1},
        torch.optim.Adagrad,
        {"lr": 0.1, "eps": 1e-8},
        0.0,
    ),
    "adagrad with large epsilon": (
        {"optimizer": "adagrad", "epsilon": 0.1, "l2": 0.01},
        torch.optim.Adagrad,
        {"eps": 0.1},
        0.01,
    ),
    "adam": ({"optimizer": "adam", "learning_rate": 0.01}, torch.optim.Adam, ADAM, 0.0),
    "adam with large epsilon": (
        {"optimizer": "adam", "learning_rate": 0.01, "epsilon": 0.1, "beta_1": 0.7},
        torch.optim.Adam,
        {**ADAM, "eps": 0.1, "betas": (0.7, 0.999)},
        0.0,
    ),
    "adam with clipping": (
        {"optimizer": "adam", "learning_rate": 0.01, "clip_norm": 0.05},
        torch.optim.Adam,
        ADAM,
        0.0,
    ),
    "adamw": ({"optimizer": "adamw", "learning_rate": 0.01}, torch.optim.AdamW, ADAM, None),
    "adamw with decay": (
        {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.3},
        torch.optim.AdamW,
        ADAM,
        0.3,
    ),
    "nadam": ({"optimizer": "nadam", "learning_rate": 0.01}, torch.optim.NAdam, {"lr": 0.01}, 0.0),
    "nadam without momentum": (
        {"optimizer": "nadam", "beta_1": 0.0, "beta_2": 0.9},
        torch.optim.NAdam,
        {"betas": (0.0, 0.9)},
        0.0,
    ),
    "nadam with short memory": (
        {"optimizer": "nadam", "beta_1": 0.1, "epsilon": 0.01, "l2": 0.01},
        torch.optim.NAdam,
        {"betas": (0.1, 0.999), "eps": 0.01},
        0.01,
    ),
}


def record_optimizers():
    """Thirty steps of a 4-5-3 network of tanh units on all rows at once; where it is not given, torch's own default."""
    generator = np.random.default_rng(0)
    n, sizes = 12, (4, 5, 3)
    arrays = {"X": generator.normal(size=(n, sizes[0])), "y": generator.integers(0, sizes[2], n)}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        arrays[f"before/W{i}"] = generator.uniform(-0.8, 0.8, (n_in, n_out))
        arrays[f"before/b{i}"] = generator.uniform(-0.1, 0.1, n_out)
    X, y = torch.tensor(arrays["X"]), torch.tensor(arrays["y"])
    for case, (settings, kind, options, weight_decay) in OPTIMIZERS.items():
        weights, biases = (
            [torch.tensor(arrays[f"before/{name}{i}"], requires_grad=True) for i in range(2)] for name in "Wb"
        )
        # Penalties and decay leave biases alone. Where no decay is given, the optimizer's default serves.
        decay = {} if weight_decay is None else {"weight_decay": weight_decay}
        groups = [{"params": weights, **decay}, {"params": biases, "weight_decay": 0.0}]
        optimizer = kind(groups, **options)
        for _ in range(STEPS):
            optimizer.zero_grad()
            z = torch.tanh(X @ weights[0] + biases[0]) @ weights[1] + biases[1]
            torch.nn.functional.cross_entropy(z, y).backward()
            if "clip_norm" in settings:
                torch.nn.utils.clip_grad_norm_([*weights, *biases], settings["clip_norm"])
            optimizer.step()
        for i in range(2):
            arrays[f"{case}/W{i}"], arrays[f"{case}/b{i}"] = numbers(weights[i]), numbers(biases[i])
    save("optimizers", arrays, settings={case: entry[0] for case, entry in OPTIMIZERS.items()}, steps=STEPS)


ACTIVATIONS = {
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.1),
    "elu": torch.nn.functional.elu,
    "selu": torch.nn.functional.selu,
    "softplus": torch.nn.functional.softplus,
    "gelu": lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
}


def record_activations():
    """Values and derivatives from -15 to 15 in both precisions; 0 is not among the points, where some have a kink."""
    points = np.linspace(-15.01, 15, 201)
    arrays = {"points": points}
    for dtype in ("float32", "float64"):
        for name, function in ACTIVATIONS.items():
            z = torch.tensor(points.astype(dtype), requires_grad=True)
            value = function(z)
            value.sum().backward()
            arrays[f"{dtype}/{name}/value"], arrays[f"{dtype}/{name}/slope"] = numbers(value), numbers(z.grad)
    save("activations", arrays, names=sorted(ACTIVATIONS))


class Layers(torch.nn.Module):
    """Linear layers with, for each hidden one, a norm or none before the activation, and a shortcut or none after it."""

    def __init__(self, sizes, activation, batch_norm, layer_norm, skip):
        super().__init__()
        self.activation, self.skip = activation, skip
        self.linear, self.norms = torch.nn.ModuleList(), torch.nn.ModuleList()
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            is_last = i == len(sizes) - 2
            batch, layer = (False, False) if is_last else (batch_norm[i], layer_norm[i])
            # The shift of the normalisation is the layer's bias.
            self.linear.append(torch.nn.Linear(n_in, n_out, bias=not (batch or layer)))
            norm = torch.nn.BatchNorm1d(n_out) if batch else torch.nn.LayerNorm(n_out) if layer else None
            self.norms.append(torch.nn.Identity() if norm is None else norm)

    def forward(self, x):
        for linear, norm, activation, skip in zip(
            self.linear[:-1], self.norms[:-1], self.activation, self.skip, strict=True
        ):
            a = getattr(torch.nn.functional, activation)(norm(linear(x)))
            if skip:
                a = a + torch.nn.functional.pad(x, (0, a.shape[1] - x.shape[1]))  # a negative width cuts off
            x = a
        return self.linear[-1](x)

    def arrays(self, prefix):
        result = {}
        for i, (linear, norm) in enumerate(zip(self.linear, self.norms, strict=True)):
            result[f"{prefix}/W{i}"] = numbers(linear.weight).T.copy()
            result[f"{prefix}/b{i}"] = numbers(norm.bias if linear.bias is None else linear.bias)
            if linear.bias is None:
                result[f"{prefix}/gain{i}"] = numbers(norm.weight)
        return result


NETWORKS = {
    "batch norm": {"hidden": [7, 4], "activation": ["tanh"] * 2, "batch_norm": [True] * 2},
    "layer norm": {"hidden": [7, 4], "activation": ["tanh"] * 2, "layer_norm": [True] * 2},
    "mixed": {
        "hidden": [6, 5, 5, 7],
        "activation": ["tanh", "silu", "softplus", "tanh"],
        "batch_norm": [True, False, False, False],
        "layer_norm": [False, True, False, False],
        "skip": [False, True, True, True],
    },
}


def record_layers():
    """Thirty steps of Adam on all rows at once, and predictions for other rows in evaluation mode afterwards."""
    arrays = {}
    for case, network in NETWORKS.items():
        torch.manual_seed(0)
        generator = np.random.default_rng(0)
        X, y = 3.0 + 2.0 * generator.normal(size=(30, 5)), generator.integers(0, 3, 30)
        other = 3.0 + 2.0 * generator.normal(size=(11, 5))
        sizes, none = [5, *network["hidden"], 3], [False] * len(network["hidden"])
        options = {"batch_norm": none, "layer_norm": none, "skip": none, **network}
        del options["hidden"]
        model = Layers(sizes, **options)
        arrays |= {f"{case}/X": X, f"{case}/y": y, f"{case}/other": other} | model.arrays(f"{case}/before")
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(STEPS):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(torch.tensor(X)), torch.tensor(y)).backward()
            optimizer.step()
        model.eval()
        arrays |= model.arrays(f"{case}/after")
        arrays[f"{case}/predicted"] = numbers(torch.softmax(model(torch.tensor(other)), dim=1))
    save("layers", arrays, settings={case: {**network, "learning_rate": 0.01} for case, network in NETWORKS.items()})


def record_schedules():
    """The rate after each loss of ReduceLROnPlateau, and OneCycleLR's rates of whole trainings."""
    losses = np.random.default_rng(0).normal(size=60).cumsum() * 0.1 + np.linspace(3.0, 1.0, 60)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    # torch's patience are the epochs it lets pass, the engine's the one at which it acts.
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.6, patience=2, threshold=0.0, eps=0.0)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    arrays = {"plateau/losses": losses, "plateau/rates": np.array(rates)}
    for total in (5, 10, 33):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=total)
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < total:
                scheduler.step()
        arrays[f"one_cycle/{total}"] = np.array(rates)
    save("schedules", arrays, plateau={"plateau_epochs": 3, "decay": 0.6})


if __name__ == "__main__":
    record_optimizers()
    record_activations()
    record_layers()
    record_schedules()
