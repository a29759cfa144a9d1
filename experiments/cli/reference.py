"""The reference as text: what `mlptune params`, `methods` and `metrics` print."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...search.methods import Method
from ..config.toml import toml_value
from .wrapped import hanging, wrapped_table

Row = Mapping[str, Any]


def default_text(value: Any) -> str:
    """Return a default as a sweep file has it; a dash where leaving it out is the default."""
    if value is None:
        return "-"
    try:
        return f"{value:g}" if isinstance(value, float) else toml_value(value)
    except TypeError:
        return str(value)


def parameters_text(rows: Sequence[Row], width: int) -> str:
    """Return the table of hyperparameters, each with its first sentence."""
    cells = [[row["name"], default_text(row["default"]), plain(first_sentence(row["meaning"]))] for row in rows]
    return "\n".join([*wrapped_table(["name", "default", "meaning"], cells, width), "mlptune params NAME says more."])


def parameter_text(row: Row, width: int) -> str:
    """Return all there is to say of a hyperparameter."""
    lines = [*hanging("", f"{row['name']}: {row['meaning']}", width)]
    facts = [("value", row["value"]), ("default", default_text(row["default"]))]
    facts += [("marks", ", ".join(row["marks"]))] if row["marks"] else []
    facts += [(f"preset {name}", default_text(value)) for name, value in row.get("presets", {}).items()]
    lines += _facts(facts, width)
    choices = [[name, plain(meaning)] for name, meaning in row.get("choices", {}).items()]
    return "\n".join(
        [*map(plain, lines), *(["", *wrapped_table(["choice", "what it computes"], choices, width)] if choices else [])]
    )


def methods_text(rows: Sequence[Row], pruners: Sequence[Row], width: int) -> str:
    """Return the tables of methods and of pruners."""
    of_methods = [[row["name"], plain(_with_trials(row))] for row in rows]
    of_pruners = [[row["name"], plain(row["meaning"])] for row in pruners]
    more = "Any class of optuna.samplers is a method, any of optuna.pruners a pruner. mlptune methods NAME says more."
    return "\n".join(
        [
            *wrapped_table(["method", "how it proposes"], of_methods, width),
            "",
            *wrapped_table(["pruner", "what it stops, under a method that does not do so itself"], of_pruners, width),
            "",
            *hanging("", more, width),
        ]
    )


def _with_trials(row: Row) -> str:
    """What a method is, and what `trials` counts where that is not what everybody expects."""
    return row["meaning"] if row["trials"] == Method.trials else f"{row['meaning']}; trials counts {row['trials']}"


def method_text(row: Row, width: int) -> str:
    """Return all there is to say of a method."""
    lines = hanging("", f"{row['name']}: {row['meaning']}", width)
    facts = [("about", row["about"])] if row["about"] else []
    facts += [(name, row[name]) for name in ("sampler", "scheduler") if row.get(name, row["name"]) != row["name"]]
    facts += [("trials", f"counts {row['trials']}")] if "trials" in row else []
    lines += _facts(facts, width)
    options = [
        [option["name"], str(option["type"]), default_text(option["default"]), plain(option["meaning"])]
        for option in row["options"]
    ]
    if not options:
        return "\n".join([*map(plain, lines), "It has no options."])
    head = ["option", "type", "default", "meaning"]
    return "\n".join([*map(plain, lines), "", "[search] options:", *wrapped_table(head, options, width)])


def metrics_text(rows: Sequence[Row], width: int) -> str:
    """Return the table of metrics, or of one."""
    cells = [
        [row["name"], _task(row["tasks"]), _BETTER.get(row["direction"], "?"), plain(row["meaning"])] for row in rows
    ]
    return "\n".join(wrapped_table(["metric", "task", "better", "meaning"], cells, width))


_BETTER = {"maximize": "higher", "minimize": "lower"}


def _task(tasks: Sequence[str]) -> str:
    return tasks[0] if len(tasks) == 1 else "both" if tasks else "?"


def _facts(facts: Sequence[tuple[str, str]], width: int) -> list[str]:
    margin = max((len(name) for name, _ in facts), default=0) + 2
    return [line for name, text in facts for line in hanging(name.ljust(margin), text, width)]


def first_sentence(text: str) -> str:
    """Return a text up to its first full stop, which that of "et al." is not."""
    return re.split(r"(?<!\bal)\.(?: |$)", text, maxsplit=1)[0] + "."


def plain(text: str) -> str:
    """Return a text without Markdown's marks of code."""
    return text.replace("`", "")
