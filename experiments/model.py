"""The fitted model: raw rows in, the target's own values out; kept as JSON and plain arrays, never as a pickle."""

import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MethodType
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._text import counted
from ..core.metrics import SCORES, resolve
from ..core.structure import Structure
from ..core.workspace import outputs_by_row
from .data.encoding import Encoder
from .data.frames import in_pandas
from .data.target import Target
from .ensemble import weighted_mean
from .errors import UserError
from .scoring import Scoring
from .temperature import apply_temperature
from .threshold import decide

# Format 1, of 0.1.0, does not say how columns are read, and has no weights, no temperature, no threshold, and an encoding for each
# part.
FORMAT, READABLE = 2, (1, 2)
DESCRIPTION, ARRAYS = "model.json", "arrays.npz"
# Bounds of what is read back: a model of ours is far below them, a decompression bomb is above.
LARGEST_DESCRIPTION = 64 * 2**20
LARGEST_ARRAYS = 2 * 2**30


@dataclass(frozen=True)
class Part:
    """Networks of one structure that share an encoding, and predict as one stack.

    Attributes:
        theta: Parameters (K, P).
        running: Running statistics (K, R).
        weights: How much each network counts (K,); None: all the same, 1.
    """

    encoder: Encoder
    target: Target
    structure: Structure
    theta: NDArray[Any]
    running: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    @property
    def weight(self) -> float:
        """How much all its networks count."""
        return float(len(self.theta) if self.weights is None else self.weights.sum())

    def predict(self, X: NDArray[Any], exact: bool = False) -> NDArray[np.float64]:
        """Outputs (n, o) for encoded rows X (n, d), averaged over the networks; regression in the target's own unit.

        `exact`: computed in float64.
        """
        structure = replace(self.structure, dtype="float64") if exact else self.structure
        result = np.asarray(outputs_by_row(structure, self.theta, self.running, X), dtype=np.float64)
        mean = weighted_mean(result, np.ones(len(result)) if self.weights is None else self.weights)
        return np.asarray(mean if self.target.classes is not None else self.target.restore(mean))


