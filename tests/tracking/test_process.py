"""Calls can be sent to another process, and the worker that makes them serves several writers, one after the other."""

import pickle
import shutil
from pathlib import Path

import pytest

from mlptune.experiments.execution.workers import Workers
from mlptune.tracking import lease, process, reader
from mlptune.tracking.process import call
from mlptune.tracking.records import TrialRecord, TrialWrite
from mlptune.tracking.runs.launches import Runs
from mlptune.tracking.writer import Writer


def test_calls_can_be_sent_by_the_name_of_their_method() -> None:
    request = call("counting launches", Runs.count_scored, "fingerprint")
    sent = pickle.loads(pickle.dumps(request))
    assert sent == request
    assert sent.method is Runs.count_scored


def test_a_call_is_made_with_the_arguments_it_was_given(uri: str) -> None:
    runs = Runs(uri)
    with pytest.raises(ValueError, match="no launch is open"):
        call("counting launches", Runs.count_scored, data="fingerprint").on(runs)
    with pytest.raises(TypeError, match="fingerprints"):
        call("counting launches", Runs.count_scored, fingerprints="one").on(runs)  # type: ignore[call-arg]


def test_one_process_serves_one_writer_after_the_other(uri: str, migrated: Path, tmp_path: Path) -> None:
    shutil.copyfile(migrated, tmp_path / "other.db")
    with Workers(1, process.prepare) as executor:
        for address in (uri, f"sqlite:///{tmp_path / 'other.db'}", uri):
            for name in ("first", "second"):
                with Writer(address, executor) as writer:
                    run_id = writer.open_launch(name, spec_text="", spec={}, tags={}).result()
                    for number in range(3):
                        writer.commit_trial(TrialRecord(number, "complete", 0.5, {"x": number}, 1))
                    writer.flush()
                    assert len({writer.trial_run_id(number) for number in range(3)}) == 3
                    writer.finish_launch("finished")
                assert [trial.number for trial in reader.trials(address, run_id)] == [0, 1, 2]
                assert reader.launch(address, name).done == {"complete": 3}
    assert len(reader.launches(uri, "first")) == 2


def test_nothing_is_left_of_a_writer_that_never_left(uri: str) -> None:
    """As when its coordinator was killed: the next one does not write into its launch."""
    worker = process.StoreWorker()
    holder = lease.register_holder()
    opening = call("opening", Runs.open_launch, "a", "", {}, {}, {}, False, holder, 1)
    worker.execute(uri, "first", opening)
    with pytest.raises(ValueError, match="no launch is open"):
        worker.execute(uri, "second", call("writing", Runs.write_trials, []))
    worker.leave("first")  # said late
    assert worker.execute(uri, "second", call("waiting", Runs.check_held)) == (None, {})
    lease.unregister_holder(holder)


def test_each_run_is_told_once(uri: str) -> None:
    """And not all of them with every write, which would cost more and more as a sweep goes on."""

    def write(number: int, attempt: int = 1) -> TrialWrite:
        record = TrialRecord(number, "running", None, {"x": number}, attempt=attempt)
        return TrialWrite(record, metrics=[("loss", 0.5, 1)], now=1000)

    worker, holder = process.StoreWorker(), lease.register_holder()
    worker.execute(uri, "a", call("opening", Runs.open_launch, "a", "", {}, {}, {}, False, holder, 1))
    told = [
        worker.execute(uri, "a", call("writing", Runs.write_trials, writes))[1]
        for writes in ([write(0), write(1)], [write(1)], [write(2)], [write(0, attempt=2)])
    ]
    assert [sorted(new) for new in told] == [[0, 1], [], [2], [0]]
    assert told[0][0] != told[3][0]
    worker.leave("a")
    lease.unregister_holder(holder)


def test_errors_say_what_was_being_done(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database")
    worker = process.StoreWorker()
    with pytest.raises(ValueError, match="is not a SQLite database"):
        worker.execute(f"sqlite:///{tmp_path}/mlflow.db", "session", call("waiting", Runs.check_held))
