"""What MLflow shows of a model: the columns that go in and come out, and a few rows to try it with.

All is made of what the model has learned of its columns; no row of the user's is in it. MLflow enforces the columns that are named
here, by rules stricter than how a column is read: it refuses whole numbers where numbers are declared, numbers where texts are, and
texts where dates are. So a column may hold anything, those that the model uses must be there, and what they mean is told beside.
Nothing can be declared of tables whose columns have numbers for names, as arrays have: MLflow would refuse the arrays.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..tracking.models import Signature
from .data.written import written
from .model import TunedModel

ROWS = (-0.5, 0.0, 0.5)
"""The rows of the example, by how many deviations their numbers are from the mean."""
_NUMBERED = re.compile(r"(x?\d+)?", re.ASCII)
_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}


def signature_of(model: TunedModel) -> Signature:
    """The signature of the model's pyfunc."""
    encoder = model.parts[0].encoder
    used = encoder.columns
    features = [feature.to_json() for feature in encoder.features]
    has_names = not any(_NUMBERED.fullmatch(name) for name in encoder.inputs)
    return Signature(
        inputs=tuple((name, name in used) for name in encoder.inputs) if has_names else None,
        outputs=_outputs(model),
        example={feature["column"]: _cells(feature) for feature in features},
        about={"columns": {feature["column"]: feature["kind"] for feature in features}},
    )


def _outputs(model: TunedModel) -> tuple[tuple[str, str], ...]:
    """The columns of `prediction_table`, with MLflow's names of their types."""
    if model.task == "regression":
        return (("prediction", "double"),)
    labels = model.classes_.tolist()
    return (("prediction", _TYPES[type(labels[0])]), *((f"proba_{label}", "double") for label in labels))


def _cells(feature: Mapping[str, Any]) -> list[Any]:
    """A cell for each row of the example, the last one missing where training rows had missing ones."""
    if feature["kind"] == "presence":
        return ["something", *[None] * (len(ROWS) - 1)]
    if feature["kind"] == "categorical":
        names = feature["categories"] or feature["merged"] or [None]
        cells = [names[i % len(names)] for i in range(len(ROWS))]
    elif feature["reading"]["order"]:
        cells = [written(feature, deviations) for deviations in ROWS]
    else:
        cells = [float(f"{feature['mean'] + deviations * feature['scale']:.4g}") for deviations in ROWS]
    return [*cells[:-1], None] if feature["missing"] else cells
