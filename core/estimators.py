"""The engine as scikit-learn estimators: a stack of one network behind fit and predict."""

import functools
import inspect
import numbers
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from .array import Array
from .data import Fold
from .hyperparameters import NAMES, PARAMETERS, Hyperparameters
from .losses import LOSSES, loss_for
from .network import Network
from .parameters import weight_blocks
from .presets import PRESETS
from .state import DIVERGED, RUNNING, State
from .structure import Structure
from .trace import LayerTrace, trace
from .training import start, train
from .workspace import outputs

# Parameters of both estimators beside the hyperparameters.
_FIT_DEFAULTS: dict[str, Any] = {
    "validation_fraction": 0.1,
    "random_state": None,
    "dtype": "float32",
    "gradient_norms": False,
    "n_threads": 1,
}


def _hyperparameter_defaults() -> dict[str, Any]:
    """Defaults by name; None where a preset has a value, which it fills in unless the user gave another."""
    in_presets = {name for preset in PRESETS.values() for name in preset}
    return {name: None if name in in_presets else row.default for name, row in PARAMETERS.items()}


@functools.cache
def _libraries() -> ThreadpoolController:
    """The process's libraries of linear algebra; NumPy's is loaded with it. To look for them takes as long as many steps."""
    return ThreadpoolController()


def _constructor(defaults: Mapping[str, Any], **keyword_only: Any) -> Callable[..., None]:
    """An `__init__` that sets attributes of these names, as help, editors and scikit-learn see in its signature."""
    kind = inspect.Parameter
    signature = inspect.Signature(
        [
            kind("self", kind.POSITIONAL_OR_KEYWORD),
            *(kind(name, kind.POSITIONAL_OR_KEYWORD, default=value) for name, value in defaults.items()),
            *(kind(name, kind.KEYWORD_ONLY, default=value) for name, value in keyword_only.items()),
        ]
    )

    def init(self: Any, *positional: Any, **named: Any) -> None:
        bound = signature.bind(self, *positional, **named)
        bound.apply_defaults()
        for name in (*defaults, *keyword_only):
            setattr(self, name, bound.arguments[name])

    init.__signature__ = signature  # type: ignore[attr-defined]
    return init


def _kept_by_partial_fit(structure: Structure) -> tuple[Any, ...]:
    """What decides the shapes of a state, or what its numbers mean."""
    return (
        structure.layers,
        structure.skip,
        structure.scaling,
        structure.embedding,
        structure.embedder,
        structure.optimizer,
        structure.rule,
        structure.ema,
    )


