"""The text of `mlptune compare`: one column for each launch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..config.toml import toml_value
from ..short import number_text
from .present import text_table

_WIDEST = 30


def comparison_text(document: Mapping[str, Any]) -> str:
    """Return what `mlptune compare` prints of the document of `compare --json`."""
    launches = document["launches"]
    names = [f"{launch['name']}#{launch['launch']}" for launch in launches]
    rows = [["state", *(launch["state"] for launch in launches)]]
    rows += [[row["key"], *map(_cell, row["values"])] for row in document["settings"]]
    rows += _score_rows(launches)
    table = text_table(["", *names], rows)
    return "\n".join([table, *_differences(document, names)])


def _cell(value: Any) -> str:
    """Return a setting, short."""
    text = "-" if value is None else value if isinstance(value, str) else toml_value(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _score_rows(launches: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    yield ["metric", *(str(launch["metric"]) for launch in launches)]
    for count in _counts(max(launch["trials"] for launch in launches)):
        after = (launch["best_so_far"][count - 1] if count <= launch["trials"] else None for launch in launches)
        yield [f"best of {count}" if count > 1 else "first trial", *map(number_text, after)]
    yield ["best", *(number_text(launch["best_value"]) for launch in launches)]
    yield ["expected", *(_expected(launch["expected"]) for launch in launches)]
    yield ["test", *(number_text(launch["test_score"]) for launch in launches)]


def _counts(most: int) -> list[int]:
    """Return 1, 4, 16, ... trials, as far as there are some."""
    return [4**power for power in range(10) if 4**power <= most]


def _expected(expected: Mapping[str, float] | None) -> str:
    if expected is None:
        return "-"
    score, low, high = (f"{expected[key]:.4g}" for key in ("score", "low", "high"))
    return f"{score} ({low} to {high})"


def _differences(document: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    if not document["same_question"]:
        yield "their data, the split or the metric differ, so not all scores can be compared"
    noise = {True: ", beyond noise", False: ", within noise", None: ""}
    for found in document["differences"]:
        what = "expected score" if found["of"] == "expected" else "best value"
        yield (
            f"{names[found['better']]} is better than {names[found['other']]} by {number_text(found['by'])} "
            f"({what}{noise[found['beyond_noise']]})"
        )
