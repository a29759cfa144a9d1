"""Counts how long the walks of `architecture.md` are, by following the calls of a sweep of one trial through all its processes.

A walk is what somebody reads who follows a trial through the house. Coming into a file, the reader reads the function that was
called with all that it uses of the same file: one *stay*. Then he follows the calls that lead out of it, in their order, to what
he has not read yet. A walk's *files* are those he comes into, and its *returns* the stays in a file that he was in before, where
he has to find the place again. That a call comes back to its caller is none. What runs on import is left out, and so is a
library's own code: it is as if it were not there.

The walk of a value goes through the functions that are handed it, or hand it back, alone or in a dictionary, a list or an array;
in the order of the first calls.

Count on an idle machine: what a process does because it waits for others is counted too, as a look whether the lease is still held.

    python docs/count_walks.py [FOLDER OF ANOTHER VERSION] [--show]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

# The learning rate is known by its size, wherever it turns up: no other number of the sweep lies between its bounds.
LOW, HIGH = 0.0123, 0.0124

SWEEP_FILE = f"""
name = "walk"
[data]
source = "table.csv"
target = "y"
validation = 0.25
[model]
hidden = [4]
epochs = 2
[space]
learning_rate = {{ low = {LOW}, high = {HIGH}, log = true }}
[search]
method = "random"
trials = 1
"""
SWEEP = """
from mlptune import run_sweep

if __name__ == "__main__":
    run_sweep("sweep.toml", workers=1)
"""
# A trial's way begins with the one call and ends before the other, which is made by the same thread.
ASK, TELL, JOB = "Coordinator._ask", "Coordinator._tell", "run_job"
# Where the processes write their calls, and the folder of the package: variables of the environment, which all inherit.
TRACES, PACKAGE = "WALK_TRACES", "WALK_PACKAGE"
# They are left to come to rest for so long, and the launch has to be open in the store.
QUIET_SECONDS = 3.0
OPENED = re.compile(r"return\t\S+\tRuns\.open_launch\t")


class Function(NamedTuple):
    """A function by its file and its name there; what is defined inside it belongs to it."""

    file: str
    name: str


class Call(NamedTuple):
    """A call into the package, the function of the package that it came from, and whether the learning rate went in or out."""

    time: int
    thread: str
    caller: Function | None
    callee: Function
    has_rate: bool


class Stay(NamedTuple):
    """What is read of a file before the walk goes on to another."""

    file: str
    functions: list[str]


# In each process of the sweep.


class Tracer:
    """Writes a line for each call of this thread into the package and for each end of one."""

    def __init__(self) -> None:
        self._root, self._importing = os.environ[PACKAGE] + os.sep, 0
        name = f"{os.getpid()}-{threading.get_native_id()}"
        self._out = open(Path(os.environ[TRACES]) / name, "a", buffering=1)  # noqa: SIM115

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if code.co_filename == "<frozen importlib._bootstrap>" and code.co_name == "_find_and_load":
            self._importing = max(0, self._importing + (event == "call") - (event == "return"))
            os.utime(self._out.name)
        if self._importing or event not in ("call", "return") or not code.co_filename.startswith(self._root):
            return
        if event == "call" and code.co_qualname in (ASK, TELL):
            _wait_until_quiet()
        n_arguments = code.co_argcount + code.co_kwonlyargcount
        passed = [frame.f_locals.get(name) for name in code.co_varnames[:n_arguments]] if event == "call" else [value]
        file, has_rate = code.co_filename.removeprefix(self._root), any(_is_rate(item) for item in passed)
        print(time.monotonic_ns(), event, file, code.co_qualname, int(has_rate), sep="\t", file=self._out)


def trace() -> None:
    """Trace this thread, and all that this process begins."""

    def begin(*_: object) -> None:
        sys.setprofile(Tracer())

    threading.setprofile(begin)
    begin()


def _is_rate(value: object, depth: int = 3) -> bool:
    if isinstance(value, dict | list | tuple):
        items = value.values() if isinstance(value, dict) else value
        return depth > 0 and any(_is_rate(item, depth - 1) for item in list(items)[:64])
    if type(value).__name__ in ("ndarray", "float32"):
        numbers: Any = value
        value = float(numbers.flat[0]) if numbers.size and numbers.dtype.kind == "f" else None
    return isinstance(value, float) and LOW - 1e-8 <= value <= HIGH + 1e-8


def _wait_until_quiet() -> None:
    """Wait until every process has done what was asked of it earlier, so that it is not taken for a part of the trial."""
    traces = Path(os.environ[TRACES])
    while time.time() - max(trace.stat().st_mtime for trace in traces.iterdir()) < QUIET_SECONDS or not any(
        OPENED.search(trace.read_text()) for trace in traces.iterdir()
    ):
        time.sleep(0.1)


# Of what they wrote.


def follow(package: Path) -> list[Call]:
    """The calls of a sweep of one trial with the package in this folder, in the order of time."""
    with tempfile.TemporaryDirectory() as name:
        folder, path, traces = Path(name), Path(name, "path"), Path(name, "traces")
        path.mkdir()
        traces.mkdir()
        (path / "sitecustomize.py").write_text("import count_walks\n\ncount_walks.trace()\n")
        (path / "count_walks.py").symlink_to(Path(__file__).resolve())
        (path / "mlptune").symlink_to(package.resolve(), target_is_directory=True)
        (folder / "sweep.py").write_text(SWEEP)
        (folder / "sweep.toml").write_text(SWEEP_FILE)
        rows = (f"{i % 7},{i % 5},{'no' if i % 7 < i % 5 else 'yes'}\n" for i in range(120))
        (folder / "table.csv").write_text("".join(["a,b,y\n", *rows]))
        variables = {"PYTHONPATH": str(path), PACKAGE: str(path / "mlptune"), TRACES: str(traces)}
        subprocess.run([sys.executable, "sweep.py"], cwd=folder, env={**os.environ, **variables}, check=True)
        return sorted(call for trace in traces.iterdir() for call in _calls(trace))


def _calls(trace: Path) -> Iterable[Call]:
    pending: list[Call] = []
    for line in trace.read_text().splitlines():
        moment, event, file, name, has_rate = line.split("\t")
        function = Function(file, name.split(".<locals>")[0])
        if event == "call":
            caller = pending[-1].callee if pending else None
            pending.append(Call(int(moment), trace.name, caller, function, has_rate == "1"))
        else:
            # An end without its call is of a function that ran when the tracing began.
            while pending and (call := pending.pop()):
                yield call._replace(has_rate=call.has_rate or (call.callee == function and has_rate == "1"))
                if call.callee == function:
                    break
    yield from pending


def _first(calls: Iterable[Call], name: str) -> Call:
    return next(call for call in calls if call.callee.name == name)


def trial_walk(calls: Sequence[Call]) -> list[Stay]:
    """From the ask to the commit: the coordinator, its worker, the coordinator again, and the writer."""
    ask, tell, job = (_first(calls, name) for name in (ASK, TELL, JOB))
    parts: dict[tuple[str, bool], list[Call]] = {}
    for call in calls:
        if ask.time <= call.time < tell.time:
            parts.setdefault((call.thread, call.thread == ask.thread and call.time > job.time), []).append(call)
    return _read([call for part in parts.values() for call in part])


def job_walk(calls: Sequence[Call]) -> list[Stay]:
    """The trial's job, from what the worker is sent to the trained state."""
    job, tell = _first(calls, JOB), _first(calls, TELL)
    return _read([call for call in calls if call.thread == job.thread and job.time <= call.time < tell.time])