class _MLP(BaseEstimator):
    """What classifier and regressor share; their parameters are those of `hyperparameters.Hyperparameters`.

    None for one of them means the preset's value, or without one the table's default. Besides:
    `validation_fraction` is the share of the rows that early stopping watches, where it is on; `random_state`
    decides initialisation, dropout, that split and the order of the rows; `dtype` is the precision of training,
    float32 or float64; `gradient_norms` adds a curve grad_norm_1, ... for each layer from the input, to see gradients
    vanish or explode.

    `n_threads` is how many threads the matrix products of fitting and predicting may use, whatever the environment
    says. With 1 a fit's numbers are the same each time, and those of a sweep's trial of this configuration. More may
    fit one large network faster (layers of 512 units and more), and lose that: sums are then added up in an order that
    depends on the number of threads, so that digits differ in the last place and, after many steps, before it. Small
    networks gain nothing from them. The limit holds for the whole process as long as the call lasts.

    After fitting, `history_` maps each curve's name to its values by epoch, `n_epochs_` counts
    the epochs trained and `best_epoch_` is the one whose weights are used.
    """

    # Set by the constructor and read here.
    validation_fraction: float
    random_state: Any
    dtype: str
    gradient_norms: bool
    n_threads: int

    __init__ = _constructor({**_hyperparameter_defaults(), **_FIT_DEFAULTS})

    @property
    def kept_epoch_(self) -> int:
        """The former name of `best_epoch_`."""
        best_epoch = self.best_epoch_
        warnings.warn(
            "kept_epoch_ is now best_epoch_; the old name goes in the next minor version",
            DeprecationWarning,
            stacklevel=2,
        )
        return best_epoch

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each dense layer from the input on, (in, out), in scikit-learn's name for them."""
        return [block[:-1].copy() for block in self._blocks()]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each dense layer, (out,)."""
        return [block[-1].copy() for block in self._blocks()]

    def _blocks(self) -> list[Array]:
        check_is_fitted(self)
        return [block[0] for block in weight_blocks(self._structure, self._state.best_theta)]

    def _trace(self, X: Array, y: Array, weight: Array | None) -> tuple[LayerTrace, ...]:
        return trace(self._structure, self._state.best_theta[0], self._state.best_buffers[0], X, y, weight)

    def _input_dtype(self, hp: Hyperparameters | None = None) -> str:
        """What X is read as: rows that the network scales keep their digits until then."""
        return self.dtype if (hp or self._hyperparameters()).scaling == "none" else "float64"

    def _hyperparameters(self) -> Hyperparameters:
        if not 0.0 < self.validation_fraction < 1.0:
            raise ValueError(f"validation_fraction must be above 0 and below 1, got {self.validation_fraction!r}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype!r}")
        if not isinstance(self.n_threads, numbers.Integral) or isinstance(self.n_threads, bool) or self.n_threads < 1:
            raise ValueError(f"n_threads must be a whole number at least 1, got {self.n_threads!r}")
        values = {name: getattr(self, name) for name in NAMES}
        given = {name: value for name, value in values.items() if value is not None}
        return Hyperparameters.from_config(given).of_raw_rows()

    def _loss(self) -> tuple[str, int]:
        """The loss and the number of output units, once the targets are known."""
        raise NotImplementedError

    def _fit(self, X: Array, y: Array, weight: Array | None) -> None:
        """Train from the start; y holds class indices or numbers, and is the engine's already."""
        hp = self._hyperparameters()
        random = check_random_state(self.random_state)
        self._network = Network(hp, seed=int(random.randint(2**31 - 1)))
        self._order_seed = int(random.randint(2**31 - 1))
        fold = Fold(X, y, weight)
        if hp.stops_early:
            fold = self._split(fold, random)
        self._structure = self._structure_for(hp, fold)
        self._state = start(self._structure, [self._network])
        self.history_: dict[str, list[float]] = {}
        self._train(fold, hp.epochs)

    def _structure_for(self, hp: Hyperparameters, fold: Fold) -> Structure:
        loss, n_outputs = self._loss()
        n_rows, n_inputs = fold.X.shape
        return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=self.dtype)

    def _split(self, fold: Fold, random: np.random.RandomState) -> Fold:
        n = len(fold.X)
        n_val = max(1, round(self.validation_fraction * n))
        if n_val >= n:
            raise ValueError(f"early_stopping needs at least 2 samples, got {n}")
        stratify = None
        if LOSSES[self._loss()[0]].task == "classification":
            sizes = np.bincount(fold.y)
            sizes = sizes[sizes > 0]
            # A class of one row, or more classes than rows in a part, cannot be split in proportion.
            if sizes.min() >= 2 and min(n_val, n - n_val) >= len(sizes):
                stratify = fold.y
        train_rows, val_rows = train_test_split(np.arange(n), test_size=n_val, random_state=random, stratify=stratify)
        train_weight, val_weight = (
            None if fold.weight is None else fold.weight[rows] for rows in (train_rows, val_rows)
        )
        if val_weight is not None and not val_weight.sum() > 0:
            val_weight = None
        return Fold(
            fold.X[train_rows], fold.y[train_rows], train_weight, fold.X[val_rows], fold.y[val_rows], val_weight
        )

    def _train(self, fold: Fold, until: int) -> None:
        with _libraries().limit(limits=self.n_threads, user_api="blas"):
            self._state, curves = train(
                self._structure,
                [self._network],
                [fold],
                self._state,
                until,
                order_seed=self._order_seed,
                gradient_norms=self.gradient_norms,
            )
        for name, values in curves.values.items():
            if fold.X_val is not None or not name.startswith("val_"):
                trained = int(self._state.epoch[0]) - curves.first_epoch + 1
                self.history_.setdefault(name, []).extend(values[0, :trained].tolist())
        self.n_epochs_ = int(self._state.epoch[0])
        self.best_epoch_ = int(self._state.best_epoch[0])
        if self._state.status[0] == DIVERGED:
            raise ValueError(
                f"training diverged in epoch {self.n_epochs_}: learning_rate must be lower or the inputs scaled, "
                f"got learning_rate {self._network.hyperparameters.effective_learning_rate:g}"
            )

    def _partial_fit(self, hp: Hyperparameters, X: Array, y: Array, weight: Array | None, first: bool) -> None:
        """One epoch over these rows, from where the last call ended."""
        fold = Fold(X, y, weight)
        hp = replace(hp, early_stopping=0) if hp.early_stopping else hp
        if first:
            random = check_random_state(self.random_state)
            self._network = Network(hp, seed=int(random.randint(2**31 - 1)))
            self._order_seed = int(random.randint(2**31 - 1))
            self._structure = self._structure_for(hp, fold)
            self._state = start(self._structure, [self._network])
            self.history_ = {}
        else:
            self._network = replace(self._network, hyperparameters=hp)
            fresh = self._structure_for(hp, fold)
            old = self._structure
            # The rows of the first call have decided how many quantiles are kept.
            fresh = replace(fresh, n_quantiles=old.n_quantiles if fresh.scaling == old.scaling else 0)
            if fresh != old:
                if _kept_by_partial_fit(fresh) != _kept_by_partial_fit(old):
                    raise ValueError(
                        "hidden, activation, skip, scaling, embedding, optimizer and whether ema is 0 must stay as they "
                        "were between calls of partial_fit"
                    )
                self._structure = fresh
        until = int(self._state.epoch[0]) + 1
        self._state.status[0] = RUNNING
        self._train(fold, until)

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=self._input_dtype())
        # In float64, so that a row's prediction does not depend on the rows beside it in any digit that is shown.
        exact = replace(self._structure, dtype="float64")
        state: State = self._state
        with _libraries().limit(limits=self.n_threads, user_api="blas"):
            return outputs(exact, state.best_theta, state.best_buffers, X)[0]


