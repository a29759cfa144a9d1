"""Results as people and programs read them: aligned text for a terminal or a pipe, strict JSON for everything else."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .show_text import clean, number_text, params_text


def strict_json(value: Any) -> str:
    """Return `value` as one JSON document that every parser reads: NaN and infinities become null."""
    return json.dumps(_strict(value), indent=2, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return _strict(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """Return aligned columns without a frame, made to be read and to be piped; `right` names right-aligned columns.

    The last column is not padded, so that long parameters wrap only where the terminal ends.
    """
    cells = [[clean(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def sweeps_text(sweeps: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of `mlptune list`."""
    if not sweeps:
        return "no sweeps in this store yet; start one with: mlptune sweep digits"
    rows = [
        [
            sweep["name"],
            sweep["state"],
            sweep["method"],
            f"{sweep['trials']}/{'?' if sweep['total'] is None else sweep['total']}",
            number_text(sweep["best_value"]),
            sweep["metric"] or "",
            number_text(sweep["test_score"]),
            str(sweep["started"])[:16].replace("T", " "),
        ]
        for sweep in sweeps
    ]
    headers = ["name", "state", "method", "trials", "best", "metric", "test score", "started (UTC)"]
    return text_table(headers, rows, right=["trials", "best", "test score"])


def trials_text(shown: Mapping[str, Any], top: int | None = None) -> str:
    """Return the table of `mlptune show`: all trials by number, or the `top` best first; the best has a star."""
    best = shown.get("best") or {}
    trials = list(shown["trials"])
    if top is not None:
        trials = _ranked(trials, best)[:top]
    rows = [
        [
            ("*" if trial["number"] == best.get("number") else "") + str(trial["number"]),
            str(trial["state"]),
            number_text(trial["value"]),
            str(trial["epochs"]),
            params_text(trial["params"]) + _reason(trial),
        ]
        for trial in trials
    ]
    counts: dict[str, int] = {}
    for trial in shown["trials"]:
        counts[trial["state"]] = counts.get(trial["state"], 0) + 1
    told = f"{len(shown['trials'])} trials"
    if counts:
        told += f" ({', '.join(f'{n} {state}' for state, n in counts.items())})"
    head = f"{shown['name']}: {shown['state']}, method {shown['method']}, {told}"
    parts = [clean(head)]
    if rows:
        parts.append(
            text_table(["trial", "state", "value", "epochs", "parameters"], rows, ["trial", "value", "epochs"])
        )
    if best:
        parts.append(clean(best_line(best)))
    return "\n".join(parts)


def _reason(trial: Mapping[str, Any]) -> str:
    reason = trial.get("reason")
    return f"  ({reason})" if reason and reason != trial["state"] else ""


def _ranked(trials: list[Mapping[str, Any]], best: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Complete trials, the best first. Which way is up the best trial itself tells: no other value lies beyond it."""
    complete = [trial for trial in trials if trial["state"] == "complete" and trial["value"] is not None]
    top = best.get("value")
    sign = -1 if top is None or all(trial["value"] <= top for trial in complete) else 1
    return sorted(complete, key=lambda trial: (sign * trial["value"], trial["number"]))


def best_line(best: Mapping[str, Any]) -> str:
    """Return the one line that says how good the best trial is."""
    text = f"best: trial {best['number']}, {best['metric']} {number_text(best['value'])}"
    return text if best.get("test_score") is None else f"{text}, on the test part {number_text(best['test_score'])}"


def best_text(best: Mapping[str, Any], store: str = "") -> str:
    """Return what `mlptune best` prints; `store` is the tracking address that the person gave, if any."""
    name = str(best["name"])
    params = [f"  {clean(line)}" for line in _aligned(best["params"])]
    uri = f", tracking_uri={store!r}" if store else ""
    return "\n".join(
        [
            clean(f"{name}: {best_line(best).removeprefix('best: ')}"),
            *params,
            "In Python:",
            f'  mlptune.load_model("{name}"{uri})    # the fitted model: predict takes raw rows',
            f'  mlptune.best_config("{name}"{uri})   # its hyperparameters, for MLPClassifier or MLPRegressor',
        ]
    )


def _aligned(params: Mapping[str, Any]) -> list[str]:
    width = max((len(name) for name in params), default=0)
    return [f"{name.ljust(width)}  {params_text({'': value})[1:]}" for name, value in params.items()]


def next_text(name: str, store: str = "") -> str:
    """Return where to look after a sweep."""
    quoted = f'"{name}"' if " " in name else name
    tail = f" --tracking-uri {store}" if store else ""
    rows = [
        (f"  mlptune best {quoted}{tail}", "the best configuration, and how to use it"),
        (f"  mlptune show {quoted}{tail}", "all trials"),
        (f"  mlptune ui{tail}", "learning curves, in the browser"),
    ]
    width = max(len(command) for command, _ in rows)
    return "\n".join(f"{clean(command).ljust(width)}   {what}" for command, what in rows)
