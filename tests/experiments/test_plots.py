"""Figures of a sweep: they are matplotlib's and Optuna's own, hold the stored numbers, and say what they lack."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import optuna
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

import mlptune
from mlptune import SweepResult, UserError
from mlptune.experiments.curves import Curve, Curves
from mlptune.experiments.plots import check_picture, study_plot, write_picture
from tests.support.sweeps import iris

KINDS = ("history", "parallel", "importances", "slice", "contour")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    mpl.use("agg")
    store = f"sqlite:///{tmp_path_factory.mktemp('plots')}/mlflow.db"
    space = {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "hidden": [[8], [8, 8]], "l2": [0.0, 1e-3]}
    spec = iris(search__trials=12, search__method="random", space=space, model={"epochs": 3, "preset": "plain"})
    return mlptune.run_sweep(spec, tracking_uri=store, workers=1)


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    pyplot.close("all")


def curve(*values: float) -> Curve:
    return Curve(3, "best", "complete", values[-1], {}, values)


@pytest.mark.parametrize("kind", KINDS)
def test_each_plot_is_optunas_and_leaves_the_style_as_it_was(result: SweepResult, kind: str) -> None:
    before = dict(mpl.rcParams)
    drawn = getattr(result, f"plot_{kind}")()
    assert all(isinstance(ax, Axes) for ax in np.ravel(drawn))
    assert dict(mpl.rcParams) == before


def test_the_curves_are_those_of_the_store(result: SweepResult) -> None:
    best = result.best["number"]
    ax = result.plot_curves("val_loss", trials=[best])
    [line] = ax.get_lines()
    stored = result.curves[result.curves["number"] == best]
    assert list(line.get_ydata()) == stored["val_loss"].tolist()
    assert list(line.get_xdata()) == stored["epoch"].tolist()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "val_loss")
    assert result.plot_curves(ax=ax) is ax


def test_a_slice_and_a_contour_show_what_is_asked_for(result: SweepResult) -> None:
    assert result.plot_slice("hidden").get_xlabel() == "hidden"
    contour = result.plot_contour(["learning_rate", "hidden"])
    assert {contour.get_xlabel(), contour.get_ylabel()} == {"learning_rate", "hidden"}


def test_what_is_too_little_or_unknown_is_told(result: SweepResult) -> None:
    with pytest.raises(UserError, match="no hyperparameter 'hiden' was searched; did you mean 'hidden'"):
        result.plot_slice(["hiden"])
    with pytest.raises(UserError, match="plot_contour: needs two hyperparameters; 'l2' is one"):
        result.plot_contour(["l2"])
    small = optuna.create_study(study_name="small")
    for kind, needs in zip(
        KINDS, ("1 complete trial", "2 complete", "10 complete", "1 complete", "2 complete"), strict=True
    ):
        with pytest.raises(UserError, match=f"plot_{kind}: needs {needs}.*; the sweep 'small' has 0"):
            study_plot(kind, small, "val_score")
    small.add_trials([optuna.trial.create_trial(value=0.5) for _ in range(10)])
    assert isinstance(study_plot("history", small, "val_score"), Axes)
    for kind in KINDS[1:]:
        with pytest.raises(UserError, match=f"plot_{kind}: nothing was searched in the sweep 'small'"):
            study_plot(kind, small, "val_score")


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_a_picture_is_of_the_kind_of_its_name(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    check_picture(path)
    write_picture(Curves("$x", "val_loss$", "val_loss$", [curve(500.0, float("nan"), 0.1)]), path)
    assert path.read_bytes().startswith(start)


def test_a_picture_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a picture is written as \.png, \.svg or \.pdf"):
        check_picture(tmp_path / "a.bmp")
    with pytest.raises(UserError, match="there is no folder"):
        check_picture(tmp_path / "no" / "a.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(UserError, match="cannot be written: Is a directory"):
        write_picture(Curves("x", "val_loss", "val_loss", [curve(1.0)]), tmp_path / "a.png")
