"""The Pareto front of a sweep with several metrics as a table: what a better score costs."""

from collections.abc import Mapping
from typing import Any

from ..._text import joined
from ..short import count_text, number_text, params_text
from .present import text_table


def front_table(shown: Mapping[str, Any], width: int | None = None) -> str:
    """Return the front of what `mlptune show --json` prints, the cheapest trial first; "" of a sweep with one metric.

    All counted costs are shown, those that are minimised first. `width` is the terminal's, if it is one.
    """
    counted = shown.get("counted")
    if not counted or not shown["front"]:
        return ""
    trials = {trial["number"]: trial for trial in shown["trials"]}
    names = list(dict.fromkeys((*counted, *trials[shown["front"][0]]["costs"])))
    rows = []
    for number in shown["front"]:
        trial = trials[number]
        costs = [count_text(trial["costs"].get(name)) for name in names]
        rows.append([str(number), number_text(trial["value"]), *costs, params_text(trial["params"])])
    metric = shown["best"]["metric"]
    table = text_table(["trial", metric, *names, "hyperparameters"], rows, ["trial", metric, *names], width)
    return f"Pareto front of {joined([metric, *counted])}:\n{table}"
