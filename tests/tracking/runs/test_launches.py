"""Launches as MLflow shows them; an unfinished one is refused and taken up again, and of several at once one stays."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import UnfinishedLaunch, Writer
from tests.support.launches import PARAMS, curves, opened, record


def test_launch_as_mlflow_sees_it(writer: Writer, client: Any) -> None:
    parent = opened(writer, params={"epochs": 5})
    run = client.get_run(parent)
    assert run.info.status == "RUNNING"
    assert run.data.params == {"epochs": "5"}
    assert run.data.tags["mlflow.user"]
    assert run.data.tags["mlflow.source.name"] == "mlptune"
    writer.commit_trial(record(0), curves(5))
    best = record(1, value=0.75)
    writer.commit_trial(best, curves(5))
    writer.commit_trial(record(2, state="pruned", value=0.1), curves(2))
    artifacts: dict[str, str | bytes] = {"plots/a.bin": b"\x00\xff", "report.html": "<p>é</p>"}
    writer.finish_launch("finished", best=best, metrics={"test_score": 0.7}, tags={"x": "y"}, artifacts=artifacts)
    writer.flush()
    run = client.get_run(parent)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"test_score": 0.7, "best_value": 0.75}
    assert run.data.tags["x"] == "y"
    assert client.get_run(writer.trial_run_id(1)).data.tags["mlptune.leader"] == "true"
    download = Path(client.download_artifacts(parent, "plots/a.bin"))
    assert download.read_bytes() == b"\x00\xff"
    assert Path(client.download_artifacts(parent, "sweep.toml")).read_text(encoding="utf-8") == "name = 'é'\n"
    assert sorted(a.path for a in client.list_artifacts(parent)) == ["plots", "report.html", "sweep.toml"]


def test_the_best_trials_hyperparameters_are_params_of_the_launch_also_when_a_later_one_is_better(
    uri: str, client: Any
) -> None:
    first, second = (TrialRecord(i, "complete", i / 2, {"x": i, "hidden": [8, i]}) for i in range(2))
    with Writer(uri) as writer:
        run_id = opened(writer, params={"epochs": 5})
        writer.commit_trial(first, curves(2))
        writer.finish_launch("finished", best=first)
    assert client.get_run(run_id).data.params == {"epochs": "5", "best_x": "0", "best_hidden": "[8,0]"}
    for after, best in ((1, first), (2, second)):  # continued twice: without a better trial, and with one
        with Writer(uri) as writer:
            writer.reopen_launch("digits", run_id, after=after, tags={})
            if best is second:
                writer.commit_trial(second, curves(2))
            writer.finish_launch("finished", best=best)
    params = client.get_run(run_id).data.params
    assert {key: text for key, text in params.items() if key.startswith("best_x")} == {"best_x": "0", "best_x.3": "1"}
    assert params["best_hidden.3"] == "[8,1]"


@pytest.mark.parametrize("state", [None, "interrupted"])
def test_unfinished_launch_is_refused_named_and_resumed(uri: str, state: str | None) -> None:
    with Writer(uri) as writer:
        first = opened(writer)
        writer.commit_trial(record(0), curves(5))
        writer.log_segment(TrialRecord(1, "running", None, PARAMS), curves(2))
        if state:
            writer.finish_launch(state)
    with Writer(uri) as writer:
        with pytest.raises(UnfinishedLaunch) as caught:
            opened(writer)
        assert (caught.value.name, caught.value.run_id) == ("digits", first)
        with pytest.raises(UnfinishedLaunch):
            writer.flush()
    with Writer(uri) as writer:
        assert writer.reopen_launch("digits", first, after=1, tags={}).result() == first
        assert reader.launch(uri, "digits").state == "running"
        writer.commit_trial(record(1, attempt=2), curves(5))
        writer.finish_launch("finished")
    launch = reader.launch(uri, "digits")
    assert (launch.state, launch.done) == ("finished", {"complete": 2})
    assert [trial.attempt for trial in reader.trials(uri, first)] == [1, 2]
    with Writer(uri) as writer:
        second = opened(writer)
    with Writer(uri) as writer:
        third = opened(writer, unfinished_ok=True)
    assert [launch.run_id for launch in reader.launches(uri, "digits")] == [third, second, first]


def test_of_launches_opened_at_once_one_stays(uri: str) -> None:
    """Three times, in stores of their own: the races run at once, and none waits for the locks of another."""
    path = store.sqlite_path(uri)
    assert path is not None
    addresses = [f"sqlite:///{shutil.copyfile(path, path.with_name(f'{n}.db'))}" for n in range(3)]
    writers = {address: [Writer(address) for _ in range(3)] for address in addresses}
    for writer in (writer for three in writers.values() for writer in three):
        writer.flush()
    answers = {
        address: [w.open_launch("digits", spec_text="", spec={}, tags={}) for w in writers[address]]
        for address in addresses
    }
    for address in addresses:
        failures = [answer.exception() for answer in answers[address]]
        assert sum(failure is None for failure in failures) == 1
        assert all(isinstance(failure, UnfinishedLaunch) for failure in failures if failure)
        for writer in writers[address]:
            writer.close()
        assert len(reader.launches(address, "digits")) == 1


def test_it_is_counted_how_often_the_same_data_were_scored_on(uri: str) -> None:
    for name, data, scored in (
        ("digits", "a", True),
        ("digits", "a", False),
        ("digits", "b", True),
        ("wine", "a", True),
    ):
        with Writer(uri) as writer:
            writer.open_launch(name, spec_text="", spec={}, tags={"mlptune.data": data})
            writer.finish_launch("finished", metrics={"test_score": 0.5} if scored else {})
    with Writer(uri) as writer:
        writer.open_launch("digits", spec_text="", spec={}, tags={"mlptune.data": "a"})
        assert [writer.count_scored(data).result() for data in "abc"] == [1, 1, 0]
        writer.finish_launch("finished", metrics={"test_score": 0.5})
        run_id = reader.launch(uri, "digits").run_id
        writer.reopen_launch("digits", run_id, after=1, tags={"mlptune.data": "a"}).result()
        assert writer.count_scored("a").result() == 2  # its own: it is resumed, and will be scored again


def test_a_refusal_arrives_whole_from_the_writing_process() -> None:
    for refusal in (
        UnfinishedLaunch("digits", "run"),
        UnfinishedLaunch("digits", "run", "host process 7", running=True),
    ):
        arrived = pickle.loads(pickle.dumps(refusal))
        assert str(arrived) == str(refusal)
        assert vars(arrived) == vars(refusal)
