"""The report: one page that needs no network, with what was asked, what came out, what it is worth, and how to have it again.

The page's own script is the only one that may run (its hash is in the page's policy), and all texts are escaped.
"""

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ..._text import counted
from ...tracking.records import TrialRecord
from ..short import number_text, params_text, value_text
from .charts import Axis, Chart, Mark, bars, matrix
from .elements import figure, section, sentence, side_by_side, table
from .facts import Facts
from .rules import Finding
from .trials import curves_section, front_section, search_section

# Rows of the table of trials; bars of the columns' importance.
ROWS, BARS = 50, 20
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
        curves_section(facts),
        search_section(facts),
        front_section(facts),
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
    target = next(
        (f" to predict {c['name']}" for c in facts.evidence.get("columns") or () if c["kind"] == "target"), ""
    )
    asked = f"{counted(len(facts.ended), 'trial')} by {facts.method}{target}, judged by {_measure(facts)} in validation ({higher})"
    if rows:
        how = counted(rows["folds"], "fold") if rows["folds"] > 1 else "one split"
        asked += f", on {counted(rows['development'], 'row')} with {counted(rows['inputs'], 'input')}, {how}"
        asked += f"; {counted(rows['test'], 'row')} sealed as a test part" if rows["test"] else "; no test part"
    state = "" if facts.state == "finished" else f" This launch is {facts.state}."
    if facts.space_changes:
        state += f" The space was {'; '.join(facts.space_changes)}."
    if facts.stopped:
        state += f" The search was stopped: {facts.stopped}."
    lead = f"<p class='lead'>{escape(asked)}.{escape(state)}</p>"
    return f"<h1>{escape(facts.name)}</h1>{lead}{_outcome(facts, best)}{_numbers(facts, best)}"


def _outcome(facts: Facts, best: Mapping[str, Any]) -> str:
    """What came out, in a sentence."""
    if not best:
        return ""
    members = [member["number"] for member in best["ensemble"]] or [best["number"]]
    model = f"The model, {len(members)} trials together," if len(members) > 1 else f"The model, trial {members[0]},"
    measure, said = _measure(facts).removeprefix("the "), []
    if expected := best.get("expected"):
        ends = f"{number_text(expected['low'])} to {number_text(expected['high'])}"
        said.append(f"is expected to have {measure} {number_text(expected['score'])} on new rows (95\u00a0%: {ends})")
    if best.get("test_score") is not None:
        said.append(f"has {measure} {number_text(best['test_score'])} on the sealed test part")
    if not said:
        return ""
    constant, answer = (
        facts.evidence.get("constant"),
        facts.evidence.get("constant_answer", "the same answer for all rows"),
    )
    least = f"; {answer} has {number_text(constant)}" if constant is not None else ""
    text = f"{model} {' and '.join(said)}{least}."
    return f"<p class='lead'>{escape(text)}</p>"


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
        return section("Diagnosis", '<div class="finding fine"><p>Nothing conspicuous was found.</p></div>')
    body = "".join(
        f'<div class="finding {f.severity}"><p>{escape(sentence(f.text))}</p>'
        f'<p class="quiet">{escape(sentence(f.advice))}</p></div>'
        for f in findings
    )
    return section("Diagnosis", body)


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
    body = table(["trial", "weight", facts.metric, *names], rows)
    return section("The model", body + _beside_others(facts))


def _beside_others(facts: Facts) -> str:
    """The model's score and those of a linear model, of gradient boosting and of the constant answer, as far as they are known."""
    baselines, constant = facts.evidence.get("baselines") or [], facts.evidence.get("constant")
    if not baselines and constant is None:
        return ""
    note = "On the validation rows of the first fold, which none was trained on; the constant answer on those of all folds."
    rows = [(row["name"], row["score"]) for row in baselines]
    if not baselines:
        note = "On validation rows, which none was trained on. A search of seconds has no time to fit other models."
        rows = [("mlptune", facts.evidence.get("score"))]
    rows += [("the same answer for all rows", constant)] if constant is not None else []
    metric = _measure(facts)
    scores = table(["model", metric], [(None, [name, number_text(score)]) for name, score in rows])
    return f'<h3>Beside others: {escape(metric)}</h3>{scores}<p class="quiet">{escape(note)}</p>'


