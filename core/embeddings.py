"""Numeric embeddings by name: each input becomes several features, so that a network can bend sharply in it."""

from collections.abc import Callable
from dataclasses import dataclass

from .binning import N_BINS
from .layers.base import EmbeddingLayer
from .layers.cosine import Cosine
from .layers.embedding import PBLD, PLR


@dataclass(frozen=True)
class Embedding:
    """What the hyperparameter `embedding` names.

    `layer`: makes the layer that is learned, below the dense ones, for a number of inputs. `n_bins`: how many numbers
    each input becomes by an encoding that is done to the rows once and not learned (`binning`); 0 for none.
    """

    name: str
    layer: Callable[[int], EmbeddingLayer] | None = None
    n_bins: int = 0


EMBEDDINGS: dict[str, Embedding] = {
    embedding.name: embedding
    for embedding in (
        Embedding("none"),
        Embedding("periodic", layer=PBLD),
        Embedding("plr", layer=PLR),
        Embedding("cosine", layer=Cosine),
        Embedding("piecewise", n_bins=N_BINS),
    )
}
