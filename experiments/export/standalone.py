"""Predictions of a model that mlptune has trained. It needs Python 3.10, NumPy, and nothing else.

    python predict.py FILE.csv [-o OUT.csv]

FILE.csv, which may be compressed (.csv.gz), holds rows as raw as those that the model was trained on: columns by name in any order,
or by place where it has no line of names. What comes out is one line for each row: `prediction`, and for classes `proba_<label>`
for each. The model is `model.npz` beside this file: arrays, and one text of JSON that says how columns are read and what networks
there are.
"""

import argparse
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from ...core.array import Array
from ...core.binning import encode_bins
from ...core.layers.category import WIDTH
from ..data.calendar import CYCLES, parts_of
from ..data.dates import of_text
from ..data.features import category_place, category_places, standardised, usable
from ..data.numerals import without_unit
from ..data.reading import is_word, missing_numbers
from ..data.tables import goes_by_place
from ..data.values import MISSING, MISSING_TEXTS, category_of_text, category_with_marks, number_of_text
from ..delimited import above, decoded, names_columns, sniff
from ..ensemble import weighted_mean
from ..temperature import apply_temperature

Cells = Sequence[str | None]
DAY = 86400.0
EPSILON = 1e-5  # in normalisations
START = 1 << 16  # bytes that are looked at to recognise a table


class Unusable(ValueError):
    """The table cannot be used; one line says why."""


# Reading a table.


def read_columns(path: Path, known: Sequence[str], header: bool | None = None) -> dict[str, list[str | None]]:
    """The cells of a CSV file by column, None where they are empty.

    `known` are columns by which a line of names is recognised; `header` says whether there is one where it lacks those.
    """
    data = unpacked(path)
    encoding, errors = (
        ("utf-16", "replace") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "surrogateescape")
    )
    text = data.decode(encoding, errors)
    if not text.strip():
        raise Unusable(f"{path}: the file is empty")
    head = data[:START].decode(encoding, errors)
    skipped = len(above(head))
    text, head = text[skipped:], head[skipped:]
    delimiter, first, sample = sniff(head, len(data) <= START)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = [row for row in records if len(row) > 1 or (row and row[0].strip())]
    names = [decoded(cell.strip()) for cell in rows[0]]
    if names_columns(first, sample, known, header):
        rows.pop(0)
    else:
        names = [f"x{place}" for place in range(len(rows[0]))]
    rows = [_fitted(row, names) for row in rows]
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != len(names)), None)
    if wrong is not None:
        raise Unusable(f"{path}: row {wrong} has {len(rows[wrong - 1])} fields, there are {len(names)} columns")
    return {name: [decoded(row[place]) or None for row in rows] for place, name in enumerate(names)}


def unpacked(path: Path) -> bytes:
    """What a file holds, which may be compressed by gzip."""
    data = path.read_bytes()
    try:
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError, zlib.error) as error:
        raise Unusable(f"{path}: cannot be unpacked: {error}") from None


def _fitted(row: list[str], names: Sequence[str]) -> list[str]:
    """The row without an empty field after its last delimiter, or with one where only the line of names has that."""
    if len(row) == len(names) + 1 and not row[-1].strip():
        return row[:-1]
    return [*row, ""] if len(row) == len(names) - 1 and not names[-1] else row


# Cells to numbers.


def read_number(cell: str | None, reading: Mapping[str, Any]) -> float | None:
    """The number or the seconds that a cell says: NaN where it is missing, None where it is something else."""
    if cell is None or cell.strip().lower() in MISSING:
        return np.nan
    if reading["order"]:
        seconds = of_text(cell.strip(), reading["order"])
        value = None if np.isnan(seconds) else seconds
    else:
        value = number_of_text(without_unit(cell, reading.get("unit", "")), reading["decimal"])
    if value is None:
        words = reading["missing"]
        named = bool(reading["order"]) and is_word(category_of_text(cell), words)
        return np.nan if named or cell.strip().lower() in words else None
    return None if np.isinf(value) else value


@cache
def tell(line: str) -> None:
    """Say a line on standard error, and say it once: all parts of a model read the same cells."""
    print(line, file=sys.stderr)


