"""A sweep's result and its model as a notebook shows them: one small table of HTML each, in which every text is escaped."""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._text import counted
from .ranking import ranked_rows
from .short import number_text, params_text

if TYPE_CHECKING:
    from .model import TunedModel

TOP = 5
"""Trials that are listed."""
COLUMNS = 10
"""Columns and classes that are named."""


def result_text(summary: Mapping[str, Any]) -> str:
    """The same facts in one line, for a `repr`; of a sweep without a best trial its state."""
    facts = result_facts(summary) if summary["best"] else [("state", summary["state"])]
    return f"<SweepResult {summary['name']!r}: {'; '.join(f'{what} {text}' for what, text in facts)}>"


def result_facts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What its best trial scored, what its model can be expected to score, what it scored, and of how much it is made."""
    best = summary["best"]
    facts = [("best", f"trial {best['number']}, {best['metric']} {number_text(best['value'])}")]
    if best["expected"]:
        score, low, high = (number_text(best["expected"][key]) for key in ("score", "low", "high"))
        facts.append(("expected", f"{score} ({low} to {high})"))
    if best["test_score"] is not None:
        facts.append(("on the test part", number_text(best["test_score"])))
    facts.append(("model", f"{counted(len(best['ensemble']) or 1, 'trial')} of {len(summary['trials'])}"))
    return facts


def result_html(summary: Mapping[str, Any]) -> str:
    """The table of a sweep: its facts and its best trials.

    Args:
        summary: What `mlptune show --json` prints, of a sweep that has a best trial.
    """
    best = summary["best"]
    names = "".join(_cell(name, "th") for name in ("trial", best["metric"], "epochs", "parameters"))
    rows = "".join(
        f"<tr>{''.join(map(_cell, cells))}</tr>"
        for cells in (
            (str(t["number"]), number_text(t["value"]), str(t["epochs"]), params_text(t["params"]))
            for t in ranked_rows(summary["trials"], best)[:TOP]
        )
    )
    return _table(summary["name"], result_facts(summary), f"<tr>{names}</tr>{rows}", columns=2)


def model_html(model: "TunedModel") -> str:
    """The table of a model: what it predicts from what, of what it is made, and the best trial's configuration."""
    facts = [
        ("predicts", model.parts[0].target.name),
        ("task", model.task),
        ("columns", f"{model.n_features_in_}: {', '.join(map(str, model.feature_names_in_[:COLUMNS]))}"),
        ("networks", str(sum(len(part.theta) for part in model.parts))),
        ("trials", ", ".join(f"{number} ({weight:.0%})" for number, weight in model.members.items()) or "1"),
        ("parameters of the best", params_text(model.params)),
    ]
    if model.task == "classification":
        facts.insert(2, ("classes", ", ".join(map(str, model.classes_[:COLUMNS]))))
    return _table("TunedModel", facts)


def _table(caption: str, facts: Sequence[tuple[str, str]], more: str = "", columns: int = 1) -> str:
    head = "".join(f"<tr>{_cell(name, 'th', columns)}{_cell(text, 'td', columns)}</tr>" for name, text in facts)
    return f"<table><caption>{html.escape(caption)}</caption>{head}{more}</table>"


def _cell(text: str, tag: str = "td", columns: int = 1) -> str:
    span = f' colspan="{columns}"' if columns > 1 else ""
    return f'<{tag}{span} style="text-align: left">{html.escape(text)}</{tag}>'
