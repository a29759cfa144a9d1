"""What a user reads of a launch in MLflow: the names of runs, and descriptions in Markdown, from which nothing is read back."""

import html
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import schema
from .records import TrialRecord, param_text

_NAME_LIMIT = 80
LEADERS = 10

# Short forms in the names of runs; other names stand as they are.
ABBREVIATIONS = {
    "learning_rate": "lr",
    "weight_decay": "wd",
    "batch_size": "batch",
    "optimizer": "",
    "activation": "",
    "hidden": "",
    "momentum": "mom",
    "dropout": "drop",
    "label_smoothing": "smooth",
    "embedding": "emb",
    "embedding_sigma": "sigma",
    "schedule": "",
}


@dataclass(frozen=True)
class Description:
    """What a launch is about, for its page.

    Attributes:
        searched: The names of the searched hyperparameters.
        grouped: Those by which its table groups the trials: all of a grid, else none.
        target: The column that is predicted.
        source: Where the data come from, without passwords.
        fingerprint: That of the data and of their split.
        rows: The number of rows for training and validation.
        columns: The number of columns.
    """

    searched: Sequence[str]
    grouped: Sequence[str]
    target: str
    source: str
    fingerprint: str
    rows: int
    columns: int


def run_name(record: TrialRecord) -> str:
    """The name of a trial's run, such as "#12 lr .003 wd .1 64-64"; at most 80 characters."""
    words = [f"#{record.number}"]
    for name, value in record.params.items():
        words += [word for word in (ABBREVIATIONS.get(name, name), _short(value)) if word]
    text = param_text(" ".join(" ".join(words).split()))
    return text if len(text) <= _NAME_LIMIT else text[: _NAME_LIMIT - 1] + "…"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = f"{value:.2g}"
        return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text.replace("e-0", "e-")
    if isinstance(value, list | tuple):
        return "-".join(_short(item) for item in value) or "none"
    return param_text(value)


def sweep_note(description: Description, metric: str, page: str) -> str:
    """The description of a sweep's experiment, of which lists show the beginning, without its marks.

    Args:
        description: What the sweep is about.
        metric: The objective's curve.
        page: The fragment of the page with the trials and their curves, which may be several clicks away from this one.
    """
    return (
        f"Predicts {cell(description.target)}: [trials and their curves]({page}). Multilayer perceptrons tuned on "
        f"{cell(description.source)}, judged by {cell(metric)}. Each launch is a run, each trial a nested run of its launch."
    )


def linked_page(note: str) -> str:
    """The page that a sweep's description leads to, that of its newest launch; "" where there is none."""
    found = re.search(r"\]\((#[^)]*)\)", note)
    return found[1] if found else ""


def launch_note(
    name: str,
    best: TrialRecord,
    *,
    experiment_id: str,
    metric: str,
    metrics: Mapping[str, float],
    leaders: Sequence[TrialRecord] = (),
    said: Sequence[str] = (),
) -> str:
    """The description of a finished launch.

    Args:
        name: The sweep.
        best: Its best trial, with its run.
        experiment_id: The sweep's experiment.
        metric: The objective's curve.
        metrics: Those of the launch: what the model is expected to score, and scores on the test part.
        leaders: The best trials with their runs, the best first.
        said: The diagnosis, a line each.
    """
    parts = [f"{sweep_head(name)} {_scores(best, metric, metrics)}", _table(leaders or [best], experiment_id, metric)]
    shown = best.configuration or best.params
    if best.copied:
        rows = "".join(f"| {cell(key)} | {cell(param_text(value))} |\n" for key, value in shown.items())
        parts.append(f"| hyperparameter | value |\n|---|---|\n{rows}")
    if said:
        parts.append("\n".join(f"- {cell(line)}" for line in said))
    return "\n\n".join([*parts, next_commands(name)])


def sweep_head(name: str) -> str:
    """How the description of a finished launch begins."""
    return f"Sweep **{cell(name)}**."


def next_commands(name: str) -> str:
    """What can be done with a finished sweep, as it stands in the description."""
    quoted = shlex.quote(name).replace("\n", " ")
    return "\n".join(f"    mlptune {word} {quoted}{tail}" for word, tail in (("report", ""), ("predict", " FILE")))


def _scores(best: TrialRecord, metric: str, metrics: Mapping[str, float]) -> str:
    text = f"Best: trial {best.number}, {cell(metric)} {_number(best.value)} after {best.epochs} epochs."
    expected = [metrics.get(key) for key in (schema.EXPECTED_SCORE, schema.EXPECTED_LOW, schema.EXPECTED_HIGH)]
    if None not in expected:
        score, low, high = map(_number, expected)
        text += f" The model is expected to score {score} ({low} to {high}) on new rows"
        text += f"; on the test part it scores {_number(metrics[schema.TEST_SCORE])}." if _tested(metrics) else "."
    elif _tested(metrics):
        text += f" On the test part the model scores {_number(metrics[schema.TEST_SCORE])}."
    return text


def _tested(metrics: Mapping[str, float]) -> bool:
    return schema.TEST_SCORE in metrics


def _table(leaders: Sequence[TrialRecord], experiment_id: str, metric: str) -> str:
    names = list(dict.fromkeys(name for trial in leaders for name in trial.params))
    head = ["trial", metric, *names]
    rows = [[_link(trial, experiment_id), _number(trial.value), *_values(trial, names)] for trial in leaders]
    lines = [[cell(name) for name in head], ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _values(trial: TrialRecord, names: Sequence[str]) -> list[str]:
    values = [trial.params.get(name, "") for name in names]
    return [_number(value) if isinstance(value, float) else cell(param_text(value)) for value in values]


def _link(trial: TrialRecord, experiment_id: str) -> str:
    """A link that works in MLflow's pages wherever they are served, and opens those for training."""
    if not trial.run_id:
        return str(trial.number)
    return f"[{trial.number}](#/experiments/{experiment_id}/runs/{trial.run_id}?workflowType=machine_learning)"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


# What Markdown would take for emphasis, code, links, images or borders.
_MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "|*_`[]~\\"})


def cell(text: str) -> str:
    """Text for a table in Markdown, which takes bars for borders and lets HTML through."""
    return html.escape(" ".join(text.split())).translate(_MARKS)
