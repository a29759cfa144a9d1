"""What a sweep has found, for Python and for the command line: read from the store, never from memory that a crash would lose."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..search.spaces.layers import configuration
from ..tracking import reader, schema
from ..tracking.records import LaunchRecord, TrialRecord
from ..tracking.store.address import store_uri
from .config.names import CLASS_WEIGHT
from .curves import TOP, Curves, learning_curves
from .formats import MEMORY
from .launches import Chosen, Say, best_so_far, choose, default_of, split, state_of, warn
from .ranking import best_trial
from .writing import writing

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from matplotlib.axes import Axes

    from .model import TunedModel
    from .report.facts import Facts
    from .report.rules import Finding

Copied = tuple[tuple[int, int], ...]

_GIVE_AGAIN = "# The table was given in Python and has to be given again: mlptune.run_sweep(this file, data=table).\n"


class SweepResult:
    """A finished sweep. `best` is what `mlptune best --json` prints, `best_config` the complete best configuration.

    `copied` tells whom the best trial has copied, (epoch, trial) each time; its configuration is then a schedule. A notebook shows
    it as a table of the best trials.
    """

    def __init__(
        self,
        name: str,
        run_id: str,
        tracking_uri: str,
        summary: Mapping[str, Any],
        best_config: Mapping[str, Any],
        copied: Copied = (),
        findings: "Sequence[Finding] | None" = None,
    ) -> None:
        self.name = name
        self.run_id = run_id
        self.tracking_uri = tracking_uri
        self.best_config = dict(best_config)
        self.copied = copied
        self._summary = dict(summary)
        self._findings = None if findings is None else list(findings)

    @property
    def best(self) -> dict[str, Any]:
        return dict(self._summary["best"])

    def summary(self) -> dict[str, Any]:
        """What `mlptune show --json` prints."""
        return dict(self._summary)

    @cached_property
    def trials(self) -> "pd.DataFrame":
        """One row a trial: number, state, value, epochs, reason, run_id and a column `params_<name>` for each hyperparameter."""
        import pandas as pd

        rows = []
        for trial in self._summary["trials"]:
            rest = {key: value for key, value in trial.items() if key != "params"}
            rows.append({**rest, **{f"params_{name}": value for name, value in trial["params"].items()}})
        return pd.DataFrame(rows)

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """One row for each trial and epoch: number, epoch, and a column for each curve.

        A curve is the mean over the trial's folds and seeds. A network that has ended early counts on with its last
        values, so that no curve steps there.
        """
        import pandas as pd

        run_ids = {trial["run_id"]: trial["number"] for trial in self._summary["trials"] if trial["run_id"]}
        extra = self._summary["best"]["metric"] if self._summary["best"] else schema.CURVES[0]
        keys = list(dict.fromkeys((*schema.CURVES, extra)))
        parts = []
        for run_id, curves in reader.curves(self.tracking_uri, list(run_ids), keys).items():
            length = max((len(values) for values in curves.values()), default=0)
            columns = {key: values for key, values in curves.items() if len(values) == length}
            parts.append(pd.DataFrame({"number": run_ids[run_id], "epoch": range(1, length + 1), **columns}))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["number", "epoch", *keys])

    @cached_property
    def study(self) -> "optuna.Study":
        """The sweep as an Optuna study in memory, read from the store: for `optuna.visualization`, importances or `study.ask`.

        Its trials have the numbers of the sweep's, their objective by epoch as intermediate values, and `run_id`, `epochs` and
        `reason` as user attributes. Of a trial that has copied another one the parameters are those that it began with.
        """
        from .study import study_of

        launch = reader.launch(self.tracking_uri, self.name, self.run_id)
        direction = launch.tags.get(schema.DIRECTION, "maximize")
        return study_of(self.name, direction, reader.trials(self.tracking_uri, self.run_id))

    @property
    def diagnosis(self) -> list[dict[str, Any]]:
        """What the curves and scores say, in words: {"rule", "severity", "text", "evidence", "advice"}, problems first."""
        return [vars(finding) for finding in self.findings]

    @property
    def findings(self) -> "list[Finding]":
        """The diagnosis as objects."""
        if self._findings is None:
            self._findings = diagnose(self.name, self.run_id, self.tracking_uri)
        return self._findings

    def report(self, out: "str | Path | None" = None) -> str:
        """The report as one HTML page that needs no network; with `out` it is written there too, or UserError is raised."""
        return report(self.name, out, self.run_id, self.tracking_uri)

    def plot_curves(
        self, metric: str | None = None, *, top: int = TOP, trials: Sequence[int] = (), ax: "Axes | None" = None
    ) -> "Axes":
        """Draw the learning curves of the `top` best trials and of the median one, or of `trials`, with matplotlib.

        `metric` is a column of `curves`, by default the objective; `ax` where they are drawn, by default a new figure. UserError
        (a ValueError) is raised where there is no such metric or trial, as by the other plots where they have too little to show.
        """
        from .plots import curves_axes

        objective = str(self.best["metric"])
        return curves_axes(learning_curves(self.tracking_uri, self._summary, objective, metric, top, trials), ax)

    def plot_history(self) -> "Axes":
        """Optuna's plot of each trial's objective, and of the best so far."""
        return self._plot("history")

    def plot_parallel(self, params: Sequence[str] | None = None) -> "Axes":
        """Optuna's plot of all trials in parallel coordinates, by default over everything that was searched."""
        return self._plot("parallel", params)

    def plot_importances(self, params: Sequence[str] | None = None) -> "Axes":
        """Optuna's plot of what mattered, by PED-ANOVA as in the report; it needs ten complete trials."""
        return self._plot("importances", params)

    def plot_slice(self, params: Sequence[str] | None = None) -> Any:
        """Optuna's plot of the objective over each hyperparameter: Axes, or an array of them."""
        return self._plot("slice", params)

    def plot_contour(self, params: Sequence[str] | None = None) -> Any:
        """Optuna's plot of the objective over pairs of hyperparameters, by default over the two that matter most."""
        return self._plot("contour", params)

    def _plot(self, kind: str, params: Sequence[str] | None = None) -> Any:
        from .plots import study_plot

        return study_plot(kind, self.study, str(self.best["metric"]), params)

    def _repr_html_(self) -> str:
        from .notebook import result_html

        return result_html(self._summary)

    def __repr__(self) -> str:
        from .notebook import result_text

        return result_text(self._summary)


