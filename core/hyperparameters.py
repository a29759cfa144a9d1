"""The table of hyperparameters: every name a network can be given, with its type, range and default, in one place."""

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from .activations import ACTIVATIONS
from .initializers import INITIALIZERS
from .layers.embedding import EMBEDDINGS
from .losses import LOSSES
from .optimizers import OPTIMIZERS, OTHER_RATE, RATES
from .presets import PRESETS
from .scaling import SCALINGS
from .schedules import SCHEDULES

PARAMETRIZATIONS = ("standard", "ntk")

Kind = Literal["int", "float", "bool", "choice", "sizes", "changes"]


@dataclass(frozen=True)
class Parameter:
    """What is allowed for one hyperparameter.

    `structural` tells whether it belongs to the key by which networks share a stack (it changes shapes or code), or
    only scales numbers and may differ inside a stack. Ranges include `low`; `high` is included unless `below`.
    `by_layer`: a list with one value for each hidden layer is allowed too.
    """

    name: str
    kind: Kind
    default: Any
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()
    structural: bool = False
    by_layer: bool = False

    @property
    def rule(self) -> str:
        """The rule in words, as error messages give it."""
        listed = ", or a list with one for each hidden layer" if self.by_layer else ""
        if self.kind == "choice":
            return "must be one of " + ", ".join(self.choices) + listed
        if self.kind == "bool":
            return "must be true or false" + listed
        if self.kind == "sizes":
            return "must be a list of whole numbers, each at least 1"
        if self.kind == "changes":
            return "must be a list of [epoch, {name: value}], with epochs that ascend from at least 2"
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.above else 'at least'} {self.low:g}")
        if self.high is not None:
            bounds.append(f"{'below' if self.below else 'at most'} {self.high:g}")
        noun = "a whole number" if self.kind == "int" else "a number"
        return f"must be {noun} {' and '.join(bounds)}".rstrip() + (" or None" if self.optional else "")

    def check(self, value: Any) -> Any:
        """The value as a plain Python object of the parameter's type; ValueError if it breaks the rule."""
        if value is None and self.optional:
            return None
        if self.by_layer and isinstance(value, (list, tuple)):
            single = replace(self, by_layer=False)
            return tuple(single.check(item) for item in value)
        if self.kind == "bool":
            if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
                return bool(value)
        elif self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return str(value)
        elif self.kind == "sizes":
            if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
                sizes = tuple(value)
                if all(_is_integer(size) and size >= 1 for size in sizes):
                    return tuple(int(size) for size in sizes)
        elif self.kind == "changes":
            changes = _as_changes(value)
            if changes is not None:
                return changes
        elif self.kind == "int":
            if _is_integer(value) and self._inside(int(value)):
                return int(value)
        elif isinstance(value, numbers.Real) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number) and self._inside(number):
                return number
        raise ValueError(f"{self.name} {self.rule}, got {value!r}{self._nearest(value)}")

    def _inside(self, number: float) -> bool:
        low_holds = self.low is None or number > self.low or (number == self.low and not self.above)
        high_holds = self.high is None or number < self.high or (number == self.high and not self.below)
        return low_holds and high_holds

    def _nearest(self, value: Any) -> str:
        if self.kind != "choice" or not isinstance(value, str):
            return ""
        near = difflib.get_close_matches(value, self.choices, n=1)
        return f"; did you mean {near[0]!r}?" if near else ""


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


