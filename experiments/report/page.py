"""The report: one page that needs no network, with what was asked, what came out, what it is worth, and how to have it again.

The page's own script is the only one that may run (its hash is in the page's policy), and all texts are escaped.
"""

import base64
import hashlib
import json
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ..._text import counted
from ...tracking.records import TrialRecord
from ..short import number_text, params_text, value_text
from .charts import Axis, Chart, Mark, bars, matrix, parallel
from .facts import Facts, short_curve
from .rules import Finding

# Rows of the table of trials; axes of the parallel coordinates; bars of the columns' importance.
ROWS, AXES, BARS = 50, 12, 20
# Rows of the table of columns, and how many of them are shown before it has to be opened.
COLUMNS, OPEN_COLUMNS = 100, 20


def report_html(facts: Facts, findings: Sequence[Finding]) -> str:
    """The page of a launch."""
    script, style = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(facts.name)
    sections = (
        _head(facts),
        _diagnosis(findings),
        _curves(facts),
        _search(facts),
        _front(facts),
        _model(facts),
        _rows(facts),
        _table_columns(facts),
        _trials(facts),
        _again(facts),
    )
    # A text inside <script> ends at "</", whatever it is quoted in.
    notes = json.dumps({str(t.number): _trial_text(facts, t) for t in facts.trials}).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}: report</title><style>{style}</style></head>'
        f'<body>{"".join(sections)}<div id="note" hidden></div>'
        f'<script type="application/json" id="trials">{notes}</script><script>{script}</script></body></html>'
    )


def _head(facts: Facts) -> str:
    best, rows = facts.best or {}, facts.evidence.get("rows") or {}
    higher = "higher is better" if facts.direction == "maximize" else "lower is better"
    asked = (
        f"{counted(len(facts.ended), 'trial')} by {facts.method}, judged by {_measure(facts)} in validation ({higher})"
    )
    if rows:
        how = counted(rows["folds"], "fold") if rows["folds"] > 1 else "one split"
        asked += f", on {counted(rows['development'], 'row')} with {counted(rows['inputs'], 'input')}, {how}"
        asked += f"; {counted(rows['test'], 'row')} sealed as a test part" if rows["test"] else "; no test part"
    state = "" if facts.state == "finished" else f" This launch is {facts.state}."
    if facts.space_changes:
        state += f" The space was {'; '.join(facts.space_changes)}."
    if facts.stopped:
        state += f" The search was stopped: {facts.stopped}."
    return f"<h1>{escape(facts.name)}</h1><p class='lead'>{escape(asked)}.{escape(state)}</p>{_numbers(facts, best)}"


def _measure(facts: Facts) -> str:
    """The objective in the field's word."""
    scores = {"classification": "accuracy", "regression": "R²"}
    if facts.metric == "val_score":
        return scores.get(facts.evidence.get("task", ""), "score")
    return "the loss" if facts.metric == "val_loss" else facts.metric.removeprefix("val_")


def _numbers(facts: Facts, best: Mapping[str, Any]) -> str:
    """The figures that one looks for first."""
    found: list[tuple[str, str]] = []
    expected = best.get("expected")
    if expected:
        ends = f"{number_text(expected['low'])} to {number_text(expected['high'])}"
        found.append((number_text(expected["score"]), f"{_measure(facts)} expected on new rows ({ends})"))
    if best.get("test_score") is not None:
        found.append((number_text(best["test_score"]), "on the sealed test part"))
    if best:
        found.append((number_text(best["value"]), f"best trial, number {best['number']}"))
        members = len(best["ensemble"]) or 1
        found.append((str(members), f"{'trials in' if members > 1 else 'trial is'} the model"))
    items = "".join(f"<li><b>{escape(number)}</b><span>{escape(text)}</span></li>" for number, text in found)
    return f'<ul class="facts">{items}</ul>' if items else "<p>No trial is complete yet.</p>"


def _diagnosis(findings: Sequence[Finding]) -> str:
    if not findings:
        return _section("Diagnosis", '<div class="finding fine"><p>Nothing conspicuous was found.</p></div>')
    body = "".join(
        f'<div class="finding {f.severity}"><p>{escape(_sentence(f.text))}</p>'
        f'<p class="quiet">{escape(_sentence(f.advice))}</p></div>'
        for f in findings
    )
    return _section("Diagnosis", body)


