"""Which learning curves of a sweep are looked at, and their values: the same for a terminal, for a picture and as data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._text import hint
from ..tracking import reader, schema
from .errors import UserError
from .ranking import ranked_rows

TOP = 3
"""How many of the best trials are shown unless others are named."""
MOST = 26
"""Curves that can be told apart, in a terminal by a letter each."""


@dataclass(frozen=True)
class Curve:
    """One trial's learning curve.

    Attributes:
        number: The trial.
        role: "best", "median", or "" for any other.
        state: running, complete, pruned or failed.
        value: Its objective, None where there is none.
        params: Its hyperparameters as they were sampled.
        values: The metric by epoch, from epoch 1; NaN where it is missing.
    """

    number: int
    role: str
    state: str
    value: float | None
    params: Mapping[str, Any]
    values: Sequence[float]


@dataclass(frozen=True)
class Curves:
    """Learning curves of one sweep in one metric, the best trial's first.

    Attributes:
        name: The sweep.
        metric: What the curves show: `val_score`, `val_loss`, ...
        objective: The metric by which the trials are compared.
        curves: One for each trial.
    """

    name: str
    metric: str
    objective: str
    curves: Sequence[Curve]

    def to_json(self) -> dict[str, Any]:
        """The data as `mlptune curves --json` prints it."""
        return asdict(self)


def learning_curves(
    uri: str | None,
    summary: Mapping[str, Any],
    objective: str,
    metric: str | None = None,
    top: int = TOP,
    trials: Sequence[int] = (),
) -> Curves:
    """The curves of the `top` best trials and of the median one, or of the named `trials`.

    Args:
        uri: The store.
        summary: What `mlptune show --json` prints.
        objective: The metric by which the trials were compared.
        metric: What to show; the objective if None.
        top: How many of the best trials.
        trials: Numbers of trials, instead of the best and the median.

    Raises:
        UserError: If there is no such metric or trial, or no curve yet.
    """
    key = metric or objective
    known = dict.fromkeys((objective, *schema.CURVES))
    if key not in known:
        raise UserError(f"metric {key!r}: the sweep {summary['name']!r} has no such curve{hint(key, known)}")
    rows = _named(summary, trials) if trials else _best_and_median(summary, top)
    run_ids = [row["run_id"] for row, _ in rows if row["run_id"]]
    found = reader.curves(uri, run_ids, [key]) if run_ids else {}
    curves = [
        Curve(row["number"], role, row["state"], row["value"], row["params"], found.get(row["run_id"], {}).get(key, []))
        for row, role in rows
    ]
    if not any(curve.values for curve in curves):
        whose = f"of trial {trials[0]} " if len(trials) == 1 else ""
        raise UserError(f"the sweep {summary['name']!r} has no curve {key!r} {whose}yet; it is {summary['state']}")
    return Curves(summary["name"], key, objective, [curve for curve in curves if curve.values])


Chosen = list[tuple[Mapping[str, Any], str]]


def _ranked(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return ranked_rows(summary["trials"], summary["best"] or {})


def _best_and_median(summary: Mapping[str, Any], top: int) -> Chosen:
    """The best trials and the median one; while none is complete the first ones."""
    ranked = _ranked(summary)
    if not ranked:
        return [(row, "") for row in summary["trials"][:top]]
    rows = [(row, "" if place else "best") for place, row in enumerate(ranked[:top])]
    middle = len(ranked) // 2
    return rows if middle < len(rows) else [*rows, (ranked[middle], "median")]


def _named(summary: Mapping[str, Any], numbers: Sequence[int]) -> Chosen:
    by_number = {row["number"]: row for row in summary["trials"]}
    for number in numbers:
        if number not in by_number:
            raise UserError(f"trial {number}: {_known(summary['name'], by_number)}")
    if len(set(numbers)) > MOST:
        raise UserError(f"{len(set(numbers))} trials: more than {MOST} curves cannot be told apart")
    ranked = _ranked(summary)
    best = ranked[0]["number"] if ranked else None
    return [(by_number[number], "best" if number == best else "") for number in dict.fromkeys(numbers)]


def _known(name: str, numbers: Collection[int]) -> str:
    if not numbers:
        return f"the sweep {name!r} has no trials yet"
    return f"the sweep {name!r} has trials {min(numbers)} to {max(numbers)}"