def rate_walk(calls: Sequence[Call]) -> list[Stay]:
    """The learning rate's way from the sweep file to the update, past what is done with it on the side in other threads."""
    ask, tell, job = (_first(calls, name) for name in (ASK, TELL, JOB))
    before = [call for call in calls if call.thread == ask.thread and call.time < job.time]
    within = [call for call in calls if call.thread == job.thread and job.time <= call.time < tell.time]
    stays: list[Stay] = []
    for function in dict.fromkeys(call.callee for call in before + within if call.has_rate):
        _stay(stays, function.file, [function.name])
    return stays


def _read(calls: Sequence[Call]) -> list[Stay]:
    # A comprehension goes by the name of its function, which is no call of it: it may run within the walk, called from before it.
    called = {call.callee for call in calls if call.callee != call.caller}
    callees: dict[Function, dict[Function, None]] = defaultdict(dict)
    for call in calls:
        if call.caller in called:
            callees[call.caller][call.callee] = None
    read: set[Function] = set()
    stays: list[Stay] = []

    def within_file(function: Function) -> list[Function]:
        if function in read:
            return []
        read.add(function)
        own = [callee for callee in callees[function] if callee.file == function.file]
        return [function, *(more for callee in own for more in within_file(callee))]

    def enter(function: Function) -> None:
        functions = within_file(function)
        if functions:
            _stay(stays, function.file, [each.name for each in functions])
        for each in functions:
            for callee in callees[each]:
                if callee.file != function.file:
                    enter(callee)

    for call in calls:
        if call.caller not in called:
            enter(call.callee)
    return stays


def _stay(stays: list[Stay], file: str, functions: list[str]) -> None:
    """Read these functions in a stay of their own, unless the reader is in their file already."""
    if stays and stays[-1].file == file:
        stays[-1].functions.extend(functions)
    else:
        stays.append(Stay(file, functions))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "package", nargs="?", type=Path, default=Path(__file__).parents[1], help="default: this version"
    )
    parser.add_argument("--show", action="store_true", help="list the stays")
    arguments = parser.parse_args()
    calls = follow(arguments.package)
    for name, walk in (("trial", trial_walk), ("learning_rate", rate_walk), ("run_job", job_walk)):
        stays = walk(calls)
        files = {stay.file for stay in stays}
        print(f"{name}: {len(files)} files, {len(stays) - len(files)} returns")
        for stay in stays if arguments.show else ():
            print("   ", stay.file, *stay.functions)


if __name__ == "__main__":
    main()