class MLPClassifier(ClassifierMixin, _MLP):
    """A multilayer perceptron for classes: softmax output and cross-entropy, or one logistic unit for two classes.

    `hidden=()` makes it logistic regression, and with `activation="threshold"` a perceptron, whose probabilities are
    0 and 1. `class_weight`: a dict from labels, or their texts, to the weight of their rows (1 where it has none), or
    "balanced" for weights inverse to the classes' sizes. Follows scikit-learn's conventions; ValueError for hyperparameters out of
    range (one line: name, rule, value), for data that scikit-learn refuses, and when training diverges.
    """

    class_weight: Any

    __init__ = _constructor({**_hyperparameter_defaults(), **_FIT_DEFAULTS}, class_weight=None)

    def _loss(self) -> tuple[str, int]:
        n_classes = len(self.classes_)
        return loss_for(n_classes), n_classes if n_classes > 2 else 1

    def _weights(self, X: Array, y: Array, sample_weight: Any) -> Array | None:
        """Each row's weight times that of its class (n,), or None where none is given."""
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if self.class_weight is None:
            return weight
        by_class = compute_class_weight(_by_label(self.class_weight, self.classes_), classes=self.classes_, y=y)
        of_rows = by_class[np.searchsorted(self.classes_, y)]
        return of_rows if weight is None else weight * of_rows

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (n, d) and labels y (n,), each row counting as much as its weight (n,)."""
        X, y = validate_data(self, X, y, dtype=self._input_dtype())
        check_classification_targets(y)
        self.classes_, indices = np.unique(y, return_inverse=True)
        self._fit(X, indices, self._weights(X, y, sample_weight))
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows; the first call needs `classes`, all labels that will ever occur."""
        first, hp = not hasattr(self, "classes_"), self._hyperparameters()
        X, y = validate_data(self, X, y, dtype=self._input_dtype(hp), reset=first)
        if self.class_weight == "balanced":
            raise ValueError("class_weight must be a dict or None with partial_fit, got 'balanced'")
        if first and classes is None:
            raise ValueError("classes must be given at the first call of partial_fit, got None")
        known = np.unique(classes) if first else self.classes_
        if not first and classes is not None and not np.array_equal(np.unique(classes), known):
            raise ValueError(f"classes must be those of the first call, {known.tolist()}, got {list(classes)}")
        indices = _indices(y, known, checked=not first)
        self.classes_ = known
        self._partial_fit(hp, X, indices, self._weights(X, y, sample_weight), first)
        return self

    def trace(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[LayerTrace, ...]:
        """One step taken apart: for each dense layer its inputs, sums, outputs, deltas and gradient over these rows as one batch.

        The network stays as it is. ValueError for labels that it was not fitted on.
        """
        check_is_fitted(self)
        X, y = validate_data(self, X, y, dtype=self._input_dtype(), reset=False)
        return self._trace(X, _indices(y, self.classes_, checked=True), self._weights(X, y, sample_weight))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities (n, classes), in the order of `classes_`; rows add up to 1."""
        p = self._outputs(X)
        if len(self.classes_) == 1:
            return np.ones((len(p), 1))
        return np.hstack([1.0 - p, p]) if len(self.classes_) == 2 else p

    def predict(self, X: Any) -> Array:
        """The likeliest label of each row (n,)."""
        likeliest = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[likeliest]


def _indices(y: Array, known: Array, checked: bool) -> Array:
    """The places of the labels y (n,) among the sorted classes (n,). ValueError for labels that are none of them.

    `checked`: that the classes are labels, and no measurements, is known; then it takes one pass to see that y has no others.
    """
    if checked and y.dtype == known.dtype:
        indices = np.searchsorted(known, y)
        if np.array_equal(known.take(indices, mode="clip"), y):
            return indices
    check_classification_targets(y)
    unknown = np.setdiff1d(y, known)
    if len(unknown):
        raise ValueError(f"y must hold only the classes {known.tolist()}, got {unknown.tolist()}")
    return np.searchsorted(known, y)


def _by_label(class_weight: Any, classes: Array) -> Any:
    """Class weights with labels as keys: one that is the text of a label, as a sweep file has it, is replaced by that."""
    if not isinstance(class_weight, Mapping):
        return class_weight
    labels = classes.tolist()
    texts = {str(label): label for label in labels}
    return {
        key if key in labels or not isinstance(key, str) else texts.get(key, key): weight
        for key, weight in class_weight.items()
    }


class MLPRegressor(RegressorMixin, _MLP):
    """A multilayer perceptron for numbers: identity output and squared error, for one target or several.

    `hidden=()` makes it linear regression. Targets are taken as they are unless `standardize` or `target_scaling` is set;
    where that leaves a network that predicts worse than the mean, a ConvergenceWarning says so. Follows scikit-learn's conventions;
    errors as in `MLPClassifier`.
    """

    _n_targets: int
    _is_flat: bool

    def _loss(self) -> tuple[str, int]:
        return loss_for(None), self._n_targets

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (n, d) and y (n,) or (n, targets), each row counting as much as its weight (n,)."""
        X, y, weight = self._validated(X, y, sample_weight, reset=True)
        self._fit(X, y, weight)
        self._warn_of_targets(y)
        return self

    def _warn_of_targets(self, y: Array) -> None:
        """Say that the targets were too large or too small to be learned in their own unit, if nothing was learned of them."""
        reached, mean, deviation = self.history_["train_score"][self.best_epoch_ - 1], y.mean(axis=0), y.std(axis=0)
        size = float(np.max(np.hypot(mean, deviation)))
        if reached < 0.0 and not self._structure.target_scaling and not 0.1 < size < 10.0:
            warnings.warn(
                f"{type(self).__name__} predicts the training rows worse than their mean (R2 {reached:.3g}): targets of the size "
                f"of {size:.3g}; standardize=True (inputs too) or target_scaling=True scales them, as a sweep does",
                ConvergenceWarning,
                stacklevel=3,
            )

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows."""
        first, hp = not hasattr(self, "_state"), self._hyperparameters()
        X, y, weight = self._validated(X, y, sample_weight, reset=first, hp=hp)
        self._partial_fit(hp, X, y, weight, first)
        return self

    def trace(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[LayerTrace, ...]:
        """One step taken apart: for each dense layer its inputs, sums, outputs, deltas and gradient over these rows as one batch.

        The network stays as it is.
        """
        check_is_fitted(self)
        return self._trace(*self._validated(X, y, sample_weight, reset=False))

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, reset: bool, hp: Hyperparameters | None = None
    ) -> tuple[Array, Array, Array | None]:
        X, y = validate_data(self, X, y, dtype=self._input_dtype(hp), multi_output=True, y_numeric=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        if not reset and (n_targets, y.ndim == 1) != (self._n_targets, self._is_flat):
            raise ValueError(f"y must have {self._n_targets} targets as in the first call, got {n_targets}")
        self._n_targets, self._is_flat = n_targets, y.ndim == 1
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return X, y, weight

    def predict(self, X: Any) -> Array:
        """Predictions (n,) or (n, targets)."""
        values = self._outputs(X)
        return values[:, 0] if self._is_flat else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
