"""The facts of one launch that a diagnosis and a report rest on, the same from memory at its end and from the store later."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...tracking.records import TrialRecord
from ..front import LaunchCosts
from ..ranking import best_so_far, ranked, sign_of

# How long a curve may be on the page, and to how many digits: what an eye can tell apart.
CURVE_POINTS, CURVE_DIGITS = 60, 4


@dataclass(frozen=True)
class Facts:
    """One launch.

    Attributes:
        name: The sweep's name.
        run_id: The launch's run.
        state: running, finished, failed or interrupted.
        method: The search method.
        metric: The objective: the curve by which trials are compared.
        direction: "maximize" or "minimize".
        trials: All trials, by number.
        curves: By trial its curves, values by epoch from epoch 1.
        space: By hyperparameter what is searched: {"low", "high", "log"} of a range, {"choices"} of a list.
        max_epochs: The longest that a trial trains.
        best: What `mlptune best --json` prints, or None.
        evidence: What was measured beside the search when it ended (see `evidence.py`); empty where it has not.
        spec: The sweep file as TOML.
        stopped: Why the search ended before its budget, in words; None where nothing ended it.
        costs: With several metrics: what each trial costs, which of it is minimised, and the Pareto front.
        space_changes: How the ranges of the space changed, in words.
        made_with: The version, the machine and the data that it is repeated with to the bit; "" where they are not known.
    """

    name: str
    run_id: str
    state: str
    method: str
    metric: str
    direction: str
    trials: Sequence[TrialRecord]
    curves: Mapping[int, Mapping[str, Sequence[float]]]
    space: Mapping[str, Mapping[str, Any]]
    max_epochs: int
    best: Mapping[str, Any] | None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    spec: str = ""
    stopped: str | None = None
    costs: LaunchCosts = field(default_factory=LaunchCosts)
    space_changes: Sequence[str] = ()
    made_with: str = ""

    @property
    def sign(self) -> float:
        """What makes of a value one of which more is better."""
        return sign_of(self.direction)

    @cached_property
    def complete(self) -> list[TrialRecord]:
        """The complete trials, the best first."""
        return ranked(self.trials, self.direction)

    @cached_property
    def ended(self) -> list[TrialRecord]:
        """The trials that do not run any more, by number."""
        return [trial for trial in sorted(self.trials, key=lambda trial: trial.number) if trial.state != "running"]

    def curve(self, number: int, key: str) -> list[float]:
        """A trial's curve, without what follows its last finite value; [] where there is none."""
        values = list(self.curves.get(number, {}).get(key, ()))
        while values and not math.isfinite(values[-1]):
            values.pop()
        return values

    @cached_property
    def best_so_far(self) -> list[float]:
        """After each trial that has ended the best value of a complete one; NaN before the first."""
        return [math.nan if value is None else value for value in best_so_far(self.ended, self.direction)]

    @property
    def has_default_space(self) -> bool:
        """Whether the sweep file has no [space] table, so that the ranges are those of `search/spaces/defaults.py`."""
        return bool(self.spec) and re.search(r"^\[space\]", self.spec, re.MULTILINE) is None

    @cached_property
    def noise(self) -> float | None:
        """The standard error of the best trial's value: by the interval of the expected score, else by its own networks."""
        expected = (self.best or {}).get("expected")
        if expected:
            return float(margin(expected) / 1.96)
        best = self.complete[0] if self.complete else None
        if best is None or not best.spread or len(best.best_epochs) < 2:
            return None
        return float(best.spread) / math.sqrt(len(best.best_epochs))


def margin(expected: Mapping[str, float]) -> float:
    """How far the interval of the expected score goes to the side where no best score ends it."""
    return max(expected["high"] - expected["score"], expected["score"] - expected["low"])


def made_with(version: str | None, machine: str | None, data: str | None) -> str:
    """`Facts.made_with`, of what a launch's tags have."""
    if not (version and machine and data):
        return ""
    return f"mlptune {version}, {machine}; data {data[:12]}"


def space_of(trials: Sequence[TrialRecord]) -> dict[str, dict[str, Any]]:
    """What was searched, by the distributions that trials were drawn from, as `Facts.space`; of a range all that ever was."""
    found: dict[str, dict[str, Any]] = {}
    for trial in trials:
        for name, text in trial.rebuild.get("distributions", {}).items():
            if name not in found:
                attributes = json.loads(text)["attributes"]
                keys = ("low", "high", "log") if "low" in attributes else ("choices",)
                found[name] = {key: attributes[key] for key in keys}
            elif "low" in found[name]:
                found[name] |= _union(found[name], json.loads(text)["attributes"])
    return found


def _union(table: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {"low": min(table["low"], other["low"]), "high": max(table["high"], other["high"])}


def short_curve(values: Sequence[float]) -> list[tuple[float, float]]:
    """A curve as (epoch, value) pairs, with no more points than an eye can tell apart, the first and the last among them."""
    n = len(values)
    if n > CURVE_POINTS:
        step = (n - 1) / (CURVE_POINTS - 1)
        places = sorted({round(i * step) for i in range(CURVE_POINTS)})
    else:
        places = list(range(n))
    return [(i + 1.0, float(f"{values[i]:.{CURVE_DIGITS}g}")) for i in places if math.isfinite(values[i])]