def list_sweeps(tracking_uri: str | None = None) -> list[dict[str, Any]]:
    """Each sweep by the launch that its name means, the sweep that was begun last first.

    `newer` is the launch begun last, where that is another one. Raises LookupError where there is no store.
    """
    found = []
    for launches in reader.sweeps(tracking_uri):
        meant = default_of(launches)
        later = None if meant is launches[0] else _row(launches[0], tracking_uri)
        found.append({**_row(meant, tracking_uri), "launches": len(launches), "newer": later})
    return found


def list_launches(name: str, tracking_uri: str | None = None) -> list[dict[str, Any]]:
    """All launches of a sweep, newest first. Raises LookupError where there is no such sweep."""
    sweep, number = split(name)
    if number is not None:
        raise reader.NotFound(
            f"{name!r} is one launch; `mlptune list {sweep}` lists all, `mlptune show {name}` shows it"
        )
    return [_row(launch, tracking_uri) for launch in reader.launches(tracking_uri, sweep)]


def _row(launch: LaunchRecord, uri: str | None) -> dict[str, Any]:
    """A launch as lists have it."""
    return {
        "name": launch.name,
        "launch": launch.number,
        "run_id": launch.run_id,
        "state": state_of(launch, uri),
        "method": launch.method,
        "started": launch.started.isoformat(timespec="seconds"),
        "seconds": None if launch.ended is None else round((launch.ended - launch.started).total_seconds(), 1),
        "trials": sum(count for state, count in launch.done.items() if state != "running"),
        "total": None if launch.total is None else launch.total + len(launch.by_hand),
        "best_value": _finite(best_so_far(launch, uri)),
        "metric": launch.tags.get(schema.METRIC),
        "expected": None if launch.expected is None else dict(launch.expected),
        "test_score": launch.test_score,
    }


