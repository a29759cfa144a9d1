"""The names that [model] and [space] may hold."""

from .text import nearest

MAX_LAYERS = 32


_SHAPE = ("layers", *(f"units_{i}" for i in range(1, MAX_LAYERS + 1)))


# What the same thing is called in scikit-learn, torch and Keras, where no likeness of letters would find it.
_ELSEWHERE = {
    "lr": "learning_rate",
    "learning_rate_init": "learning_rate",
    "hidden_layer_sizes": "hidden",
    "hidden_sizes": "hidden",
    "units": "hidden",
    "alpha": "l2",
    "max_iter": "epochs",
    "solver": "optimizer",
    "patience": "early_stopping",
    "n_iter_no_change": "early_stopping",
    "betas": "beta_1",
    "eps": "epsilon",
    "scheduler": "schedule",
    "nonlinearity": "activation",
    "residual": "skip",
    "skip_connections": "skip",
    "batchnorm": "batch_norm",
    "layernorm": "layer_norm",
}


def hyperparameter_names() -> tuple[str, ...]:
    """Return every name that [model] and [space] may hold."""
    from ...core.hyperparameters import NAMES

    return (*NAMES, *_SHAPE, *_choices_of_layers())


def _choices_of_layers() -> dict[str, str]:
    """Return the hyperparameter behind each name of one layer's own choice: activation for activation_2."""
    from ...core.hyperparameters import BY_LAYER

    return {f"{name}_{i}": name for name in BY_LAYER for i in range(1, MAX_LAYERS + 1)}


def hyperparameter_hint(name: str) -> str:
    """Return "; did you mean NAME?" for what a person may have meant by an unknown hyperparameter, or nothing."""
    return f"; did you mean {_ELSEWHERE[name]}?" if name in _ELSEWHERE else nearest(name, hyperparameter_names())
