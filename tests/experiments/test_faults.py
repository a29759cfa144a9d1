"""The coordinator is killed at every write and at random moments, and resumed: each trial is there once, and as if nothing had
happened."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

import mlptune
from tests.support.processes import script
from tests.support.sweeps import FEW_CANDIDATES, essence, on_file, small

METHODS = ["tpe", "bayesian", "hyperband", "mobster"]

# Runs the sweep and kills itself (and, with "all", its workers and its writer too, as when the power fails) at the n-th write:
# before it, a few milliseconds into it, or after it. It has no main guard: its worker processes must not run it again.
SCRIPT = """
import os, signal, sys, threading, time
from mlptune.tracking import queue, writer
import mlptune

at, when, whom = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def kill():
    (os.killpg if whom == "all" else os.kill)(os.getpid(), signal.SIGKILL)

class Deadly(queue.WriteQueue):
    writes = 0

    def _execute(self, tasks):
        now = self.writes < at <= self.writes + len(tasks)
        self.writes += len(tasks)
        if now and when == "during":
            threading.Timer(0.006, kill).start()
        if now and when == "before":
            kill()
        result = super()._execute(tasks)
        if now and when == "after":
            kill()
        return result

writer.WriteQueue = Deadly
queue.MOST_AT_ONCE = (1, 4, 32)[at % 8 % 3]
mlptune.run_sweep({spec!r}, workers=2, resume=True)
"""


class Sweep:
    """A sweep that is killed over and over, beside the same one undisturbed."""

    def __init__(self, method: str, store: str, folder: Path) -> None:
        options = {"search__options": FEW_CANDIDATES} if method == "bayesian" else {}
        self.spec, self.store = on_file(small(method, model__epochs=27, search__trials=16, **options), folder), store
        began = time.monotonic()
        undisturbed = mlptune.run_sweep({**self.spec, "name": "undisturbed"}, workers=2)
        self.undisturbed = essence(undisturbed, with_name=False)
        self.seconds = time.monotonic() - began
        self.command = script(folder, SCRIPT.replace("{spec!r}", repr(self.spec)))

    def start(self, at: int = 0, when: str = "never", whom: str = "one") -> "subprocess.Popen[bytes]":
        return subprocess.Popen([*self.command, str(at), when, whom], start_new_session=True, stderr=subprocess.DEVNULL)

    def killed_at(self, at: int, when: str, whom: str) -> bool:
        """Whether it was killed; False if it came to its end before."""
        status = self.start(at, when, whom).wait(timeout=300)
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def check(self) -> None:
        """Resume it for the last time, and compare."""
        resumed = mlptune.run_sweep(self.spec, workers=2, resume=True)
        assert essence(resumed, with_name=False) == self.undisturbed
        client = MlflowClient(self.store)
        experiment = client.get_experiment_by_name("small")
        found = client.search_runs([experiment.experiment_id], "tags.mlptune.kind = 'trial'")
        counting = [run for run in found if run.data.tags["mlptune.state"] != "superseded"]
        assert sorted(int(run.data.tags["mlptune.number"]) for run in counting) == list(range(16))
        assert {run.info.status for run in counting} <= {"FINISHED", "KILLED"}
        assert len(client.search_runs([experiment.experiment_id], "tags.mlptune.kind = 'launch'")) == 1


@pytest.mark.parametrize(
    ("method", "kills"),
    [
        ("tpe", [(2, "after", "all"), (8, "during", "all")]),
        ("bayesian", [(7, "before", "one")]),
        ("hyperband", [(12, "during", "one")]),
        ("mobster", [(20, "after", "one")]),  # asha, and a model of the trials it has paused
    ],
)
def test_killed_and_resumed_equals_undisturbed(
    method: str, kills: list[tuple[int, str, str]], store: str, tmp_path: Path
) -> None:
    sweep = Sweep(method, store, tmp_path)
    for kill in kills:
        assert sweep.killed_at(*kill)
    sweep.check()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_killed_at_every_write(method: str, store: str, tmp_path: Path) -> None:
    sweep = Sweep(method, store, tmp_path)
    kills = 0
    # The first two writes of a continuation open the launch; the last four of all store the model and finish. Where there are rungs
    # the first trial is committed after some twenty: killed before that, a continuation leaves nothing.
    reach = 48 if method in ("hyperband", "mobster") else 8
    while sweep.killed_at(1 + kills % reach, ("after", "during", "before")[kills % 3], ("one", "all")[kills % 2]):
        kills += 1
        assert kills < 100
    assert kills >= 8
    sweep.check()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_killed_at_random_moments(method: str, store: str, tmp_path: Path) -> None:
    sweep = Sweep(method, store, tmp_path)
    chance = random.Random(METHODS.index(method))
    for _ in range(8):
        process = sweep.start()
        time.sleep(chance.uniform(0.2, 1.2 * sweep.seconds))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    sweep.check()
