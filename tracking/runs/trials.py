"""The trial runs of a launch: written together where that is possible, else one by one; and superseded by later attempts.

A trial is committed when its run is terminated, which is always the last write: a run that is still open does not count.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import reader, records, schema
from ..description import run_name
from ..records import TrialRecord, TrialWrite
from ..source import source_of
from .bulk_insert import Rows, Tables
from .log import log_batch, log_file, log_texts
from .table_client import TableClient

_SUPERSEDED_NAME = " (superseded)"


class Trials:
    """The trials of the launch whose run is `launch_id`.

    Args:
        client: MLflow's client.
        experiment_id: The sweep's experiment.
        launch_id: The launch's run.
        common_tags: The tags that all runs of the sweep share.
        tables: The store's tables, where they can be written to directly.

    Attributes:
        known: The latest attempt of each trial as it is in the store, with its `run_id`.
        found: The run ids that have become known since somebody took them from here, by the trial's number.
    """

    def __init__(
        self,
        client: Any,
        experiment_id: str,
        launch_id: str,
        common_tags: Mapping[str, str],
        tables: Tables | TableClient | None,
    ) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._launch_id = launch_id
        self._common_tags = common_tags
        self._tables = tables
        self.known: dict[int, TrialRecord] = {}
        self.found: dict[int, str] = {}
        self._artifacts = reader.local_path(client.get_run(launch_id).info.artifact_uri)
        # Runs whose params are known to be in the store.
        self._described: set[str] = set()
        # Attempts whose run may be in the store, though no answer has said so.
        self._creating: set[tuple[int, int]] = set()

    def load(self) -> None:
        """Take all that is known of the trials from the store."""
        for run, committed in reader.trial_runs(self._client, self._experiment_id, self._launch_id):
            trial = records.trial_from_tags(run.data.tags, None, {}, run_id=run.info.run_id, committed=committed)
            self._know(trial)

    def counts(self) -> dict[str, int]:
        """The number of trials in each state."""
        counts: dict[str, int] = {}
        for trial in self.known.values():
            counts[trial.state] = counts.get(trial.state, 0) + 1
        return counts

    def run_id(self, number: int) -> str | None:
        """The run of a trial, None where there is none."""
        return self.known[number].run_id if number in self.known else None

    def mark(
        self, leader: str | None, members: Mapping[int, float], front: Sequence[int] = (), *, marked: bool
    ) -> None:
        """Tag the run of the best trial, those of the model's members with their weights, and those of the Pareto front.

        `marked`: take earlier marks away.
        """
        for run in list(reader.all_trial_runs(self._client, self._experiment_id, self._launch_id)) if marked else ():
            for key in {schema.LEADER, schema.MEMBER, schema.FRONT} & run.data.tags.keys():
                self._client.delete_tag(run.info.run_id, key)
        if leader is not None:
            self._client.set_tag(leader, schema.LEADER, "true")
        for number, weight in members.items():
            if (run_id := self.run_id(number)) is not None:
                self._client.set_tag(run_id, schema.MEMBER, f"{weight:g}")
        for number in front:
            if (run_id := self.run_id(number)) is not None:
                self._client.set_tag(run_id, schema.FRONT, "true")

    def write(self, writes: Sequence[TrialWrite]) -> None:
        """Carry out the writes in order: in one transaction where that is possible, else one by one; their files come first."""
        for write in writes:
            for path, content in write.files.items():
                log_file(self._client, self._launch_id, self._artifacts, path, base64.b64decode(content))
        if not self._write_together(writes):
            for write in writes:
                self._write(write)

    def supersede_uncommitted(self) -> None:
        """Close the runs of all trials that were begun and not committed: they do not count, and are trained again."""
        self.known = {number: trial for number, trial in self.known.items() if trial.state != "running"}
        self.supersede_unknown()

    def supersede_unknown(self) -> None:
        """Let the runs in `known` count, and no other."""
        for run in list(reader.all_trial_runs(self._client, self._experiment_id, self._launch_id)):
            trial = self.known.get(int(run.data.tags[schema.NUMBER]))
            if trial is not None and trial.run_id == run.info.run_id:
                continue
            if run.info.status == "RUNNING" or run.data.tags[schema.STATE] != schema.SUPERSEDED:
                self._supersede(run.info.run_id, run.info.run_name)

    def _supersede(self, run_id: str, run_name: str | None = None) -> None:
        tags = {schema.STATE: schema.SUPERSEDED}
        if run_name and not run_name.endswith(_SUPERSEDED_NAME):
            tags[schema.RUN_NAME] = run_name + _SUPERSEDED_NAME
        log_batch(self._client, run_id, tags=tags)
        self._client.set_terminated(run_id, "KILLED")

    def _write_together(self, writes: Sequence[TrialWrite]) -> bool:
        """Whether they could be written in one transaction; runs that may be in the store already must be looked for first."""
        if self._tables is None:
            return False
        rows = Rows()
        begun: dict[int, TrialRecord] = {}
        described: set[str] = set()
        for write in writes:
            number, attempt = write.record.number, write.record.attempt
            trial = begun.get(number) or self.known.get(number)
            short, long = records.fit(write.tags)
            if long:
                return False
            if trial is None and (number, attempt) not in self._creating:
                trial = begun[number] = _begun(write.record, uuid.uuid4().hex)
                short = self._first_tags(write.record, short)
                rows.begin(str(trial.run_id), run_name(write.record), short[schema.USER], write.started or write.now)
            elif trial is None or trial.attempt != attempt:
                return False
            run_id = str(trial.run_id)
            params = (
                {} if run_id in self._described or run_id in described else records.param_texts(write.record.params)
            )
            described.add(run_id)
            rows.add(run_id, params, short, write.metrics, write.now, schema.TRIAL_STATUS.get(write.record.state))
        created = {(number, trial.attempt) for number, trial in begun.items()}
        self._creating |= created
        written = self._tables.write(self._experiment_id, rows)
        self._creating -= created
        if written:
            for trial in begun.values():
                self._know(trial)
            for write in writes:
                self._written(write)
        return written

    def _write(self, write: TrialWrite) -> None:
        record = write.record
        run_id, new = self._run_of(write)
        short, long = records.fit(write.tags)
        params = {} if run_id in self._described else records.param_texts(record.params)
        log_texts(self._client, run_id, long)
        # A new run gets its tags when it is created, which saves a transaction; it counts only once it is terminated.
        log_batch(self._client, run_id, write.metrics, params, {} if new else short, write.now)
        if record.state != "running":
            self._client.set_terminated(run_id, schema.TRIAL_STATUS[record.state], end_time=write.now)
        self._written(write)

    def _know(self, trial: TrialRecord) -> None:
        self.known[trial.number] = trial
        self.found[trial.number] = str(trial.run_id)

    def _written(self, write: TrialWrite) -> None:
        known = self.known[write.record.number]
        self._described.add(str(known.run_id))
        if write.record.state != "running" or known.state == "running":
            self.known[known.number] = replace(write.record, run_id=known.run_id)

    def _run_of(self, write: TrialWrite) -> tuple[str, bool]:
        """The run of this attempt and whether it is new; the run of an earlier attempt is superseded."""
        number, attempt = write.record.number, write.record.attempt
        known = self.known.get(number)
        if known is not None and known.attempt == attempt:
            return str(known.run_id), False
        if known is not None:
            self._supersede(str(known.run_id))
        if (number, attempt) in self._creating and (found := self._find(number, attempt)):
            # It had been created, only the answer was lost.
            self._know(_begun(write.record, found))
            return found, False
        self._creating.add((number, attempt))
        short, _ = records.fit(write.tags)
        run = self._client.create_run(
            self._experiment_id,
            start_time=write.started or write.now,
            tags=self._first_tags(write.record, short),
            run_name=run_name(write.record),
        )
        self._creating.discard((number, attempt))
        self._know(_begun(write.record, run.info.run_id))
        return str(run.info.run_id), True

    def _first_tags(self, record: TrialRecord, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags that a trial's run is created with, those of its first write among them."""
        given = {
            **self._common_tags,
            schema.KIND: "trial",
            schema.PARENT: self._launch_id,
            schema.NUMBER: str(record.number),
            schema.ATTEMPT: str(record.attempt),
            schema.STATE: "running",
        }
        return {**records.fit(given)[0], **tags}

    def _find(self, number: int, attempt: int) -> str | None:
        tags = {schema.PARENT: self._launch_id, schema.NUMBER: str(number), schema.ATTEMPT: str(attempt)}
        found = next(source_of(self._client).runs([self._experiment_id], tags), None)
        return None if found is None else str(found.info.run_id)


def _begun(record: TrialRecord, run_id: str) -> TrialRecord:
    return TrialRecord(record.number, "running", None, attempt=record.attempt, run_id=run_id)
