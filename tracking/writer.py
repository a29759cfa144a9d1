"""The one writer of a sweep: what the coordinator says of launch and trials becomes plain data, its timestamps already chosen.

How that gets to the store, now or when it is back, is `delivery`'s business.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from . import lease, records, schema, store
from .delivery import LOOK_SECONDS, Answer, Delivery, Task
from .lease import HeldElsewhere as HeldElsewhere
from .records import TrialRecord
from .runs import TrialWrite
from .runs import UnfinishedLaunch as UnfinishedLaunch
from .store.errors import StoreError as StoreError


class Writer:
    """Writes one launch of one sweep into the store at `uri`, in the one process of `executor` if that is given.

    Every method but `flush` and `close` returns at once. While the store is away the writes wait, on disk; a write that it
    refuses ends the writing: the error is raised by every later call and by `flush`, and by `close` if nobody has been told yet.
    `say` hears when the store goes away and comes back, in the threads that call the writer. As a context manager it closes itself.
    """

    def __init__(
        self, uri: str | None = None, executor: Executor | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self.uri = store.store_uri(uri)
        self._answers: list[Answer] = []
        self._told = False
        self._closed = False
        self._say = say
        self._holder = lease.take_seat()
        self._delivery = Delivery(self.uri, executor, self._holder)

    # What the coordinator calls.

    def open_launch(
        self,
        name: str,
        *,
        spec_text: str,
        spec: Mapping[str, Any],
        tags: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        unfinished_ok: bool = False,
    ) -> "Future[str]":
        """Open a launch of the sweep `name`; the future gives its run's id.

        It fails with UnfinishedLaunch if the latest launch has not finished (unless `unfinished_ok`), and with
        ValueError if the sweep's experiment was deleted.
        """
        return self._ask(
            "open_launch",
            f"opening a launch of {name!r}",
            name=name,
            spec_text=spec_text,
            spec=dict(spec),
            tags=dict(tags),
            params=_texts(params or {}),
            unfinished_ok=unfinished_ok,
            holder=self._holder,
            now=_now(),
        )

    def reopen_launch(self, name: str, run_id: str, *, after: int, tags: Mapping[str, str]) -> "Future[str]":
        """Take the launch `run_id` up again, whose last claim was number `after`; its record of the spec stays.

        What the holder before had spooled is written, then every trial that is still uncommitted is marked superseded: both
        are done when `flush` returns. The future gives the run id; it fails with HeldElsewhere if another was quicker.
        """
        return self._ask(
            "reopen_launch",
            f"taking up the sweep {name!r}",
            name=name,
            run_id=run_id,
            number=after + 1,
            tags=dict(tags),
            holder=self._holder,
        )

    def log_stretch(
        self,
        number: int,
        attempt: int,
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        first_epoch: int,
        curves: Mapping[str, Sequence[float]],
        run_name: str | None = None,
        started: datetime | None = None,
    ) -> None:
        """Write a stretch of a trial that goes on: `curves[key][j]` belongs to epoch `first_epoch + j`.

        The first call of a trial creates its run, which then began at `started` (default: now).
        """
        self._put_trial(
            f"writing epochs of trial {number}",
            TrialWrite(
                number, attempt, _texts(params), dict(tags), _points(curves, first_epoch), _now(),
                run_name=run_name, started=_milliseconds(started),
            ),
        )  # fmt: skip

    def commit_trial(
        self,
        record: TrialRecord,
        curves: Mapping[str, Sequence[float]] | None = None,
        first_epoch: int = 1,
        metrics: Mapping[str, float] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        run_name: str | None = None,
        started: datetime | None = None,
    ) -> None:
        """Write the trial's last stretch, if any, its outcome, and then the end of its run: the commit.

        `metrics` are single numbers (step 0); the trial's value is added to them as `value`. A trial that was never
        logged before gets its run here, with `params` (default: the record's) as MLflow's params.
        """
        if record.state not in schema.TRIAL_STATUS:
            raise ValueError(f"trial {record.number}: a trial in state {record.state!r} cannot be committed")
        points = _points(curves or {}, first_epoch) + [(key, float(value), 0) for key, value in (metrics or {}).items()]
        if record.value is not None:
            points.append((schema.VALUE, float(record.value), 0))
        self._put_trial(
            f"committing trial {record.number}",
            TrialWrite(
                record.number, record.attempt, _texts(record.params if params is None else params),
                {**(tags or {}), **records.trial_tags(record)}, points, _now(),
                state=record.state, run_name=run_name, started=_milliseconds(started),
            ),
        )  # fmt: skip

    def finish_launch(
        self,
        state: str,
        *,
        best: TrialRecord | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        artifacts: Mapping[str, str | bytes] | None = None,
    ) -> None:
        """Write the launch's result and end its run.

        `state` is finished, failed or interrupted; `artifacts` maps relative paths to their content.
        """
        if state not in schema.LAUNCH_STATUS:
            raise ValueError(f"a launch cannot end in state {state!r}; it is one of {', '.join(schema.LAUNCH_STATUS)}")
        for path in artifacts or {}:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path in ("", "."):
                raise ValueError(f"artifact {path!r}: its path must be relative and stay inside the run's folder")
        self._put(
            "finish_launch",
            "finishing the launch",
            state=state,
            best=best,
            metrics={key: float(value) for key, value in (metrics or {}).items()},
            tags=dict(tags or {}),
            artifacts=dict(artifacts or {}),
            now=_now(),
        )

    def log_model(
        self,
        folder: Path,
        *,
        name: str,
        loader_module: str,
        metrics: Mapping[str, float] | None = None,
        requirements: Sequence[str] | None = None,
    ) -> "Future[str]":
        """Log the model's folder under the launch, register it as `name`; the future gives the registered version.

        The folder must stay until the future is done. A failure is the future's alone: the launch can still be
        finished.
        """
        return self._ask(
            "log_model",
            f"logging the model {name!r}",
            folder=Path(folder),
            name=name,
            loader_module=loader_module,
            metrics=dict(metrics or {}),
            requirements=requirements,
            now=_now(),
        )

    def count_scored(self, data: str) -> "Future[int]":
        """How many other launches of the sweep have scored a model on the test part of this data (its fingerprint)."""
        return self._ask("count_scored", "counting launches", data=data)

    def trial_run_id(self, number: int) -> str | None:
        """The trial's run, None while it has not been created."""
        return self._delivery.run_ids.get(number)

    def flush(self) -> None:
        """Wait until all that was said before is in the store, and as long as is sensible for a store that is away."""
        self._ask("", "waiting").result()
        self._raise_error()

    def close(self, patience: float | None = None) -> None:
        """Write what is waiting and end the thread. Raises the error that nobody has been told of, if there is one.

        `patience`: for how many seconds to wait for a store that is away. What it has not taken then stays in the spool.
        """
        if patience is not None:
            self._delivery.patience = patience
        if not self._closed:
            self._closed = True
            self._delivery.end()
        while not self._delivery.ended(LOOK_SECONDS):
            self._tell()
        self._tell()
        told = [answer.exception() for answer in self._answers if answer.told]
        if self._delivery.error is not None and not self._told and self._delivery.error not in told:
            self._raise_error()
        for answer in self._answers:
            if not answer.told and answer.exception() is not self._delivery.error:
                answer.result()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The queue.

    def _put(self, method: str, what: str, answer: Answer | None = None, /, **arguments: Any) -> None:
        self._tell()
        self._raise_error()
        if self._closed:
            raise ValueError("the writer is closed")
        self._delivery.put(Task(method, what, arguments, answer))

    def _put_trial(self, what: str, write: TrialWrite) -> None:
        self._put("write_trials", what, **vars(write))

    def _ask(self, method: str, what: str, /, **arguments: Any) -> Answer:
        answer = Answer(self._tell)
        self._put(method, what, answer, **arguments)
        self._answers.append(answer)
        return answer

    def _raise_error(self) -> None:
        if self._delivery.error is not None:
            self._told = True
            raise self._delivery.error

    def _tell(self) -> None:
        while self._delivery.news:
            text = self._delivery.news.popleft()
            if self._say is not None:
                self._say(text)


def _points(curves: Mapping[str, Sequence[float]], first_epoch: int) -> list[tuple[str, float, int]]:
    return [(key, float(value), first_epoch + j) for key, values in curves.items() for j, value in enumerate(values)]


def _texts(params: Mapping[str, Any]) -> dict[str, str]:
    return {key: records.param_text(value) for key, value in params.items()}


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
