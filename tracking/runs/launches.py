"""Launches as MLflow runs: opened, taken up again, finished. All that the writer has done in the store is a method of `Runs`.

The calls arrive in order, with their timestamps chosen before: repeated after a failure, a write adds nothing new.
"""

import getpass
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import launch_tags, lease, models, records, schema, store
from ..description import Description, launch_note, linked_page, sweep_note
from ..lease import Holder
from ..numbering import next_number
from ..records import TrialRecord, TrialWrite
from ..source import is_known, source_of
from ..view import view_key, view_page, view_text
from . import bulk_insert, table_models
from .experiment import experiment_of
from .log import log_batch, log_data, log_texts
from .table_client import TableClient
from .trials import Trials

_WITHDRAWAL_SECONDS = 2.0


class UnfinishedLaunch(ValueError):
    """The sweep's latest launch is running, or was interrupted and can be resumed.

    Attributes:
        name: The sweep.
        run_id: The launch's run.
        holder: The process that runs it or ran it last, if that one may still be alive.
        running: Whether that process is known to be alive.
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
class LaunchClaim:
    """A launch as its holder has it: the sweep's `name`, its run, the `number` of the claim, and the tags given for it."""

    name: str
    run_id: str
    number: int
    tags: Mapping[str, str]


class Runs:
    """The store at `uri` through one client, and the launch that is open in it."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client, self._tables = open_client(uri)
        self._experiment_id = ""
        self._common_tags: dict[str, str] = {}
        self._claim: LaunchClaim | None = None
        self._trials: Trials | None = None
        self._heartbeat: lease.Heartbeat | None = None
        self._model_logged: int | None = None

    def take_trial_run_ids(self) -> dict[int, str]:
        """The runs of trials that have become known since the last call, by the trial's number."""
        if self._trials is None:
            return {}
        found, self._trials.found = self._trials.found, {}
        return found

    @property
    def requests(self) -> dict[str, str]:
        """The tags by which others ask something of the launch's process, as the last heartbeat has seen them."""
        return {} if self._heartbeat is None else self._heartbeat.requests

    def check_held(self) -> None:
        """Raise LeaseLost if another process has taken the launch over."""
        if self._heartbeat is not None:
            self._heartbeat.check()

    def open_launch(
        self,
        name: str,
        spec_text: str,
        spec: Mapping[str, Any],
        tags: Mapping[str, str],
        params: Mapping[str, Any],
        unfinished_ok: bool,
        holder: Holder,
        now: int,
    ) -> LaunchClaim:
        """Open a new launch of the sweep; see `Writer.open_launch`."""
        self._select_experiment(name, tags)
        earlier = self._launches()
        if earlier and not unfinished_ok and _unfinished(earlier[0]):
            raise _refusal(name, earlier[0])
        number = next_number(self._launches(deleted=True))
        short, long = launch_tags.stored(
            {
                **self._common_tags,
                schema.KIND: "launch",
                schema.LAUNCH: str(number),
                schema.STATE: "running",
                schema.SPEC: records.dumps(spec),
                schema.NOTE: f"One launch of the sweep {name}. Its trials are the nested runs.",
                **tags,
                schema.HOLDER: str(holder),
                schema.CLAIM: lease.text(holder),
            },
            before={},
        )
        run = self._client.create_run(
            self._experiment_id,
            start_time=now,
            tags=short,
            run_name=tags.get(schema.RUN_NAME, f"launch {number}"),
        )
        if not unfinished_ok:
            self._resolve_open_race(name, run, {launch.info.run_id for launch in earlier})
        claim = LaunchClaim(name, run.info.run_id, 1, tags)
        log_texts(self._client, claim.run_id, {schema.SWEEP_FILE: spec_text, **long})
        log_batch(self._client, claim.run_id, params=records.param_texts(params))
        self._hold(claim, self._new_trials(claim))
        return claim

    def reopen_launch(self, claim: LaunchClaim, holder: Holder) -> LaunchClaim:
        """Take an earlier launch up under this claim. Raises HeldElsewhere if another process was quicker."""
        self._select_experiment(claim.name, claim.tags)
        lease.claim(self._client, claim.run_id, claim.number, holder)
        self.attach(claim)
        self._client.update_run(claim.run_id, status="RUNNING")
        self._write_tags(claim, {**claim.tags, schema.STATE: "running", schema.HOLDER: str(holder)})
        return claim

    def describe(self, description: Description, now: int) -> None:
        """Write the launch's saved view and its data, and the sweep's description where nobody has changed it; see `Writer`."""
        claim, _ = self._open_launch()
        metric = claim.tags.get(schema.METRIC, schema.VALUE)
        direction = claim.tags.get(schema.DIRECTION, "")
        view = view_text(claim.run_id, metric, direction, description.searched, description.grouped, now)
        self._client.set_experiment_tag(self._experiment_id, view_key(claim.run_id), view)
        before = self._client.get_experiment(self._experiment_id).tags.get(schema.NOTE)
        if before is None or before == sweep_note(description, metric, linked_page(before)):
            note = sweep_note(description, metric, view_page(self._experiment_id, claim.run_id))
            self._client.set_experiment_tag(self._experiment_id, schema.NOTE, note)
        log_data(self._client, claim.run_id, description)

    def attach(self, claim: LaunchClaim) -> None:
        """Go on with a launch that is held under this claim already: all that is known of its trials is in the store."""
        self._select_experiment(claim.name, claim.tags)
        trials = self._new_trials(claim)
        trials.load()
        self._hold(claim, trials)

    def close(self) -> None:
        """Let the launch go as it is; one that is not finished can be resumed."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None

    def tag_launch(self, tags: Mapping[str, str]) -> None:
        """Write these tags of the launch."""
        self._write_tags(self._open_launch()[0], tags)

    def supersede_uncommitted(self) -> None:
        """Close the runs of all trials that were begun and not committed."""
        self._open_launch()[1].supersede_uncommitted()

    def write_trials(self, writes: Sequence[TrialWrite]) -> None:
        """Carry out these writes of trials, in order."""
        self._open_launch()[1].write(writes)

    def count_scored(self, data: str) -> int:
        """How often models of this sweep were scored on the test part of the same data (its fingerprint).

        A launch that was resumed with more trials has been scored more than once: its metric has a history.
        """
        self._open_launch()
        source = source_of(self._client)
        scored = [
            run.info.run_id
            for run in source.runs([self._experiment_id], {schema.KIND: "launch"})
            if schema.TEST_SCORE in run.data.metrics and launch_tags.tags_of(run).get(schema.DATA) == data
        ]
        return sum(1 for _ in source.histories(scored, schema.TEST_SCORE))

    def log_metric(self, key: str, value: float, step: int, now: int) -> None:
        """Write a number of the launch."""
        claim, _ = self._open_launch()
        log_batch(self._client, claim.run_id, [(key, value, step)], now=now)

    def finish_launch(
        self,
        state: str,
        best: TrialRecord | None,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        members: Mapping[int, float],
        artifacts: Mapping[str, str | bytes],
        leaders: Sequence[TrialRecord],
        said: Sequence[str],
        now: int,
        front: Sequence[int] = (),
    ) -> None:
        """Write the launch's result and end its run; see `Writer.finish_launch`."""
        claim, trials = self._open_launch()
        if claim.number > 1:
            # What the earlier holder had sent before it died may have arrived after its trials were closed.
            trials.supersede_unknown()
        all_tags = {
            schema.STATE: state,
            schema.DONE: records.dumps(trials.counts()),
            schema.RELEASED: str(claim.number),
            **tags,
        }
        if best is not None:
            best_run = best.run_id or trials.run_id(best.number)
            all_tags[schema.BEST] = records.dumps(records.best_json(best, best_run))
            metric = claim.tags.get(schema.METRIC, schema.VALUE)
            if best.value is not None:
                found = float(best.value)
                metrics = {schema.BEST_VALUE: found, schema.best_metric(metric): found, **metrics}
            note = launch_note(
                claim.name,
                replace(best, run_id=best_run),
                experiment_id=self._experiment_id,
                metric=metric,
                metrics=metrics,
                leaders=[replace(trial, run_id=trials.run_id(trial.number)) for trial in leaders],
                said=said,
            )
            all_tags.setdefault(schema.NOTE, note)
            # A launch that was finished before has marks, perhaps of other trials.
            trials.mark(best_run, members, front, marked=claim.number > 1)
        if members:
            all_tags[schema.ENSEMBLE] = records.dumps([{"number": n, "weight": w} for n, w in members.items()])
        short, long = self._stored_tags(claim, all_tags)
        log_texts(self._client, claim.run_id, {**artifacts, **long})
        params = {} if best is None else self._best_params(claim, best)
        log_batch(self._client, claim.run_id, [(key, value, 0) for key, value in metrics.items()], params, short, now)
        self._client.set_terminated(claim.run_id, schema.LAUNCH_STATUS[state], end_time=now)
        self.close()

    def _write_tags(self, claim: LaunchClaim, tags: Mapping[str, str]) -> None:
        short, long = self._stored_tags(claim, tags)
        log_texts(self._client, claim.run_id, long)
        log_batch(self._client, claim.run_id, tags=short)

    def _stored_tags(self, claim: LaunchClaim, tags: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        return launch_tags.stored(tags, before=self._client.get_run(claim.run_id).data.tags)

    def _best_params(self, claim: LaunchClaim, best: TrialRecord) -> dict[str, str]:
        """The best trial's hyperparameters as params of the launch.

        A param never changes. Where a launch that was finished goes on and has another best trial, the new one's have the claim's
        number behind their names, as the claim itself.
        """
        found = records.param_texts({schema.best_param(key): value for key, value in best.params.items()})
        known = {} if claim.number == 1 else self._client.get_run(claim.run_id).data.params
        if any(known.get(key, text) != text for key, text in found.items()):
            return {f"{key}.{claim.number}": text for key, text in found.items()}
        return found

    def log_model(
        self,
        folder: Path,
        name: str,
        loader_module: str,
        metrics: Mapping[str, float],
        requirements: Sequence[str] | None,
        signature: models.Signature | None,
        now: int,
    ) -> str:
        """Log and register a model; see `Writer.log_model`."""
        claim, _ = self._open_launch()
        again, self._model_logged = self._model_logged == now, now
        needed = models.default_requirements() if requirements is None else requirements
        if (
            isinstance(self._client, TableClient)
            and not metrics
            and table_models.can_log(self._client, claim.run_id, name)
        ):
            return table_models.log_model(
                self._client,
                claim.run_id,
                folder,
                name=name,
                loader_module=loader_module,
                requirements=needed,
                timestamp=now,
                signature=signature,
            )
        client = self._client.whole if isinstance(self._client, TableClient) else self._client
        return models.log_model(
            client,
            claim.run_id,
            folder,
            name=name,
            loader_module=loader_module,
            metrics=metrics,
            requirements=needed,
            timestamp=now,
            again=again,
            signature=signature,
        )

    def _open_launch(self) -> tuple[LaunchClaim, Trials]:
        if self._claim is None or self._trials is None:
            raise ValueError("no launch is open: call open_launch first")
        return self._claim, self._trials

    def _new_trials(self, claim: LaunchClaim) -> Trials:
        return Trials(self._client, self._experiment_id, claim.run_id, self._common_tags, self._tables)

    def _hold(self, claim: LaunchClaim, trials: Trials) -> None:
        self.close()
        self._claim, self._trials = claim, trials
        self._heartbeat = lease.Heartbeat(self._client, claim.run_id, claim.number)

    def _select_experiment(self, name: str, tags: Mapping[str, str]) -> None:
        self._experiment_id = experiment_of(self._client, self.uri, name)
        given = (schema.USER, schema.SOURCE_NAME, schema.SOURCE_TYPE)
        self._common_tags = {
            schema.SWEEP: name,
            schema.USER: _user(),
            schema.SOURCE_NAME: "mlptune",
            schema.SOURCE_TYPE: "LOCAL",
            **{key: value for key, value in tags.items() if key in given},
        }

    def _launches(self, deleted: bool = False) -> list[Any]:
        """The sweep's launches, newest first; with `deleted` also those."""
        return list(source_of(self._client).runs([self._experiment_id], {schema.KIND: "launch"}, deleted=deleted))

    def _resolve_open_race(self, name: str, mine: Any, known: set[str]) -> None:
        """Of several launches of a sweep that were opened at the same moment let one stay.

        Whoever sees another one after its own is made withdraws: of two, one must see the other. So that not both do, the
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


def open_client(uri: str) -> "tuple[Any, bulk_insert.Tables | TableClient | None]":
    """A client for the store at `uri`, which is created if it is not there, and its tables where they are within reach.

    MLflow's client, whose import takes 2 s, only where the tables are not a local file's or not as they are known here.
    """
    store.prepare_store(uri)
    if is_known(uri):
        client = TableClient(uri)
        return client, client
    mlflow = store.import_mlflow()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri), bulk_insert.tables(uri)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return "unknown"


def _unfinished(run: Any) -> bool:
    return run.info.status == "RUNNING" or run.data.tags.get(schema.STATE) == "interrupted"


def _refusal(name: str, run: Any) -> UnfinishedLaunch:
    held = lease.lease_of(run)
    alive = held.holder.is_alive() if held.holder and not held.free else False
    return UnfinishedLaunch(name, run.info.run_id, None if alive is False else held.name, running=bool(alive))