class _OfClasses:
    """A method that models of numbers do not have, also by `hasattr`, which is how scikit-learn asks."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.__func__ = method
        self.__doc__ = method.__doc__

    def __get__(self, model: Any, owner: type | None = None) -> Callable[..., Any]:
        if model is None:
            return self.__func__
        if model.task == "regression":
            raise AttributeError(f"a regression model has no {self.__func__.__name__}")
        return MethodType(self.__func__, model)


class TunedModel:
    """The networks that a sweep hands back, with the encoding they were trained on: an ensemble, or one configuration's.

    Several networks average their outputs, of classes at the model's `temperature`. Rows are given raw: a DataFrame of any
    library with the training table's columns (further columns and the order do not matter), or an array in the order of
    `feature_names_in_`. For scikit-learn it is a fitted classifier or regressor, which its inspection tools, displays and
    `FrozenEstimator` take; it cannot be fitted again.

    Args:
        parts: The networks.
        params: The sweep's best configuration, complete.
        members: The trials that the networks are of, with their weights, which add up to 1; empty for one configuration's.
        temperature: See `temperature.py`.
        threshold: Of two classes the probability of the second one above which it is predicted, chosen for the sweep's metric;
            None: the likeliest class is predicted.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        params: Mapping[str, Any],
        members: Mapping[int, float] | None = None,
        temperature: float = 1.0,
        threshold: float | None = None,
    ) -> None:
        if not parts:
            raise ValueError("a model needs at least one network")
        self.parts = tuple(parts)
        self.params = dict(params)
        self.members = dict(members or {})
        self.temperature = temperature
        self.threshold = threshold
        self._target = parts[0].target

    @property
    def task(self) -> str:
        """classification or regression."""
        return self._target.task

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes (C,), in the order of `predict_proba`'s columns. AttributeError for regression."""
        if self._target.labels is None:
            raise AttributeError("a regression model has no classes_")
        return self._target.labels

    @property
    def n_features_in_(self) -> int:
        """How many columns an array without names has."""
        return len(self.parts[0].encoder.inputs)

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The columns of an array without names, in order."""
        return np.array(self.parts[0].encoder.inputs, dtype=object)

    def __repr__(self) -> str:
        encoder, networks = self.parts[0].encoder, counted(sum(len(part.theta) for part in self.parts), "network")
        what = f"{self.task} of {self._target.name!r}"
        if self._target.classes is not None:
            what += f" into {len(self._target.classes)} classes ({_some(self._target.classes)})"
        columns = f"{counted(len(encoder.columns), 'column')} ({_some(encoder.columns)})"
        of_trials = f" of {counted(len(self.members), 'trial')}" if self.members else ""
        threshold = "" if self.threshold is None else f", decision threshold {self.threshold:.3g}"
        return f"<TunedModel: {what} from {columns}, {networks}{of_trials}{threshold}>"

    def _repr_html_(self) -> str:
        from .notebook import facts_html
        from .short import params_text

        classes = [] if self._target.classes is None else [("classes", _some(self._target.classes))]
        facts = [
            ("predicts", f"{self._target.name} ({self.task})"),
            *classes,
            ("columns", f"{self.n_features_in_}: {_some(self.parts[0].encoder.inputs)}"),
            ("networks", str(sum(len(part.theta) for part in self.parts))),
            ("trials", ", ".join(f"{number} ({weight:.0%})" for number, weight in self.members.items()) or "1"),
            ("parameters of the best", params_text(self.params)),
        ]
        return facts_html("TunedModel", facts)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> Self:
        """Itself: without what it has learned nothing would be left of it."""
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        is_classifier = self._target.classes is not None
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
            input_tags=InputTags(allow_nan=True, string=True, categorical=True),
            requires_fit=False,
        )

    @property
    def _estimator_type(self) -> str:
        """What tools ask for that do not know tags."""
        return "classifier" if self._target.classes is not None else "regressor"

    def fit(self, X: Any = None, y: Any = None, **others: Any) -> NoReturn:
        """Refuse: a sweep has fitted it. Raises UserError; to search again, there are `run_sweep` and the tuned estimators."""
        tuned = "TunedMLPClassifier" if self._target.classes is not None else "TunedMLPRegressor"
        raise UserError(
            f"a TunedModel is fitted already and cannot be fitted again; mlptune.{tuned} searches anew, and "
            "sklearn.frozen.FrozenEstimator(model) is for tools that would fit it"
        )

    def predict(self, X: pd.DataFrame | ArrayLike, *, exact: bool = False) -> NDArray[Any]:
        """The class or the number that is predicted for each of n rows, (n,): the likeliest class, or what `threshold` decides.

        What is predicted for a row does not depend, to the bit, on the rows beside it. With `exact` the networks compute in
        float64. Raises UserError for a missing column.
        """
        if self._target.classes is None:
            return joint_outputs(self, encode(self, X), exact).reshape(-1)
        return np.asarray(self.classes_[self.decided(self.predict_proba(X, exact=exact))])

    def decided(self, probabilities: NDArray[Any]) -> NDArray[np.intp]:
        """The index (n,) in `classes_` of the class that is predicted by probabilities (n, C)."""
        if self.threshold is None:
            return np.argmax(probabilities, axis=1)
        return (probabilities[:, 1] > self.threshold).astype(np.intp)

    @_OfClasses
    def predict_proba(self, X: pd.DataFrame | ArrayLike, *, exact: bool = False) -> NDArray[np.float64]:
        """Class probabilities (n, C), with `exact` as in `predict`. AttributeError for regression."""
        probabilities = self._target.probabilities(joint_outputs(self, encode(self, X), exact))
        # The engine's float32 rows add up to 1 within float32's precision; a check in float64 expects better.
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def score(self, X: pd.DataFrame | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy, or R2 in regression."""
        return self.evaluate(X, y, sample_weight, SCORES[self._target.task])

    def evaluate(
        self, X: pd.DataFrame | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, metric: str = "loss"
    ) -> float:
        """A metric of the engine by name (accuracy, roc_auc, rmse, ...), in the target's own unit; or "loss", as `val_loss` is.

        An installed package's metric will do too. Raises ValueError, one line, for a name that is none for this target.
        """
        return evaluator(self, y, sample_weight, metric)(encode(self, X))

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder: model.json and arrays.npz."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {}
        encodings: dict[int, int] = {}
        parts: list[dict[str, Any]] = []
        encoders: list[dict[str, Any]] = []
        for i, part in enumerate(self.parts):
            arrays[f"theta_{i}"], arrays[f"running_{i}"] = part.theta, part.running
            if part.weights is not None:
                arrays[f"weights_{i}"] = part.weights
            if id(part.encoder) not in encodings:
                encodings[id(part.encoder)] = len(encoders)
                encoders.append({"encoder": part.encoder.to_json(), "target": part.target.to_json()})
            parts.append({"encoding": encodings[id(part.encoder)], "structure": asdict(part.structure)})
        description = {
            "format": FORMAT,
            "params": self.params,
            "members": [{"number": number, "weight": weight} for number, weight in self.members.items()],
            "temperature": self.temperature,
            "threshold": self.threshold,
            "encodings": encoders,
            "parts": parts,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, allow_nan=False, indent=1), encoding="utf-8")
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: str | Path) -> "TunedModel":
        """Read a model back. Raises ValueError for files that are not a model of mlptune; nothing in them is executed."""
        try:
            return _read(Path(folder))
        except (OSError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{folder} does not hold a model of mlptune: {error}") from error


def encode(model: TunedModel, X: pd.DataFrame | ArrayLike) -> list[NDArray[np.float32]]:
    """Raw rows as each part's networks take them, (n, d); parts of one encoding share the array."""
    X = in_pandas(X, "the rows")
    encoded: dict[int, NDArray[np.float32]] = {}
    for part in model.parts:
        if id(part.encoder) not in encoded:
            encoded[id(part.encoder)] = part.encoder.transform(X)
    return [encoded[id(part.encoder)] for part in model.parts]


def joint_outputs(model: TunedModel, encoded: Sequence[NDArray[Any]], exact: bool = False) -> NDArray[np.float64]:
    """What the networks say together (n, o) of encoded rows: probabilities, or numbers in the target's own unit."""
    found = [part.predict(X, exact) for part, X in zip(model.parts, encoded, strict=True)]
    mean = weighted_mean(found, [part.weight for part in model.parts])
    return mean if model.task == "regression" else apply_temperature(mean, model.temperature)


def evaluator(
    model: TunedModel, y: ArrayLike, sample_weight: ArrayLike | None, metric: str
) -> Callable[[Sequence[NDArray[Any]]], float]:
    """What gives, as `TunedModel.evaluate`, the metric's value of encoded rows, of which `y` (n,) is the target."""
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    target, loss = model.parts[0].target, model.parts[0].structure.loss
    row = None if metric == "loss" else resolve(metric, model.task, len(target.classes or ()))
    truth = target.encode(y) if target.classes is not None else np.asarray(y, dtype=np.float64).reshape(-1, 1)
    scoring = Scoring(row, loss, target.scale)

    def value(encoded: Sequence[NDArray[Any]]) -> float:
        found = joint_outputs(model, encoded, row is not None and row.exact_outputs)
        if row is not None and row.decision is not None:
            found = decide(found, model.threshold)
        return scoring(truth, found, weight)

    return value


def _some(values: Sequence[Any], most: int = 5) -> str:
    """The first few values as Python writes them, in one line."""
    return ", ".join(map(repr, values[:most])) + (", ..." if len(values) > most else "")


def _read(folder: Path) -> TunedModel:
    description_file, arrays_file = folder / DESCRIPTION, folder / ARRAYS
    if description_file.stat().st_size > LARGEST_DESCRIPTION:
        raise ValueError(f"{description_file} is larger than {LARGEST_DESCRIPTION} bytes")
    description = json.loads(description_file.read_text(encoding="utf-8"))
    if not isinstance(description, dict) or description.get("format") not in READABLE:
        raise ValueError(f"{description_file} is not of format {' or '.join(map(str, READABLE))}")
    with zipfile.ZipFile(arrays_file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_ARRAYS:
            raise ValueError(f"{arrays_file} unpacks to more than {LARGEST_ARRAYS} bytes")
    is_first = description["format"] == 1
    stored = description["parts"] if is_first else description["encodings"]
    encodings = [(Encoder.from_json(entry["encoder"]), Target.from_json(entry["target"])) for entry in stored]
    with np.load(arrays_file, allow_pickle=False) as arrays:
        parts = [
            _part(
                entry["structure"],
                *_item(encodings, i if is_first else entry["encoding"]),
                arrays[f"theta_{i}"],
                arrays[f"running_{i}"],
                arrays.get(f"weights_{i}"),
            )
            for i, entry in enumerate(description["parts"])
        ]
    members = {int(member["number"]): float(member["weight"]) for member in description.get("members", ())}
    temperature = float(description.get("temperature", 1.0))
    if not (0 < temperature < math.inf):
        raise ValueError(f"{DESCRIPTION}: the temperature must be a number above 0, not {temperature!r}")
    return TunedModel(parts, description["params"], members, temperature, _threshold(description, parts[0].target))


def _threshold(description: Mapping[str, Any], target: Target) -> float | None:
    threshold = description.get("threshold")
    if threshold is not None and not (
        isinstance(threshold, float) and 0 <= threshold <= 1 and len(target.classes or ()) == 2
    ):
        raise ValueError(f"{DESCRIPTION}: the threshold must be from 0 to 1 and of two classes, not {threshold!r}")
    return threshold


def _item(encodings: Sequence[tuple[Encoder, Target]], index: Any) -> tuple[Encoder, Target]:
    if not isinstance(index, int) or not 0 <= index < len(encodings):
        raise ValueError(f"{DESCRIPTION}: a part names the encoding {index!r} of {len(encodings)}")
    return encodings[index]


def _part(
    stored: Mapping[str, Any],
    encoder: Encoder,
    target: Target,
    theta: NDArray[Any],
    running: NDArray[Any],
    weights: NDArray[Any] | None,
) -> Part:
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    structure = Structure(**fields)
    if theta.ndim != 2 or theta.shape[1] != structure.n_parameters or not len(theta):
        raise ValueError(f"{ARRAYS}: parameters of shape {theta.shape} do not fit the structure in {DESCRIPTION}")
    if running.shape != (len(theta), structure.n_buffers):
        raise ValueError(f"{ARRAYS}: statistics of shape {running.shape} do not fit the structure in {DESCRIPTION}")
    if theta.dtype.name != structure.dtype or not np.isfinite(theta).all():
        raise ValueError(f"{ARRAYS}: parameters must be finite numbers of type {structure.dtype}")
    if weights is not None and (
        weights.shape != (len(theta),) or not (np.isfinite(weights).all() and (weights > 0).all())
    ):
        raise ValueError(f"{ARRAYS}: each network needs a weight above 0")
    sizes = (encoder.n_features, encoder.levels)
    if sizes != (structure.n_inputs, structure.levels) or target.n_outputs != structure.n_outputs:
        raise ValueError(f"{DESCRIPTION}: the encoding does not fit the network's inputs and outputs")
    return Part(encoder, target, structure, theta, running, weights)


class _PyFunc:
    """What MLflow calls: `predict` as a DataFrame with the columns of `mlptune predict`."""

    def __init__(self, model: TunedModel) -> None:
        self.model = model

    def predict(self, data: Any, params: Any = None) -> pd.DataFrame:
        return prediction_table(self.model, data)

    def get_raw_model(self) -> TunedModel:
        """What MLflow's model of the same method gives: the model itself, which takes what MLflow's signature does not."""
        return self.model


def prediction_table(model: TunedModel, rows: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """`prediction`, and for classification `proba_<label>`, one row for each input row, in order."""
    if model.task == "regression":
        return pd.DataFrame({"prediction": model.predict(rows)})
    probabilities = model.predict_proba(rows)
    columns = {f"proba_{label}": probabilities[:, i] for i, label in enumerate(model.classes_.tolist())}
    return pd.DataFrame({"prediction": model.classes_[model.decided(probabilities)], **columns})


def _load_pyfunc(path: str) -> _PyFunc:
    """MLflow's loader: `path` is the folder that `save` wrote."""
    return _PyFunc(TunedModel.load(Path(path)))
