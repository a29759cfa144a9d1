"""What types cannot say about a sweep file: hyperparameters exist and are possible, and no part contradicts another."""

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import UserError
from .spec_text import nearest, show, show_key

if TYPE_CHECKING:
    from .spec import Spec


def hyperparameter_names() -> tuple[str, ...]:
    """Return every name that [model] and [space] may hold."""
    try:
        names = import_module("..core.hyperparameters", __package__).NAMES
    except ModuleNotFoundError:
        names = _NAMES
    return (*(name for name in names if name not in _LAYERED), *_LAYERED)


_LAYERED = ("layers", *(f"units_{i}" for i in range(1, 33)))
_NAMES = tuple(
    "hidden activation optimizer learning_rate momentum nesterov beta_1 beta_2 epsilon schedule decay warmup "  # noqa: SIM905
    "batch_size epochs l1 l2 weight_decay dropout batch_norm init label_smoothing clip_norm early_stopping".split()
)


def check_meaning(spec: "Spec") -> None:
    """Check what needs the other rooms' knowledge. Raises UserError without the file's name."""
    _check_columns(spec)
    _check_names(spec)


def _check_columns(spec: "Spec") -> None:
    data = spec.data
    for key in ("ignore", "numeric", "categorical"):
        if data.target is not None and data.target in getattr(data, key):
            raise UserError(f"[data] {key}: {show(data.target)} is the target")
    for key in ("group", "time", "weight"):
        if data.target is not None and data.target == getattr(data, key):
            raise UserError(f"[data] {key}: {show(data.target)} is the target")
    for key, other in (("numeric", "ignore"), ("categorical", "ignore"), ("categorical", "numeric")):
        for column in getattr(data, key):
            if column in getattr(data, other):
                raise UserError(f"[data] {key}: {show(column)} is also in {other}")


def _check_names(spec: "Spec") -> None:
    names = hyperparameter_names()
    for table in ("model", "space"):
        for key in getattr(spec, table) or {}:
            if key not in names:
                raise UserError(f"[{table}] {show_key(key)}: unknown hyperparameter{nearest(key, names)}")
    space = spec.space or {}
    for key in space:
        if key in spec.model:
            raise UserError(f"[space] {key}: is fixed in [model] too; leave one of them out")
    every = {**spec.model, **space}
    layered = [key for key in every if key in _LAYERED]
    if "hidden" in every and layered:
        table = "space" if layered[0] in space else "model"
        raise UserError(f"[{table}] {layered[0]}: cannot be combined with hidden; use layers with units_i, or hidden")
