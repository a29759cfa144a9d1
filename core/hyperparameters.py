"""The table of hyperparameters: every name a network can be given, with its type, range, default and meaning.

A row is a field of `Hyperparameters`; signatures, checks and the reference are derived from it. A new hyperparameter
needs its row here and the place where it acts; if it is structural, a field of `structure.Structure` too.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._text import hint
from .activations import ACTIVATIONS
from .binning import N_BINS
from .embeddings import EMBEDDINGS
from .initializers import INITIALIZERS
from .losses import LOSSES
from .optimizers import OPTIMIZERS
from .presets import PRESETS
from .rules import Parameter, is_integer, parameter, rows
from .scaling import SCALINGS
from .schedules import SCHEDULES, SMOOTHING_SCHEDULES

PARAMETRIZATIONS = ("standard", "ntk")

# Values that hold from an epoch on: (epoch, ((name, value), ...)), with epochs that ascend and names in order.
Changes = tuple[tuple[int, tuple[tuple[str, Any], ...]], ...]


def _by_name(table: Mapping[str, Any], fact: str) -> str:
    """A fact of a table's rows in words: "0.01 for sgd, adagrad; 0.001 for rmsprop"."""
    names: dict[float, list[str]] = {}
    for name, row in table.items():
        names.setdefault(getattr(row, fact), []).append(name)
    return "; ".join(f"{value:g} for {', '.join(group)}" for value, group in names.items())


def _parse_changes(value: Any) -> Changes | None:
    """Changes in their stored form; None for a value of another form.

    ValueError for a name that is unknown or may not change, and for a value out of its range.
    """
    if not isinstance(value, (list, tuple)):
        return None
    changes: list[tuple[int, tuple[tuple[str, Any], ...]]] = []
    for pair in value:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[1], (Mapping, tuple)):
            return None
        epoch, values = pair[0], dict(pair[1])
        if not is_integer(epoch) or epoch < 2 or (changes and epoch <= changes[-1][0]):
            return None
        try:
            changes.append((int(epoch), tuple((name, _check_change(name, values[name])) for name in sorted(values))))
        except ValueError as error:
            raise ValueError(f"changes in epoch {epoch}: {error}") from None
    return tuple(changes)


def _check_change(name: str, value: Any) -> Any:
    if not known(name).changeable:
        raise ValueError(f"{name} acts before training or on all of it; what may change is {', '.join(CHANGEABLE)}")
    return check(name, value)


