"""A model as a folder: `model.npz` and a `predict.py` that needs NumPy alone, checked against the model before it is there.

On request the model is there as a file of ONNX too.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import joined
from ...core.layers.category import CategoryEmbedding
from ...core.layers.dense import Dense
from ...core.layers.plain import PartialEmbedding
from ...core.structure import Structure
from ...core.workspace import ROWS_OF_A_PASS
from ..data.encoding import Encoder
from ..data.tables import read_table
from ..data.written import written
from ..errors import SweepFailed, UserError
from ..model import Part, TunedModel, prediction_table
from . import onnx_model, standalone
from .program import program

PROGRAM, ARRAYS = "predict.py", "model.npz"
# Predictions may differ by this share of the largest: the order of sums in float32.
TOLERANCE = 1e-5
_ROWS = 200


def export(model: TunedModel, folder: Path, force: bool = False, onnx: bool = False) -> None:
    """Write a model's folder, which appears whole or not at all; with `onnx` it has `model.onnx` too.

    Raises:
        UserError: If the folder is a file, cannot be made, or has such files already and `force` is not given; if the package
            `onnx` is needed and not installed.
        SweepFailed: If what was written does not predict what the model predicts.
    """
    names = (ARRAYS, PROGRAM, onnx_model.FILE) if onnx else (ARRAYS, PROGRAM)
    if onnx:
        onnx_model.required()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"-o {folder}: is a file; a folder is needed")
    there = [name for name in sorted(names, reverse=True) if (folder / name).exists()]
    if there and not force:
        raise UserError(f"-o {folder}: holds {joined(there)} already; --force overwrites them")
    with tempfile.TemporaryDirectory() as temporary:
        new = Path(temporary)
        write(model, new)
        check(model, new)
        if onnx:
            onnx_model.write(*described(model), new / onnx_model.FILE)
            onnx_model.check(model, new / onnx_model.FILE)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                shutil.copyfile(new / name, folder / f".{name}.tmp")
                os.replace(folder / f".{name}.tmp", folder / name)
        except OSError as error:
            raise UserError(f"-o {folder}: cannot be written: {error.strerror}") from None


def write(model: TunedModel, folder: Path) -> None:
    """Write both files without looking at what they predict."""
    about, arrays = described(model)
    text = json.dumps(about, allow_nan=False, ensure_ascii=False).encode()
    np.savez_compressed(folder / ARRAYS, allow_pickle=False, description=np.frombuffer(text, dtype=np.uint8), **arrays)
    (folder / PROGRAM).write_text(program(), encoding="utf-8")


def described(model: TunedModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A model as JSON data and arrays, with all that follows from a structure worked out."""
    encoders: list[Encoder] = []
    arrays: dict[str, NDArray[Any]] = {}
    parts = []
    for place, part in enumerate(model.parts):
        if not any(part.encoder is encoder for encoder in encoders):
            _check_columns(part.encoder)
            encoders.append(part.encoder)
        arrays[f"theta_{place}"], arrays[f"buffers_{place}"] = part.theta, part.running
        arrays[f"weight_{place}"] = np.ones(len(part.theta)) if part.weights is None else part.weights
        number = next(i for i, encoder in enumerate(encoders) if encoder is part.encoder)
        parts.append({"encoder": number, "network": _network(part.structure), "target": _target(part)})
    about = {
        "classes": None if model.task == "regression" else model.classes_.tolist(),
        "temperature": model.temperature,
        "threshold": model.threshold,
        "encoders": [encoder.to_json() for encoder in encoders],
        "parts": parts,
    }
    return about, arrays


def _check_columns(encoder: Encoder) -> None:
    """Raise UserError for a kind of column that the program does not know."""
    for feature in encoder.features:
        kind = feature.to_json()["kind"]
        if kind not in standalone.FEATURES:
            raise UserError(f"export: the column {feature.column!r} is of the kind {kind!r}, which cannot be exported")


def _target(part: Part) -> dict[str, float] | None:
    """How a regression target is restored; a bound that there is not is the largest number."""
    target, largest = part.target, sys.float_info.max
    if target.classes is not None:
        return None
    low, high = max(target.low, -largest), min(target.high, largest)
    return {"mean": target.mean, "scale": target.scale, "low": low, "high": high}