def _rows(facts: Facts) -> str:
    """What the model does on rows that it was not trained on, and what of the columns it uses."""
    e, charts = facts.evidence, []
    if e.get("confusion"):
        charts.append(figure("Confusion matrix", matrix(e["confusion"], e["labels"], "confusion matrix")))
    if e.get("calibration"):
        line = [(p, share) for p, share, _ in e["calibration"]]
        marks = [
            Mark([(0, 0), (1, 1)], "dashed"),
            Mark(line, "best"),
            *(Mark([p], "line best", dot=True) for p in line),
        ]
        chart = Chart(Axis(0, 1, "predicted probability"), Axis(0, 1, "share that is right"), marks, "calibration")
        charts.append(figure("Calibration", chart.svg(), "On the dashed line probabilities mean what they say."))
    if e.get("thresholds"):
        rows = e["thresholds"]
        marks = [Mark([(t, r) for t, r, _, _ in rows], "best"), Mark([(t, p) for t, _, _, p in rows], "train")]
        legend = {"best": "recall", "train": "precision"}
        chart = Chart(Axis(0, 1, "threshold"), Axis(0, 1, ""), marks, "recall and precision by threshold", legend)
        charts.append(figure(f"Threshold for {_last(e['labels'])}", chart.svg()))
    if e.get("predicted"):
        charts += _errors(e["predicted"], e["error_quantiles"])
    if e.get("importance"):
        drops = sorted(((name, drop or 0.0) for name, drop in e["importance"]), key=lambda item: -item[1])[:BARS]
        where = "rows of the test part" if (e.get("rows") or {}).get("test") else "rows that were trained on"
        note = f"How much the score falls when a column is shuffled, on {where}."
        charts.append(figure("Columns", bars(drops, "importance of columns"), note))
    return section("On rows it has not seen", side_by_side(charts))


def _errors(pairs: Sequence[tuple[float, float]], quantiles: Sequence[float]) -> list[str]:
    """Of (true, predicted) numbers the one against the other, and the errors by what was predicted."""
    axis = Axis.of([value for pair in pairs for value in pair])
    x, y = Axis(axis.low, axis.high, "true"), Axis(axis.low, axis.high, "predicted")
    dots = [Mark([(true, predicted)], "line", shade=0.6, dot=True) for true, predicted in pairs]
    equal = Mark([(axis.low, axis.low), (axis.high, axis.high)], "dashed")
    low, _, middle, _, high = (number_text(q) for q in quantiles)
    across = Axis.of([predicted for _, predicted in pairs], "predicted")
    errors = [(predicted, predicted - true) for true, predicted in pairs]
    left = [Mark([point], "line", shade=0.6, dot=True) for point in errors]
    none = Mark([(across.low, 0.0), (across.high, 0.0)], "dashed")
    upwards = Axis.of([0.0, *(error for _, error in errors)], "error")
    return [
        figure(
            "Predicted and true",
            Chart(x, y, [equal, *dots], "predicted against true").svg(),
            f"Nine of ten errors lie between {low} and {high}, their median is {middle}.",
        ),
        figure(
            "Residuals",
            Chart(across, upwards, [none, *left], "errors by what was predicted").svg(),
            "Predicted less true. A bend or a fan says where the model is wrong.",
        ),
    ]


def _table_columns(facts: Facts) -> str:
    """The columns as they were understood, and why some were left out; of older launches only what was said."""
    lines = [str(line) for line in facts.evidence.get("messages") or ()]
    said = "".join(f"<li>{escape(sentence(line))}</li>" for line in lines)
    rows = [
        [c["name"], c["kind"], str(c["missing"]), str(c["levels"]), _becomes(c)]
        for c in facts.evidence.get("columns") or ()
    ]
    names = ["column", "kind", "missing", "levels", "what becomes of it"]
    columns = table(names, [(None, row) for row in rows[:COLUMNS]], text=names[-1:]) if rows else ""
    if len(rows) > OPEN_COLUMNS:
        columns = f"<details><summary>{counted(len(rows), 'column')}</summary>{columns}</details>"
    hidden = len(rows) - COLUMNS
    more = f'<p class="quiet">and {counted(hidden, "more column")}: mlptune columns shows all</p>' if hidden > 0 else ""
    note = "In brackets: the key of a sweep file that says it instead." if rows else ""
    return section("The table as it was understood", (f"<ul>{said}</ul>" if said else "") + columns + more, note)


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
    return section("Trials", table(["trial", "state", facts.metric, "epochs", *names, *reasons], rows) + note)


def _again(facts: Facts) -> str:
    name = shlex.quote(facts.name)
    python = f"import mlptune\nmodel = mlptune.load_model({facts.name!r})\nmodel.predict(rows)"
    shell = f"mlptune best {name}\nmlptune predict {name} new.csv -o predictions.csv"
    body = f"<pre>{escape(shell)}</pre><pre>{escape(python)}</pre>"
    if facts.spec:
        summary = "The sweep file: the same seed gives the same sweep"
        again = f"mlptune sweep {shlex.quote(facts.name + '.toml')}"
        about = f"<p>Saved under that name it runs again:</p><pre>{escape(again)}</pre>"
        body += f"<details><summary>{summary}</summary>{about}<pre>{escape(facts.spec)}</pre></details>"
    made = f"{facts.made_with}; run {facts.run_id}" if facts.made_with else f"run {facts.run_id}"
    return section("Use it, and have it again", body + f'<p class="quiet">{escape(made)}</p>')


def _trial_text(facts: Facts, trial: TrialRecord) -> str:
    head = f"trial {trial.number}: {facts.metric} {number_text(trial.value)}, {trial.state}, {counted(trial.epochs, 'epoch')}"
    reason = f"\n{trial.reason}" if trial.reason else ""
    return head + reason + "\n" + params_text(trial.params).replace("  ", "\n")


def _last(labels: Sequence[str]) -> str:
    return repr(labels[-1]) if labels else "the second class"
