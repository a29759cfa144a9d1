"""The structure of a network: the key by which networks share a stack, whatever changes shapes or code."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Self

from .activations import ACTIVATIONS
from .binning import N_BINS
from .embeddings import EMBEDDINGS
from .hyperparameters import Hyperparameters
from .layers.base import EmbeddingLayer
from .layers.category import CategoryEmbedding
from .layers.dense import Dense
from .layers.plain import PartialEmbedding
from .losses import LOSSES, resolve
from .optimizers import OPTIMIZERS, UpdateRule
from .quantiles import n_quantiles


def subset_size(fraction: float, n: int) -> int:
    """How many of n rows this fraction is: the nearest whole number, but at least one."""
    return max(1, round(fraction * n))


@dataclass(frozen=True)
class Structure:
    """The group key: whatever changes shapes or code. Only networks of equal structure share a stack.

    Model files hold these fields by name; a new one needs a default, which files without it get.
    """

    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...]
    activation: str | tuple[str, ...]
    loss: str
    optimizer: str
    momentum: bool
    nesterov: bool
    schedule: str
    batch_size: int
    batch_norm: bool | tuple[bool, ...]
    n_rows: int
    dtype: str
    layer_norm: bool | tuple[bool, ...] = False
    skip: bool | tuple[bool, ...] = False
    scaling: str = "none"
    target_scaling: bool = False
    embedding: str = "none"
    feature_scale: bool = False
    parametrization: str = "standard"
    subset: float = 1.0
    n_quantiles: int = 0
    embedding_bins: int = N_BINS
    ema: bool = False
    # The inputs after the numbers, which are neither scaled nor embedded: zeros and ones.
    n_plain: int = 0
    # The last inputs are codes of categories: how many codes each of them has.
    levels: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        hp: Hyperparameters,
        *,
        n_inputs: int,
        n_outputs: int,
        n_rows: int,
        loss: str,
        dtype: str = "float32",
        n_plain: int = 0,
        levels: tuple[int, ...] = (),
    ) -> Self:
        """The structure of a network with these hyperparameters on data of these sizes (`n_rows`: training rows).

        Its own `n_rows` are those that it trains on, which are fewer if `subset` says so. `loss` is the data's own,
        which that of the hyperparameters may replace. The last inputs are codes of categories, one for each of `levels`,
        which are the numbers of codes; the `n_plain` inputs before them are zeros and ones, which are neither scaled nor
        embedded; all others are numbers.

        Raises:
            ValueError: For an unknown loss or one of the other task, a dtype other than float32 and float64, sizes
                below 1, more plain inputs than inputs, or a log loss with more than one output unit.
        """
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
        for name, size in (("n_inputs", n_inputs), ("n_outputs", n_outputs), ("n_rows", n_rows)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size!r}")
        if not 0 <= n_plain <= n_inputs - len(levels):
            most = n_inputs - len(levels)
            raise ValueError(f"n_plain must be from 0 to {most}, the number of inputs without codes, got {n_plain!r}")
        loss = resolve(hp.default_loss, loss, n_outputs)
        if loss == "log_loss" and n_outputs != 1:
            raise ValueError(f"n_outputs must be 1 with the loss {loss}, got {n_outputs!r}")
        n_rows = subset_size(hp.subset, int(n_rows))
        optimizer = OPTIMIZERS[hp.optimizer]
        has_momentum = optimizer.momentum is not None and hp.momentum > 0.0
        return cls(
            n_inputs=int(n_inputs),
            n_outputs=int(n_outputs),
            hidden=hp.hidden,
            activation=hp.activation if hp.hidden else "identity",
            loss=loss,
            optimizer=hp.optimizer,
            momentum=has_momentum,
            nesterov=has_momentum and hp.nesterov and optimizer.nesterov is not None,
            schedule=hp.schedule,
            batch_size=min(hp.batch_size, n_rows),
            batch_norm=hp.batch_norm if hp.hidden else False,
            n_rows=n_rows,
            dtype=dtype,
            layer_norm=hp.layer_norm if hp.hidden else False,
            skip=hp.skip if hp.hidden else False,
            scaling=hp.scaling,
            target_scaling=hp.target_scaling and LOSSES[loss].task == "regression",
            embedding=hp.embedding,
            feature_scale=hp.feature_scale,
            parametrization=hp.parametrization,
            subset=hp.subset,
            n_quantiles=n_quantiles(n_rows) if hp.scaling == "quantile" else 0,
            embedding_bins=hp.embedding_bins if EMBEDDINGS[hp.embedding].is_binned else N_BINS,
            ema=hp.ema > 0.0 and optimizer.plain.average is None,
            n_plain=0 if hp.scaling == "none" and hp.embedding == "none" else int(n_plain),
            levels=tuple(map(int, levels)),
        )

    @property
    def task(self) -> str:
        """classification or regression."""
        return LOSSES[self.loss].task

    @cached_property
    def embedder(self) -> EmbeddingLayer | None:
        """The layer below the dense ones, if there is one."""
        layer = self._numeric_embedder
        if not self.levels:
            return layer
        return CategoryEmbedding(layer, self.n_encoded - len(self.levels), self.levels)

    @property
    def _numeric_embedder(self) -> EmbeddingLayer | None:
        layer = EMBEDDINGS[self.embedding].layer
        if layer is None or not self.n_numeric:
            return None
        made = layer(self.n_numeric, self.n_bins) if self.n_bins else layer(self.n_numeric)
        return PartialEmbedding(made, self.n_plain, len(self.levels)) if self.n_plain else made

    @property
    def n_numeric(self) -> int:
        """The first inputs, which are scaled and embedded."""
        return self.n_inputs - self.n_plain - len(self.levels)

    @property
    def n_bins(self) -> int:
        """Bins that encode each input before the network sees it; 0 without such an encoding."""
        return self.embedding_bins if EMBEDDINGS[self.embedding].is_binned else 0

    @property
    def n_encoded(self) -> int:
        """The width of the rows that the lowest layer is given: the numbers or their bins, the plain inputs and the codes."""
        return self.n_numeric * (self.n_bins or 1) + self.n_plain + len(self.levels)

    @cached_property
    def layers(self) -> tuple[Dense, ...]:
        """The dense layers from the input to the output, whose activation belongs to the loss."""
        inputs = (self.n_encoded if self.embedder is None else self.embedder.n_out, *self.hidden)
        choices = (self.by_layer(values) for values in (self.activation, self.batch_norm, self.layer_norm))
        dense = []
        for n_in, n_out, activation, batch_norm, layer_norm in zip(inputs[:-1], self.hidden, *choices, strict=True):
            norm = "batch" if batch_norm else "layer" if layer_norm else "none"
            dense.append(Dense(n_in, ACTIVATIONS[activation].n_linear_pieces * n_out, activation, norm))
        dense.append(Dense(inputs[-1], self.n_outputs, "identity"))
        if self.feature_scale:
            dense[0] = replace(dense[0], scaled=True)
        return tuple(dense)

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """The columns of theta (K, P) that belong to each dense layer, as (start, end); those of an embedding come first."""
        start = 0 if self.embedder is None else self.embedder.n_parameters
        ends = accumulate((layer.n_parameters for layer in self.layers), initial=start)
        return tuple(pairwise(ends))

    @property
    def n_parameters(self) -> int:
        """P, the number of parameters of one network."""
        return self.offsets[-1][1]

    @property
    def n_by_input(self) -> int:
        """How many numbers the scaling of one input is."""
        if self.scaling == "none":
            return 0
        return self.n_quantiles if self.scaling == "quantile" else 2

    @property
    def n_scaling(self) -> tuple[int, int]:
        """How many of a network's buffers are its scaling: of the inputs, and then of the targets.

        They come before all others. The edges of bins belong to the inputs' scaling.
        """
        by_input = self.n_by_input + (self.n_bins + 1 if self.n_bins else 0)
        return by_input * self.n_numeric, 4 * self.n_outputs if self.target_scaling else 0

    @property
    def n_buffers(self) -> int:
        """R, the number of buffers of one network: its scaling, then the running statistics of its layers."""
        return sum(self.n_scaling) + sum(layer.n_buffers for layer in self.layers)

    def by_layer(self, values: Any) -> tuple[Any, ...]:
        """A choice for each hidden layer, from one that holds for all or a tuple."""
        return values if isinstance(values, tuple) else (values,) * len(self.hidden)

    @property
    def steps(self) -> int:
        """Optimizer steps in an epoch; the last batch may be smaller and is trained too."""
        return -(-self.n_rows // self.batch_size)

    @property
    def rule(self) -> UpdateRule:
        """The optimizer's update rule."""
        return OPTIMIZERS[self.optimizer].rule(self.momentum, self.nesterov)

    @property
    def n_slots(self) -> int:
        """Slots beside the parameters: the update rule's, and one for an exponential moving average."""
        return self.rule.n_slots + self.ema

    @property
    def average_slot(self) -> int | None:
        """The slot of the average that is evaluated in place of the trained parameters; None if they are themselves."""
        return self.rule.n_slots if self.ema else self.rule.average

    @property
    def slots_from_theta(self) -> tuple[int, ...]:
        """The slots that start as copies of the parameters; the others start at 0."""
        return tuple(slot for slot in (self.rule.iterate, self.average_slot) if slot is not None)
