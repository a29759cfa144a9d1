"""Below the plot stands which curve is which, in a terminal, in a pipe and where only ASCII is shown."""

import io

import pytest
from rich.console import Console

from mlptune.experiments.cli import curves_text
from mlptune.experiments.cli.curves_text import print_curves
from mlptune.experiments.curves import Curve, Curves

CURVES = Curves(
    "cars",
    "val_loss",
    "val_score",
    [
        Curve(12, "best", "complete", 0.9, {"hidden": [64, 64], "activation": "[red]x\x1b[2J"}, [1.0, 0.5, 0.25]),
        Curve(3, "", "pruned", 0.5, {"hidden": [8]}, [2.0, 1.5]),
    ],
)


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8", width: int | None = None) -> list[str]:
    """What is printed into a pipe, or into a terminal so many columns wide."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    given = {} if width is None else {"width": width, "height": 20, "force_terminal": True, "color_system": "standard"}
    monkeypatch.setattr(curves_text, "Console", lambda **options: Console(**{**options, "file": stream, **given}))
    print_curves(CURVES)
    stream.seek(0)
    return stream.read().splitlines()


def test_a_pipe_has_letters_and_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed(monkeypatch)
    assert lines[0] == "cars: val_loss by epoch"
    assert lines[-2:] == [
        "a trial 12  val_score 0.90000  best    hidden=[64,64]  activation=[red]x\\x1b[2J",
        "b trial 3   val_score 0.50000  pruned  hidden=[8]",
    ]
    assert "a" in "".join(lines[1:-4])
    assert "\x1b" not in "".join(lines)


def test_a_terminal_has_colours_and_dots_and_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, width=60)
    assert any("\u2800" < character < "\u28ff" for line in lines for character in line)
    assert "\x1b[32m━\x1b[0m trial 12" in lines[-2]
    assert lines[-2].rstrip().endswith("…")
    assert len(lines) <= 20


def test_ascii_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "".join(printed(monkeypatch, encoding="ascii")).isascii()
    assert "".join(printed(monkeypatch, encoding="ascii", width=60)).isascii()
