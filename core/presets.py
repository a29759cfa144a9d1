"""Presets: tables of hyperparameter values that fill in what a person did not give."""

from collections.abc import Mapping
from typing import Any

# RealMLP with tuned defaults (Holzmüller, Grinsztajn & Steinwart 2024, "Better by Default", app. A), as far as it goes
# without categories of its own and trainable activations.
STRONG: Mapping[str, Any] = {
    "hidden": (256, 256, 256),
    "activation": "mish",
    "learning_rate": 0.04,
    "beta_2": 0.95,
    "schedule": "coslog4",
    "batch_size": 256,
    "epochs": 256,
    "weight_decay": 0.02,
    "dropout": 0.15,
    "fade": True,
    "label_smoothing": 0.1,
    "init": "data",
    "scaling": "robust",
    "target_scaling": True,
    "embedding": "periodic",
    "feature_scale": True,
    "parametrization": "ntk",
}

PRESETS: dict[str, Mapping[str, Any]] = {"none": {}, "strong": STRONG}
