"""Launches in which a writer does all that it can."""

from pathlib import Path

from mlptune.tracking import schema
from mlptune.tracking.description import Description
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import Writer
from tests.support.launches import curves, opened, record

DESCRIPTION = Description(
    searched=["x"], grouped=[], target="y", source="/data/cars.csv", fingerprint="f" * 64, rows=7, columns=2
)


def write_all(uri: str, folder: Path) -> None:
    """Two launches, the second of which is taken up again: all that a writer does."""
    (folder / "arrays").mkdir(parents=True)
    (folder / "arrays/offset.json").write_text("10")
    for number in range(2):
        with Writer(uri) as writer:
            run_id = opened(writer, "my.cars 2")
            writer.describe_launch(DESCRIPTION)
            writer.log_segment(record(0, epochs=2), curves(2))
            writer.commit_trial(record(0, epochs=3), curves(1), 3, tags={"long": "é" * 9000})
            writer.commit_trial(TrialRecord(1, "failed", None, {"x": "1"}, 1, reason="out of memory"))
            writer.log_metric("ensemble_value", 0.5, 2)
            if number == 0:
                finish(writer, folder)
    with Writer(uri) as writer:
        writer.reopen_launch("my.cars 2", run_id, after=1, tags={schema.METRIC: "val_score"}).result()
        writer.commit_trial(record(2, epochs=2), curves(2))
        writer.flush()
        finish(writer, folder)


def finish(writer: Writer, folder: Path) -> None:
    assert writer.count_scored("unknown").result() == 0
    writer.log_model(folder, name="my.cars 2", loader_module="tiny_loader").result()
    writer.finish_launch(
        "finished",
        best=record(0, epochs=3),
        metrics={"test_score": 0.25},
        members={0: 0.75, 1: 0.25},
        front=[0],
        artifacts={"a.txt": "first\r\n", "folder/inner/b.bin": b"\x00\xff"},
    )
