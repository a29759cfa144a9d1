"""A sweep as a scikit-learn estimator: `fit` searches, and the model that it finds predicts."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..tracking import reader
from ..tracking.records import TrialRecord
from .config import load_spec
from .data.frames import TARGET, MemoryTable, as_frame
from .ensemble import Expected
from .errors import UserError
from .execution.workers import default_workers
from .formats import MEMORY
from .launch.unstored import Found, search_unstored
from .progress_line import watching
from .queries import load_model
from .ranking import is_ranked
from .results import SweepResult
from .run import run_spec

LARGEST_WEIGHT = 1e30
"""Weights are float32 in the engine, and are added up."""


class _TunedMLP(BaseEstimator):
    """What classifier and regressor share: `fit` runs a whole sweep on the rows that it is given, and keeps the model found.

    Rows are an array (n, d) or a DataFrame (n, d) of pandas, polars or any library that `run_sweep` takes. In a frame, columns
    are used as in a sweep: numbers and categories are told apart, missing values are welcome; dates, and columns that only number
    or name the rows, are left out. In an array of numbers every column is a number. None of the rows is set aside as a test part:
    trials are compared by cross-validation inside `fit`, so score on rows that were not given to it, or use `expected_score_`.

    The same `random_state` gives the same model bit for bit, whatever `n_jobs` is, unless `minutes` limits the search.
    Errors are ValueErrors of one line; `SweepFailed` (a RuntimeError) says that no trial gave a result.

    Args:
        trials: How many configurations are tried, at most; None for the method's default, or with `minutes` as many as fit.
        minutes: A budget in time for the whole fit; None for no limit.
        method: How configurations are proposed: `[search] method` of a sweep file.
        metric: What trials are compared by: `[objective] metric`, or a function as `run_sweep` takes it; None for accuracy or R2.
        space: What is searched: the table `[space]`; None for the default space of the data.
        model: What all trials share: the table `[model]`, such as `{"epochs": 50, "class_weight": "balanced"}`.
        folds: Folds of the cross-validation; None for 5, or for many rows one validation part of a fifth.
        ensemble: How many picks of trials the model is made of at most; 0 for the best configuration alone, trained on all
            rows.
        random_state: An int gives the same model each time; None or a `RandomState` another seed.
        n_jobs: How many processes train: 1 this one, -1 one for each processor.
        tracking_uri: A store in which the sweep is recorded, as with `run_sweep`; None: nothing is stored.
        name: The sweep's name in that store; None for the class's name.
        verbose: Whether a line on standard error says how the search goes.

    Attributes:
        model_: The `TunedModel` that predicts.
        best_params_: The searched hyperparameters of the best trial; `model_.params` is its complete configuration.
        best_score_: The best trial's value: the mean of the metric over the folds.
        best_index_: The best trial's place in `cv_results_`.
        expected_score_: What `model_` can be expected to score on new rows, without the optimism of having chosen the best: an
            object with `score` and the ends of an interval of 95 %, `low` and `high`; None where there are too few rows.
        cv_results_: A dict of arrays (trials,) as scikit-learn's searches have it: `params`, `param_<name>`, `mean_test_score`
            and `std_test_score` over the folds (in the metric's own sign; NaN for a trial that is not complete),
            `rank_test_score` (1 is best), `state` and `epochs`.
        n_features_in_: Columns of X.
        feature_names_in_: Their names, if X was a frame.
    """

    def __init__(
        self,
        trials: int | None = 64,
        minutes: float | None = None,
        method: str = "auto",
        metric: str | Callable[..., float] | None = None,
        space: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        folds: int | None = None,
        ensemble: int = 16,
        random_state: Any = 0,
        n_jobs: int | None = 1,
        tracking_uri: str | None = None,
        name: str | None = None,
        verbose: bool = False,
    ) -> None:
        self.trials = trials
        self.minutes = minutes
        self.method = method
        self.metric = metric
        self.space = space
        self.model = model
        self.folds = folds
        self.ensemble = ensemble
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.tracking_uri = tracking_uri
        self.name = name
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _fit(self, X: Any, y: Any, sample_weight: Any, task: str) -> None:
        """Search and keep what was found; y holds labels or numbers (n,), checked already."""
        frame, given = self._rows(X, reset=True)
        check_consistent_length(frame, y)
        self._columns = list(frame.columns)
        target = TARGET
        while target in frame:
            target += "_"
        numeric = self._columns if given is not None and given.dtype.kind in "biuf" else []
        table = MemoryTable(frame.assign(**{target: y}), target, _weights(sample_weight, frame))
        spec, text = load_spec(self._tables(task, numeric), data=MEMORY, target=target)
        with watching(None, self.verbose) as observer:
            if self.tracking_uri is None:
                found = search_unstored(spec, table, self._workers(), observer)
            else:
                result = run_spec(
                    spec, text, table, workers=self._workers(), tracking_uri=self.tracking_uri, observer=observer
                )
                found = _found(result)
        self.model_ = found.model
        self.best_params_ = dict(found.best.params)
        self.best_score_ = found.best.value
        self.best_index_ = [trial.number for trial in found.trials].index(found.best.number)
        self.expected_score_: Expected | None = found.expected
        self.cv_results_ = _cv_results(found.trials, found.direction)

    def _tables(self, task: str, numeric: Sequence[str]) -> dict[str, Any]:
        """The sweep file that the parameters stand for; what is None is left out there."""
        seed = self.random_state
        if not isinstance(seed, numbers.Integral):
            seed = check_random_state(seed).randint(2**31 - 1)
        return {
            "name": type(self).__name__ if self.name is None else self.name,
            "seed": int(seed),
            "data": {"task": task, "test_size": 0.0, "folds": self.folds, "numeric": list(numeric)},
            "model": {} if self.model is None else self.model,
            "space": self.space,
            "search": {"method": self.method, "trials": self.trials, "minutes": self.minutes},
            "objective": {"metric": "val_score" if self.metric is None else self.metric, "ensemble": self.ensemble},
        }

    def _workers(self) -> int:
        n = 1 if self.n_jobs is None else self.n_jobs
        if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n == 0:
            raise UserError(f"n_jobs: must be a whole number of processes, or -1 for all, got {n!r}")
        return int(n) if n > 0 else max(1, default_workers() + 1 + int(n))

    def _rows(self, X: Any, *, reset: bool) -> tuple[pd.DataFrame, NDArray[Any] | None]:
        """Rows as a frame (n, d), and the array that they were, if they were one; checked as scikit-learn does."""
        if _is_frame(X):
            frame = as_frame(X, "X")
            validate_data(self, X if isinstance(X, pd.DataFrame) else frame, reset=reset, skip_check_array=True)
            array = None
        else:
            least = 2 if reset else 1
            array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False, ensure_min_samples=least)
            frame = as_frame(array, "X")
        # By position, as in all of scikit-learn; that names agree where there are some is checked.
        return (frame if reset else frame.set_axis(self._columns, axis=1)), array

    def _known_rows(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self)
        return self._rows(X, reset=False)[0]


class TunedMLPClassifier(ClassifierMixin, _TunedMLP):
    """The best multilayer perceptrons for classes that a search finds, as one scikit-learn estimator.

    Beside the attributes of both estimators it has `classes_` (C,), the labels in the order of `predict_proba`'s columns.
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Search on X (n, d) and labels y (n,), each row counting as much as its weight (n,)."""
        labels = _column(self, y)
        check_classification_targets(labels)
        self._fit(X, labels, sample_weight, "classification")
        self.classes_ = np.unique(labels)
        if len(self.model_.classes_) != len(self.classes_):
            raise UserError("y: some labels differ by spaces or types alone; make them one, or make them distinct")
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, C), in the order of `classes_`; rows add up to 1."""
        rows = self._known_rows(X)
        return self.model_.predict_proba(rows, exact=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """The label of each row (n,): the likeliest, or of two what `model_.threshold` decides, if `metric` asks for one."""
        probabilities = self.predict_proba(X)  # first: it refuses an estimator that is not fitted
        return np.asarray(self.classes_[self.model_.decided(probabilities)])


class TunedMLPRegressor(RegressorMixin, _TunedMLP):
    """The best multilayer perceptrons for numbers that a search finds, as one scikit-learn estimator."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Search on X (n, d) and numbers y (n,), each row counting as much as its weight (n,)."""
        values = _column(self, y)
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise UserError("y: must hold numbers") from None
        self._fit(X, values, sample_weight, "regression")
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The predicted number of each row (n,)."""
        rows = self._known_rows(X)
        return self.model_.predict(rows, exact=True)


def _is_frame(X: Any) -> bool:
    known = ("to_pandas", "__arrow_c_stream__", "__dataframe__")
    return isinstance(X, pd.DataFrame) or any(hasattr(X, name) for name in known)


def _column(estimator: BaseEstimator, y: Any) -> NDArray[Any]:
    """The values to predict as an array (n,) without missing ones."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    values = column_or_1d(y, warn=True)
    assert_all_finite(values, input_name="y")
    return np.asarray(values)


def _weights(sample_weight: Any, frame: pd.DataFrame) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, frame, ensure_non_negative=True)
    if not weight.any() or weight.max() > LARGEST_WEIGHT:
        raise UserError(f"sample_weight: needs a weight above 0 and none above {LARGEST_WEIGHT:g}")
    return np.asarray(weight, dtype=np.float64)


def _found(result: SweepResult) -> Found:
    """What a sweep in a store has found, as one in memory has it."""
    launch = reader.launch(result.tracking_uri, result.name, result.run_id)
    trials = reader.trials(result.tracking_uri, result.run_id, rebuild=False)
    [best] = [trial for trial in trials if trial.number == result.best["number"]]
    model = load_model(result.name, result.run_id, result.tracking_uri)
    expected = None if launch.expected is None else Expected(**launch.expected)
    return Found(model, best, trials, expected, launch.direction)


def _cv_results(trials: Sequence[TrialRecord], direction: str) -> dict[str, Any]:
    """All trials in the shape of scikit-learn's `cv_results_`."""
    complete = [is_ranked(trial) for trial in trials]
    scores = np.array([t.value if known else math.nan for t, known in zip(trials, complete, strict=True)], dtype=float)
    spread = np.array([(t.spread or 0.0) if known else math.nan for t, known in zip(trials, complete, strict=True)])
    worse = np.where(np.isnan(scores), math.inf, -scores if direction == "maximize" else scores)
    found: dict[str, Any] = {"params": [dict(trial.params) for trial in trials]}
    for name in dict.fromkeys(name for trial in trials for name in trial.params):
        column = np.ma.masked_all(len(trials), dtype=object)
        for i, trial in enumerate(trials):
            if name in trial.params:
                column[i : i + 1] = _cell(trial.params[name])
        found[f"param_{name}"] = column
    return found | {
        "mean_test_score": scores,
        "std_test_score": spread,
        "rank_test_score": (1 + np.searchsorted(np.sort(worse), worse)).astype(np.int32),
        "state": np.array([trial.state for trial in trials], dtype=object),
        "epochs": np.array([trial.epochs for trial in trials]),
    }


def _cell(value: Any) -> NDArray[Any]:
    """A value, which may be a list, as one cell."""
    cell = np.empty(1, dtype=object)
    cell[0] = value
    return cell