def read_numbers(column: str, cells: Cells, reading: Mapping[str, Any]) -> Array:
    """The numbers (n,) of a column, NaN where there is none; cells that are something else are told on standard error."""
    known = {cell: read_number(cell, reading) for cell in set(cells)}
    unread = [cell for cell in cells if known[cell] is None]
    if unread:
        what = "dates" if reading["order"] else "numbers"
        tell(f"{column}: {len(unread)} of {len(cells)} cells are no {what} (first: {unread[0]!r})")
    values = np.array([np.nan if known[cell] is None else known[cell] for cell in cells], dtype=np.float64)
    return np.where(
        np.isin(values, missing_numbers(reading["missing"], reading["decimal"], reading["order"])), np.nan, values
    )


class Inputs(NamedTuple):
    """What networks get of a column: numbers, zeros and ones, and codes of categories, each (n,)."""

    numbers: Sequence[Array] = ()
    flags: Sequence[Array] = ()
    codes: Sequence[Array] = ()


def numeric(feature: Mapping[str, Any], cells: Cells) -> Inputs:
    """A column of numbers, or of dates in seconds."""
    return of_numbers(feature, read_numbers(feature["column"], cells, feature["reading"]))


def of_numbers(feature: Mapping[str, Any], values: Array) -> Inputs:
    """The same of its numbers (n,), NaN where there is none."""
    values = usable(values)
    missing = np.isnan(values)
    numbers = standardised(np.where(missing, feature["fill"], values), feature["mean"], feature["scale"])
    return Inputs([numbers], [missing] * feature["missing"])


def calendar(feature: Mapping[str, Any], cells: Cells) -> Inputs:
    """A column of dates: elapsed time, year, and points on circles."""
    return of_days(feature, read_numbers(feature["column"], cells, feature["reading"]) / DAY)


def circle(cycle: str, part: Array) -> tuple[Array, Array]:
    """The sine and the cosine of a part of days on its cycle."""
    angle = part * (2 * np.pi / CYCLES[cycle])
    return np.sin(angle), np.cos(angle)


def of_days(
    feature: Mapping[str, Any],
    days: Array,
    parts_of: Callable[[Array], Mapping[str, Array]] = parts_of,
    circle: Callable[[str, Array], tuple[Array, Array]] = circle,
) -> Inputs:
    """The same of days (n,) since 1970, NaN where there is none; the functions are those that take days apart."""
    missing = np.isnan(days)
    days = np.where(missing, feature["fill"], days)
    parts = parts_of(days)
    numbers = [standardised(days, feature["mean"], feature["scale"])]
    if feature["year"] is not None:
        numbers.append(standardised(parts["year"], feature["year"]["mean"], feature["year"]["scale"]))
    for cycle in feature["cycles"]:
        numbers += [np.where(missing, 0.0, value) for value in circle(cycle, parts[cycle])]
    return Inputs(numbers, [missing] * feature["missing"])


def category_name(feature: Mapping[str, Any], cell: str | None) -> str | None:
    """The name of a cell's category, None where it is missing."""
    reading = feature.get("reading", {"decimal": ".", "missing": []})
    name = None if cell is None else category_with_marks(cell, reading["decimal"])
    return None if is_word(name, reading["missing"]) else name


def categorical(feature: Mapping[str, Any], cells: Cells) -> Inputs:
    """A column of categories: one of them is 1, or the code of the one that is there, 0 for a new one."""
    categories = feature["categories"]
    places = category_places(categories, feature["merged"])
    rare = len(categories) if feature["rare"] else -1
    missing = len(categories) + feature["rare"] if feature["missing"] else -1

    def place_of(cell: str | None) -> int:
        name = category_name(feature, cell)
        place = None if name is None else category_place(places, name)
        return place if place is not None else missing if name is None or name in MISSING_TEXTS else rare

    known = {cell: place_of(cell) for cell in set(cells)}
    chosen = np.array([known[cell] for cell in cells])
    if feature.get("coded"):
        return Inputs(codes=[chosen + 1])
    return Inputs(flags=[chosen == place for place in range(len(categories) + feature["rare"] + feature["missing"])])


def presence(feature: Mapping[str, Any], cells: Cells) -> Inputs:
    """A column of which only counts whether it is missing."""
    names = (category_name(feature, cell) for cell in cells)
    return Inputs(flags=[np.array([name is None or name in MISSING_TEXTS for name in names])])


FEATURES = {"numeric": numeric, "date": numeric, "calendar": calendar, "categorical": categorical, "presence": presence}


