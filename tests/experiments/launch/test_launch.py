"""One launch from the sweep file to the stored result: the same for any number of workers, with the test rows sealed."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.progress import Observer, SweepInfo
from tests.support.launches import tags_of_launch
from tests.support.sweeps import essence, small


def test_one_worker_and_two_give_the_same_stored_sweep(store: str) -> None:
    """The method is one that stops trials; `test_equality.py` has all of them, without the store."""
    one = essence(mlptune.run_sweep(small("hyperband"), workers=1))
    assert one == essence(mlptune.run_sweep(small("hyperband"), workers=2))
    trials = one["document"]["trials"]
    assert [trial["number"] for trial in trials] == list(range(12))
    pruned = [trial for trial in trials if trial["state"] == "pruned"]
    assert pruned
    assert all(trial["epochs"] < 9 for trial in pruned)


def test_test_rows_never_reach_a_number_before_the_end(store: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    frame["y"] = (frame["a"] + 0.3 * rng.normal(size=200) > 0).astype(int)
    held_out = frame.iloc[150:].copy()
    frame.iloc[:150].to_csv(tmp_path / "train.csv", index=False)
    values = []
    for i, test in enumerate((held_out, held_out.assign(a=-1e3 * held_out["a"], b=0.0))):
        test.to_csv(tmp_path / "test.csv", index=False)
        data = {"source": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv"), "target": "y"}
        result = mlptune.run_sweep(
            {"name": f"sealed {i}", "data": data, "model": {"epochs": 5}, "search": {"trials": 4}}
        )
        values.append(([trial["value"] for trial in result.summary()["trials"]], result.best["test_score"]))
    assert values[0][0] == values[1][0]
    assert values[0][1] != values[1][1]


def test_its_run_says_what_was_launched_and_on_which_data(store: str) -> None:
    def tags(**changes: Any) -> dict[str, str]:
        result = mlptune.run_sweep(small("random", search__trials=2, **changes), workers=1)
        return tags_of_launch(store, result.run_id)

    found = tags()
    assert (
        found.items()
        >= {
            "mlptune.method": "random",
            "mlptune.trials": "2",
            "mlptune.metric": "val_score",
            "mlptune.direction": "maximize",
            "mlptune.task": "classification",
            "mlptune.seed": "0",
            "mlptune.version": mlptune.__version__,
        }.items()
    )
    assert json.loads(found["mlptune.fixed"]) == {"epochs": 9, "early_stopping": 4, "standardize": True}
    other = tags(name="other", model={"epochs": 2}, objective__metric="val_loss")
    assert (other["mlptune.metric"], other["mlptune.direction"]) == ("val_loss", "minimize")
    assert other["mlptune.data"] == found["mlptune.data"]
    assert tags(name="less data", data__test_size=0.3)["mlptune.data"] != found["mlptune.data"]


def test_a_search_that_cannot_be_announced_leaves_no_thread(store: str) -> None:
    class Refuses(Observer):
        def started(self, info: SweepInfo) -> None:
            raise RuntimeError("not now")

    def writers() -> int:
        return [thread.name for thread in threading.enumerate()].count("mlptune-writer")

    before = writers()
    with pytest.raises(RuntimeError, match="not now"):
        mlptune.run_sweep(small(), workers=1, observer=Refuses())
    assert writers() == before


class _Diary(Observer):
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def started(self, info: SweepInfo) -> None:
        self.told.append(("started", info))

    def trial_finished(self, trial: Any) -> None:
        self.told.append(("trial", trial.number))

    def message(self, text: str) -> None:
        self.told.append(("message", text))

    def refitting(self, number: int) -> None:
        self.told.append(("refitting", number))

    def finished(self, result: Any) -> None:
        self.told.append(("finished", result))


def test_an_observer_is_told_in_order_and_a_finished_launch_is_only_read(store: str) -> None:
    diary = _Diary()
    result = mlptune.run_sweep(small("random", objective__ensemble=0), workers=1, observer=diary)
    (first, info), *trials, refit, last = diary.told
    assert (first, info.name, info.method, info.total) == ("started", "small", "random", 12)
    assert (info.workers, info.max_epochs, info.metric, info.direction) == (1, 9, "val_score", "maximize")
    assert sorted(trials) == [("trial", number) for number in range(12)]
    assert (refit, last) == (("refitting", result.best["number"]), ("finished", result))
    again = _Diary()
    spec = small("random", objective__ensemble=0)
    read = mlptune.run_sweep(spec, workers=1, observer=again, resume=True)
    assert again.told == [("message", "'small' is finished; this is its result"), ("finished", read)]
    assert essence(read) == essence(result)
    assert (read.run_id, read.best_config) == (result.run_id, result.best_config)