def _curves(facts: Facts) -> str:
    """The learning curves of all trials, and the best trial's in training and in validation."""
    special = _special(facts)
    charts = []
    for key in dict.fromkeys((facts.metric, "val_loss")):
        marks = _curve_marks(facts, key, special)
        if marks:
            names = {"best": "best", "median": "median", "lost": "diverged"}
            legend = {css: name for css, name in names.items() if any(css in mark.css for mark in marks)}
            chart = Chart(_epochs(marks), _value_axis(marks, key), marks, f"{key} of all trials by epoch", legend)
            charts.append(_figure(f"{key} of all trials", chart.svg()))
    if facts.complete:
        number = facts.complete[0].number
        for kind in ("loss", "score"):
            pairs = [(css, f"{part}_{kind}") for css, part in (("train", "train"), ("best", "val"))]
            marks = [Mark(short_curve(facts.curve(number, key)), css) for css, key in pairs if facts.curve(number, key)]
            if marks:
                legend = {"train": "training", "best": "validation"}
                chart = Chart(_epochs(marks), _value_axis(marks, kind), marks, f"{kind} of trial {number}", legend)
                charts.append(_figure(f"Trial {number}, the best: {kind}", chart.svg()))
    return _section(
        "Learning curves",
        _charts(charts),
        "Point at a curve to see its trial everywhere on this page; click to keep it.",
    )


