"""A model as one file of ONNX, from cells to predictions, for runtimes in any language.

Inputs are the columns that the model uses, (rows, 1) each: numbers as double, NaN where one is missing; dates as seconds since
1970-01-01 in UTC, times of day as seconds since midnight, likewise; categories as texts, written as in training, "" where one is
missing. Outputs are `prediction` (rows,) and of classes `probabilities` (rows, C), in the order of the metadata's `classes`. What
reads texts as numbers or dates stays outside: ONNX has no operators for that.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...core.array import Array
from ...core.layers.category import WIDTH
from ..data.calendar import CYCLES
from ..data.features import category_place, category_places
from ..data.reading import missing_numbers
from ..data.values import MISSING_TEXTS, category_of_text
from ..errors import SweepFailed, UserError
from ..model import TunedModel, prediction_table
from ..temperature import TINY
from . import standalone
from .onnx_graph import Graph, take
from .standalone import DAY, Inputs

# Symbols, which functions of NumPy take and give; their types do not say so.
Values = Any

FILE = "model.onnx"
OUTPUTS = ("prediction", "probabilities")
# Probabilities may differ by this much, numbers by this share of the largest: the order of sums in float32.
TOLERANCE = 1e-5
_ROWS = 64
_WHOLE = ("month", "weekday")
# Wichura 1988, algorithm AS 241 (PPND16), the coefficients of the highest power first: near the middle, and towards the ends.
_MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_ENDS = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip


def required() -> None:
    """Raise UserError, one line, where the package `onnx` is not installed."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise UserError('--onnx: needs the package onnx: pip install "mlptune[onnx]"') from None


def check_names(columns: Sequence[str]) -> None:
    """Raise UserError where a column has the name of an output."""
    taken = next((name for name in columns if name in OUTPUTS), None)
    if taken is not None:
        raise UserError(
            f"--onnx: a column is called {taken!r}, as an output of the file would be; rename it in the table"
        )


def write(about: Mapping[str, Any], arrays: Mapping[str, Array], path: Path) -> None:
    """Write a model as `folder.described` tells of it."""
    path.write_bytes(graph_of(about, arrays).SerializeToString())


