"""The names that [model] and [space] may hold."""

from ..._text import closest, suggestion

MAX_LAYERS = 32
SHAPE_NAMES = ("layers", *(f"units_{i}" for i in range(1, MAX_LAYERS + 1)))
"""What gives the hidden layers one by one, as an alternative to `hidden`."""

CLASS_WEIGHT = "class_weight"
"""What [model] may hold besides hyperparameters: it changes the weights of training rows, not the network."""
BALANCED = "balanced"
"""The class weights that follow from how many rows each class has."""
MAX_CLASS_WEIGHT = 1_000_000  # times the largest weight of a row it is still a number of float32

# What the same thing is called in scikit-learn, torch and Keras, where no likeness of letters would find it.
_SYNONYMS = {
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
    "pos_weight": CLASS_WEIGHT,
    "scale_pos_weight": CLASS_WEIGHT,
}


def hyperparameter_names() -> tuple[str, ...]:
    """Return the name of every hyperparameter that [model] and [space] may hold."""
    from ...core.hyperparameters import NAMES

    return (*NAMES, *SHAPE_NAMES, *per_layer_names())


def model_names() -> tuple[str, ...]:
    """Return every name that [model] may hold."""
    return (*hyperparameter_names(), CLASS_WEIGHT)


def per_layer_names() -> dict[str, str]:
    """Return the hyperparameter behind each name of a single layer's own value: activation for activation_2."""
    from ...core.hyperparameters import BY_LAYER

    return {f"{name}_{i}": name for name in BY_LAYER for i in range(1, MAX_LAYERS + 1)}


def meant_hyperparameter(name: str) -> str | None:
    """Return the hyperparameter that was probably meant by an unknown name, None where none is near."""
    return _SYNONYMS.get(name) or closest(name, model_names())


def hyperparameter_hint(name: str) -> str:
    """Return "; did you mean 'NAME'?" for an unknown hyperparameter, or nothing."""
    return suggestion(meant_hyperparameter(name))
