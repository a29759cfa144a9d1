"""What a sweep's writes are in MLflow: one experiment a sweep, one run a launch, one nested run a trial.

Everything here runs where the writer has it run, in order, with its timestamps chosen before: said again after a failure,
a write adds nothing new. A trial is committed when its run is terminated, which is always the last write: whoever
finds a run still open knows that it does not count.
"""

import getpass
import html
import re
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from . import direct, lease, models, reader, records, schema, store
from .direct import Rows
from .lease import Holder
from .records import TrialRecord

# The second makes MLflow's interface open on runs and charts rather than on traces of language models.
_EXPERIMENT_TAGS = {schema.KIND: "sweep", schema.EXPERIMENT_KIND: "custom_model_development"}
_SUPERSEDED_NAME = " (superseded)"
_WITHDRAWAL_SECONDS = 2.0


class UnfinishedLaunch(ValueError):
    """The sweep's latest launch is running, or was interrupted and can be resumed.

    Has `name`, `run_id`, `holder` (who runs it or ran it last, if that one may still live) and `running` (it surely lives).
    """

    def __init__(self, name: str, run_id: str, holder: str | None = None, running: bool = False) -> None:
        if running:
            text = f"is being run by {holder} ({run_id})"
        else:
            text = f"has an unfinished launch ({run_id})" + (f", last run by {holder}" if holder else "")
        super().__init__(f"the sweep {name!r} {text}")
        self.name = name
        self.run_id = run_id
        self.holder = holder
        self.running = running

    def __reduce__(self) -> tuple[type["UnfinishedLaunch"], tuple[str, str, str | None, bool]]:
        return type(self), (self.name, self.run_id, self.holder, self.running)


@dataclass(frozen=True)
class TrialWrite:
    """What is said at once of one attempt of a trial: (key, value, step) of metrics, `state` where it ends, times in milliseconds.

    The first write of an attempt makes its run, which then began at `started` (default: `now`).
    """

    number: int
    attempt: int
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Sequence[tuple[str, float, int]]
    now: int
    state: str | None = None
    run_name: str | None = None
    started: int | None = None


@dataclass
class Trial:
    attempt: int
    run_id: str
    state: str = "running"
    described: bool = False  # whether its params are known to be in the store


