"""The saved view of a launch in MLflow's interface: its trials as a table of hyperparameters beside charts of their curves.

MLflow's pages open a view by the name of an experiment's tag, which holds the state of the page: what is searched, sorted and
shown. Without one they fold the trials away and show the launch as a single line.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from . import schema

# An experiment's tag holds 5,000 characters; compressed, this many columns stay far below.
_MOST_COLUMNS = 40
# Parallel coordinates have an axis for each hyperparameter, whose names would lie on one another in a third of the width.
_SECTIONS = {
    "mlptune": {"name": "Curves", "columns": 3, "cardHeight": 330},
    "mlptune-parallel": {"name": "Hyperparameters", "columns": 1, "cardHeight": 400},
}
_CURVES, _PARALLEL = _SECTIONS
# Where a view says nothing of it MLflow draws smoothed curves, whose ends are not the values that were measured.
_AS_MEASURED = {"lineSmoothness": 0, "xAxisKey": "step", "selectedXAxisMetricKey": ""}


def view_key(run_id: str) -> str:
    """The tag of the experiment that holds the view of the launch `run_id`."""
    return schema.VIEW + run_id


def view_page(experiment_id: str, run_id: str) -> str:
    """The fragment of an address, below that of a server, at which MLflow's pages open the view of the launch `run_id`."""
    query = {"workflowType": "machine_learning", "compareRunsMode": "CHART", "viewStateShareKey": run_id}
    return f"#/experiments/{experiment_id}/runs?{urlencode(query)}"


def view_text(
    run_id: str, metric: str, direction: str, searched: Sequence[str], grouped: Sequence[str], now: int
) -> str:
    """The view as MLflow keeps it.

    Args:
        run_id: The launch's run.
        metric: The objective's curve.
        direction: "maximize" or "minimize".
        searched: The names of the searched hyperparameters.
        grouped: Those by which the table groups the trials; empty for a line a trial.
        now: When, in milliseconds since 1970.
    """
    state = json.dumps(_state(run_id, metric, direction, searched[:_MOST_COLUMNS], grouped), separators=(",", ":"))
    return json.dumps(
        {
            "name": "trials and curves",
            "createdAt": now,
            "updatedAt": now,
            "state": "deflate;" + base64.b64encode(zlib.compress(state.encode(), 9)).decode(),
        }
    )


def _state(run_id: str, metric: str, direction: str, searched: Sequence[str], grouped: Sequence[str]) -> dict[str, Any]:
    best = schema.best_metric(metric)
    return {
        "searchFilter": f"tags.{schema.PARENT} = '{run_id}' and tags.`{schema.STATE}` != '{schema.SUPERSEDED}'",
        "orderByKey": f"metrics.`{schema.VALUE}`",
        "orderByAsc": direction == "minimize",
        "selectedColumns": [
            f"metrics.`{best}`",
            f"metrics.`{schema.VALUE}`",
            *(f"params.`{name}`" for name in searched),
            f"metrics.`{schema.SPREAD}`",
            f"tags.`{schema.STATE}`",
        ],
        "runsHiddenMode": "SHOW_ALL",
        "hideEmptyCharts": True,
        "globalLineChartConfig": _AS_MEASURED,
        "compareRunSections": [
            {"uuid": uuid, "display": True, "isReordered": False, **section} for uuid, section in _SECTIONS.items()
        ],
        "compareRunCharts": _charts(metric, best, searched),
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "param", "groupByData": name} for name in grouped],
        }
        if grouped
        else None,
    }


def _charts(metric: str, best: str, searched: Sequence[str]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [
        {"type": "LINE", "metricKey": key, "useGlobalLineSmoothing": True, "useGlobalXaxisKey": True, **_AS_MEASURED}
        for key in dict.fromkeys([metric, *schema.CHARTED])
    ]
    parallel: dict[str, Any] = {
        "type": "PARALLEL",
        "selectedParams": list(searched),
        "selectedMetrics": [best],
        "displayName": f"{best} by hyperparameters",
    }
    return [
        {
            "uuid": f"mlptune-{place}",
            "metricSectionId": _PARALLEL if chart is parallel else _CURVES,
            "deleted": False,
            "isGenerated": False,
            "runsCountToCompare": 100,
            **chart,
        }
        for place, chart in enumerate([*lines, parallel])
    ]