@dataclass(frozen=True)
class Hyperparameters:
    """One network's hyperparameters, checked. ValueError (one line) names the parameter, the rule and the value.

    None stands for a default that depends on the rest; `effective_learning_rate` and the like fill it in. Lists with
    one value for each hidden layer become that value where all are equal. A `preset` is filled in where a value
    equals its default (`from_config` knows better what was given), and reads "none" afterwards.

    What depends on a step's number (schedules, warm-up, Adam's corrections) is computed as though the values in force
    had always been so; after a change the optimizer's moments stay what they are. A momentum can change only where it
    is above 0 from the start, because it brings a slot of its own. Training up to an epoch does not depend on the
    changes after it.
    """

    hidden: tuple[int, ...] = parameter(
        (64,),
        "sizes",
        structural=True,
        about="Numbers of units of the hidden layers, from the input on. An empty list is a linear model.",
    )
    activation: str | tuple[str, ...] = parameter(
        "relu",
        "choice",
        table=ACTIVATIONS,
        structural=True,
        by_layer=True,
        about="The function that each hidden unit applies to its weighted sum. `threshold` is the perceptron's unit: it "
        "has no slope to learn through, so `hidden` must be empty with it.",
    )
    loss: str = parameter(
        "auto",
        "choice",
        table=LOSSES,
        also=("auto",),
        structural=True,
        about="What training minimises. `auto` is cross-entropy for classes and the squared error for numbers.",
    )
    optimizer: str = parameter(
        "adam",
        "choice",
        table=OPTIMIZERS,
        structural=True,
        about="The rule that turns gradients into steps, with torch's conventions.",
    )
    learning_rate: float | None = parameter(
        None,
        "float",
        low=0.0,
        above=True,
        optional=True,
        changeable=True,
        about=f"The length of the steps. None: {_by_name(OPTIMIZERS, 'default_learning_rate')}.",
    )
    momentum: float = parameter(
        0.0,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        changeable=True,
        about="The fraction of the last step that the next one repeats. "
        f"Only {' and '.join(name for name, row in OPTIMIZERS.items() if row.momentum)} use it.",
    )
    nesterov: bool = parameter(
        False,
        "bool",
        structural=True,
        about="Use Nesterov's variant of momentum. "
        f"Only {' and '.join(name for name, row in OPTIMIZERS.items() if row.nesterov)} with a momentum above 0 has it.",
    )
    beta_1: float = parameter(
        0.9,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        changeable=True,
        about="How much of the running mean of the gradients Adam and its relatives keep in each step.",
    )
    beta_2: float | None = parameter(
        None,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        optional=True,
        changeable=True,
        about="How much of the running mean of the squared gradients Adam, its relatives and RMSprop (as torch's alpha) "
        f"keep in each step. None: {_by_name(OPTIMIZERS, 'default_beta_2')}.",
    )
    epsilon: float = parameter(
        1e-8,
        "float",
        low=0.0,
        above=True,
        changeable=True,
        about="Added to the root of the squared gradients that adaptive optimizers divide by.",
    )
    schedule: str = parameter(
        "constant",
        "choice",
        table=SCHEDULES,
        structural=True,
        about="How the learning rate changes over the steps of the training.",
    )
    decay: float | None = parameter(
        None,
        "float",
        low=0.0,
        optional=True,
        changeable=True,
        about=f"How far or how fast the schedule lowers the learning rate. None: {_by_name(SCHEDULES, 'decay')}.",
    )
    warmup: float = parameter(
        0.0,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        changeable=True,
        about="The fraction of all steps over which the learning rate rises to its full value before the schedule begins.",
    )
    batch_size: int = parameter(
        32,
        "int",
        low=1,
        structural=True,
        about="How many rows each step sees; the last batch of an epoch may be smaller.",
    )
    epochs: int = parameter(
        50,
        "int",
        low=1,
        about="How many times training goes through all rows at most; schedules are stretched over it.",
    )
    subset: float = parameter(
        1.0,
        "float",
        low=0.0,
        high=1.0,
        above=True,
        structural=True,
        about="The fraction of the training rows that is trained on, for cheap evaluations. Validation uses all its rows.",
    )
    l1: float = parameter(
        0.0,
        "float",
        low=0.0,
        changeable=True,
        about="L1 penalty: adds l1 * sign(w) to the gradient; biases are spared.",
    )
    l2: float = parameter(
        0.0, "float", low=0.0, changeable=True, about="L2 penalty: adds l2 * w to the gradient; biases are spared."
    )
    weight_decay: float | None = parameter(
        None,
        "float",
        low=0.0,
        optional=True,
        changeable=True,
        about="Decoupled weight decay: each step shrinks the weights by learning rate * weight_decay, whatever the "
        f"gradient; biases are spared. None: {_by_name(OPTIMIZERS, 'default_weight_decay')}.",
    )
    dropout: float = parameter(
        0.0,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        changeable=True,
        about="The probability with which each hidden unit is left out in a training step.",
    )
    batch_norm: bool | tuple[bool, ...] = parameter(
        False,
        "bool",
        structural=True,
        by_layer=True,
        about="Normalise each hidden unit's sums over the rows of the batch, before the activation.",
    )
    layer_norm: bool | tuple[bool, ...] = parameter(
        False,
        "bool",
        structural=True,
        by_layer=True,
        about="Normalise each row's sums over the units of the hidden layer, before the activation. "
        "A layer has either this or batch_norm.",
    )
    # x + dropout(activation(normalised(x W + b))). The sum comes last, after activation and dropout, as in residual
    # networks for tables (Gorishniy et al. 2021): nothing else changes what the shortcut carries.
    skip: bool | tuple[bool, ...] = parameter(
        False,
        "bool",
        structural=True,
        by_layer=True,
        about="Add a hidden layer's input to its output (He et al. 2016). Where the widths differ, the input is cut off or "
        "padded with zeros.",
    )
    scaling: str = parameter(
        "none",
        "choice",
        table=SCALINGS,
        structural=True,
        about="How the network scales its inputs by what it learned from its training rows. `quantile` makes each a standard "
        "normal sample, whatever its distribution.",
    )
    target_scaling: bool = parameter(
        False,
        "bool",
        structural=True,
        about="In regression, standardise the targets and clip predictions to the range of the training targets.",
    )
    # Of an estimator alone: the tables of a sweep come standardised, and what it finds is right for such rows.
    standardize: bool = parameter(
        False,
        "bool",
        about="Whether an estimator standardises inputs and, in regression, targets that no other scaling takes care of. In a "
        "sweep it is always so: its tables are standardised before any network sees them.",
    )
    embedding: str = parameter(
        "none",
        "choice",
        table=EMBEDDINGS,
        structural=True,
        about="How each input becomes several features: `periodic` (PBLD) and `plr` are learned sines and cosines, "
        "`cosine` adds learned cosines that start at 0, `piecewise` encodes it by the bins of the training rows' quantiles, "
        "after any scaling, and `ple` learns a small layer over these.",
    )
    embedding_bins: int = parameter(
        N_BINS,
        "int",
        low=2,
        high=128,
        structural=True,
        about="Into how many bins each input is divided. Only `piecewise` and `ple` use it.",
    )
    embedding_sigma: float = parameter(
        0.1,
        "float",
        low=0.0,
        above=True,
        about="The standard deviation of the frequencies that learned embeddings start with.",
    )
    feature_scale: bool = parameter(
        False, "bool", structural=True, about="Give each input of the first layer a learned factor."
    )
    parametrization: str = parameter(
        "standard",
        "choice",
        table=PARAMETRIZATIONS,
        structural=True,
        about="`ntk`, the neural tangent parametrisation, sets the learning rate of each group of parameters by its "
        "layer's width.",
    )
    fade: bool = parameter(
        False, "bool", about="Let dropout and weight_decay fall to 0 over the second half of the training."
    )
    ema: float = parameter(
        0.0,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        about="How much of an exponential moving average of the parameters is kept in each step. Validation, early stopping "
        "and predictions use the average, training goes on without it. 0 turns it off. "
        f"{', '.join(n for n, row in OPTIMIZERS.items() if row.plain.average is not None)} has an average of its own instead.",
    )
    init: str = parameter(
        "auto",
        "choice",
        table=INITIALIZERS,
        also=("auto",),
        about="How weights are drawn at the start. `auto` suits the activation; `data` fits them to training rows.",
    )
    label_smoothing: float = parameter(
        0.0,
        "float",
        low=0.0,
        high=1.0,
        below=True,
        changeable=True,
        about="The fraction of each row's target that is spread evenly over all classes.",
    )
    label_smoothing_schedule: str = parameter(
        "constant",
        "choice",
        table=SMOOTHING_SCHEDULES,
        about="How label_smoothing changes over the steps of the training: `fade` lets it fall to 0 over the second half, "
        "`coslog4` moves it up and down in four waves, as the schedule of that name does with the learning rate.",
    )
    clip_norm: float | None = parameter(
        None,
        "float",
        low=0.0,
        above=True,
        optional=True,
        changeable=True,
        about="The largest length of a step's gradient; a longer one is scaled down to it. None: no clipping.",
    )
    plateau_epochs: int = parameter(
        5,
        "int",
        low=1,
        changeable=True,
        about="After how many epochs without a lower loss the schedule `plateau` lowers the learning rate.",
    )
    early_stopping: int = parameter(
        0,
        "int",
        low=0,
        changeable=True,
        about="The patience in epochs: training ends after that many without a lower validation loss, and the weights of "
        "the best epoch are kept. 0 turns it off.",
    )
    tolerance: float = parameter(
        0.0,
        "float",
        low=0.0,
        changeable=True,
        about="Training ends once its loss has fallen by no more than this in tolerance_epochs epochs, or is no more than "
        "this and no row is misclassified. 0 turns it off.",
    )
    tolerance_epochs: int = parameter(
        10, "int", low=1, changeable=True, about="How many epochs `tolerance` waits for the training loss to fall."
    )
    changes: Changes = parameter(  # noqa: RUF009 (it makes a field)
        (),
        "changes",
        parse=_parse_changes,
        about="Values that change during training: [[11, {learning_rate = 0.02, l2 = 1e-4}], [21, {l2 = 0.0}]] gives them "
        "from epochs 11 and 21 on, counted from 1. Population-based training finds such schedules.",
    )
    preset: str = parameter(
        "none",
        "choice",
        table=PRESETS,
        about="A named set of values for whatever is not given.",
    )

    def __post_init__(self) -> None:
        for name, row in PARAMETERS.items():
            value = getattr(self, name)
            if value is not row.default:
                object.__setattr__(self, name, row.check(value))
        for name, value in PRESETS[self.preset].items():
            if getattr(self, name) == PARAMETERS[name].default:
                object.__setattr__(self, name, value)
        object.__setattr__(self, "preset", "none")
        for name in BY_LAYER:
            self._join_layers(name)
        self._check_perceptron()
        self._check_norms()
        for epoch, _ in self.changes:
            self._check_change(epoch)

    def by_layer(self, name: str) -> tuple[Any, ...]:
        """The values of a hyperparameter of layers, one for each hidden layer."""
        value = getattr(self, name)
        return value if isinstance(value, tuple) else (value,) * len(self.hidden)

    def _join_layers(self, name: str) -> None:
        """Make a list of equal values the one value."""
        value = getattr(self, name)
        if not isinstance(value, tuple):
            return
        if len(value) != len(self.hidden):
            layers = f"each hidden layer ({len(self.hidden)})"
            raise ValueError(f"{name} must be one value, or a list with one for {layers}, got {list(value)}")
        if len(set(value)) < 2:
            object.__setattr__(self, name, value[0] if value else PARAMETERS[name].default)

    def _check_norms(self) -> None:
        norms = zip(self.by_layer("batch_norm"), self.by_layer("layer_norm"), strict=True)
        both = [i for i, pair in enumerate(norms, 1) if all(pair)]
        if both or (self.batch_norm is True and self.layer_norm is True):
            raise ValueError(
                "layer_norm must be false where batch_norm is true, got True for both"
                + (f" in hidden layer {both[0]}" if both else "")
            )

    def _check_change(self, epoch: int) -> None:
        try:
            now = self.at(epoch)
        except ValueError as error:
            raise ValueError(f"changes in epoch {epoch}: {error}") from None
        if now.momentum and not self.momentum and OPTIMIZERS[self.optimizer].momentum is not None:
            raise ValueError(
                f"changes in epoch {epoch}: momentum must be above 0 from the start if it is to change, got 0.0"
            )

    def _check_perceptron(self) -> None:
        if self.activation == "threshold" or "threshold" in self.by_layer("activation"):
            if self.hidden:
                raise ValueError(f"hidden must be empty with threshold units, which have no slope, got {self.hidden}")
            if self.loss not in ("auto", "perceptron"):
                raise ValueError(f"loss must be auto or perceptron with threshold units, got {self.loss!r}")
        if "perceptron" in (self.loss, self.default_loss) and self.label_smoothing:
            raise ValueError(f"label_smoothing must be 0 with the perceptron rule, got {self.label_smoothing!r}")

    @property
    def default_loss(self) -> str:
        """`loss`, with that of threshold units filled in; `auto` where the data decide."""
        return "perceptron" if self.activation == "threshold" else self.loss

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Hyperparameters":
        """From a mapping of names to values; an unknown name is a ValueError that gives the nearest known one."""
        for name in config:
            known(name)
        preset = check("preset", config.get("preset", "none"))
        return cls(**{**PRESETS[preset], **config, "preset": "none"})

    def as_config(self) -> dict[str, Any]:
        """The mapping that `from_config` takes; every name is in it."""
        return {**asdict(self), "changes": [[epoch, dict(values)] for epoch, values in self.changes]}

    def at(self, epoch: int) -> "Hyperparameters":
        """The values in force in that epoch, counted from 1; they change no more."""
        if not self.changes:
            return self
        values = {name: value for first, change in self.changes if first <= epoch for name, value in change}
        return replace(self, changes=(), **values)

    def of_raw_rows(self) -> "Hyperparameters":
        """The same for rows that nobody has standardised: with `standardize` the network scales them itself."""
        if not self.standardize:
            return self
        return replace(self, scaling="standard" if self.scaling == "none" else self.scaling, target_scaling=True)

    @property
    def stops_early(self) -> bool:
        """Whether early stopping is on in any epoch."""
        return any(self.at(epoch).early_stopping for epoch in (1, *(epoch for epoch, _ in self.changes)))

    @property
    def effective_learning_rate(self) -> float:
        """`learning_rate`, with the optimizer's default filled in."""
        return OPTIMIZERS[self.optimizer].default_learning_rate if self.learning_rate is None else self.learning_rate

    @property
    def effective_beta_2(self) -> float:
        """`beta_2`, with the optimizer's default filled in."""
        return OPTIMIZERS[self.optimizer].default_beta_2 if self.beta_2 is None else self.beta_2

    @property
    def effective_weight_decay(self) -> float:
        """`weight_decay`, with the optimizer's default filled in."""
        return OPTIMIZERS[self.optimizer].default_weight_decay if self.weight_decay is None else self.weight_decay

    @property
    def effective_decay(self) -> float:
        """`decay`, with the schedule's default filled in."""
        return SCHEDULES[self.schedule].decay if self.decay is None else self.decay


PARAMETERS: dict[str, Parameter] = rows(Hyperparameters)
NAMES: tuple[str, ...] = tuple(PARAMETERS)
# What may be a list with one value for each hidden layer.
BY_LAYER: tuple[str, ...] = tuple(name for name, row in PARAMETERS.items() if row.by_layer)
# What may change during training.
CHANGEABLE: tuple[str, ...] = tuple(name for name, row in PARAMETERS.items() if row.changeable)


def known(name: str) -> Parameter:
    """The parameter of that name; ValueError with the nearest name if there is none."""
    if name in PARAMETERS:
        return PARAMETERS[name]
    raise ValueError(f"unknown hyperparameter {name!r}{hint(name, NAMES)}")


def check(name: str, value: Any) -> Any:
    """The value as the plain Python object that the hyperparameter takes; ValueError if name or value is wrong."""
    return known(name).check(value)
