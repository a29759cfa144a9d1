"""The report's pictures of trials: their curves, how the search went, where in the space its values lie, the Pareto front."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..._text import joined
from ...tracking.records import TrialRecord
from ..short import number_text, value_text
from .charts import Axis, Chart, Mark, bars, parallel
from .elements import figure, section, side_by_side, table
from .facts import Facts, short_curve

# Axes of the parallel coordinates; hyperparameters that are drawn against each other; trials above which their lines are thin.
AXES, PAIRED, MANY = 12, 3, 200
# Cells of the field behind two hyperparameters, and trials that it takes.
FIELD, LEAST_FOR_FIELD = (14, 24), 8


def curves_section(facts: Facts) -> str:
    """The learning curves of all trials, and the best trial's in training and in validation."""
    special = _special(facts)
    charts = []
    for key in dict.fromkeys((facts.metric, "val_loss")):
        marks = _curve_marks(facts, key, special)
        if marks:
            legend = {css: css for css in ("best", "median", "diverged") if any(css in mark.css for mark in marks)}
            chart = Chart(_epochs(marks), _value_axis(marks, key), marks, f"{key} of all trials by epoch", legend)
            charts.append(figure(f"{key} of all trials", chart.svg()))
    if facts.complete:
        number = facts.complete[0].number
        for kind in ("loss", "score"):
            pairs = [(css, f"{part}_{kind}") for css, part in (("train", "train"), ("best", "val"))]
            marks = [Mark(short_curve(facts.curve(number, key)), css) for css, key in pairs if facts.curve(number, key)]
            if marks:
                legend = {"train": "training", "best": "validation"}
                chart = Chart(_epochs(marks), _value_axis(marks, kind), marks, f"{kind} of trial {number}", legend)
                charts.append(figure(f"Trial {number}, the best: {kind}", chart.svg()))
    note = "Point at a curve to see its trial everywhere on this page; click to keep it."
    if any(len(set(trial.best_epochs)) > 1 for trial in facts.complete):
        note += " A curve is the mean over folds and seeds; a trial's value takes each network at its own best epoch, and may lie"
        note += " beyond it."
    return section("Learning curves", side_by_side(charts), note)


