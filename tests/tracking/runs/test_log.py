"""What is written to a run is there whole: more than one request takes, and texts of any kind as artifacts."""

from pathlib import Path
from typing import Any

from mlptune.tracking.runs.log import log_batch, log_texts
from mlptune.tracking.writer import Writer
from tests.support.launches import curves, opened, record


def test_many_metrics_params_and_tags_are_split(writer: Writer, client: Any) -> None:
    opened(writer)
    params = {f"p{i}": i for i in range(250)}
    tags = {f"t{i}": str(i) for i in range(250)}
    writer.commit_trial(record(0, epochs=700, params=params), curves(700), tags=tags)
    writer.flush()
    run = client.get_run(writer.trial_run_id(0))
    assert len(run.data.params) == 250
    assert tags.items() <= run.data.tags.items()
    assert len(client.get_metric_history(run.info.run_id, "val_score")) == 700


def test_metrics_params_and_tags_of_one_request_have_its_time(client: Any) -> None:
    run_id = client.create_run(client.create_experiment("digits")).info.run_id
    log_batch(client, run_id, [("loss", 0.5, 1), ("loss", 0.25, 2)], {"x": "1"}, {"t": "2"}, 1_700_000_000_000)
    log_batch(client, run_id)
    run = client.get_run(run_id)
    assert (run.data.metrics, run.data.params, run.data.tags["t"]) == ({"loss": 0.25}, {"x": "1"}, "2")
    history = client.get_metric_history(run_id, "loss")
    assert [(m.step, m.value, m.timestamp) for m in history] == [(n, 0.5 / n, 1_700_000_000_000) for n in (1, 2)]


def test_each_text_is_an_artifact_of_its_own_path(client: Any, tmp_path: Path) -> None:
    experiment = client.create_experiment("digits", artifact_location=(tmp_path / "artifacts").as_uri())
    run_id = client.create_run(experiment).info.run_id
    log_texts(client, run_id, {"a.txt": "first\r\n", "folder/inner/a.txt": "é", "b.bin": b"\x00\xff", "c": "\udc80"})
    log_texts(client, run_id, {"a.txt": "second\r\n"})
    folder = Path(client.download_artifacts(run_id, ""))
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {"a.txt": b"second\r\n", "folder/inner/a.txt": "é".encode(), "b.bin": b"\x00\xff", "c": b"?"}