def _special(facts: Facts) -> dict[int, str]:
    """The classes of the trials that are told apart."""
    found = {trial.number: "lost" for trial in facts.trials if trial.diverged}
    if facts.complete:
        found[facts.complete[len(facts.complete) // 2].number] = "median"
        found[facts.complete[0].number] = "best"
    return found


def _curve_marks(facts: Facts, key: str, special: Mapping[int, str]) -> list[Mark]:
    marks = []
    for trial in facts.trials:
        points = short_curve(facts.curve(trial.number, key))
        if points:
            css = special.get(trial.number, "")
            marks.append(Mark(points, f"line {css}".strip(), trial.number, _shade(facts, trial)))
    # What is told apart is drawn last, on top.
    return sorted(marks, key=lambda mark: ("best" in mark.css, "median" in mark.css, "lost" in mark.css))


def _shade(facts: Facts, trial: TrialRecord) -> float:
    """The share of complete trials that are not better: 1 for the best one."""
    place = {t.number: i for i, t in enumerate(facts.complete)}.get(trial.number)
    return 0.0 if place is None else 1 - place / max(len(facts.complete) - 1, 1)


def _epochs(marks: Sequence[Mark]) -> Axis:
    return Axis(1.0, max(2.0, *(x for mark in marks for x, _ in mark.points)), "epoch")


def _value_axis(marks: Sequence[Mark], title: str) -> Axis:
    """An axis for most of the values: a few that are far out, as of diverging trials, stand at its end."""
    values = sorted(y for mark in marks for _, y in mark.points)
    cut = len(values) // 50
    inner = values[cut : len(values) - cut] if cut else values
    ends = [y for mark in marks if "best" in mark.css for _, y in mark.points]
    is_log = inner[0] > 0 and "loss" in title and max(inner) / min(inner) > 30
    return Axis.of([*inner, *ends], title, log=is_log)


def _search(facts: Facts) -> str:
    """How the search went, and where in the space its values lie."""
    if not facts.complete:
        return ""
    charts = [_figure("Best so far", _progress(facts).svg(), "Each dot is a trial; the line is the best up to it.")]
    importance = facts.evidence.get("hyperparameter_importance") or {}
    if importance:
        rows = sorted(importance.items(), key=lambda item: -item[1])
        note = "PED-ANOVA: how much each hyperparameter tells the better trials from the others."
        charts.append(
            _figure("What mattered", bars(rows, "importance of hyperparameters", [f"{v:.0%}" for _, v in rows]), note)
        )
    slices = [_slice(facts, name) for name in facts.space]
    pair = _pair(facts, importance)
    body = _charts(charts) + _parallel(facts)
    if slices:
        body += "<h3>By hyperparameter</h3>" + _charts([*slices, *([pair] if pair else [])], small=True)
    return _section("The search", body)


def _front(facts: Facts) -> str:
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
    note = f"No other trial is better in one of {facts.metric} and {', '.join(costs.counted)}, and worse in none."
    body = _charts([_figure("", chart.svg())]) + _table(["trial", facts.metric, *kinds, *names], rows)
    return _section("Pareto front", body, note)


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
    x = Axis(-0.5, max(1.0, line[-1][0] + 0.5), "trial")
    return Chart(x, _value_axis(dots, facts.metric), [*dots, Mark(steps, "step")], "best value so far by trials")


def _dot_css(facts: Facts, trial: TrialRecord) -> str:
    return "line best" if facts.complete and trial.number == facts.complete[0].number else "line"


def _axis_of(facts: Facts, name: str) -> tuple[Axis, dict[str, float]]:
    """A hyperparameter's axis and the places of its choices by their texts."""
    table = facts.space[name]
    if "low" in table and table["low"] < table["high"]:
        return Axis(float(table["low"]), float(table["high"]), name, log=bool(table.get("log"))), {}
    given = table.get("choices") or [table.get("low")]
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
    return _figure("", Chart(axis, _value_axis(marks, facts.metric), marks, f"{facts.metric} by {name}").svg())


def _pair(facts: Facts, importance: Mapping[str, float]) -> str:
    """The two ranges that mattered most against each other, shaded by rank."""
    ranges = [name for name in sorted(facts.space, key=lambda n: -importance.get(n, 0.0)) if "low" in facts.space[name]]
    if len(ranges) < 2:
        return ""
    first, second = ranges[:2]
    marks = [
        Mark(
            [(float(t.params[first]), float(t.params[second]))],
            _dot_css(facts, t),
            t.number,
            _shade(facts, t),
            dot=True,
        )
        for t in reversed(facts.complete)
        if first in t.params and second in t.params
    ]
    chart = Chart(_axis_of(facts, first)[0], _axis_of(facts, second)[0], marks, f"{first} and {second}")
    return _figure("", chart.svg(), "The darker, the better.") if marks else ""


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
        lines.append(Mark(kept, _dot_css(facts, trial), trial.number, _shade(facts, trial)))
    svg = parallel([*((name, axis) for name, axis, _ in axes), (facts.metric, values)], lines, "parallel coordinates")
    return f'<h3>All trials at once</h3><figure class="wide">{svg}</figure>'


def _model(facts: Facts) -> str:
    """The model that is handed back: its members, and beside what others it stands."""
    if not facts.best:
        return ""
    by_number = {trial.number: trial for trial in facts.trials}
    members = facts.best["ensemble"] or [{"number": facts.best["number"], "weight": 1.0}]
    members = sorted(members, key=lambda m: (-m["weight"], m["number"]))
    names = list(facts.space)
    rows = []
    for member in members:
        trial = by_number.get(member["number"])
        params = trial.params if trial else {}
        value = trial.value if trial else None
        cells = [
            f"{member['weight']:.2g}",
            number_text(value),
            *(value_text(params[n]) if n in params else "" for n in names),
        ]
        rows.append((member["number"], [str(member["number"]), *cells]))
    body = _table(["trial", "weight", facts.metric, *names], rows)
    baselines = facts.evidence.get("baselines") or []
    constant = facts.evidence.get("constant")
    others = [(row["name"], number_text(row["score"])) for row in baselines]
    if constant is not None:
        others.append(("the same answer for all rows", number_text(constant)))
    if others:
        metric = _measure(facts)
        note = "On the validation rows of the first fold, which none was trained on; the constant answer on those of all folds."
        body += f"<h3>Beside others: {escape(metric)}</h3>{_table(['model', metric], [(None, list(row)) for row in others])}"
        body += f'<p class="quiet">{escape(note)}</p>'
    return _section("The model", body)


def _rows(facts: Facts) -> str:
    """What the model does on rows that it was not trained on, and what of the columns it uses."""
    e, charts = facts.evidence, []
    if e.get("confusion"):
        charts.append(_figure("Confusion matrix", matrix(e["confusion"], e["labels"], "confusion matrix")))
    if e.get("calibration"):
        line = [(p, share) for p, share, _ in e["calibration"]]
        marks = [
            Mark([(0, 0), (1, 1)], "dashed"),
            Mark(line, "best"),
            *(Mark([p], "line best", dot=True) for p in line),
        ]
        chart = Chart(Axis(0, 1, "predicted probability"), Axis(0, 1, "share that is right"), marks, "calibration")
        charts.append(_figure("Calibration", chart.svg(), "On the dashed line probabilities mean what they say."))
    if e.get("thresholds"):
        rows = e["thresholds"]
        marks = [Mark([(t, r) for t, r, _, _ in rows], "best"), Mark([(t, p) for t, _, _, p in rows], "train")]
        legend = {"best": "recall", "train": "precision"}
        chart = Chart(Axis(0, 1, "threshold"), Axis(0, 1, ""), marks, "recall and precision by threshold", legend)
        charts.append(_figure(f"Threshold for {_last(e['labels'])}", chart.svg()))
    if e.get("predicted"):
        axis = Axis.of([v for pair in e["predicted"] for v in pair])
        x, y = Axis(axis.low, axis.high, "true"), Axis(axis.low, axis.high, "predicted")
        dots = [Mark([tuple(pair)], "line", shade=0.6, dot=True) for pair in e["predicted"]]
        chart = Chart(
            x, y, [Mark([(axis.low, axis.low), (axis.high, axis.high)], "dashed"), *dots], "predicted against true"
        )
        low, _a, middle, _b, high = (number_text(q) for q in e["error_quantiles"])
        charts.append(
            _figure(
                "Predicted and true",
                chart.svg(),
                f"Nine of ten errors lie between {low} and {high}, their median is {middle}.",
            )
        )
    if e.get("importance"):
        drops = sorted(((name, drop or 0.0) for name, drop in e["importance"]), key=lambda item: -item[1])[:BARS]
        charts.append(
            _figure(
                "Columns", bars(drops, "importance of columns"), "How much the score falls when a column is shuffled."
            )
        )
    return _section("On rows it has not seen", _charts(charts))


def _table_columns(facts: Facts) -> str:
    """The columns as they were understood, and why some were left out; of older launches only what was said."""
    lines = [str(line) for line in facts.evidence.get("messages") or ()]
    said = "".join(f"<li>{escape(_sentence(line))}</li>" for line in lines)
    rows = [
        [c["name"], c["kind"], str(c["missing"]), str(c["levels"]), _becomes(c)]
        for c in facts.evidence.get("columns") or ()
    ]
    names = ["column", "kind", "missing", "levels", "what becomes of it"]
    table = _table(names, [(None, row) for row in rows[:COLUMNS]], text=names[-1:]) if rows else ""
    if len(rows) > OPEN_COLUMNS:
        table = f"<details><summary>{counted(len(rows), 'column')}</summary>{table}</details>"
    hidden = len(rows) - COLUMNS
    more = f'<p class="quiet">and {counted(hidden, "more column")}: mlptune columns shows all</p>' if hidden > 0 else ""
    note = "In brackets: the key of a sweep file that says it instead." if rows else ""
    return _section("The table as it was understood", (f"<ul>{said}</ul>" if said else "") + table + more, note)


def _becomes(column: Mapping[str, Any]) -> str:
    """What is made of a column, or why nothing is."""
    use = column["becomes"] if column["used"] else f"left out: {column['reason']}"
    return "; ".join([use, *column["remarks"]])


def _trials(facts: Facts) -> str:
    names = list(facts.space)
    rest = [trial for trial in facts.trials if trial not in facts.complete]
    reasons = ["reason"] if any(trial.reason for trial in facts.trials) else []
    rows = []
    for trial in [*facts.complete, *rest][:ROWS]:
        params = [value_text(trial.params[n]) if n in trial.params else "" for n in names]
        cells = [
            str(trial.number),
            trial.state,
            number_text(trial.value),
            str(trial.epochs),
            *params,
            *([(trial.reason or "")[:80]] if reasons else []),
        ]
        rows.append((trial.number, cells))
    more = len(facts.trials) - len(rows)
    note = f'<p class="quiet">and {more} more: mlptune show {escape(shlex.quote(facts.name))}</p>' if more > 0 else ""
    return _section("Trials", _table(["trial", "state", facts.metric, "epochs", *names, *reasons], rows) + note)


def _again(facts: Facts) -> str:
    name = shlex.quote(facts.name)
    python = f"import mlptune\nmodel = mlptune.load_model({facts.name!r})\nmodel.predict(rows)"
    shell = f"mlptune best {name}\nmlptune predict {name} new.csv -o predictions.csv"
    body = f"<pre>{escape(shell)}</pre><pre>{escape(python)}</pre>"
    if facts.spec:
        summary = "The sweep file: the same seed gives the same sweep"
        body += f"<details><summary>{summary}</summary><pre>{escape(facts.spec)}</pre></details>"
    return _section("Use it, and have it again", body + f'<p class="quiet">run {escape(facts.run_id)}</p>')


def _trial_text(facts: Facts, trial: TrialRecord) -> str:
    head = f"trial {trial.number}: {facts.metric} {number_text(trial.value)}, {trial.state}, {counted(trial.epochs, 'epoch')}"
    reason = f"\n{trial.reason}" if trial.reason else ""
    return head + reason + "\n" + params_text(trial.params).replace("  ", "\n")


def _table(names: Sequence[str], rows: Iterable[tuple[int | None, Sequence[str]]], text: Sequence[str] = ()) -> str:
    """A table; rows that belong to a trial come with its number, and columns named in `text` may wrap."""
    css = [' class="text"' if name in text else "" for name in names]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr{'' if number is None else f' data-trial={number}'}>"
        f"{''.join(f'<td{style}>{escape(cell)}</td>' for style, cell in zip(css, cells, strict=True))}</tr>"
        for number, cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _section(title: str, body: str, note: str = "") -> str:
    about = f'<p class="quiet">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{about}{body}</section>" if body else ""


def _charts(figures: Sequence[str], *, small: bool = False) -> str:
    found = "".join(figures)
    return f'<div class="charts{" small" if small else ""}">{found}</div>' if found else ""


def _figure(title: str, svg: str, note: str = "") -> str:
    head, foot = (
        (f"<h3>{escape(title)}</h3>" if title else ""),
        (f"<figcaption>{escape(note)}</figcaption>" if note else ""),
    )
    return f"<figure>{head}{svg}{foot}</figure>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _last(labels: Sequence[str]) -> str:
    return repr(labels[-1]) if labels else "the second class"
