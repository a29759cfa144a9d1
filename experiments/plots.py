"""Figures of a sweep: curves drawn with matplotlib, and Optuna's own plots of the study.

matplotlib is imported when one is asked for.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._text import counted, hint
from .curves import Curves
from .errors import UserError
from .short import number_text

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes

PICTURES = (".png", ".svg", ".pdf")
FEWEST = {"importances": 10, "parallel": 2, "contour": 2, "history": 1, "slice": 1}
"""Complete trials below which a plot says nothing."""


def check_picture(path: Path) -> None:
    """Refuse a file that no picture can be written to, before anything is read."""
    if path.suffix.lower() not in PICTURES:
        raise UserError(f"-o {path}: a picture is written as {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")
    if not path.parent.is_dir():
        raise UserError(f"-o {path}: there is no folder {path.parent}")


def write_picture(curves: Curves, path: Path) -> None:
    """Write the curves as a picture; UserError where that is impossible."""
    with _matplotlib():
        from matplotlib.figure import Figure
    figure = Figure(figsize=(8, 5), layout="constrained")
    draw_curves(figure.add_subplot(), curves)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise UserError(f"-o {path}: cannot be written: {error.strerror or error}") from error


def curves_axes(curves: Curves, ax: "Axes | None" = None) -> "Axes":
    """The curves on axes, by default on those of a new figure."""
    with _matplotlib():
        from matplotlib import pyplot
    return draw_curves(pyplot.subplots(layout="constrained")[1] if ax is None else ax, curves)


def draw_curves(ax: "Axes", curves: Curves) -> "Axes":
    """Draw the curves and their legend; the first is on top, and the median one is grey."""
    for place, curve in enumerate(curves.curves):
        value = "" if curve.value is None else f", {number_text(curve.value)}"
        label = f"trial {curve.number}{value}{f' ({curve.role})' if curve.role else ''}"
        look: dict[str, Any] = {"color": "grey", "linestyle": "--"} if curve.role == "median" else {}
        ax.plot(range(1, len(curve.values) + 1), curve.values, label=label, zorder=3 - place / 100, **look)
    values = [value for curve in curves.curves for value in curve.values if 0 < value < float("inf")]
    if "loss" in curves.metric and values and max(values) > 30 * min(values):
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel=_plain(curves.metric), title=_plain(curves.name))
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def study_plot(kind: str, study: "optuna.Study", metric: str, params: Sequence[str] | None = None) -> Any:
    """One of Optuna's plots of a study: matplotlib's Axes, or an array of them.

    Args:
        kind: history, parallel, importances, slice or contour.
        study: The study.
        metric: What the objective is called.
        params: The hyperparameters shown; None: all, and the two that matter most in a contour.

    Raises:
        UserError: If there are too few trials or hyperparameters, or one that is named is not in the study.
    """
    searched = _searched(kind, study)
    params = [params] if isinstance(params, str) else params
    unknown = [name for name in params or () if name not in searched]
    if unknown:
        raise UserError(f"params: no hyperparameter {unknown[0]!r} was searched{hint(unknown[0], searched)}")
    chosen = list(dict.fromkeys(params)) if params else None
    if kind == "contour":
        chosen = chosen or _important(study, searched)[:2]
        if len(chosen) < 2:
            raise UserError(f"plot_contour: needs two hyperparameters; {chosen[0]!r} is one")
    with _matplotlib():
        from matplotlib import pyplot
        from optuna.visualization import matplotlib as figures
    given: dict[str, Any] = {"target_name": _plain(metric)}
    if kind != "history":
        given["params"] = chosen
    if kind == "importances":
        given["evaluator"] = _evaluator()
    draw: dict[str, Callable[..., Any]] = {
        "history": figures.plot_optimization_history,
        "parallel": figures.plot_parallel_coordinate,
        "importances": figures.plot_param_importances,
        "slice": figures.plot_slice,
        "contour": figures.plot_contour,
    }
    # Optuna changes the style of all later figures, which stays the caller's; and it calls these plots experimental.
    with pyplot.rc_context(), _quiet():
        return draw[kind](study, **given)


def _searched(kind: str, study: "optuna.Study") -> list[str]:
    """The names of what was searched; UserError where the study has too little for the plot."""
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < FEWEST[kind]:
        needs = counted(FEWEST[kind], "complete trial")
        raise UserError(f"plot_{kind}: needs {needs}; the sweep {study.study_name!r} has {len(complete)}")
    names = list(dict.fromkeys(name for trial in complete for name in trial.params))
    if not names and kind != "history":
        raise UserError(f"plot_{kind}: nothing was searched in the sweep {study.study_name!r}")
    if kind == "importances" and len({trial.value for trial in complete}) < 2:
        raise UserError(f"plot_{kind}: all trials of the sweep {study.study_name!r} have the same value")
    return names


def _important(study: "optuna.Study", searched: Sequence[str]) -> list[str]:
    """The hyperparameters, what matters most first where there are trials enough to say so."""
    from optuna.importance import get_param_importances

    try:
        _searched("importances", study)
        with _quiet():
            found = list(get_param_importances(study, evaluator=_evaluator()))
    except UserError:
        found = []
    return list(dict.fromkeys((*found, *searched)))


def _evaluator() -> Any:
    """PED-ANOVA, as in the report."""
    from optuna.importance import PedAnovaImportanceEvaluator

    with _quiet():
        return PedAnovaImportanceEvaluator()


@contextmanager
def _quiet() -> Iterator[None]:
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


@contextmanager
def _matplotlib() -> Iterator[None]:
    """Around its import, which not every installation of MLflow brings."""
    try:
        yield
    except ImportError as error:
        raise UserError("figures need matplotlib: pip install matplotlib") from error


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")
