"""Numeric embeddings by name: each input becomes several features, so that a network can bend sharply in it."""

from collections.abc import Callable
from dataclasses import dataclass

from .layers.base import EmbeddingLayer
from .layers.cosine import Cosine
from .layers.embedding import PBLD, PLR
from .layers.ple import PLE


@dataclass(frozen=True)
class Embedding:
    """What the hyperparameter `embedding` names.

    `is_binned`: whether each input becomes as many numbers as it has bins by an encoding that is done to the rows once
    and not learned (`binning`). `layer`: makes the layer that is learned, below the dense ones, for a number of inputs,
    and of bins where there are some.
    """

    name: str
    layer: Callable[..., EmbeddingLayer] | None = None
    is_binned: bool = False


EMBEDDINGS: dict[str, Embedding] = {
    embedding.name: embedding
    for embedding in (
        Embedding("none"),
        Embedding("periodic", layer=PBLD),
        Embedding("plr", layer=PLR),
        Embedding("cosine", layer=Cosine),
        Embedding("piecewise", is_binned=True),
        Embedding("ple", layer=PLE, is_binned=True),
    )
}