_TABLE = (
    Parameter("hidden", "sizes", (64,), structural=True),
    Parameter("activation", "choice", "relu", choices=tuple(ACTIVATIONS), structural=True, by_layer=True),
    Parameter("loss", "choice", "auto", choices=("auto", *LOSSES), structural=True),
    Parameter("optimizer", "choice", "adam", choices=OPTIMIZERS, structural=True),
    Parameter("learning_rate", "float", None, low=0.0, above=True, optional=True),
    Parameter("momentum", "float", 0.0, low=0.0, high=1.0, below=True),
    Parameter("nesterov", "bool", False, structural=True),
    Parameter("beta_1", "float", 0.9, low=0.0, high=1.0, below=True),
    Parameter("beta_2", "float", None, low=0.0, high=1.0, below=True, optional=True),
    Parameter("epsilon", "float", 1e-8, low=0.0, above=True),
    Parameter("schedule", "choice", "constant", choices=tuple(SCHEDULES), structural=True),
    Parameter("decay", "float", None, low=0.0, optional=True),
    Parameter("warmup", "float", 0.0, low=0.0, high=1.0, below=True),
    Parameter("batch_size", "int", 32, low=1, structural=True),
    Parameter("epochs", "int", 50, low=1),
    Parameter("subset", "float", 1.0, low=0.0, high=1.0, above=True, structural=True),
    Parameter("l1", "float", 0.0, low=0.0),
    Parameter("l2", "float", 0.0, low=0.0),
    Parameter("weight_decay", "float", None, low=0.0, optional=True),
    Parameter("dropout", "float", 0.0, low=0.0, high=1.0, below=True),
    Parameter("batch_norm", "bool", False, structural=True, by_layer=True),
    Parameter("layer_norm", "bool", False, structural=True, by_layer=True),
    Parameter("skip", "bool", False, structural=True, by_layer=True),
    Parameter("scaling", "choice", "none", choices=SCALINGS, structural=True),
    Parameter("target_scaling", "bool", False, structural=True),
    Parameter("embedding", "choice", "none", choices=EMBEDDINGS, structural=True),
    Parameter("embedding_sigma", "float", 0.1, low=0.0, above=True),
    Parameter("feature_scale", "bool", False, structural=True),
    Parameter("parametrization", "choice", "standard", choices=PARAMETRIZATIONS, structural=True),
    Parameter("fade", "bool", False),
    Parameter("init", "choice", "auto", choices=("auto", *INITIALIZERS)),
    Parameter("label_smoothing", "float", 0.0, low=0.0, high=1.0, below=True),
    Parameter("clip_norm", "float", None, low=0.0, above=True, optional=True),
    Parameter("plateau_epochs", "int", 5, low=1),
    Parameter("early_stopping", "int", 0, low=0),
    Parameter("tolerance", "float", 0.0, low=0.0),
    Parameter("tolerance_epochs", "int", 10, low=1),
    Parameter("changes", "changes", ()),
    Parameter("preset", "choice", "none", choices=tuple(PRESETS)),
)
PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for parameter in _TABLE}
NAMES: tuple[str, ...] = tuple(PARAMETERS)
# What may be a list with one value for each hidden layer.
BY_LAYER: tuple[str, ...] = tuple(parameter.name for parameter in _TABLE if parameter.by_layer)
# What may change during training: numbers that act in each step or epoch. embedding_sigma acts before the first one, and
# epochs is what schedules are stretched over.
CHANGEABLE: tuple[str, ...] = tuple(
    parameter.name
    for parameter in _TABLE
    if parameter.kind in ("int", "float")
    and not parameter.structural
    and parameter.name not in ("epochs", "embedding_sigma")
)

Changes = tuple[tuple[int, tuple[tuple[str, Any], ...]], ...]


def _as_changes(value: Any) -> Changes | None:
    """Changes in the form in which they are kept, with names in alphabetical order; None for something else.

    ValueError for a name that is unknown or may not change, and for a value out of its range.
    """
    if not isinstance(value, (list, tuple)):
        return None
    changes: list[tuple[int, tuple[tuple[str, Any], ...]]] = []
    for pair in value:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[1], (Mapping, tuple)):
            return None
        epoch, values = pair[0], dict(pair[1])
        if not _is_integer(epoch) or epoch < 2 or (changes and epoch <= changes[-1][0]):
            return None
        try:
            changes.append((int(epoch), tuple((name, _check_change(name, values[name])) for name in sorted(values))))
        except ValueError as error:
            raise ValueError(f"changes in epoch {epoch}: {error}") from None
    return tuple(changes)


def _check_change(name: str, value: Any) -> Any:
    if known(name).name not in CHANGEABLE:
        raise ValueError(f"{name} acts before training or on all of it; what may change is {', '.join(CHANGEABLE)}")
    return check(name, value)


