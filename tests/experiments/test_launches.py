"""What a name means: the newest finished launch, the k-th, one by its run; and what is said of the others."""

import warnings

import pytest

import mlptune
from mlptune.experiments.launches import choose, newest
from mlptune.tracking import reader
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import Writer

TAGS = {"mlptune.method": "grid", "mlptune.trials": "1", "mlptune.metric": "val_score", "mlptune.data": "abc"}


def launch(uri: str, state: str | None, value: float = 0.5, **tags: str) -> str:
    with Writer(uri) as writer:
        opened = writer.open_launch("digits", spec_text="", spec={}, tags={**TAGS, **tags}, unfinished_ok=True)
        best = TrialRecord(0, "complete", value, {"x": 1}, 2)
        writer.commit_trial(best, {"val_loss": [1.0, 0.5]})
        if state:
            writer.finish_launch(state, best=best if state == "finished" else None)
        return opened.result()


def test_the_newest_finished_launch_is_meant(store: str) -> None:
    first, second = launch(store, "finished"), launch(store, "finished", 0.6)
    said: list[str] = []
    chosen = choose(store, "digits", say=said.append)
    assert (chosen.run_id, chosen.reference, said) == (second, "digits", [])
    failed = launch(store, "failed")
    chosen = choose(store, "digits", say=said.append)
    assert (chosen.run_id, said) == (second, ["digits: this is launch #2; #3 failed"])
    for name, run, expected, reference in (
        ("digits#1", None, first, "digits#1"),
        ("digits#2", None, second, "digits"),
        ("digits", failed[:9], failed, "digits#3"),
    ):
        chosen = choose(store, name, run, said.append)
        assert (chosen.run_id, chosen.reference) == (expected, reference)
    assert len(said) == 1  # what was asked for needs no remark
    assert newest(store, "digits").run_id == failed


def test_as_long_as_none_is_finished_the_newest_is_meant(store: str) -> None:
    launch(store, "interrupted")
    second = launch(store, "failed")
    chosen = choose(store, "digits")
    assert (chosen.run_id, chosen.state, chosen.remark) == (second, "failed", "")
    with pytest.raises(mlptune.NotFound, match="'digits' has no model yet; its state is failed"):
        mlptune.load_model("digits")


def test_a_running_and_a_better_launch_are_told_and_python_warns(store: str) -> None:
    launch(store, "finished", 0.9)
    launch(store, "finished", 0.1, **{"mlptune.data": "another table"})
    launch(store, "finished", 0.7)
    with Writer(store) as writer:
        writer.open_launch("digits", spec_text="", spec={}, tags=TAGS).result()
        remark = "digits: this is launch #3; #4 is running; #1 was better: val_score 0.90000, against val_score 0.70000"
        assert choose(store, "digits").remark == remark
        with pytest.warns(UserWarning, match="#4 is running") as caught:
            mlptune.best_config("digits")
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mlptune.best_config("digits#1")
        writer.finish_launch("interrupted")


@pytest.mark.parametrize(
    ("name", "run", "said"),
    [
        ("digits#2", None, "has no launch #2; its launches: #1"),
        ("digits#", None, "'digits#' is not the name of a sweep, nor of a launch such as digits#1"),
        ("digit#1", None, "did you mean 'digits'"),
        ("digits", "zz", "has no run 'zz'"),
        ("digits#1", "a", "names a launch already"),
    ],
)
def test_what_is_not_there_is_said(store: str, name: str, run: str | None, said: str) -> None:
    launch(store, "finished")
    with pytest.raises(reader.NotFound, match=said):
        choose(store, name, run)
