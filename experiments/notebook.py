"""A sweep's result and its model as a notebook shows them: one small table of HTML each, in which every text is escaped."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from .._text import counted
from .ranking import ranked_rows
from .short import number_text, params_text

TOP = 5
"""Trials that are listed."""


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
    if best.get("decision_threshold") is not None:
        facts.append(("decision threshold", f"{best['decision_threshold']:.3g}"))
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
    return facts_html(summary["name"], result_facts(summary), f"<tr>{names}</tr>{rows}", columns=2)


def facts_html(caption: str, facts: Sequence[tuple[str, str]], more: str = "", columns: int = 1) -> str:
    """A table of facts, each a name and a text, above `more` rows of twice as many `columns`."""
    head = "".join(f"<tr>{_cell(name, 'th', columns)}{_cell(text, 'td', columns)}</tr>" for name, text in facts)
    return f"<table><caption>{html.escape(caption)}</caption>{head}{more}</table>"


def _cell(text: str, tag: str = "td", columns: int = 1) -> str:
    span = f' colspan="{columns}"' if columns > 1 else ""
    return f'<{tag}{span} style="text-align: left">{html.escape(text)}</{tag}>'
