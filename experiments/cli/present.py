"""Results for users and for programs: aligned text for a terminal or a pipe, strict JSON for everything else."""

import json
import math
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..._text import counted, escape_control_characters
from ...search.spaces.layers import layer_of
from ..ranking import ranked_rows
from ..report.rules import Finding
from ..short import count_text, number_text, params_text, time_text
from .text import copied_text


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


def text_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), width: int | None = None
) -> str:
    """Return aligned columns without a frame, to be read and to be piped; `right` names right-aligned columns.

    The last column is not padded. Where a terminal is so many columns wide it goes on below itself, and no word is broken.
    """
    cells = [[escape_control_characters(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    last = sum(widths[:-1]) + 2 * len(widths[:-1])
    return "\n".join(wrapped(line, width, last) for line in lines)


def wrapped(line: str, width: int | None, indent: int = 2) -> str:
    """Return a line in as many as a terminal of this width needs, the others indented; no word is broken. None: as it is."""
    if width is None or len(line) <= width:
        return line
    indent = indent if indent <= width // 2 else 2
    first, *rest = re.split(r"(?<=\S)( +)(?=\S)", line[indent:])  # words, and the gaps between them
    lines = [line[:indent] + first]
    for gap, word in zip(rest[::2], rest[1::2], strict=True):
        if len(lines[-1]) + len(gap) + len(word) <= width:
            lines[-1] += gap + word
        else:
            lines.append(" " * indent + word)
    return "\n".join(lines)


def terminal_width() -> int | None:
    """Return how many columns standard output has, None where it is no terminal and lines are nobody's to cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def sweeps_text(sweeps: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of `mlptune list`."""
    if not sweeps:
        return "no sweeps in this store yet; start one with: mlptune sweep digits"
    rows = []
    for sweep in sweeps:
        rows.append([sweep["name"], *_launch_cells(sweep)])
        if sweep["newer"]:
            rows.append(["", *_launch_cells(sweep["newer"])])
    headers = ["name", "state", "method", "trials", "best", "test", "#", "started"]
    return text_table(headers, rows, right=["trials", "best", "test", "#"])


def _launch_cells(launch: Mapping[str, Any]) -> list[str]:
    return [
        launch["state"],
        launch["method"],
        _trials_cell(launch),
        number_text(launch["best_value"]),
        number_text(launch["test_score"]),
        str(launch["launch"]),
        _started_cell(launch),
    ]


def _started_cell(launch: Mapping[str, Any]) -> str:
    """Return the time without the year, which a line of 80 columns has no room for."""
    return str(launch["started"])[5:16].replace("T", " ")


def _trials_cell(launch: Mapping[str, Any]) -> str:
    return f"{launch['trials']}/{'?' if launch['total'] is None else launch['total']}"


def launches_text(launches: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of `mlptune list NAME`: all launches of a sweep."""
    rows = [
        [
            str(launch["launch"]),
            launch["state"],
            launch["method"],
            _trials_cell(launch),
            number_text(launch["best_value"]),
            number_text(launch["expected"]["score"] if launch["expected"] else None),
            number_text(launch["test_score"]),
            _started_cell(launch),
            "-" if launch["seconds"] is None else time_text(launch["seconds"]),
        ]
        for launch in launches
    ]
    headers = ["#", "state", "method", "trials", "best", "expected", "test", "started", "time"]
    right = ["#", "trials", "best", "expected", "test", "time"]
    metrics = ", ".join(dict.fromkeys(str(launch["metric"]) for launch in launches))
    head = f"{launches[0]['name']}: {counted(len(launches), 'launch', 'launches')}, {metrics}, times in UTC"
    return f"{escape_control_characters(head)}\n{text_table(headers, rows, right)}"


def trials_text(
    shown: Mapping[str, Any],
    top: int | None = None,
    copied: Mapping[int, Sequence[tuple[int, int]]] | None = None,
    width: int | None = None,
) -> str:
    """Return the table of `mlptune show`: all trials by number, or the `top` best first; the best has a star.

    `width` is the terminal's, if it is one. `copied` has, for each trial that has copied others, (epoch, trial) of each time.
    """
    best = shown.get("best") or {}
    trials, counted_costs = list(shown["trials"]), shown.get("counted", ())
    if top is not None:
        trials = ranked_rows(trials, best)[:top]
    rows = [
        [
            ("*" if trial["number"] == best.get("number") else "") + str(trial["number"]),
            str(trial["state"]),
            number_text(trial["value"]),
            *(count_text(trial["costs"].get(name)) for name in counted_costs),
            str(trial["epochs"]),
            params_text(trial["params"])
            + _remark(trial, (copied or {}).get(trial["number"], ()), trial["number"] in shown.get("by_hand", ())),
        ]
        for trial in trials
    ]
    counts: dict[str, int] = {}
    for trial in shown["trials"]:
        counts[trial["state"]] = counts.get(trial["state"], 0) + 1
    total = counted(len(shown["trials"]), "trial")
    if counts:
        total += f" ({', '.join(f'{n} {state}' for state, n in counts.items())})"
    head = f"{shown['name']}: {shown['state']}, method {shown['method']}, {total}"
    parts = [wrapped(escape_control_characters(head), width)]
    if rows:
        headers = ["trial", "state", "value", *counted_costs, "epochs"]
        last = "hyperparameters" if "parameters" in counted_costs else "parameters"
        parts.append(text_table([*headers, last], rows, [name for name in headers if name != "state"], width))
    if shown.get("space_changes"):
        from ..space_changes import loads

        parts += [wrapped(change.text, width) for change in loads(shown["space_changes"])]
    if shown.get("stopped"):
        parts.append(wrapped(f"stopped: {shown['stopped']}", width))
    if best:
        parts.append(wrapped(escape_control_characters(best_line(best)), width))
    return "\n".join(parts)


def _remark(trial: Mapping[str, Any], copied: Sequence[tuple[int, int]], by_hand: bool) -> str:
    reason = trial.get("reason")
    remarks = ["by hand"] if by_hand else []
    remarks += [reason] if reason and reason != trial["state"] else []
    if copied:
        remarks.append(f"began with these; {copied_text(copied)}")
    return f"  ({'; '.join(remarks)})" if remarks else ""


def best_line(best: Mapping[str, Any]) -> str:
    """Return the one line that says how good the best trial is, and the model that is handed back."""
    text = f"best: trial {best['number']}, {best['metric']} {number_text(best['value'])}"
    members = best.get("ensemble") or ()
    if members:
        together = f"{len(members)} trials together" if len(members) > 1 else f"trial {members[0]['number']} alone"
        text += f"; the model, {together}"
    if best.get("expected"):
        score, low, high = (number_text(best["expected"][key]) for key in ("score", "low", "high"))
        text += f", expected {score} ({low} to {high})"
    return text if best.get("test_score") is None else f"{text}, on the test part {number_text(best['test_score'])}"


def ensemble_lines(ensemble: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the members of a model with their weights, the greatest first; none for one trial alone."""
    if not ensemble:
        return []
    order = sorted(ensemble, key=lambda member: (-member["weight"], member["number"]))
    return ["made of  " + ", ".join(f"trial {member['number']} ({member['weight']:.0%})" for member in order)]


def costs_lines(costs: Mapping[str, float]) -> list[str]:
    """Return the line with what the model of a trial costs; none where that is not asked for."""
    return ["costs  " + ", ".join(f"{name} {count_text(count)}" for name, count in costs.items())] if costs else []


def threshold_lines(best: Mapping[str, Any]) -> list[str]:
    """Return the line with the threshold by which the model decides between two classes; none where it has none."""
    threshold = best.get("decision_threshold")
    metric = str(best["metric"]).removeprefix("val_")
    return [] if threshold is None else [f"decision threshold {threshold:.3g} for {metric}"]


def best_text(
    best: Mapping[str, Any],
    store: str = "",
    configuration: Mapping[str, Any] | None = None,
    copied: Sequence[tuple[int, int]] = (),
    reference: str = "",
    state: str = "finished",
    where: str | None = None,
) -> str:
    """Return what `mlptune best` prints; `store` is the tracking address that the user gave, if any.

    `configuration` and `copied` are those of a trial that has copied others, whose params are not its network's. `reference` is
    what means the launch, if the sweep's name alone does not; in another `state` than finished it has no model. With `where`
    it is the best of some trials, of which the model is not.
    """
    name = reference or str(best["name"])
    params = [f"  {escape_control_characters(line)}" for line in _aligned(best["params"])]
    if configuration is not None and copied:
        params = [
            f"  {escape_control_characters(line)}" for line in schedule_lines(best["params"], configuration, copied)
        ]
    uri = f", tracking_uri={store!r}" if store else ""
    condition = "" if where is None else f", where={escape_control_characters(where)!r}"
    has_model = state == "finished" and where is None
    so_far = "" if state == "finished" else f"{state}, so far "
    config = f'mlptune.best_config("{name}"{uri}{condition})'
    return "\n".join(
        [
            escape_control_characters(f"{name}: {so_far}{best_line(best).removeprefix('best: ')}"),
            *params,
            *costs_lines(best.get("costs") or {}),
            *ensemble_lines(best.get("ensemble") or ()),
            *threshold_lines(best),
            "In Python:",
            *[f'  mlptune.load_model("{name}"{uri})    # the fitted model: predict takes raw rows'] * has_model,
            f"  {config}   # for MLPClassifier or MLPRegressor",
        ]
    )


def schedule_lines(
    params: Mapping[str, Any], configuration: Mapping[str, Any], copied: Sequence[tuple[int, int]]
) -> list[str]:
    """Return what the network of a trial that has copied others was trained with: values at the start, then each change.

    Of the configuration only what was searched: the names in `params`, and those that the names of single layers stand for.
    """
    names = {(layer_of(name) or (name,))[0] for name in params}
    if names & {"layers", "units"}:
        names.add("hidden")
    start = {name: value for name, value in configuration.items() if name in names}
    changes = [f"from epoch {epoch} on  {params_text(values)}" for epoch, values in configuration.get("changes", ())]
    return [*_aligned(start), *changes, f"the trial has {copied_text(copied)}"]


def _aligned(params: Mapping[str, Any]) -> list[str]:
    width = max((len(name) for name in params), default=0)
    return [f"{name.ljust(width)}  {params_text({'': value})[1:]}" for name, value in params.items()]


def findings_text(findings: Sequence[Finding], width: int | None = None) -> str:
    """Return a diagnosis as lines, each finding with what to do next; `width` is the terminal's, as for `wrapped`."""
    if not findings:
        return "nothing conspicuous"
    lines = [line for f in findings for line in (f.text, f"  -> {f.advice}")]
    return "\n".join(
        wrapped(escape_control_characters(line), width, 5 if line.startswith(" ") else 2) for line in lines
    )


def brief_findings(findings: Sequence[Finding], most: int = 3) -> list[str]:
    """Return the problems that a diagnosis found as lines of their own, `most` at most, for the end of a sweep."""
    problems = [f for f in findings if f.severity == "problem"][:most]
    return [escape_control_characters(f"  ! {f.text}; {f.advice}") for f in problems]


def next_text(name: str, store: str = "") -> str:
    """Return where to look after a sweep."""
    quoted = f'"{name}"' if " " in name else name
    tail = f" --tracking-uri {store}" if store else ""
    rows = [
        (f"  mlptune predict {quoted} FILE -o OUT.csv{tail}", "what its model says of new rows"),
        (f"  mlptune best {quoted}{tail}", "the best configuration, and how to use it"),
        (f"  mlptune show {quoted}{tail}", "all trials"),
        (f"  mlptune report {quoted}{tail}", "curves, charts and a diagnosis on one page"),
        (f"  mlptune ui {quoted}{tail}", "learning curves, in the browser"),
    ]
    width = max(len(command) for command, _ in rows)
    return "\n".join(f"{escape_control_characters(command).ljust(width)}   {what}" for command, what in rows)