def show(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> dict[str, Any]:
    """One launch of a sweep with all its trials. Raises LookupError, with the nearest name, where there is none."""
    return show_copies(name, run, tracking_uri, say)[0]


def show_copies(
    name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn
) -> tuple[dict[str, Any], dict[int, Copied]]:
    """What `show` says, and for each trial that has copied others: (epoch, trial) of each time."""
    return _shown(choose(tracking_uri, name, run, say), tracking_uri)


def _shown(chosen: Chosen, uri: str | None) -> tuple[dict[str, Any], dict[int, Copied]]:
    launch = chosen.launch
    trials = reader.trials(uri, launch.run_id, rebuild=False)
    found = _best_of(launch, trials)
    best = None if found is None else _document(launch, found, uri)
    by_hand = [event["number"] for event in launch.by_hand]
    document = summary(launch.name, launch.run_id, chosen.state, launch.method, trials, best, launch.stopped, by_hand)
    return document, {trial.number: trial.copied for trial in trials if trial.copied}


@dataclass(frozen=True)
class Best:
    """The best trial of a launch.

    Attributes:
        document: What `mlptune best --json` prints.
        copied: Whom the trial has copied: (epoch, trial) of each time.
        chosen: The launch that was meant.
    """

    document: Mapping[str, Any]
    copied: Copied
    chosen: Chosen

    @property
    def configuration(self) -> dict[str, Any]:
        """The complete configuration."""
        return dict(self.document["configuration"])


def best(name: str, run: str | None = None, tracking_uri: str | None = None) -> dict[str, Any]:
    """The best trial of a launch. Raises LookupError where there is no sweep, or none of its trials is complete."""
    return dict(best_of(choose(tracking_uri, name, run, warn), tracking_uri).document)


def best_of(chosen: Chosen, uri: str | None) -> Best:
    """The best trial of a launch that was chosen, with what there is to know of it; errors as `best`."""
    launch = chosen.launch
    trials = [] if launch.best else reader.trials(uri, launch.run_id, rebuild=False)
    found = _best_of(launch, trials)
    if found is None:
        raise reader.NotFound(f"the sweep {chosen.reference!r} has no complete trial yet; its state is {chosen.state}")
    return Best(_document(launch, found, uri), found.copied, chosen)


def best_config(name: str, run: str | None = None, tracking_uri: str | None = None) -> dict[str, Any]:
    """The best configuration, fixed and searched hyperparameters together: `MLPClassifier(**best_config(name))` works.

    With its `standardize` an estimator takes raw numbers, as the sweep did; categories and missing values it does not. Where the
    best trial has copied others it is the schedule by which its network is trained from the start. It is what
    the trial trained with, `subset` included, which only the sweep's own final model leaves out.
    """
    return best_of(choose(tracking_uri, name, run, warn), tracking_uri).configuration


def best_spec_toml(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> str:
    """A sweep file that trains the best configuration and nothing else.

    Of a sweep over a table that was given in Python its first line says that the table has to be given again.
    """
    from .config import load_spec, spec_toml

    found = best_of(choose(tracking_uri, name, run, say), tracking_uri)
    stored = reader.artifact(tracking_uri, found.chosen.run_id, schema.SPEC_FILE).read_text(encoding="utf-8")
    tables = json.loads(stored)
    tables["model"] = found.configuration
    tables["space"] = {}
    tables["search"] = {"method": "random", "trials": 1}
    tables["name"] = f"{tables['name'][:95]}-best"
    spec, _ = load_spec(tables)
    return (_GIVE_AGAIN if spec.data.source == MEMORY else "") + spec_toml(spec)


def load_result(name: str, run: str | None = None, tracking_uri: str | None = None) -> SweepResult:
    """What `run_sweep` returned, read from the store; of a sweep that has not ended, what there is so far.

    Args:
        name: The sweep, whose newest finished launch is meant; or one launch of it, `name#2`.
        run: A launch's id, or the beginning of it.
        tracking_uri: The store; by default `MLFLOW_TRACKING_URI`, else `mlflow.db` in the current folder.

    Raises:
        NotFound: (a `LookupError`) If there is no such sweep, with the nearest name, or none of its trials is complete.
    """
    uri = store_uri(tracking_uri)  # what it reads later comes from there too
    found = best_of(choose(uri, name, run, warn), uri)
    document, _ = _shown(found.chosen, uri)
    return SweepResult(document["name"], document["run_id"], uri, document, found.configuration, found.copied)


def load_model(name: str, run: str | None = None, tracking_uri: str | None = None) -> "TunedModel":
    """The fitted model of a finished sweep: of its newest finished launch, or of one launch, `name#2`.

    Raises LookupError where there is none, ValueError where its files are damaged. Warns where a newer launch of the sweep has no
    model, or an older one was better.
    """
    return model_of(choose(tracking_uri, name, run, warn), tracking_uri)


def model_of(chosen: Chosen, uri: str | None) -> "TunedModel":
    """The fitted model of a launch; errors as `load_model`."""
    from .model import TunedModel

    if chosen.launch.state != "finished":
        raise reader.NotFound(f"the sweep {chosen.reference!r} has no model yet; its state is {chosen.state}")
    return TunedModel.load(reader.model_folder(uri, chosen.run_id))


def facts(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> "Facts":
    """What a diagnosis and a report rest on; of a sweep that has not ended, what there is so far."""
    from .report.stored import stored_facts

    chosen = choose(tracking_uri, name, run, say)
    try:
        found = dict(best_of(chosen, tracking_uri).document)
    except reader.NotFound:  # none is complete yet
        found = None
    return stored_facts(tracking_uri, chosen.launch, chosen.state, found)


def curves(
    name: str,
    metric: str | None = None,
    top: int = TOP,
    trials: Sequence[int] = (),
    run: str | None = None,
    tracking_uri: str | None = None,
    say: Say = warn,
) -> Curves:
    """Learning curves of a launch: of its best trials and the median one, or of `trials`; errors as `learning_curves`."""
    chosen = choose(tracking_uri, name, run, say)
    document, _ = _shown(chosen, tracking_uri)
    objective = chosen.launch.tags.get(schema.METRIC, "val_score")
    return learning_curves(tracking_uri, document, objective, metric, top, trials)


def diagnose(name: str, run: str | None = None, tracking_uri: str | None = None, say: Say = warn) -> "list[Finding]":
    """What the curves and scores of a launch say, in words, problems first. Raises LookupError where there is no sweep."""
    from .report import rules

    return rules.diagnose(facts(name, run, tracking_uri, say))


def report(
    name: str,
    out: str | Path | None = None,
    run: str | None = None,
    tracking_uri: str | None = None,
    say: Say = warn,
) -> str:
    """The report of a launch as one HTML page that needs no network; with `out` it is written there too.

    Raises LookupError where there is no sweep, UserError where the file cannot be written.
    """
    from .report.page import report_html
    from .report.rules import diagnose

    found = facts(name, run, tracking_uri, say)
    page = report_html(found, diagnose(found))
    if out is not None:
        with writing(out):
            Path(out).write_text(page, encoding="utf-8")
    return page


def summary(
    name: str,
    run_id: str,
    state: str,
    method: str,
    trials: list[TrialRecord],
    best: dict[str, Any] | None,
    stopped: str | None = None,
    by_hand: Sequence[int] = (),
) -> dict[str, Any]:
    """The document of `mlptune show --json`: `stopped` says why the search ended early, `by_hand` which trials were by hand."""
    return {
        "name": name,
        "run_id": run_id,
        "state": state,
        "method": method,
        "trials": [
            {
                "number": trial.number,
                "state": trial.state,
                "value": _finite(trial.value),
                "params": dict(trial.params),
                "epochs": trial.epochs,
                "run_id": trial.run_id,
                "reason": trial.reason,
            }
            for trial in sorted(trials, key=lambda trial: trial.number)
        ],
        "best": best,
        "stopped": stopped,
        "by_hand": list(by_hand),
    }


def best_document(
    name: str,
    run_id: str,
    best: TrialRecord,
    metric: str,
    test_score: float | None,
    configuration: Mapping[str, Any],
    ensemble: Sequence[Mapping[str, Any]] = (),
    expected: Mapping[str, float] | None = None,
    threshold: float | None = None,
) -> dict[str, Any]:
    """The document of `mlptune best --json`; `run_id` is the launch's.

    `params` are as they were sampled, `configuration` is complete, as `best_config` gives it. Of a trial that has copied
    others that is the schedule of its network, whose values need not be those of `params`. `test_score`, `expected` and
    `threshold` are those of the model: of its `ensemble` of trials where there is one, else of this configuration.
    """
    return {
        "name": name,
        "run_id": run_id,
        "number": best.number,
        "params": dict(best.params),
        "metric": metric,
        "value": _finite(best.value),
        "test_score": _finite(test_score),
        "configuration": dict(configuration),
        "ensemble": [dict(member) for member in ensemble],
        "expected": None if expected is None else dict(expected),
        "decision_threshold": threshold,
    }


def _best_of(launch: LaunchRecord, trials: Iterable[TrialRecord]) -> TrialRecord | None:
    """The recorded best of a finished launch; else the best of the trials that are committed so far."""
    return launch.best or best_trial(trials, launch.tags.get(schema.DIRECTION, "maximize"))


def _document(launch: LaunchRecord, best: TrialRecord, uri: str | None) -> dict[str, Any]:
    metric = launch.tags.get(schema.METRIC, "val_score")
    shared = reader.launch_data(uri, launch, schema.FIXED) or {}
    # 0.1.0 did not say so, and did it too.
    complete = {**(best.configuration or configuration(best.params, shared)), "standardize": True}
    if CLASS_WEIGHT in shared:  # a schedule of copied hyperparameters is without it
        complete[CLASS_WEIGHT] = shared[CLASS_WEIGHT]
    return best_document(
        launch.name,
        launch.run_id,
        best,
        metric,
        launch.test_score,
        complete,
        launch.ensemble,
        launch.expected,
        launch.threshold,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
