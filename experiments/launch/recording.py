"""From the coordinator's trials to MLflow's runs: what is written of a trial, and when."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import optuna

from ...search.spaces.changes import values_at
from ...tracking import schema
from ...tracking.records import CURVE, TrialRecord
from ...tracking.writer import Writer
from ..execution.evaluation import EndedTrial, Outcome
from .coordinator import LiveTrial
from .library import Library, to_bytes

# What the system attributes begin with that samplers of ours set.
OURS = "mlptune:"


class MlflowRecorder:
    """Writes each segment in one batch and each commit with all that a rebuild of the study needs, once the launch is open.

    What the model may be made of goes into `library`, and the predictions of those trials into the store.

    `curves` are those of all trials from epoch 1, replayed ones among them.

    `launched` fails where it cannot be opened, and so does then whatever is recorded first.
    `committed` are the trials that an earlier, interrupted run of this launch has committed already; they are left as they are,
    unless with a larger budget they end elsewhere.
    `attempts` says how often each trial was begun before. `changing` are the hyperparameters that are recorded by epoch, since
    they change during training. `ensembles` is up to which number of trials the score of the ensemble is in the store.
    `costs` gives of a trial's searched values the counted costs that are recorded with it, if there are any.
    """

    def __init__(
        self,
        writer: Writer,
        launched: Future[str],
        study: optuna.Study,
        seeds: tuple[int, ...],
        library: Library,
        *,
        committed: Mapping[int, EndedTrial] | None = None,
        attempts: Mapping[int, int] | None = None,
        changing: Sequence[str] = (),
        ensembles: int = 0,
        costs: Callable[[Mapping[str, Any]], Mapping[str, float]] | None = None,
    ) -> None:
        self._writer = writer
        self._launched: Future[str] | None = launched
        self._study = study
        self._seeds = seeds
        self._library = library
        self._committed = {number: trial.record for number, trial in (committed or {}).items()}
        self.curves: dict[int, dict[str, list[float]]] = {}
        self._attempts = attempts or {}
        self._changing = changing
        self._ensembles = ensembles
        self._costs = costs

    def log_ensemble(self, trials: int, value: float) -> None:
        """Write what the ensemble scores after so many trials, once."""
        if trials > self._ensembles:
            self._writer.log_metric(schema.ENSEMBLE_VALUE, value, trials)

    def log_segment(self, live: LiveTrial, outcome: Outcome) -> None:
        """Write a segment of a trial that goes on."""
        self._wait()
        curves = self._curves(live, outcome)
        self._extend(live.number, curves)
        if live.number not in self._committed:
            record = replace(live.record("running"), attempt=self._attempt(live))
            self._writer.log_segment(record, curves, outcome.first_epoch, started=live.started)

    def commit(self, live: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        """Write the end of a trial, with its last segment if that is not written yet."""
        self._wait()
        files = {}
        if outcome is not None and self._library.add(record, outcome):
            files[schema.predictions_file(live.number)] = to_bytes((*outcome.predictions, *outcome.crossfit))
        curves = self._curves(live, outcome) if outcome else None
        first_epoch = outcome.first_epoch if outcome else 1
        self._extend(live.number, curves or {})
        if live.number in self._committed:
            before = self._committed[live.number]
            if (record.state, record.epochs) == (before.state, before.epochs):
                return
            curves, first_epoch = self.curves[live.number], 1
        reruns = live.last.reruns if live.last else 0
        self._writer.commit_trial(
            replace(record, attempt=self._attempt(live), seeds=self._seeds, rebuild=self._rebuild(live)),
            curves,
            first_epoch,
            {**self._sampler_metrics(live), **(self._costs(live.params) if self._costs else {})},
            tags={schema.RERUNS: str(reruns)} if reruns else None,
            started=live.started,
            files=files,
        )

    def _extend(self, number: int, curves: Mapping[str, Sequence[float]]) -> None:
        known = self.curves.setdefault(number, {})
        for key, values in curves.items():
            known.setdefault(key, []).extend(values)

    def _wait(self) -> None:
        """Let no result be seen before the launch is open, which may be refused; the first stacks train meanwhile."""
        if self._launched is not None:
            self._launched.result()
            self._launched = None

    def _sampler_metrics(self, live: LiveTrial) -> dict[str, float]:
        """What a sampler of ours reports about its proposal as numbers, such as `rl_entropy`: how its learning goes."""
        attributes = self._study._storage.get_trial(live.trial._trial_id).system_attrs
        return {
            name.removeprefix(OURS).replace(":", "_"): value
            for name, value in attributes.items()
            if name.startswith(OURS) and isinstance(value, int | float)
        }

    def _curves(self, live: LiveTrial, outcome: Outcome) -> Mapping[str, Sequence[float]]:
        epochs = range(outcome.first_epoch, outcome.last_epoch + 1)
        values = [values_at(live.configuration, epoch) for epoch in epochs] if self._changing else []
        return {**outcome.curves, **{name: [value[name] for value in values] for name in self._changing}}

    def _attempt(self, live: LiveTrial) -> int:
        return self._attempts.get(live.number, 0) + 1

    def _rebuild(self, live: LiveTrial) -> dict[str, Any]:
        """The trial as Optuna holds it, for any rebuild but a resume, which asks again and lays results over."""
        trial = live.trial
        # Samplers and pruners keep rungs and generations in system attributes; Optuna gives them to its own samplers this way.
        storage, study_id = self._study._storage, self._study._study_id
        return {
            "distributions": {
                name: optuna.distributions.distribution_to_json(distribution)
                for name, distribution in trial.distributions.items()
            },
            "params": dict(trial.params),
            CURVE: list(live.values),
            "system_attrs": dict(storage.get_trial(trial._trial_id).system_attrs),
            "study_system_attrs": dict(storage.get_study_system_attrs(study_id)),
        }
