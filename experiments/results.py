"""A sweep's result as a user of Python holds it: best trial, tables of trials and curves, study, diagnosis, report and plots."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tracking import reader, schema
from ..tracking.store.address import store_uri
from . import queries
from .curves import TOP, learning_curves
from .launch_costs import launch_costs
from .launches import choose, warn
from .queries import Copied

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from matplotlib.axes import Axes

    from .report.rules import Finding


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
        """One row a trial: number, state, value, epochs, reason, run_id and a column `params_<name>` for each hyperparameter.

        With several metrics there is a column for each counted cost too.
        """
        import pandas as pd

        rows = []
        for trial in self._summary["trials"]:
            rest = {key: value for key, value in trial.items() if key not in ("params", "costs")}
            rows.append(
                {
                    **rest,
                    **trial.get("costs", {}),
                    **{f"params_{name}": value for name, value in trial["params"].items()},
                }
            )
        return pd.DataFrame(rows)

    @property
    def front(self) -> "pd.DataFrame":
        """The rows of `trials` on the Pareto front, the cheapest first; of a sweep with one metric that of its best trial."""
        numbers = self._summary.get("front", [self.best["number"]])
        return self.trials.set_index("number", drop=False).loc[numbers].reset_index(drop=True)

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
        `reason` as user attributes. Of a trial that has copied another one the parameters are those that it began with. With
        several metrics it has as many objectives.
        """
        from .study import study_of

        launch = reader.launch(self.tracking_uri, self.name, self.run_id)
        direction, trials = launch.direction, reader.trials(self.tracking_uri, self.run_id)
        costs = launch_costs(self.tracking_uri, launch, trials)
        return study_of(self.name, direction, trials, costs.counted, costs.by_trial)

    @property
    def diagnosis(self) -> list[dict[str, Any]]:
        """What the curves and scores say, in words: {"rule", "severity", "text", "evidence", "advice"}, problems first."""
        return [vars(finding) for finding in self.findings]

    @property
    def findings(self) -> "list[Finding]":
        """The diagnosis as objects."""
        if self._findings is None:
            self._findings = queries.diagnose(self.name, self.run_id, self.tracking_uri)
        return self._findings

    def report(self, out: "str | Path | None" = None) -> str:
        """The report as one HTML page that needs no network; with `out` it is written there too, or UserError is raised."""
        return queries.report(self.name, out, self.run_id, self.tracking_uri)

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
        from .study import first_objective

        return study_plot(kind, first_objective(self.study), str(self.best["metric"]), params)

    def _repr_html_(self) -> str:
        from .notebook import result_html

        return result_html(self._summary)

    def __repr__(self) -> str:
        from .notebook import result_text

        return result_text(self._summary)


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
    found = queries.best_of(choose(uri, name, run, warn), uri)
    document, _ = queries.shown(found.chosen, uri)
    return SweepResult(document["name"], document["run_id"], uri, document, found.configuration, found.copied)