def _special(facts: Facts) -> dict[int, str]:
    """The classes of the trials that are told apart."""
    found = {trial.number: "diverged" for trial in facts.trials if trial.diverged}
    if facts.complete:
        found[facts.complete[len(facts.complete) // 2].number] = "median"
        found[facts.complete[0].number] = "best"
    return found


def _curve_marks(facts: Facts, key: str, special: Mapping[int, str]) -> list[Mark]:
    marks = []
    for trial in facts.trials:
        points = short_curve(facts.curve(trial.number, key))
        if points:
            css = special.get(trial.number, _thin(facts))
            marks.append(Mark(points, f"line {css}".strip(), trial.number, _shade(facts, trial)))
    # What is told apart is drawn last, on top.
    return sorted(marks, key=lambda mark: ("best" in mark.css, "median" in mark.css, "diverged" in mark.css))


def _shade(facts: Facts, trial: TrialRecord) -> float:
    """The share of complete trials that are not better: 1 for the best one."""
    place = {t.number: i for i, t in enumerate(facts.complete)}.get(trial.number)
    return 0.0 if place is None else 1 - place / max(len(facts.complete) - 1, 1)


def _thin(facts: Facts) -> str:
    """The class of lines that would hide one another."""
    return "thin" if len(facts.trials) > MANY else ""


def _epochs(marks: Sequence[Mark]) -> Axis:
    return Axis(1.0, max(2.0, *(x for mark in marks for x, _ in mark.points)), "epoch", whole=True)


def _value_axis(marks: Sequence[Mark], title: str) -> Axis:
    """An axis for most of the values: a few that are far out, as of diverging trials, stand at its end."""
    values = sorted(y for mark in marks for _, y in mark.points)
    cut = len(values) // 50
    inner = values[cut : len(values) - cut] if cut else values
    ends = [y for mark in marks if "best" in mark.css for _, y in mark.points]
    is_log = inner[0] > 0 and "loss" in title and max(inner) / min(inner) > 30
    return Axis.of([*inner, *ends], title, log=is_log)


def search_section(facts: Facts) -> str:
    """How the search went, and where in the space its values lie."""
    if not facts.complete:
        return ""
    charts = [figure("Best so far", _progress(facts).svg(), "Each dot is a trial; the line is the best up to it.")]
    if (over_time := _over_time(facts)) is not None:
        charts.append(
            figure(
                "Best so far over time", over_time.svg(), "From the first trial's start; each dot is an improvement."
            )
        )
    importance = facts.evidence.get("hyperparameter_importance") or {}
    if importance:
        rows = sorted(importance.items(), key=lambda item: -item[1])
        note = "PED-ANOVA: how much each hyperparameter tells the better trials from the others."
        charts.append(
            figure("What mattered", bars(rows, "importance of hyperparameters", [f"{v:.0%}" for _, v in rows]), note)
        )
    slices = [_slice(facts, name) for name in facts.space]
    pairs = _pairs(facts, importance)
    body = side_by_side(charts) + _parallel(facts)
    if slices:
        body += "<h3>By hyperparameter</h3>" + side_by_side(slices, small=True)
    if pairs:
        note = "Where the good ones lie: the stronger the colour, the better. The field is the mean rank of the trials nearby."
        body += f'<h3>Two by two</h3><p class="quiet">{note}</p>' + side_by_side(pairs, small=True)
    return section("The search", body)


def front_section(facts: Facts) -> str:
    """What a better score costs: the complete trials by their first cost, and the Pareto front with all costs as a table."""
    costs = facts.costs
    if not costs.front:
        return ""
    first = costs.counted[0]
    numbers = {trial.number for trial in costs.front}
    marks = [
        Mark(
            [(float(costs.by_trial[t.number][first]), t.value)],
            "line best" if t.number in numbers else "line",
            t.number,
            _shade(facts, t),
            dot=True,
        )
        for t in reversed(facts.complete)
        if t.number in costs.by_trial and t.value is not None
    ]
    x = Axis.of([point[0] for mark in marks for point in mark.points], first, log=True)
    steps = Mark(_front_steps(facts, first), "step")
    chart = Chart(x, _value_axis(marks, facts.metric), [*marks, steps], f"{facts.metric} by {first}")
    names = list(facts.space)
    kinds = list(dict.fromkeys((*costs.counted, *costs.by_trial[costs.front[0].number])))
    rows = []
    for trial in costs.front:
        counts = [f"{costs.by_trial[trial.number][kind]:,}" for kind in kinds]
        params = [value_text(trial.params[n]) if n in trial.params else "" for n in names]
        rows.append((trial.number, [str(trial.number), number_text(trial.value), *counts, *params]))
    note = f"No other trial is better in one of {joined([facts.metric, *costs.counted])}, and worse in none."
    if len(costs.counted) > 1:
        note += f" The chart is over {first} alone; a trial may be on the front for another cost."
    body = side_by_side([figure("", chart.svg())]) + table(["trial", facts.metric, *kinds, *names], rows)
    return section("Pareto front", body, note)


def _front_steps(facts: Facts, cost: str) -> list[tuple[float, float]]:
    """The best value that so much buys, as steps over the first cost."""
    points: list[tuple[float, float]] = []
    for trial in sorted(facts.costs.front, key=lambda t: facts.costs.by_trial[t.number][cost]):
        x, y = float(facts.costs.by_trial[trial.number][cost]), float(trial.value or 0.0)
        if points and facts.sign * y < facts.sign * points[-1][1]:
            continue
        points += [(x, before) for _, before in points[-1:]] + [(x, y)]
    return points


def _progress(facts: Facts) -> Chart:
    dots = [
        Mark([(trial.number, trial.value)], _dot_css(facts, trial), trial.number, _shade(facts, trial), dot=True)
        for trial in facts.complete
        if trial.value is not None
    ]
    line = [(trial.number, value) for trial, value in zip(facts.ended, facts.best_so_far, strict=True)]
    steps = [p for (x, y), (x2, _) in zip(line, [*line[1:], line[-1]], strict=True) for p in ((x, y), (x2, y))]
    x = Axis(-0.5, max(1.0, line[-1][0] + 0.5), "trial", whole=True)
    return Chart(x, _value_axis(dots, facts.metric), [*dots, Mark(steps, "step")], "best value so far by trials")


def _over_time(facts: Facts) -> Chart | None:
    """The best so far over seconds, of a sweep that one process has trained whole."""
    seconds = facts.evidence.get("seconds") or {}
    ended = sorted((t for t in facts.complete if str(t.number) in seconds), key=lambda t: seconds[str(t.number)])
    if len(ended) < max(2, len(facts.complete)):
        return None
    points: list[tuple[float, float]] = []
    dots: list[Mark] = []
    for trial in ended:
        at, value = float(seconds[str(trial.number)]), float(trial.value or 0.0)
        if not points or facts.sign * value > facts.sign * points[-1][1]:
            points += [(at, before) for _, before in points[-1:]] + [(at, value)]
            dots.append(Mark([(at, value)], _dot_css(facts, trial), trial.number, _shade(facts, trial), dot=True))
    last = float(max(seconds.values()))
    points.append((last, points[-1][1]))
    x = Axis(0.0, max(last, 0.1), "seconds")
    return Chart(x, _value_axis(dots, facts.metric), [*dots, Mark(points, "step")], "best value so far by seconds")


def _dot_css(facts: Facts, trial: TrialRecord) -> str:
    return "line best" if facts.complete and trial.number == facts.complete[0].number else "line"


def _axis_of(facts: Facts, name: str) -> tuple[Axis, dict[str, float]]:
    """A hyperparameter's axis and the places of its choices by their texts."""
    entry = facts.space[name]
    if "low" in entry and entry["low"] < entry["high"]:
        return Axis(float(entry["low"]), float(entry["high"]), name, log=bool(entry.get("log"))), {}
    given = entry.get("choices") or [entry.get("low")]
    seen = [value_text(trial.params[name]) for trial in facts.trials if name in trial.params]
    texts = list(dict.fromkeys([*(value_text(choice) for choice in given), *sorted(seen)]))
    texts = [text for text in texts if text in seen] or texts
    return Axis(-0.4, len(texts) - 0.6, name, labels=texts), {text: float(i) for i, text in enumerate(texts)}


def _at(value: Any, places: Mapping[str, float]) -> float:
    if places:
        return places.get(value_text(value), math.nan)
    return float(value) if isinstance(value, int | float) else math.nan


def _slice(facts: Facts, name: str) -> str:
    axis, places = _axis_of(facts, name)
    marks = [
        Mark([(_at(t.params[name], places), t.value)], _dot_css(facts, t), t.number, _shade(facts, t), dot=True)
        for t in reversed(facts.complete)
        if name in t.params and t.value is not None
    ]
    if not marks:
        return ""
    return figure("", Chart(axis, _value_axis(marks, facts.metric), marks, f"{facts.metric} by {name}").svg())


def _pairs(facts: Facts, importance: Mapping[str, float]) -> list[str]:
    """The ranges that mattered most against each other, shaded by rank."""
    ranges = [name for name, entry in facts.space.items() if "low" in entry and entry["low"] < entry["high"]]
    first = sorted(ranges, key=lambda name: -importance.get(name, 0.0))[:PAIRED]
    return [found for names in itertools.combinations(first, 2) if (found := _pair(facts, *names))]


def _pair(facts: Facts, across: str, upwards: str) -> str:
    shown = [t for t in reversed(facts.complete) if across in t.params and upwards in t.params]
    marks = [
        Mark(
            [(float(t.params[across]), float(t.params[upwards]))],
            f"{_dot_css(facts, t)} ringed",
            t.number,
            _shade(facts, t),
            dot=True,
        )
        for t in shown
    ]
    x, y = _axis_of(facts, across)[0], _axis_of(facts, upwards)[0]
    places = [(x.place(a), y.place(b)) for mark in marks for a, b in mark.points]
    field = shades(places, [_shade(facts, t) for t in shown]) if len(shown) >= LEAST_FOR_FIELD else ()
    return figure("", Chart(x, y, marks, f"{across} and {upwards}", field=field).svg()) if marks else ""


def shades(places: Sequence[tuple[float, float]], values: Sequence[float]) -> list[list[float | None]]:
    """By cell of a field, from the top, the mean of what lies nearby, weighted by a normal kernel; None where nothing does.

    Args:
        places: Where in the unit square, n of them.
        values: What is there, from 0 to 1.
    """
    width = 0.25 * len(places) ** (-1 / 6)
    rows, columns = FIELD
    y, x = np.meshgrid(1 - (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    at = np.asarray(places)
    squares = ((x[..., None] - at[:, 0]) ** 2 + (y[..., None] - at[:, 1]) ** 2) / width**2
    weights = np.exp(-0.5 * squares)
    means = weights @ np.asarray(values) / np.maximum(weights.sum(axis=-1), 1e-300)
    near = squares.min(axis=-1) < 4
    return [[float(m) if n else None for m, n in zip(*row, strict=True)] for row in zip(means, near, strict=True)]


def _parallel(facts: Facts) -> str:
    names = list(facts.space)[:AXES]
    if len(names) < 2:
        return ""
    axes = [(name, *_axis_of(facts, name)) for name in names]
    values = Axis.of([t.value for t in facts.complete if t.value is not None], facts.metric)
    lines = []
    for trial in reversed(facts.complete):
        points = [
            (float(i), _at(trial.params[name], places))
            for i, (name, _a, places) in enumerate(axes)
            if name in trial.params
        ]
        points.append((float(len(axes)), trial.value if trial.value is not None else math.nan))
        kept = [point for point in points if math.isfinite(point[1])]
        lines.append(Mark(kept, f"{_dot_css(facts, trial)} {_thin(facts)}".strip(), trial.number, _shade(facts, trial)))
    svg = parallel([*((name, axis) for name, axis, _ in axes), (facts.metric, values)], lines, "parallel coordinates")
    return f'<h3>All trials at once</h3><figure class="wide">{svg}</figure>'
