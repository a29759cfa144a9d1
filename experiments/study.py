"""A sweep as an Optuna study, rebuilt from its stored trials: for Optuna's plots, importances and samplers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..tracking.records import TrialRecord

if TYPE_CHECKING:
    import optuna


def study_of(
    name: str,
    direction: str,
    trials: Iterable[TrialRecord],
    counted: Sequence[str] = (),
    costs: Mapping[int, Mapping[str, float]] | None = None,
) -> "optuna.Study":
    """A study in memory with these trials under their own numbers.

    A committed trial has its parameters with their distributions, its objective by epoch as intermediate values, its value and
    its state; as user attributes its MLflow run (`run_id`), its `epochs`, and the `reason` why it was pruned or failed. One that
    is not committed, as of a sweep that still runs, stands there as running and without parameters.

    Args:
        name: The study's name.
        direction: "maximize" or "minimize".
        trials: The trials, with what a rebuild needs.
        counted: The costs that are minimised beside the objective.
        costs: By number what each trial costs.
    """
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # of a study that is read nothing need be said
    try:
        study = optuna.create_study(
            study_name=name,
            directions=[
                optuna.study.StudyDirection[way.upper()] for way in (direction, *("minimize" for _ in counted))
            ],
        )
    finally:
        optuna.logging.set_verbosity(verbosity)
    committed = {trial.number: trial for trial in trials if trial.state != "running"}
    beside = {
        number: [float(of_trial[name]) for name in counted] for number, of_trial in (costs or {}).items() if counted
    }
    study.add_trials(
        [_frozen(committed.get(number), beside.get(number, [])) for number in range(max(committed, default=-1) + 1)]
    )
    return study


def first_objective(study: "optuna.Study") -> "optuna.Study":
    """The study itself, or of one with several objectives a study of the first one, for what knows no other."""
    import optuna

    if len(study.directions) == 1:
        return study
    single = optuna.create_study(study_name=study.study_name, direction=study.directions[0])
    for trial in study.get_trials(deepcopy=False):
        single.add_trial(
            optuna.trial.create_trial(
                state=trial.state,
                value=trial.values[0] if trial.values else None,
                params=trial.params,
                distributions=trial.distributions,
                user_attrs=trial.user_attrs,
            )
        )
    return single


def _frozen(trial: TrialRecord | None, beside: Sequence[float]) -> "optuna.trial.FrozenTrial":
    from optuna.distributions import json_to_distribution
    from optuna.trial import TrialState, create_trial

    if trial is None:
        return create_trial(state=TrialState.RUNNING)
    stored = trial.rebuild
    state = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}.get(trial.state, TrialState.FAIL)
    values = {epoch: float(value) for epoch, value in enumerate(trial.curve, 1)}
    value = trial.value if state == TrialState.COMPLETE else values.get(len(values))
    if value is None or math.isnan(value):  # which Optuna takes for no value, as it did while the sweep ran
        value, state = None, TrialState.FAIL if state == TrialState.COMPLETE else state
    attributes = {"run_id": trial.run_id, "epochs": trial.epochs, "reason": trial.reason}
    return create_trial(
        state=state,
        values=None if state == TrialState.FAIL or value is None else [value, *beside],
        params=dict(stored.get("params", {})),
        distributions={name: json_to_distribution(text) for name, text in stored.get("distributions", {}).items()},
        intermediate_values=values,
        user_attrs={key: given for key, given in attributes.items() if given is not None},
        system_attrs=dict(stored.get("system_attrs", {})),
    )