@dataclass(frozen=True)
class Hyperparameters:
    """One network's hyperparameters, checked. ValueError (one line) names the parameter, the rule and the value.

    `None` stands for a default that depends on the rest: `learning_rate` 0.01 for sgd and adagrad, 0.002 for nadam
    and 0.001 otherwise; `beta_2` (RMSprop's decay, torch's alpha) 0.99 for rmsprop and 0.999 otherwise;
    `weight_decay` 0.01 for adamw and 0 otherwise; `decay` as each schedule says; `clip_norm` no clipping. These
    are torch's defaults.

    `l1` and `l2` add `l1 * sign(w) + l2 * w` to the gradient; `weight_decay` is decoupled from it; none of the
    three touches biases. `momentum` belongs to sgd and rmsprop; `nesterov` to sgd with a momentum above 0.
    `warmup` is a share of all steps; `early_stopping` a patience in epochs, 0 for off. With `tolerance` above 0
    training ends once its loss has fallen by no more than that in `tolerance_epochs` epochs, or is no more than that
    itself and no row is misclassified. `plateau_epochs` is the patience of the schedule `plateau`. `loss` is
    `auto` for what the data ask for, see `losses.resolve`; `label_smoothing` belongs to those of classes. A
    single layer (`hidden` empty) of `threshold` units learns by the perceptron rule; such units have no slope by
    which a network could learn through them.

    `activation`, `batch_norm`, `layer_norm` and `skip` hold for all hidden layers, or are lists with one value
    for each; a list of equal values is the same as the one value. With `skip` a hidden layer adds its input to its
    output, so that it learns what differs from the identity (He et al. 2016): x + dropout(activation(normalised(x W +
    b))). The sum comes last, after activation and dropout, as in residual networks for tables (Gorishniy et al. 2021):
    what passes by the layers is changed by nothing else. Where the layer is narrower or wider than its input, the
    shortcut is cut off or filled up with zeros (He's option A), which costs no parameters.

    `scaling` is the network's own, learned from its training rows (`scaling`); with `target_scaling` a
    regression's targets are standardised and its predictions cut to their range. `embedding` turns each input into
    several features (`embedding`): `periodic` and `plr` are learned and periodic, with frequencies that start
    with deviation `embedding_sigma`; `piecewise` encodes it by the bins of the training rows' quantiles, after any
    `scaling`. `feature_scale` gives each input of the first layer a learned factor. `parametrization` `ntk` sets
    learning rates by layer (`network.rate_factors`). `preset` names a table of values (`presets`) that is
    filled in for what is not given, and is spent by that: it reads "none" afterwards. Here a value equal to the default
    counts as not given; `from_config` knows better. `fade` lets `dropout` and `weight_decay` fall to 0 in
    training's second half.

    With a `subset` below 1 the network trains on that share of its training rows only, as a cheap evaluation of a
    configuration (`subset.chosen`); its validation part stays whole.

    `changes` makes a configuration a schedule, as population-based training finds it (Jaderberg et al. 2017):
    `[[11, {"learning_rate": 0.02, "l2": 1e-4}], [21, {"l2": 0.0}]]` gives these hyperparameters these values from
    epoch 11 on, counted from 1, and l2 another from epoch 21 on. Epochs ascend; the names are among `CHANGEABLE`. What
    depends on a step's number (schedules, warm-up, Adam's corrections) is computed as though the values in force had
    always been so; the optimizer's moments stay what they are. A momentum can change only where it is above 0 from the
    start, because it brings a slot of its own. Training up to an epoch does not depend on the changes after it.
    """

    hidden: tuple[int, ...] = (64,)
    activation: str | tuple[str, ...] = "relu"
    loss: str = "auto"
    optimizer: str = "adam"
    learning_rate: float | None = None
    momentum: float = 0.0
    nesterov: bool = False
    beta_1: float = 0.9
    beta_2: float | None = None
    epsilon: float = 1e-8
    schedule: str = "constant"
    decay: float | None = None
    warmup: float = 0.0
    batch_size: int = 32
    epochs: int = 50
    subset: float = 1.0
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float | None = None
    dropout: float = 0.0
    batch_norm: bool | tuple[bool, ...] = False
    layer_norm: bool | tuple[bool, ...] = False
    skip: bool | tuple[bool, ...] = False
    scaling: str = "none"
    target_scaling: bool = False
    embedding: str = "none"
    embedding_sigma: float = 0.1
    feature_scale: bool = False
    parametrization: str = "standard"
    fade: bool = False
    init: str = "auto"
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    plateau_epochs: int = 5
    early_stopping: int = 0
    tolerance: float = 0.0
    tolerance_epochs: int = 10
    changes: Changes = ()
    preset: str = "none"

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, check(field.name, getattr(self, field.name)))
        for name, value in PRESETS[self.preset].items():
            if getattr(self, name) == PARAMETERS[name].default:
                object.__setattr__(self, name, value)
        object.__setattr__(self, "preset", "none")
        for name in BY_LAYER:
            self._join_layers(name)
        self._check_perceptron()
        norms = zip(self.by_layer("batch_norm"), self.by_layer("layer_norm"), strict=True)
        both = [i for i, pair in enumerate(norms, 1) if all(pair)]
        if both or (self.batch_norm is True and self.layer_norm is True):
            raise ValueError(
                "layer_norm must be false where batch_norm is true, got True for both"
                + (f" in hidden layer {both[0]}" if both else "")
            )
        for epoch, _ in self.changes:
            self._check_change(epoch)

    def by_layer(self, name: str) -> tuple[Any, ...]:
        """The values of `activation`, `batch_norm`, `layer_norm` or `skip`, one for each hidden layer."""
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

    def _check_change(self, epoch: int) -> None:
        try:
            now = self.at(epoch)
        except ValueError as error:
            raise ValueError(f"changes in epoch {epoch}: {error}") from None
        if now.momentum and not self.momentum and self.optimizer in ("sgd", "rmsprop"):
            raise ValueError(
                f"changes in epoch {epoch}: momentum must be above 0 from the start if it is to change, got 0.0"
            )

    def _check_perceptron(self) -> None:
        if self.activation == "threshold" or "threshold" in self.by_layer("activation"):
            if self.hidden:
                raise ValueError(f"hidden must be empty with threshold units, which have no slope, got {self.hidden}")
            if self.loss not in ("auto", "perceptron"):
                raise ValueError(f"loss must be auto or perceptron with threshold units, got {self.loss!r}")
        if "perceptron" in (self.loss, self.natural_loss) and self.label_smoothing:
            raise ValueError(f"label_smoothing must be 0 with the perceptron rule, got {self.label_smoothing!r}")

    @property
    def natural_loss(self) -> str:
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

    @property
    def stops_early(self) -> bool:
        """Whether early stopping is on in any epoch."""
        return any(self.at(epoch).early_stopping for epoch in (1, *(epoch for epoch, _ in self.changes)))

    @property
    def rate(self) -> float:
        """The learning rate, with its default filled in."""
        if self.learning_rate is not None:
            return self.learning_rate
        return RATES.get(self.optimizer, OTHER_RATE)

    @property
    def second_decay(self) -> float:
        """`beta_2` with its default filled in."""
        if self.beta_2 is not None:
            return self.beta_2
        return 0.99 if self.optimizer == "rmsprop" else 0.999

    @property
    def decoupled_decay(self) -> float:
        """`weight_decay` with its default filled in."""
        if self.weight_decay is not None:
            return self.weight_decay
        return 0.01 if self.optimizer == "adamw" else 0.0


def known(name: str) -> Parameter:
    """The parameter of that name; ValueError with the nearest name if there is none."""
    if name in PARAMETERS:
        return PARAMETERS[name]
    near = difflib.get_close_matches(str(name), NAMES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(NAMES)}"
    raise ValueError(f"unknown hyperparameter {name!r}{hint}")


def check(name: str, value: Any) -> Any:
    """The value as the plain Python object that the hyperparameter wants; ValueError if name or value is wrong."""
    return known(name).check(value)
