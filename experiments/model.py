"""The fitted model: raw rows in, the target's own values out; kept as JSON and plain arrays, never as a pickle."""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..core.losses import LOSSES
from ..core.metrics import METRICS
from ..core.parameters import initial_buffers, n_parameters
from ..core.structure import Structure
from ..core.workspace import outputs
from .data.encoding import Encoder
from .data.target import Target

FORMAT = 2
READ_FORMATS = (1, 2)  # 1, of 0.1.0, does not say how columns are read
DESCRIPTION, ARRAYS = "model.json", "arrays.npz"
# Bounds of what is read back: a model of ours is far below them, a decompression bomb is above.
LARGEST_DESCRIPTION = 64 * 2**20
LARGEST_ARRAYS = 2 * 2**30


@dataclass(frozen=True)
class Part:
    """Networks of one structure that share an encoding: theta (K, P), running statistics (K, R)."""

    encoder: Encoder
    target: Target
    structure: Structure
    theta: NDArray[Any]
    running: NDArray[Any]

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Outputs (n, o), averaged over the networks; regression in the target's own unit."""
        result = outputs(self.structure, self.theta, self.running, self.encoder.transform(frame))
        mean = np.asarray(result, dtype=np.float64).mean(axis=0)
        return mean if self.target.classes is not None else self.target.restore(mean)


