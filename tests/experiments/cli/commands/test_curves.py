"""`curves` as users type it."""

import json
from pathlib import Path

import pytest

from mlptune.experiments.curves import TOP
from tests.support.processes import Run


def test_a_plot_a_picture_and_data(folder: Path, there: Run) -> None:
    plot = there("curves", "cars")
    assert (plot.exit_code, plot.stderr) == (0, "")
    assert plot.stdout.startswith("cars: val_score by epoch\n")
    data = json.loads(there("curves", "cars", "--json").stdout)
    assert len(data["curves"]) == TOP + 1  # the median one too
    assert all(f"trial {curve['number']} " in plot.stdout for curve in data["curves"])
    losses = json.loads(
        there("curves", "cars", "--metric", "val_loss", "--trial", "1", "--trial", "0", "--json").stdout
    )
    assert [(curve["number"], len(curve["values"])) for curve in losses["curves"]] == [(1, 4), (0, 4)]
    picture = there("curves", "cars#1", "-o", "curves.svg", "--top", "1")
    assert (picture.exit_code, picture.stdout) == (0, "wrote curves.svg\n")
    assert "<svg" in (folder / "curves.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["cars", "--metric", "val_los"],
            "metric 'val_los': the sweep 'cars' has no such curve; did you mean 'val_loss'?",
        ),
        (["cars", "--trial", "99"], "trial 99: the sweep 'cars' has trials 0 to 5"),
        (["cars", "-o", "x.bmp"], "-o x.bmp: a picture is written as .png, .svg or .pdf"),
        (["cars", "-o", "x.png", "--json"], "-o and --json: a picture or the data, not both at once"),
        (["care"], "there is no sweep 'care'; did you mean 'cars'?"),
    ],
)
def test_what_cannot_be_shown_is_one_line(there: Run, arguments: list[str], line: str) -> None:
    ran = there("curves", *arguments)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (2, "", f"mlptune: {line}\n")
