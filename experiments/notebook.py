"""A sweep's result as a notebook shows it: one small table of HTML, in which every text is escaped."""

import html
from collections.abc import Mapping
from typing import Any

from .._text import counted
from .ranking import ranked_rows
from .short import number_text, params_text

TOP = 5
"""Trials that are listed."""


def result_html(summary: Mapping[str, Any]) -> str:
    """The table of a sweep: what its model can be expected to score, what it scored, and the best trials.

    Args:
        summary: What `mlptune show --json` prints, of a sweep that has a best trial.
    """
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
    head = "".join(f"<tr>{_cell(name, 'th', 2)}{_cell(text, 'td', 2)}</tr>" for name, text in facts)
    names = "".join(_cell(name, "th") for name in ("trial", best["metric"], "epochs", "parameters"))
    rows = "".join(
        f"<tr>{''.join(map(_cell, cells))}</tr>"
        for cells in (
            (str(t["number"]), number_text(t["value"]), str(t["epochs"]), params_text(t["params"]))
            for t in ranked_rows(summary["trials"], best)[:TOP]
        )
    )
    return f"<table><caption>{html.escape(summary['name'])}</caption>{head}<tr>{names}</tr>{rows}</table>"


def _cell(text: str, tag: str = "td", columns: int = 1) -> str:
    span = f' colspan="{columns}"' if columns > 1 else ""
    return f'<{tag}{span} style="text-align: left">{html.escape(text)}</{tag}>'
