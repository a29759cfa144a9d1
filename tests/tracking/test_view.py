"""The saved view is what MLflow's pages read: an experiment's tag of less than 5,000 characters."""

import base64
import json
import zlib
from typing import Any

from mlptune.tracking import reader, schema
from mlptune.tracking.description import Description
from mlptune.tracking.view import view_key, view_text
from mlptune.tracking.writer import Writer


def state_of(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(json.loads(text)["state"].removeprefix("deflate;"))))


def test_a_grid_is_grouped_and_the_best_come_first() -> None:
    state = state_of(view_text("abc", "val_loss", "minimize", ["learning_rate", "x"], ["learning_rate", "x"], 1))
    assert state["orderByAsc"] is True
    assert [key["groupByData"] for key in state["groupBy"]["groupByKeys"]] == ["learning_rate", "x"]
    assert "params.`learning_rate`" in state["selectedColumns"]
    assert [chart["metricKey"] for chart in state["compareRunCharts"] if chart["type"] == "LINE"].count("val_loss") == 1
    assert state_of(view_text("abc", "val_score", "maximize", ["x"], [], 1))["groupBy"] is None


def test_parallel_coordinates_have_the_whole_width_below_the_curves() -> None:
    state = state_of(view_text("abc", "val_score", "maximize", ["x"], [], 1))
    sections = {section["uuid"]: section for section in state["compareRunSections"]}
    placed = [(chart["type"], sections[chart["metricSectionId"]]["columns"]) for chart in state["compareRunCharts"]]
    assert placed == [*[("LINE", 3)] * 3, ("PARALLEL", 1)]


def test_curves_are_drawn_as_they_were_measured() -> None:
    """Where it is not told MLflow smooths them, by 70 of 100."""
    state = state_of(view_text("abc", "val_score", "maximize", ["x"], [], 1))
    lines = [chart for chart in state["compareRunCharts"] if chart["type"] == "LINE"]
    assert len(lines) == 3
    assert [config["lineSmoothness"] for config in (state["globalLineChartConfig"], *lines)] == [0] * 4


def test_it_fits_into_a_tag_whatever_is_searched() -> None:
    names = [f"a_hyperparameter_of_a_plugin_with_number_{i}" for i in range(300)]
    assert len(view_text("f" * 32, "val_score", "maximize", names, names[:10], 10**13)) < 5000


def test_it_is_there_while_the_launch_runs_and_repeating_changes_nothing(uri: str, client: Any) -> None:
    what = Description(["x"], [], "species", "flowers.csv", "f" * 64, 120, 4)
    tags = {schema.METRIC: "val_score", schema.DIRECTION: "maximize"}
    with Writer(uri) as writer:
        run_id = writer.open_launch("cars", spec_text="", spec={}, tags=tags).result()
        assert "viewStateShareKey" not in reader.chart_page(uri, run_id)
        for _ in range(2):
            writer.describe_launch(what)
        writer.flush()
        assert f"viewStateShareKey={run_id}" in reader.chart_page(uri, run_id)
    experiment = client.get_experiment_by_name("cars")
    assert run_id in state_of(experiment.tags[view_key(run_id)])["searchFilter"]
    assert "species" in experiment.tags[schema.NOTE]
    assert f"]({reader.chart_page(uri, run_id).removeprefix('/')})" in experiment.tags[schema.NOTE]
    [data] = client.get_run(run_id).inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("flowers.csv", "f" * 36)


def test_the_sweeps_description_leads_to_its_newest_launch_and_a_persons_own_stays(uri: str, client: Any) -> None:
    what = Description(["x"], [], "species", "flowers.csv", "f" * 64, 120, 4)
    tags = {schema.METRIC: "val_score", schema.DIRECTION: "maximize"}

    def launched() -> tuple[str, str]:
        with Writer(uri) as writer:
            run_id = writer.open_launch("cars", spec_text="", spec={}, tags=tags).result()
            writer.describe_launch(what)
            writer.finish_launch("failed")
        return run_id, client.get_experiment_by_name("cars").tags[schema.NOTE]

    launched()
    second, note = launched()
    assert second in note
    client.set_experiment_tag(client.get_experiment_by_name("cars").experiment_id, schema.NOTE, f"Mine: {note}")
    third, note = launched()
    assert note.startswith("Mine: ")
    assert third not in note
