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
    and of bins where there are some. `uses_sigma`: whether `embedding_sigma` is the scale of what that layer starts from.
    """

    name: str
    layer: Callable[..., EmbeddingLayer] | None = None
    is_binned: bool = False
    uses_sigma: bool = False


EMBEDDINGS: dict[str, Embedding] = {
    embedding.name: embedding
    for embedding in (
        Embedding("none"),
        Embedding("periodic", layer=PBLD, uses_sigma=True),
        Embedding("plr", layer=PLR, uses_sigma=True),
        Embedding("cosine", layer=Cosine, uses_sigma=True),
        Embedding("piecewise", is_binned=True),
        Embedding("ple", layer=PLE, is_binned=True),
    )
}