def _network(structure: Structure) -> dict[str, Any]:
    """A structure as the program runs it. Raises UserError for what it does not know."""
    for known, name in (
        (standalone.OUTPUTS, structure.loss),
        *((standalone.ACTIVATIONS, layer.activation) for layer in structure.layers),
    ):
        if name not in known:
            raise UserError(f"export: networks with {name!r} cannot be exported")
    n_fitted, n_targets = structure.n_scaling
    skips = (*structure.by_layer(structure.skip), False)
    return {
        "n_numeric": structure.n_numeric,
        "n_embedded": structure.n_numeric * (structure.n_bins or 1),
        "scaling": structure.scaling,
        "n_scaled": structure.n_by_input * structure.n_numeric,
        "n_bins": structure.n_bins,
        "n_fitted": n_fitted,
        "n_targets": n_targets,
        "embedding": _embedding(structure),
        "levels": structure.levels,
        "layers": [_layer(layer, skip) for layer, skip in zip(structure.layers, skips, strict=True)],
        "loss": structure.loss,
        "rows": ROWS_OF_A_PASS,
    }


def _embedding(structure: Structure) -> tuple[str, tuple[int, int, int], int] | None:
    """The embedding of numbers: its kind, sizes, and number of parameters."""
    layer: Any = structure.embedder
    for around in (CategoryEmbedding, PartialEmbedding):
        layer = layer.layer if isinstance(layer, around) else layer
    if layer is None:
        return None
    size = (layer.n_features, structure.n_bins or layer.n_frequencies, getattr(layer, "n_linear", 0))
    return structure.embedding, size, layer.n_parameters


def _layer(layer: Dense, skip: bool) -> dict[str, Any]:
    return {
        "n_in": layer.n_in,
        "n_out": layer.n_out,
        "activation": layer.activation,
        "norm": layer.norm,
        "scaled": layer.scaled,
        "skip": bool(skip),
        "n_parameters": layer.n_parameters,
        "n_statistics": layer.n_buffers,
    }


def check(model: TunedModel, folder: Path) -> None:
    """Let the folder's program predict rows of every kind of cell, and compare. Raises SweepFailed where it predicts otherwise."""
    rows, out = folder / "rows.csv", folder / "out.csv"
    _write_rows(rows, [feature.to_json() for feature in model.parts[0].encoder.features])
    ran = subprocess.run(
        [sys.executable, "-I", str(folder / PROGRAM), str(rows), "-o", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SweepFailed(f"the exported program failed: {(ran.stderr.splitlines() or ['without a word'])[-1]}")
    found = pd.read_csv(out, dtype=str, keep_default_na=False)
    frame = read_table(str(rows), folder, known=model.parts[0].encoder.columns)
    expected = prediction_table(model, frame)
    if list(found.columns) != list(expected.columns):
        raise SweepFailed(
            f"the exported program writes the columns {list(found.columns)}, not {list(expected.columns)}"
        )
    error = difference(found, expected)
    if not error <= TOLERANCE:
        raise SweepFailed(f"the exported program does not predict what the model predicts: they differ by {error:.2g}")


def difference(found: pd.DataFrame, expected: pd.DataFrame) -> float:
    """The largest difference of two tables of predictions, in units of the largest number of its column.

    Classes may differ where two are as likely as each other.
    """
    numbers = [name for name in expected.columns if len(expected.columns) == 1 or name.startswith("proba_")]
    errors = [0.0]
    for name in numbers:
        a, b = found[name].astype(np.float64).to_numpy(), expected[name].to_numpy(dtype=np.float64)
        errors.append(float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), np.finfo(np.float32).tiny)))
    return max(errors)


def _write_rows(path: Path, features: Sequence[Mapping[str, Any]]) -> None:
    """Write rows whose cells are what the columns know: numbers as people write them, dates, categories, nothing, and nonsense."""
    generator = random.Random(0)
    columns = [_cells(feature, generator) for feature in features]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([feature["column"] for feature in features])
        writer.writerows(zip(*columns, strict=True))


def _cells(feature: Mapping[str, Any], generator: random.Random) -> list[str]:
    odd = ["", "", "NA", "no such thing"]
    if feature["kind"] in ("categorical", "presence"):
        usual = [*feature.get("categories", ()), *feature.get("merged", ())] or ["something"]
    else:
        usual = [written(feature, generator.gauss(0.0, 1.5)) for _ in range(_ROWS)]
        odd += feature["reading"]["missing"]
    return [generator.choice(odd if generator.random() < 0.1 else usual) for _ in range(_ROWS)]
