"""The facts of a launch that is in a store, finished or not."""

import json
from collections.abc import Mapping
from typing import Any

from ...tracking import reader, schema
from ...tracking.records import LaunchRecord
from ..launch_costs import launch_costs
from ..space_changes import loads
from .facts import Facts, made_with, space_of


def stored_facts(uri: str | None, launch: LaunchRecord, state: str, best: Mapping[str, Any] | None) -> Facts:
    """The facts of a launch; of one that has not ended, what there is so far.

    Args:
        uri: The store.
        launch: The launch.
        state: Its state, `interrupted` where its process is gone.
        best: What `mlptune best --json` prints; None where no trial is complete.
    """
    trials = sorted(reader.trials(uri, launch.run_id), key=lambda trial: trial.number)
    metric = launch.metric
    numbers = {trial.run_id: trial.number for trial in trials if trial.run_id}
    keys = list(dict.fromkeys((*schema.CURVES, metric)))
    found = reader.curves(uri, list(numbers), keys)
    curves = {numbers[run_id]: {key: v for key, v in of_run.items() if v} for run_id, of_run in found.items()}
    evidence = _evidence(uri, launch.run_id) if launch.state == "finished" else {}
    spec, epochs = _spec(uri, launch.run_id)
    lengths = (len(values) for of_trial in curves.values() for values in of_trial.values())
    return Facts(
        name=launch.name,
        run_id=launch.run_id,
        state=state,
        method=launch.method,
        metric=metric,
        direction=launch.direction,
        trials=trials,
        curves=curves,
        space=evidence.get("space") or space_of(trials),
        max_epochs=int(evidence.get("epochs") or epochs or max(lengths, default=0)),
        best=best,
        evidence=evidence,
        spec=spec,
        stopped=launch.stopped,
        costs=launch_costs(uri, launch, trials),
        space_changes=[change.text for change in loads(launch.space_changes)],
        made_with=made_with(*(launch.tags.get(key) for key in (schema.VERSION, schema.MACHINE, schema.DATA))),
    )


def _evidence(uri: str | None, run_id: str) -> dict[str, Any]:
    """What was measured when the launch ended; {} of a launch of an older version."""
    try:
        text = reader.artifact(uri, run_id, schema.EVIDENCE_FILE).read_text(encoding="utf-8")
    except (reader.NotFound, FileNotFoundError):
        return {}
    return dict(json.loads(text))


def _spec(uri: str | None, run_id: str) -> tuple[str, int | None]:
    """The sweep file as TOML, and its epochs where it names them."""
    from ..config import load_spec, spec_toml

    try:
        tables = json.loads(reader.artifact(uri, run_id, schema.SPEC_FILE).read_text(encoding="utf-8"))
    except (reader.NotFound, FileNotFoundError):
        return "", None
    spec, _ = load_spec(tables)
    return spec_toml(spec), spec.hyperparameters.get("epochs")
