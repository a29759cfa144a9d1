"""The best trials as a table with a column for each hyperparameter, as many as the terminal is wide enough for."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from ..._text import escape_control_characters
from ...search.spaces.changes import values_at
from ...tracking.records import TrialRecord
from ..short import number_text, value_text

GAP = 2
HEADER, CELL = 7, 12
"""Characters that a heading, and then a value, is cut down to at least before a column is left out."""
WIDE = 60
"""Of narrower terminals the epochs' column goes to the hyperparameters."""


def leaders_table(leaders: Sequence[TrialRecord], width: int, ellipsis: str = "…") -> Table:
    """The trials, the best first and in green; in the heading of a last column how many hyperparameters had no room."""
    facts = {
        "best": [number_text(trial.value) for trial in leaders],
        "trial": [str(trial.number) for trial in leaders],
        "epochs": [str(trial.epochs) for trial in leaders],
    }
    if width < WIDE:
        del facts["epochs"]
    columns = {**facts, **_hyperparameters(leaders)}
    widths, left_out = column_widths(
        {name: (len(name), max(map(len, cells))) for name, cells in columns.items()}, width
    )
    table = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim", pad_edge=False)
    for name, wide in widths.items():
        table.add_column(Text(cut(name, wide, ellipsis)), justify="right", width=wide, no_wrap=True, overflow="crop")
    if left_out:
        table.add_column(Text(f"+{left_out}"), no_wrap=True, overflow="crop")
    for i, _ in enumerate(leaders):
        cells = [Text(cut(columns[name][i], wide, ellipsis)) for name, wide in widths.items()]
        table.add_row(*cells, style="" if i else "green")
    return table


def _hyperparameters(trials: Sequence[TrialRecord]) -> dict[str, list[str]]:
    """By hyperparameter the trials' values as texts, "" where a trial has none."""
    values = [_values(trial) for trial in trials]
    names = dict.fromkeys(name for of_trial in values for name in of_trial)
    return {
        escape_control_characters(name): [
            escape_control_characters(value_text(of_trial[name])) if name in of_trial else "" for of_trial in values
        ]
        for name in names
    }


def _values(trial: TrialRecord) -> Mapping[str, Any]:
    """The values that a trial was sampled with; of one that has copied others those that its network trained with at last."""
    if not trial.configuration:
        return trial.params
    now = values_at(trial.configuration, trial.epochs)
    return {name: now.get(name, value) for name, value in trial.params.items()}


def column_widths(columns: Mapping[str, tuple[int, int]], width: int) -> tuple[dict[str, int], int]:
    """The widths of the columns that fit beside one another, and how many are left out.

    First the longest headings are cut, then the longest values, and then columns are left out from the right; the first stays.

    Args:
        columns: By name the width of the heading and that of the values.
        width: Of the terminal.
    """
    names = list(columns)
    for count in range(len(names), 0, -1):
        left_out = len(names) - count
        room = width - (GAP + len(f"+{left_out}") if left_out else 0)
        shown = {name: columns[name] for name in names[:count]}
        limits = [(most, width) for most in range(max(head for head, _ in shown.values()), HEADER - 1, -1)]
        limits += [(HEADER, most) for most in range(max(cell for _, cell in shown.values()), CELL - 1, -1)]
        for head_limit, cell_limit in limits or [(width, width)]:
            widths = {
                name: max(min(head, head_limit), min(cell, cell_limit), 1) for name, (head, cell) in shown.items()
            }
            if sum(widths.values()) + GAP * (count - 1) <= room:
                return widths, left_out
    return {names[0]: min(width, max(columns[names[0]]))}, 0


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """The text in `width` characters at most, its end replaced where it is longer."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + ellipsis