class Runs:
    """The store at `uri` through one client, and the launch that is open in it. Making one imports MLflow: 2 s."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        mlflow = store.import_mlflow()
        store.prepare_store(uri)
        self._client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        self._name = ""
        self._experiment_id = ""
        self._run_id: str | None = None
        self._common: dict[str, str] = {}
        self._heart: lease.Heart | None = None
        self._claim = 1
        # Attempts whose run may be in the store, though nobody has said so.
        self._making: set[tuple[int, int]] = set()
        self._tables = direct.tables(uri)
        self._logging: int | None = None
        self.trials: dict[int, Trial] = {}

    def check_held(self) -> None:
        """Raise LeaseLost if somebody else has taken the launch over."""
        if self._heart is not None:
            self._heart.check()

    def open_launch(
        self,
        name: str,
        spec_text: str,
        spec: dict[str, Any],
        tags: dict[str, str],
        params: dict[str, str],
        unfinished_ok: bool,
        holder: Holder,
        now: int,
    ) -> str:
        self._enter(name, tags)
        earlier = self._launches()
        if earlier and not unfinished_ok and _unfinished(earlier[0]):
            raise _refusal(name, earlier[0])
        short, long = records.fit(
            {
                **self._common,
                schema.KIND: "launch",
                schema.STATE: "running",
                schema.SPEC: records.dumps(spec),
                schema.NOTE: f"One launch of the sweep {name}. Its trials are the nested runs.",
                **tags,
                schema.HOLDER: str(holder),
                schema.CLAIM: lease.text(holder),
            }
        )
        run = self._client.create_run(
            self._experiment_id,
            start_time=now,
            tags=short,
            run_name=tags.get(schema.RUN_NAME, f"launch {len(earlier) + 1}"),
        )
        if not unfinished_ok:
            self._stand_alone(name, run, {launch.info.run_id for launch in earlier})
        self._run_id = run.info.run_id
        self._log_texts(self._run_id, {schema.SWEEP_FILE: spec_text, **long})
        self._log_batch(self._run_id, params=params)
        self._heart = lease.Heart(self._client, self._run_id, self._claim)
        return self._run_id

    def _stand_alone(self, name: str, mine: Any, known: set[str]) -> None:
        """Of several that opened a launch at the same moment let one stay.

        Whoever sees another after its own is made withdraws: of two, one must see the other. So that not both do, the
        one that began first waits a little for the other to go.
        """
        until = time.monotonic() + _WITHDRAWAL_SECONDS
        while True:
            others = [run for run in self._launches() if run.info.run_id not in {*known, mine.info.run_id}]
            others = [run for run in others if _unfinished(run)]
            if not others:
                return
            first = min([mine, *others], key=lambda run: (run.info.start_time, run.info.run_id))
            if first is not mine or time.monotonic() > until:
                self._client.delete_run(mine.info.run_id)
                raise _refusal(name, others[0])
            time.sleep(0.1)

    def _launches(self) -> list[Any]:
        """The sweep's launches, newest first."""
        found: list[Any] = self._client.search_runs(
            [self._experiment_id], f"tags.{schema.KIND} = 'launch'", order_by=["attributes.start_time DESC"]
        )
        return found

    def _enter(self, name: str, tags: Mapping[str, str]) -> None:
        self._name = name
        self._experiment_id = self._experiment(name)
        given = (schema.USER, schema.SOURCE_NAME, schema.SOURCE_TYPE)
        self._common = {
            schema.SWEEP: name,
            schema.USER: _user(),
            schema.SOURCE_NAME: "mlptune",
            schema.SOURCE_TYPE: "LOCAL",
            **{key: value for key, value in tags.items() if key in given},
        }

    def reopen_launch(self, name: str, run_id: str, number: int, tags: dict[str, str], holder: Holder) -> str:
        """Take an earlier launch up as the holder of its claim `number`. Raises HeldElsewhere if another was quicker."""
        self._enter(name, tags)
        lease.claim(self._client, run_id, number, holder)
        self.attach(name, run_id, number, tags)
        self._client.update_run(run_id, status="RUNNING")
        short, long = records.fit({**tags, schema.STATE: "running", schema.HOLDER: str(holder)})
        self._log_texts(run_id, long)
        self._log_batch(run_id, tags=short)
        return run_id

    def attach(self, name: str, run_id: str, number: int, tags: dict[str, str]) -> None:
        """Go on with a launch that is held already, as claim `number`: all that is known of its trials is in the store."""
        self._enter(name, tags)
        self._run_id = run_id
        self._claim = number
        for run, committed in reader.trial_runs(self._client, self._experiment_id, run_id):
            state = run.data.tags[schema.STATE] if committed else "running"
            self.trials[int(run.data.tags[schema.NUMBER])] = Trial(
                int(run.data.tags[schema.ATTEMPT]), run.info.run_id, state
            )
        self._heart = lease.Heart(self._client, run_id, number)

    def supersede_uncommitted(self) -> None:
        """Close the runs of all trials that were begun and not committed: they count no more, and are trained again."""
        self.trials = {number: trial for number, trial in self.trials.items() if trial.state != "running"}
        self._supersede_others()

    def _supersede_others(self) -> None:
        """Of each trial let that run count that is known here, and no other."""
        assert self._run_id is not None
        for run in list(reader.all_trial_runs(self._client, self._experiment_id, self._run_id)):
            trial = self.trials.get(int(run.data.tags[schema.NUMBER]))
            if trial is not None and trial.run_id == run.info.run_id:
                continue
            if run.info.status == "RUNNING" or run.data.tags[schema.STATE] != schema.SUPERSEDED:
                self._supersede(run.info.run_id, run.info.run_name)

    def _supersede(self, run_id: str, run_name: str | None = None) -> None:
        tags = {schema.STATE: schema.SUPERSEDED}
        if run_name and not run_name.endswith(_SUPERSEDED_NAME):
            tags[schema.RUN_NAME] = run_name + _SUPERSEDED_NAME
        self._log_batch(run_id, tags=tags)
        self._client.set_terminated(run_id, "KILLED")

    def leave(self) -> None:
        """Let the launch go as it is; who has not finished it leaves it to be resumed."""
        if self._heart is not None:
            self._heart.stop()
            self._heart = None

    def count_scored(self, data: str) -> int:
        """The other launches of this sweep whose model has met the test part of the same data (its fingerprint)."""
        query = f"tags.{schema.KIND} = 'launch' and tags.`{schema.DATA}` = '{data}'"
        found = self._client.search_runs([self._experiment_id], query)
        return sum(schema.TEST_SCORE in run.data.metrics for run in found if run.info.run_id != self._run_id)

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(
                    self._client.create_experiment(
                        name, artifact_location=_artifact_location(self.uri, name), tags=_EXPERIMENT_TAGS
                    )
                )
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                experiment = self._client.get_experiment_by_name(name)
        if experiment.lifecycle_stage == "deleted":
            raise store.UnusableStore(
                f"the sweep {name!r} was deleted in MLflow; take another name, or restore it: MLFLOW_TRACKING_URI="
                f"'{store.redact(self.uri)}' mlflow experiments restore -x {experiment.experiment_id}"
            )
        for key, value in _EXPERIMENT_TAGS.items():
            if experiment.tags.get(key) != value:
                self._client.set_experiment_tag(experiment.experiment_id, key, value)
        return str(experiment.experiment_id)

    def _trial_run(self, write: TrialWrite) -> tuple[str, bool]:
        """The trial's run and whether it is new; an earlier attempt's run is marked, so that it counts no more."""
        number, attempt = write.number, write.attempt
        trial = self.trials.get(number)
        if trial is not None and trial.attempt == attempt:
            return trial.run_id, False
        if self._run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        if trial is not None:
            self._supersede(trial.run_id)
        if (number, attempt) in self._making and (found := self._find_trial(number, attempt)):
            # It had been made, only the answer was lost.
            self.trials[number] = Trial(attempt, found)
            return found, False
        self._making.add((number, attempt))
        short, _ = records.fit(write.tags)
        run = self._client.create_run(
            self._experiment_id,
            start_time=write.started or write.now,
            tags=self._first_tags(write, short),
            run_name=_run_name(write),
        )
        self._making.discard((number, attempt))
        self.trials[number] = Trial(attempt, run.info.run_id)
        return run.info.run_id, True

    def _first_tags(self, write: TrialWrite, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags that a trial's run is made with, those of the write among them."""
        assert self._run_id is not None
        given = {
            **self._common,
            schema.KIND: "trial",
            schema.PARENT: self._run_id,
            schema.NUMBER: str(write.number),
            schema.ATTEMPT: str(write.attempt),
            schema.STATE: "running",
        }
        return {**records.fit(given)[0], **tags}

    def _find_trial(self, number: int, attempt: int) -> str | None:
        query = (
            f"tags.{schema.PARENT} = '{self._run_id}' and tags.{schema.NUMBER} = '{number}' "
            f"and tags.{schema.ATTEMPT} = '{attempt}'"
        )
        found = self._client.search_runs([self._experiment_id], query, max_results=1)
        return str(found[0].info.run_id) if found else None

    def write_trials(self, writes: Sequence[TrialWrite]) -> None:
        """Write what is said of trials, in order: together where that is possible, else one by one."""
        if not self._write_together(writes):
            for write in writes:
                self._write(write)

    def _write_together(self, writes: Sequence[TrialWrite]) -> bool:
        """Whether they could be written in one transaction; runs that may be in the store already need a look first."""
        if self._tables is None or self._run_id is None:
            return False
        rows = Rows()
        begun: dict[int, Trial] = {}
        described: set[int] = set()
        for write in writes:
            trial = begun.get(write.number) or self.trials.get(write.number)
            short, long = records.fit(write.tags)
            if long:
                return False
            if trial is None and (write.number, write.attempt) not in self._making:
                trial = begun[write.number] = Trial(write.attempt, uuid.uuid4().hex)
                short = self._first_tags(write, short)
                rows.begin(trial.run_id, _run_name(write), short[schema.USER], write.started or write.now)
            elif trial is None or trial.attempt != write.attempt:
                return False
            params = {} if trial.described or write.number in described else write.params
            described.add(write.number)
            status = None if write.state is None else schema.TRIAL_STATUS[write.state]
            rows.add(trial.run_id, params, short, write.metrics, write.now, status)
        made = {(number, trial.attempt) for number, trial in begun.items()}
        self._making |= made
        written = self._tables.write(self._experiment_id, rows)
        self._making -= made
        if written:
            self.trials.update(begun)
            for write in writes:
                self._written(write)
        return written

    def _write(self, write: TrialWrite) -> None:
        # A new run gets its tags as it is made, which saves a transaction; it counts only once it is terminated.
        run_id, new = self._trial_run(write)
        short, long = records.fit(write.tags)
        params = {} if self.trials[write.number].described else write.params
        self._log_texts(run_id, long)
        self._log_batch(run_id, write.metrics, params, {} if new else short, write.now)
        if write.state is not None:
            self._client.set_terminated(run_id, schema.TRIAL_STATUS[write.state], end_time=write.now)
        self._written(write)

    def _written(self, write: TrialWrite) -> None:
        trial = self.trials[write.number]
        trial.described = True
        trial.state = write.state or trial.state

    def finish_launch(
        self,
        state: str,
        best: TrialRecord | None,
        metrics: dict[str, float],
        tags: dict[str, str],
        artifacts: dict[str, str | bytes],
        now: int,
    ) -> None:
        run_id = self._run_id
        if run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        if self._claim > 1:
            # What the holder before had sent off as it died may have arrived after its trials were closed.
            self._supersede_others()
        done: dict[str, int] = {}
        for trial in self.trials.values():
            done[trial.state] = done.get(trial.state, 0) + 1
        all_tags = {
            schema.STATE: state,
            schema.DONE: records.dumps(done),
            schema.RELEASED: str(self._claim),
            **tags,
        }
        if best is not None:
            best_run = best.run_id or (self.trials[best.number].run_id if best.number in self.trials else None)
            all_tags[schema.BEST] = records.dumps(records.best_dict(best, best_run))
            all_tags.setdefault(schema.NOTE, _note(self._name, best))
            if best.value is not None:
                metrics = {schema.BEST_VALUE: float(best.value), **metrics}
            if best_run is not None:
                self._client.set_tag(best_run, schema.LEADER, "true")
        short, long = records.fit(all_tags)
        self._log_texts(run_id, {**artifacts, **long})
        self._log_batch(run_id, [(key, value, 0) for key, value in metrics.items()], {}, short, now)
        self._client.set_terminated(run_id, schema.LAUNCH_STATUS[state], end_time=now)
        self.leave()

    def log_model(
        self,
        folder: Path,
        name: str,
        loader_module: str,
        metrics: dict[str, float],
        requirements: Sequence[str] | None,
        now: int,
    ) -> str:
        if self._run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        again, self._logging = self._logging == now, now
        return models.log_model(
            self._client,
            self._run_id,
            folder,
            name=name,
            loader_module=loader_module,
            metrics=metrics,
            requirements=models.default_requirements() if requirements is None else requirements,
            timestamp=now,
            again=again,
        )

    def _log_batch(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        now: int = 0,
    ) -> None:
        """One request where it fits; the client splits what exceeds 1000 metrics, 100 params or 100 tags."""
        from mlflow.entities import Metric, Param, RunTag

        self._client.log_batch(
            run_id,
            metrics=[Metric(key, value, now, step) for key, value, step in metrics],
            params=[Param(key, text) for key, text in (params or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )

    def _log_texts(self, run_id: str, texts: Mapping[str, str | bytes]) -> None:
        for path, text in texts.items():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, PurePosixPath(path).name)
                file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
                parent = str(PurePosixPath(path).parent)
                self._client.log_artifact(run_id, str(file), None if parent == "." else parent)


def _run_name(write: TrialWrite) -> str:
    return write.run_name or f"trial {write.number:03d}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return "unknown"


def _unfinished(run: Any) -> bool:
    return run.info.status == "RUNNING" or run.data.tags.get(schema.STATE) == "interrupted"


def _refusal(name: str, run: Any) -> UnfinishedLaunch:
    held = lease.lease_of(run)
    lives = held.holder.lives() if held.holder and not held.free else False
    return UnfinishedLaunch(name, run.info.run_id, None if lives is False else held.name, running=bool(lives))


def _artifact_location(uri: str, name: str) -> str | None:
    """Beside a SQLite store, where MLflow itself would put artifacts if started there; elsewhere the server decides."""
    path = store.sqlite_path(uri)
    if path is None:
        return None
    folder = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[:100] or "_"
    return (path.parent / "mlruns" / folder).as_uri()


def _note(name: str, best: TrialRecord) -> str:
    shown = best.configuration or best.params
    rows = "".join(f"| {_cell(key)} | {_cell(records.param_text(value))} |\n" for key, value in shown.items())
    return (
        f"Sweep **{name}**. Best: trial {best.number}, value {best.value}, {best.epochs} epochs.\n\n"
        f"| hyperparameter | value |\n|---|---|\n{rows}"
    )


def _cell(text: str) -> str:
    """Text for a table in Markdown, which takes bars for borders and lets HTML through."""
    return html.escape(text.replace("\n", " ")).replace("|", "&#124;")