def encode(encoder: Mapping[str, Any], columns: Mapping[str, Cells]) -> Array:
    """The columns as the matrix (n, d) that networks read, in float32."""
    parts = [FEATURES[feature["kind"]](feature, columns[feature["column"]]) for feature in encoder["features"]]
    kinds = zip(*parts, strict=True) if encoder.get("numbers_first") else parts
    found = [np.asarray(column, dtype=np.float64) for kind in kinds for columns in kind for column in columns]
    return np.stack(found, axis=1).astype(np.float32)


# Networks.


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z))."""
    return np.tanh(z * 0.5) * 0.5 + 0.5


def elu(z: Array) -> Array:
    """exp(z) - 1 below 0."""
    return np.maximum(z, np.exp(np.minimum(z, 0)) - 1)


def selu(z: Array) -> Array:
    """The scaled elu of Klambauer et al. 2017."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return np.maximum(z, 0) * scale + (np.exp(np.minimum(z, 0)) - 1) * (scale * alpha)


def softplus(z: Array) -> Array:
    """log(1 + exp(z))."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def gelu(z: Array) -> Array:
    """Its form with a hyperbolic tangent (Hendrycks & Gimpel 2016); from 10 on it is 0 or z."""
    square = np.minimum(np.abs(z), 10) ** 2
    c = float(np.sqrt(2 / np.pi))
    return z * (np.tanh((square * (c * 0.044715) + c) * z) * 0.5 + 0.5)


def mish(z: Array) -> Array:
    """z tanh(softplus(z)) (Misra 2020)."""
    e = np.exp(np.minimum(z, 20))
    n = e * (e + 2)
    return z * (n / (n + 2))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "logistic": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, z * z.dtype.type(0.1)),
    "elu": elu,
    "selu": selu,
    "softplus": softplus,
    "gelu": gelu,
    "silu": lambda z: z * sigmoid(z),
    "mish": mish,
    "maxout": lambda z: np.maximum(z[: len(z) // 2], z[len(z) // 2 :]),
    "threshold": lambda z: (z > 0).astype(z.dtype),
}


def scale(kind: str, fitted: Array, X: Array) -> Array:
    """X (n, d) scaled by what the network learned of its inputs."""
    X = X.astype(np.float64)
    if kind == "quantile":
        return to_normal(fitted.reshape(X.shape[1], -1), X)
    centre, factor = np.split(fitted, 2)
    scaled = np.clip((X - centre) * factor, -1e6, 1e6)
    return scaled / np.sqrt(1 + (scaled / 3) ** 2) if kind == "robust" else scaled


def to_normal(quantiles: Array, X: Array) -> Array:
    """The normal quantile of the share of training rows that are below X (n, d), by the `quantiles` (d, q) of each column."""
    reference = np.linspace(0.0, 1.0, quantiles.shape[1])
    share = np.empty(X.shape)
    for place, (x, edges) in enumerate(zip(X.T, quantiles, strict=True)):
        share[:, place] = 0.5 * (np.interp(x, edges, reference) - np.interp(-x, -edges[::-1], -reference[::-1]))
    share = np.where(quantiles[:, -1] > quantiles[:, 0], np.clip(share, 1e-7, 1 - 1e-7), 0.5)
    different, places = np.unique(share, return_inverse=True)
    return np.array([NormalDist().inv_cdf(p) for p in different.tolist()])[places].reshape(X.shape)


def prepare(network: Mapping[str, Any], buffers: Array, X: Array) -> Array:
    """Encoded rows X (n, d) as the lowest layer takes them, by what the network learned of its inputs."""
    n_numbers, n_scaled = network["n_numeric"], network["n_scaled"]
    if not n_numbers:
        return X
    numbers, plain = X[:, :n_numbers], X[:, n_numbers:]
    if n_scaled:
        numbers = scale(network["scaling"], buffers[:n_scaled].astype(np.float64), numbers)
    if network["n_bins"]:
        numbers = encode_bins(buffers[n_scaled : network["n_fitted"]], numbers)
    return np.concatenate([numbers, plain], axis=1) if plain.shape[1] else numbers


def embed(kind: str, size: Sequence[int], parameters: Array, x: Array) -> Array:
    """The embedding of inputs x, which have a row of ones below: d inputs become `size` features each."""
    d, m, o = size  # inputs; frequencies or bins; outputs of each one's linear map
    one = x[:d, None, :]
    if kind == "cosine":
        w, b, s, t = parameters.reshape(4, d, m, 1)
        waves = np.cos(w * (2 * np.pi) * one + b * (2 * np.pi)) * s + t
        return np.concatenate([waves, one], axis=1).reshape(d * (m + 1), -1)
    ones = np.ones_like(one)
    if kind == "ple":
        linear = np.matmul(parameters.reshape(d, m + 1, o).swapaxes(1, 2), _over(x[: d * m].reshape(d, m, -1), ones))
        return np.maximum(linear, 0).reshape(d * o, -1)
    w = parameters[: d * m].reshape(d, m, 1)
    if kind == "plr":
        v = parameters[d * m :].reshape(d, 2 * m + 1, o)
        angle = w * (2 * np.pi) * one
        return np.maximum(np.matmul(v.swapaxes(1, 2), _over(np.cos(angle), np.sin(angle), ones)), 0).reshape(d * o, -1)
    b, v = parameters[d * m : 2 * d * m].reshape(d, m, 1), parameters[2 * d * m :].reshape(d, m + 1, o)
    waves = np.cos(w * (2 * np.pi) * one + b)
    return _over(np.matmul(v.swapaxes(1, 2), _over(waves, ones)), one).reshape(d * (o + 1), -1)


def look_up(levels: Sequence[int], parameters: Array, codes: Array) -> list[Array]:
    """What codes (c, rows) of categories stand for: of each column a row of its table, here (WIDTH, rows)."""
    ends = WIDTH * np.cumsum(levels)
    tables = [table.reshape(WIDTH, -1) for table in np.split(parameters, ends[:-1])]
    return [table[:, column] for table, column in zip(tables, codes.astype(np.intp), strict=True)]


def _over(*arrays: Array) -> Array:
    return np.concatenate(arrays, axis=-2)


def dense(layer: Mapping[str, Any], parameters: Array, statistics: Array, x: Array) -> Array:
    """The sums of a layer over x (in + 1, rows), whose last row is ones; normalised where it is."""
    n_in, n_out = layer["n_in"], layer["n_out"]
    W = parameters[: (n_in + 1) * n_out].reshape(n_in + 1, n_out)
    gain = parameters[W.size : W.size + (n_out if layer["norm"] != "none" else 0), None]
    if layer["scaled"]:
        W = np.concatenate([W[:-1] * parameters[-n_in:, None], W[-1:]])
    if layer["norm"] == "none":
        return np.matmul(W.T, x)
    sums = np.matmul(W[:-1].T, x[:-1])
    if layer["norm"] == "batch":
        mean, variance = statistics.reshape(2, n_out, 1)
        return (sums - mean) * (gain / np.sqrt(variance + EPSILON)) + W[-1][:, None]
    centred = sums - sums.mean(axis=0)
    return centred * (gain * (1 / np.sqrt((centred * centred).mean(axis=0) + EPSILON))) + W[-1][:, None]


def sums(
    network: Mapping[str, Any], theta: Array, buffers: Array, x: Array, look_up: Callable[..., list[Array]] = look_up
) -> Array:
    """The sums (o, rows) of the output units for prepared rows x (d, rows)."""
    ones = np.ones_like(x[:1])
    at, statistics_at = 0, network["n_fitted"] + network["n_targets"]
    if network["embedding"] is not None:
        kind, size, at = network["embedding"]
        below = _over(x, ones)
        x = _over(embed(kind, size, theta[:at], below), x[network["n_embedded"] :])
    if levels := network["levels"]:
        start, at = at, at + WIDTH * sum(levels)
        x = _over(x[: -len(levels)], *look_up(levels, theta[start:at], x[-len(levels) :]))
    for layer in network["layers"]:
        given = x
        statistics = buffers[statistics_at : statistics_at + layer["n_statistics"]]
        x = dense(layer, theta[at : at + layer["n_parameters"]], statistics, _over(x, ones))
        x = ACTIVATIONS[layer["activation"]](x)
        at, statistics_at = at + layer["n_parameters"], statistics_at + layer["n_statistics"]
        if layer["skip"]:
            n = min(len(given), len(x))
            x = _over(x[:n] + given[:n], x[n:])
    return x


def softmax(z: Array) -> Array:
    """exp(z_i) / sum_j exp(z_j) over the units."""
    p = np.exp(z - z.max(axis=0))
    return p / p.sum(axis=0)


def decision(z: Array) -> Array:
    """1 for a single unit where z > 0; of several for the one of the largest sum."""
    if len(z) == 1:
        return (z > 0).astype(z.dtype)
    return (np.arange(len(z))[:, None] == z.argmax(axis=0)).astype(z.dtype)


OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "cross_entropy": softmax,
    "log_loss": sigmoid,
    "brier": lambda z: sigmoid(z) if len(z) == 1 else softmax(z),
    "perceptron": decision,
    "squared_error": lambda z: z,
}


def outputs(network: Mapping[str, Any], theta: Array, buffers: Array, X: Array) -> Array:
    """What one network predicts for encoded rows X (n, d): (n, o)."""
    prepared = prepare(network, buffers, X).astype(theta.dtype)
    # Always so many at once, for how many there are may change the last bits: a row is predicted the same in any company.
    step = network["rows"]
    filled = np.concatenate([prepared, np.zeros((-len(X) % step, prepared.shape[1]), prepared.dtype)])
    parts = [sums(network, theta, buffers, filled[at : at + step].T) for at in range(0, len(filled), step)]
    result = OUTPUTS[network["loss"]](np.concatenate(parts, axis=1)[:, : len(X)])
    if network["n_targets"]:
        first = network["n_fitted"]
        mean, deviation, low, high = buffers[first : first + network["n_targets"]].reshape(4, -1, 1)
        result = np.clip(result, low, high) * deviation + mean
    return np.asarray(result.T, dtype=np.float64)


class Model:
    """The model in an `.npz` file."""

    def __init__(self, path: str | Path) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self.arrays = dict(arrays)
        self.about: dict[str, Any] = json.loads(self.arrays.pop("description").tobytes().decode("utf-8"))
        self.inputs: list[str] = self.about["encoders"][0]["inputs"]
        self.columns: list[str] = [feature["column"] for feature in self.about["encoders"][0]["features"]]
        self.header: bool | None = self.about["encoders"][0].get("header")

    def predict(self, columns: Mapping[str, Cells]) -> dict[str, list[Any]]:
        """The columns `prediction` and `proba_<label>` for rows given as texts by column, None where they are missing."""
        if goes_by_place(list(columns), self.inputs):
            columns = dict(zip(self.inputs, columns.values(), strict=True))
        lacking = next((name for name in self.columns if name not in columns), None)
        if lacking is not None:
            raise Unusable(f"the rows lack the column {lacking!r}")
        means = self._means(columns)
        classes = self.about["classes"]
        if classes is None:
            return {"prediction": means.reshape(-1).tolist()}
        probabilities = apply_temperature(means, self.about["temperature"])
        if len(classes) == 2 and probabilities.shape[1] == 1:
            probabilities = np.hstack([1.0 - probabilities, probabilities])
        probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
        threshold = self.about["threshold"]
        chosen = (
            probabilities.argmax(axis=1) if threshold is None else (probabilities[:, 1] > threshold).astype(np.intp)
        )
        found: dict[str, list[Any]] = {"prediction": [classes[place] for place in chosen.tolist()]}
        return found | {
            f"proba_{label}": column for label, column in zip(classes, probabilities.T.tolist(), strict=True)
        }

    def _means(self, columns: Mapping[str, Cells]) -> Array:
        """The outputs (n, o), averaged over all networks by their weights."""
        encoded = [encode(encoder, columns) for encoder in self.about["encoders"]]
        means, weights = [], []
        for place, part in enumerate(self.about["parts"]):
            theta, buffers, weight = (self.arrays[f"{name}_{place}"] for name in ("theta", "buffers", "weight"))
            found = [
                outputs(part["network"], *pair, encoded[part["encoder"]]) for pair in zip(theta, buffers, strict=True)
            ]
            mean = weighted_mean(found, weight)
            if part["target"] is not None:
                target = part["target"]
                mean = np.clip(mean * target["scale"] + target["mean"], target["low"], target["high"])
            means.append(mean)
            weights.append(weight.sum())
        return weighted_mean(means, weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict the rows of a file."""
    parser = argparse.ArgumentParser(prog="predict.py", description="Predictions for the rows of a CSV file.")
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT.csv", help="where to; else standard output")
    given = parser.parse_args(arguments)
    try:
        model = Model(Path(__file__).with_name("model.npz"))
        found = model.predict(read_columns(given.file, model.columns, model.header))
        with given.out.open("w", newline="", encoding="utf-8") if given.out else io.StringIO(newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(found)
            writer.writerows(zip(*found.values(), strict=True))
            if not given.out:
                sys.stdout.write(out.getvalue())
    except (Unusable, OSError, csv.Error) as error:
        print(f"predict.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