class TunedModel:
    """The networks of a sweep's best configuration, with the encoding they were trained on.

    Several networks (seeds, or the folds of an unrefitted sweep) average their outputs. Rows are given raw: a DataFrame with
    the training table's columns (further columns and the order do not matter), or an array in the order of `feature_names_in_`.
    """

    def __init__(self, parts: Sequence[Part], params: Mapping[str, Any]) -> None:
        if not parts:
            raise ValueError("a model needs at least one network")
        self.parts = tuple(parts)
        self.params = dict(params)
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
    def feature_names_in_(self) -> NDArray[Any]:
        """The columns of an array without names, in order."""
        return np.array(self.parts[0].encoder.inputs, dtype=object)

    def _outputs(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        weights = [len(part.theta) for part in self.parts]
        return np.asarray(np.average([part.predict(X) for part in self.parts], axis=0, weights=weights))

    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """The likeliest class or the predicted number for each of n rows, (n,). Raises UserError for a missing column."""
        result = self._outputs(X)
        return result.reshape(-1) if self._target.classes is None else self._target.decode(result)

    def predict_proba(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (n, C). AttributeError for regression."""
        if self._target.classes is None:
            raise AttributeError("a regression model has no predict_proba")
        probabilities = self._target.probabilities(self._outputs(X))
        # The engine's float32 rows add up to 1 within float32's precision; a check in float64 expects better.
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def score(self, X: pd.DataFrame | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy, or R2 in regression."""
        return self.evaluate(X, y, sample_weight, "accuracy" if self._target.classes is not None else "r2")

    def evaluate(
        self, X: pd.DataFrame | ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, metric: str
    ) -> float:
        """A metric of the engine by name (accuracy, roc_auc, rmse, ...), in the target's own unit; or "loss", as `val_loss` is."""
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        result = self._outputs(X)
        classes = self._target.classes
        if metric == "loss":
            return self._loss(result, y, weight)
        truth = self._target.encode(y) if classes is not None else np.asarray(y, dtype=np.float64).reshape(-1, 1)
        return float(METRICS[metric].function(truth, result, weight))

    def _loss(self, result: NDArray[np.float64], y: ArrayLike, weight: NDArray[np.float64] | None) -> float:
        """The loss that the networks were trained on, of their averaged outputs; NaN for one that outputs do not determine."""
        from_outputs = LOSSES[self.parts[0].structure.loss].from_outputs
        if from_outputs is None:
            return math.nan
        classes = self._target.classes
        truth = self._target.encode(y) if classes is not None else np.asarray(y, dtype=np.float64).reshape(-1, 1)
        return float(np.average(from_outputs(result, truth, self._target.scale), weights=weight))

    def save(self, folder: Path) -> None:
        """Write the model into a folder: model.json and arrays.npz."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {}
        parts = []
        for i, part in enumerate(self.parts):
            arrays[f"theta_{i}"], arrays[f"running_{i}"] = part.theta, part.running
            parts.append(
                {
                    "encoder": part.encoder.to_json(),
                    "target": part.target.to_json(),
                    "structure": asdict(part.structure),
                }
            )
        description = {"format": FORMAT, "params": self.params, "parts": parts}
        (folder / DESCRIPTION).write_text(json.dumps(description, allow_nan=False, indent=1), encoding="utf-8")
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> "TunedModel":
        """Read a model back. Raises ValueError for files that are not a model of mlptune; nothing in them is executed."""
        try:
            return _read(Path(folder))
        except (OSError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{folder} does not hold a model of mlptune: {error}") from error


def _read(folder: Path) -> TunedModel:
    description_file, arrays_file = folder / DESCRIPTION, folder / ARRAYS
    if description_file.stat().st_size > LARGEST_DESCRIPTION:
        raise ValueError(f"{description_file} is larger than {LARGEST_DESCRIPTION} bytes")
    description = json.loads(description_file.read_text(encoding="utf-8"))
    if not isinstance(description, dict) or description.get("format") not in READ_FORMATS:
        raise ValueError(f"{description_file} is not of format {' or '.join(map(str, READ_FORMATS))}")
    with zipfile.ZipFile(arrays_file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_ARRAYS:
            raise ValueError(f"{arrays_file} unpacks to more than {LARGEST_ARRAYS} bytes")
    with np.load(arrays_file, allow_pickle=False) as arrays:
        parts = [
            _part(entry, arrays[f"theta_{i}"], arrays[f"running_{i}"]) for i, entry in enumerate(description["parts"])
        ]
    return TunedModel(parts, description["params"])


def _part(entry: Mapping[str, Any], theta: NDArray[Any], running: NDArray[Any]) -> Part:
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in entry["structure"].items()}
    structure = Structure(**fields)
    if theta.ndim != 2 or theta.shape[1] != n_parameters(structure) or not len(theta):
        raise ValueError(f"{ARRAYS}: parameters of shape {theta.shape} do not fit the structure in {DESCRIPTION}")
    if running.shape != (len(theta), len(initial_buffers(structure))):
        raise ValueError(f"{ARRAYS}: statistics of shape {running.shape} do not fit the structure in {DESCRIPTION}")
    if theta.dtype.name != structure.dtype or not np.isfinite(theta).all():
        raise ValueError(f"{ARRAYS}: parameters must be finite numbers of type {structure.dtype}")
    encoder, target = Encoder.from_json(entry["encoder"]), Target.from_json(entry["target"])
    if encoder.n_features != structure.n_inputs or target.n_outputs != structure.n_outputs:
        raise ValueError(f"{DESCRIPTION}: the encoding does not fit the network's inputs and outputs")
    return Part(encoder, target, structure, theta, running)


class _PyFunc:
    """What MLflow calls: `predict` as a DataFrame with the columns of `mlptune predict`."""

    def __init__(self, model: TunedModel) -> None:
        self.model = model

    def predict(self, data: Any, params: Any = None) -> pd.DataFrame:
        return prediction_table(self.model, data)


def prediction_table(model: TunedModel, rows: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """`prediction`, and for classification `proba_<label>`, one row for each input row, in order."""
    if model.task == "regression":
        return pd.DataFrame({"prediction": model.predict(rows)})
    probabilities = model.predict_proba(rows)
    columns = {f"proba_{label}": probabilities[:, i] for i, label in enumerate(model.classes_.tolist())}
    return pd.DataFrame({"prediction": model.classes_[probabilities.argmax(axis=1)], **columns})


def _load_pyfunc(path: str) -> _PyFunc:
    """MLflow's loader: `path` is the folder that `save` wrote."""
    return _PyFunc(TunedModel.load(Path(path)))
