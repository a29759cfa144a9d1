"""What a person waits for: the import, the commands that read a local store, the first stack of a sweep, and `partial_fit`.

Each command is a process of its own. Beside the seconds it takes stands the processor time, which says the same on a machine
that does other things too, and how many modules it imports.
"""

import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlptune import MLPClassifier

ROUNDS = 5
COMMANDS = {
    "import mlptune": "import mlptune",
    "list": "list",
    "show": "show digits",
    "best": "best digits",
    "predict": "predict digits digits.csv -o out.csv",
}
SWEEP = "sweep digits --trials 16 --epochs 4 --name first --set objective.ensemble=0 --workers 2"
# Tells the moment at which the first stack is handed to a worker that is ready.
FIRST_STACK = """
import time, sys
from mlptune.experiments.execution.workers import Workers
send = Workers._send
def sending(self, worker, call):
    if call.fn.__name__ == "run_job":
        print("sent", time.time(), file=sys.stderr)
    send(self, worker, call)
Workers._send = sending
"""


def program(command: str, before: str = "") -> list[str]:
    if command.startswith("import"):
        run = command
    else:
        run = f"{before}\nfrom mlptune.experiments.cli import commands\ntry: commands.app({command.split()!r})\n"
        run += "except SystemExit as ended: assert not ended.code\n"
    return [sys.executable, "-c", f"{run}\nimport sys; print('modules', len(sys.modules), file=sys.stderr)"]


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("waiting")
    load_digits(as_frame=True).frame.to_csv(folder / "digits.csv", index=False)
    sweep = "sweep digits --trials 64 --epochs 10 --set model.preset=plain"
    subprocess.run(program(sweep), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name: str, folder: Path) -> None:
    wall, processor, modules = [], [], ""
    for _ in range(ROUNDS):
        used, began = processor_seconds(), time.perf_counter()
        ran = subprocess.run(program(COMMANDS[name]), cwd=folder, check=True, capture_output=True, text=True)
        wall.append(time.perf_counter() - began)
        processor.append(processor_seconds() - used)
        modules = ran.stderr.split()[-1]
    print(
        f"\n{name:15} {statistics.median(wall):5.2f} s, {statistics.median(processor):5.2f} s of a processor, {modules} modules"
    )


def test_first_stack(folder: Path) -> None:
    waited = []
    for i in range(ROUNDS):
        began = time.time()
        command = program(f"{SWEEP} --tracking-uri sqlite:///first{i}.db", FIRST_STACK)
        ran = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        waited.append(
            next(float(line.split()[1]) for line in ran.stderr.splitlines() if line.startswith("sent")) - began
        )
    print(f"\nfirst stack     {statistics.median(waited):5.2f} s after Enter ({min(waited):.2f} to {max(waited):.2f})")


def test_partial_fit() -> None:
    from sklearn.neural_network import MLPClassifier as Theirs

    random = np.random.default_rng(0)
    X, y = random.normal(size=(4000, 16)), random.integers(0, 3, 4000)
    models = {
        "scikit-learn": Theirs((32,), batch_size=32, random_state=0),
        "mlptune": MLPClassifier(hidden=[32], batch_size=32, random_state=0),
    }

    times: dict[str, list[float]] = {name: [] for name in models}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in models.values():
            model.partial_fit(X, y, classes=np.arange(3))
        for _ in range(20):
            for name, model in models.items():
                began = time.process_time()
                model.partial_fit(X, y)
                times[name].append(time.process_time() - began)
    ours, theirs = (1000 * statistics.median(times[name]) for name in ("mlptune", "scikit-learn"))
    print(
        f"\npartial_fit of 4,000 rows, 16-32-3, batch 32: {ours:.1f} ms, scikit-learn {theirs:.1f} ms, {theirs / ours:.2f} times"
    )