def graph_of(about: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    """The model's graph, as ONNX has it."""
    graph = Graph()
    features = about["encoders"][0]["features"]
    check_names([feature["column"] for feature in features])
    columns = {feature["column"]: graph.input(feature["column"], _sample(feature)) for feature in features}
    encoded = [encode(encoder, columns) for encoder in about["encoders"]]
    made = graph.model(_outputs(about, _mean(about, arrays, encoded)))
    for key, value in (("classes", about["classes"]), ("columns", [_told(feature) for feature in features])):
        made.metadata_props.add(key=key, value=json.dumps(value, ensure_ascii=False))
    return made


def is_text(feature: Mapping[str, Any]) -> bool:
    """Whether a column's input are texts."""
    return feature["kind"] in ("categorical", "presence")


def _sample(feature: Mapping[str, Any]) -> Array:
    return np.array(["", "a", "b"], dtype=object) if is_text(feature) else np.array([0.5, np.nan, 3.0])


def _told(feature: Mapping[str, Any]) -> dict[str, str]:
    """What a column's input are, for whoever has the file alone."""
    kind = "text"
    if not is_text(feature):
        order = feature["reading"]["order"]
        kind = "number" if not order else "seconds since midnight" if order == "clock" else "seconds since 1970-01-01"
    return {"name": feature["column"], "input": kind}


# Cells to what networks take.


def encode(encoder: Mapping[str, Any], columns: Mapping[str, Values]) -> Values:
    """The columns as the matrix (n, d) that networks read, in float32."""
    parts = [_FEATURES[feature["kind"]](feature, columns[feature["column"]]) for feature in encoder["features"]]
    kinds = zip(*parts, strict=True) if encoder.get("numbers_first") else parts
    found = [column.astype(np.float64) for kind in kinds for columns in kind for column in columns]
    return np.concatenate([column[:, None] for column in found], axis=1).astype(np.float32)


def _numbers(feature: Mapping[str, Any], values: Values) -> Values:
    reading = feature["reading"]
    for missing in missing_numbers(reading["missing"], reading["decimal"], reading["order"]):
        values = np.where(values == missing, np.nan, values)
    return values


def _numeric(feature: Mapping[str, Any], values: Values) -> Inputs:
    return standalone.of_numbers(feature, _numbers(feature, values))


def _calendar(feature: Mapping[str, Any], seconds: Values) -> Inputs:
    return standalone.of_days(feature, _numbers(feature, seconds) / DAY, parts_of, circle)


def circle(cycle: str, part: Values) -> tuple[Any, Any]:
    """What `standalone.circle` does; of whole numbers from a table, since not all runtimes agree on a sine's last bit."""
    if cycle not in _WHOLE:
        return standalone.circle(cycle, part)
    sine, cosine = standalone.circle(cycle, np.arange(CYCLES[cycle], dtype=np.float64))
    return take(sine, part), take(cosine, part)


def parts_of(days: Any) -> dict[str, Any]:
    """What `calendar.parts_of` gives, by arithmetic alone: eras of 400 years, which have 146,097 days and begin on 1 March."""
    whole = np.floor(days)
    era = np.floor((whole + 719468) / 146097)
    day = whole + 719468 - era * 146097
    year = np.floor((day - np.floor(day / 1460) + np.floor(day / 36524) - np.floor(day / 146096)) / 365)
    of_year = day - (year * 365 + np.floor(year / 4) - np.floor(year / 100))
    since_march = np.floor((of_year * 5 + 2) / 153)
    month = np.where(since_march < 10, since_march + 2, since_march - 10)
    weeks = np.floor((whole + 3) / 7)
    return {
        "year": year + era * 400 + np.where(month < 2, 1.0, 0.0),
        "month": month,
        "weekday": whole + 3 - weeks * 7,
        "hour": (days - whole) * 24,
    }


def _look_up(cells: Values, places: Mapping[str, int], other: int) -> Values:
    """The place of each text, `other` for one that has none."""
    found = np.array([places.get(cell, other) for cell in cells.sample])
    keys, values = zip(*places.items(), strict=True)
    return cells.graph.add(
        "LabelEncoder",
        [cells.name],
        found,
        domain="ai.onnx.ml",
        keys_strings=list(keys),
        values_int64s=list(values),
        default_int64=other,
    )


def _categorical(feature: Mapping[str, Any], cells: Values) -> Inputs:
    categories = feature["categories"]
    known = category_places(categories, feature["merged"])
    rare = len(categories) if feature["rare"] else -1
    missing = len(categories) + feature["rare"] if feature["missing"] else -1
    places = dict.fromkeys(_absent(feature), missing)
    places |= {name: category_place(known, name) for name in (*categories, *feature["merged"])}
    chosen = _look_up(cells, places, rare)
    if feature.get("coded"):
        return Inputs(codes=[chosen + 1])
    return Inputs(flags=[chosen == place for place in range(len(categories) + feature["rare"] + feature["missing"])])


def _absent(feature: Mapping[str, Any]) -> list[str]:
    """The texts of a missing category; the model's own words for it in small letters, and as numbers are written."""
    words = feature.get("reading", {"missing": []})["missing"]
    return list(dict.fromkeys(("", *sorted(MISSING_TEXTS), *words, *(category_of_text(word) or "" for word in words))))


def _presence(feature: Mapping[str, Any], cells: Values) -> Inputs:
    return Inputs(flags=[_look_up(cells, dict.fromkeys(_absent(feature), 1), 0)])


_FEATURES = {
    "numeric": _numeric,
    "date": _numeric,
    "calendar": _calendar,
    "categorical": _categorical,
    "presence": _presence,
}


# Networks.


def prepare(network: Mapping[str, Any], buffers: Array, X: Values) -> Values:
    """What `standalone.prepare` does."""
    n_numbers, n_scaled = network["n_numeric"], network["n_scaled"]
    if not n_numbers:
        return X
    numbers = X[:, :n_numbers]
    if n_scaled:
        fitted = buffers[:n_scaled].astype(np.float64)
        is_quantile = network["scaling"] == "quantile"
        numbers = (
            to_normal(fitted.reshape(n_numbers, -1), numbers)
            if is_quantile
            else standalone.scale(network["scaling"], fitted, numbers)
        )
    if network["n_bins"]:
        numbers = encode_bins(buffers[n_scaled : network["n_fitted"]].reshape(n_numbers, -1), numbers)
    return numbers if n_numbers == X.shape[1] else np.concatenate([numbers, X[:, n_numbers:]], axis=1)


def to_normal(quantiles: Array, X: Values) -> Values:
    """What `standalone.to_normal` does: the normal quantile of the share of training rows below X (n, d)."""
    X = X.astype(np.float64)
    reference = np.linspace(0.0, 1.0, quantiles.shape[1])
    below = interpolate(X, quantiles, reference)
    above = interpolate(-X, -quantiles[:, ::-1], -reference[::-1])
    share = np.clip((below - above) * 0.5, 1e-7, 1 - 1e-7)
    return inverse_normal(np.where(quantiles[:, -1] > quantiles[:, 0], share, 0.5))


def interpolate(X: Values, edges: Array, values: Array) -> Values:
    """`np.interp` of each column of X (n, d) by its own rising `edges` (d, q); intervals are halved to find an edge."""
    d, q = edges.shape
    flat, first = edges.ravel(), np.arange(d) * q
    place = np.where(edges[:, 0] <= X, 0, 0)  # zeros of the shape of X
    step = 1 << max(q - 1, 1).bit_length() - 1
    while step:
        further = np.minimum(place + step, q - 1)
        place = np.where(take(flat, further + first) <= X, further, place)
        step //= 2
    upper = np.minimum(place + 1, q - 1)
    low, high = take(flat, place + first), take(flat, upper + first)
    width = high - low
    inside = (X - low) / np.where(width > 0, width, 1.0)
    start, end = take(values, place), take(values, upper)
    return np.where(edges[:, 0] > X, values[0], np.where(width > 0, start + inside * (end - start), start))


def inverse_normal(p: Values) -> Values:
    """The quantiles of the standard normal distribution for shares p from 1e-7 to 1 - 1e-7."""
    q = p - 0.5
    near = np.abs(q) <= 0.425
    middle = q * _ratio(0.180625 - q * q, *_MIDDLE)
    tail = np.sqrt(-np.log(np.minimum(p, 1 - p)))
    end = _ratio(tail - 1.6, *_ENDS)
    return np.where(near, middle, np.where(q < 0, -end, end))


def _ratio(r: Values, above: Sequence[float], below: Sequence[float]) -> Values:
    """The ratio of two polynomials, by Horner's rule."""
    n, d = r * 0.0 + above[0], r * 0.0 + below[0]
    for a, b in zip(above[1:], below[1:], strict=True):
        n, d = n * r + a, d * r + b
    return n / d


def encode_bins(edges: Array, X: Values) -> Values:
    """What `core.binning.encode_bins` does, for edges (d, T + 1)."""
    x = X.astype(np.float64)[:, :, None]
    b = edges.astype(np.float64)
    low, width = b[:, :-1], np.diff(b, axis=1)
    shares = np.where(width > 0, (x - low) / np.where(width > 0, width, 1.0), (x > low).astype(np.float64))
    lower, upper = np.zeros(width.shape[1]), np.ones(width.shape[1])
    lower[0], upper[-1] = -1.0, 2.0
    return np.clip(shares, lower, upper).reshape(-1, width.size)


def _network(network: Mapping[str, Any], theta: Array, buffers: Array, X: Values) -> Values:
    """What `standalone.outputs` does."""
    prepared = prepare(network, buffers, X).astype(theta.dtype)
    sums = standalone.sums(network, theta, buffers, prepared.T, look_up)
    result = standalone.OUTPUTS[network["loss"]](sums)
    if network["n_targets"]:
        first = network["n_fitted"]
        mean, deviation, low, high = buffers[first : first + network["n_targets"]].reshape(4, -1, 1)
        result = np.clip(result, low, high) * deviation + mean
    return result.T.astype(np.float64)


def look_up(levels: Sequence[int], parameters: Array, codes: Values) -> list[Values]:
    """What `standalone.look_up` does."""
    tables = np.split(parameters, WIDTH * np.cumsum(levels)[:-1])
    return [take(table.reshape(WIDTH, -1), column, axis=1) for table, column in zip(tables, codes, strict=True)]


def _mean(about: Mapping[str, Any], arrays: Mapping[str, Array], encoded: Sequence[Values]) -> Values:
    """The outputs (n, o), averaged over all networks by their weights."""
    parts, weights = [], []
    for place, part in enumerate(about["parts"]):
        theta, buffers, weight = (arrays[f"{name}_{place}"] for name in ("theta", "buffers", "weight"))
        X = encoded[part["encoder"]]
        mean = _average([_network(part["network"], *pair, X) for pair in zip(theta, buffers, strict=True)], weight)
        if target := part["target"]:
            mean = np.clip(mean * target["scale"] + target["mean"], target["low"], target["high"])
        parts.append(mean)
        weights.append(float(weight.sum()))
    return _average(parts, weights)


def _average(found: Sequence[Values], weights: Any) -> Values:
    total = float(np.sum(weights))
    mean = found[0] * (float(weights[0]) / total)
    for one, weight in zip(found[1:], weights[1:], strict=True):
        mean = mean + one * (float(weight) / total)
    return mean


def _outputs(about: Mapping[str, Any], mean: Values) -> dict[str, Values]:
    classes = about["classes"]
    if classes is None:
        return {"prediction": mean.reshape(-1)}
    p = at_temperature(mean, about["temperature"])
    if p.shape[1] == 1:
        p = np.concatenate([1.0 - p, p], axis=1)
    p = p / p.sum(axis=1, keepdims=True)
    threshold = about["threshold"]
    chosen = p.argmax(axis=1) if threshold is None else (p[:, 1] > threshold).astype(np.int64)
    labels = np.array(classes, dtype=object if isinstance(classes[0], str) else None)
    return {"prediction": take(labels, chosen), "probabilities": p}


def at_temperature(p: Values, temperature: float) -> Values:
    """What `apply_temperature` does."""
    if temperature == 1.0:
        return p
    if p.shape[1] == 1:
        inner = np.clip(p, TINY, 1.0 - np.finfo(np.float64).eps)
        return 1.0 / (1.0 + np.exp((np.log(1.0 - inner) - np.log(inner)) / temperature))
    logits = np.log(np.maximum(p, TINY)) / temperature
    result = np.exp(logits - logits.max(axis=1, keepdims=True))
    return result / result.sum(axis=1, keepdims=True)


# The check.


def check(model: TunedModel, path: Path) -> None:
    """Let ONNX's own reference predict rows of every kind of cell, and compare. Raises SweepFailed where it predicts otherwise."""
    from onnx.reference import ReferenceEvaluator

    features = [feature.to_json() for feature in model.parts[0].encoder.features]
    frame = made_up_rows(features)
    reference = ReferenceEvaluator(str(path))
    found = reference.run(None, feed(features, frame))
    error = difference(model, frame, dict(zip(reference.output_names, found, strict=True)))
    if not error <= TOLERANCE:
        raise SweepFailed(f"{FILE} does not predict what the model predicts: they differ by {error:.2g}")


def difference(model: TunedModel, frame: pd.DataFrame, found: Mapping[str, Array]) -> float:
    """The largest difference to what the model predicts: of probabilities, or of numbers in units of the largest one."""
    expected = prediction_table(model, frame)
    if model.task == "regression":
        numbers = expected["prediction"].to_numpy()
        return float(np.abs(found["prediction"] - numbers).max() / max(np.abs(numbers).max(), TINY))
    return float(np.abs(found["probabilities"] - expected.iloc[:, 1:].to_numpy()).max())


def made_up_rows(features: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as the model takes them: numbers, dates, and categories with one that nobody knows; in each column some missing."""
    generator = np.random.default_rng(0)
    return pd.DataFrame({feature["column"]: _made_up(feature, generator) for feature in features})


def _made_up(feature: Mapping[str, Any], generator: np.random.Generator) -> Any:
    missing = generator.random(_ROWS) < 0.1
    if is_text(feature):
        names = [*feature.get("categories", ()), *feature.get("merged", ()), "no such thing"]
        return pd.Series(generator.choice(np.array(names, dtype=object), _ROWS)).mask(missing, None)
    values = feature["mean"] + feature["scale"] * generator.normal(0.0, 1.5, _ROWS)
    if not feature["reading"]["order"]:
        return np.where(missing, np.nan, values)
    values = np.round(values * (DAY if feature["kind"] == "calendar" else 1.0))
    if feature["reading"]["order"] == "clock":
        cells = [f"{int(v // 3600)}:{int(v // 60) % 60:02d}:{int(v) % 60:02d}" for v in np.abs(values) % 86400]
    else:
        cells = [str(np.datetime64(int(v), "s")) for v in np.clip(values, -6e10, 2e11)]
    return pd.Series(cells, dtype=object).mask(missing, None)


def feed(features: Sequence[Mapping[str, Any]], frame: pd.DataFrame) -> dict[str, Array]:
    """The inputs of the graph for a frame of `made_up_rows`."""
    found = {}
    for feature in features:
        cells = frame[feature["column"]]
        if is_text(feature):
            values = np.array(["" if cell is None or cell != cell else str(cell) for cell in cells], dtype=object)
        else:
            values = np.array(
                [standalone.read_number(_cell(cell), feature["reading"]) for cell in cells], dtype=np.float64
            )
        found[feature["column"]] = values[:, None]
    return found


def _cell(cell: Any) -> str | None:
    return None if cell is None or cell != cell else str(cell)
