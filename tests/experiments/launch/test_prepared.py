"""A prepared search is announced and then run, the same whether trials are trained or known already."""

import time
from typing import Any

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.prepared import PreparedSearch
from mlptune.experiments.progress import Observer, SweepInfo
from tests.support.recorders import MemoryRecorder
from tests.support.sweeps import iris


class Listener(Observer):
    def __init__(self) -> None:
        self.infos: list[SweepInfo] = []

    def started(self, info: SweepInfo) -> None:
        self.infos.append(info)


def planned(**changes: Any) -> SweepPlan:
    spec, _ = load_spec(iris(**changes))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def test_it_is_announced_once_before_it_runs() -> None:
    listener = Listener()
    PreparedSearch(planned(search__minutes=2), Inline(), listener, time.monotonic())
    [info] = listener.infos
    assert (info.name, info.workers, info.seconds, info.max_epochs) == ("iris", 1, 120.0, 9)
    assert (info.metric, info.direction) == ("val_score", "maximize")


def test_known_trials_are_replayed_and_a_start_comes_first() -> None:
    plan, start = planned(search__trials=6), {"learning_rate": 0.01}
    recorder = MemoryRecorder()
    trained = PreparedSearch(plan, Inline(), Observer(), time.monotonic(), [start]).run(recorder)
    assert trained[0].params["learning_rate"] == 0.01
    again = PreparedSearch(plan, Inline(), Observer(), time.monotonic(), [start])
    assert again.run(MemoryRecorder(), recorder.committed) == trained
    assert sorted(trained) == list(range(6))
    assert not again.library.entries(), "what goes into the library is the recorder's to say"
