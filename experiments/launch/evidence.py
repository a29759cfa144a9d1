"""What is measured beside the search when it ends, while data and networks are at hand: plain numbers, stored as one JSON file.

Nothing of it decides anything: the model is chosen, and scored on its test part, before.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from ...core.data import Fold
from ...core.hyperparameters import Hyperparameters
from ...core.network import Network
from ...core.structure import Structure
from ...core.training import start, train
from ...core.workspace import Workspace, evaluation_rows
from ...search.importance import importances
from ...search.spaces.dimensions import Range
from ..config.names import CLASS_WEIGHT
from ..constant import best_constant
from ..data.dataset import EncodedFold
from ..data.understanding import understood
from ..ensemble import ValidationRows
from ..importance import permutation_importance
from ..model import TunedModel
from ..scoring import Scoring
from ..study import first_objective
from ..threshold import decide
from .plan import SweepPlan

# What costs time is measured on so many rows at most, and only where it is little beside the search, counted in operations.
ROWS, SHARE_OF_SEARCH = 2000, 0.02
# Importing the baselines takes a second whatever the table: a search of less than half of one (see `forecast`) has none.
LEAST_FOR_BASELINES = 1e10
# Fewer trials say nothing of what mattered.
LEAST_TRIALS = 10
# Points of the page's pictures.
BINS, THRESHOLDS, RESIDUALS, CLASSES = 10, 40, 400, 30


def measure(
    plan: SweepPlan,
    study: optuna.Study,
    rows: ValidationRows,
    outputs: NDArray[Any],
    model: TunedModel,
    configuration: Mapping[str, Any],
) -> dict[str, Any]:
    """The evidence of a sweep that has ended.

    Args:
        plan: The sweep.
        study: Its trials.
        rows: The validation rows, fold after fold.
        outputs: What the chosen trials predict together for them (n, o), each row by networks that were not trained on it.
        model: What the sweep hands back.
        configuration: The best trial's, complete.
    """
    folds, scoring, dataset = plan.dataset.folds(), plan.scoring(), plan.dataset
    y = rows.y
    # What the metric judges: decisions, where the model has a threshold for it.
    decides = scoring.metric is not None and scoring.metric.decision is not None
    judged = decide(outputs, model.threshold) if decides else outputs
    answer, constant = best_constant(rows, scoring, dataset.classes or ())
    found: dict[str, Any] = {
        "task": dataset.task,
        "space": _space(plan),
        "epochs": plan.max_epochs,
        "rows": _row_counts(plan, len(y)),
        "shares": {str(label): _short(share) for label, share in dataset.class_shares().items()},
        "score": _short(scoring(y, judged, rows.weight)),
        "constant": _short(round(constant, 12)),  # of the mean R2 is 0 but for rounding
        "constant_answer": answer,
        "by_fold": _by_fold(folds, scoring, rows, judged),
        "repeated": dataset.n_copied(),
        "duplicates": _kept_together(plan),
        "telling": list(dataset.telling),
        "columns": [column.to_json() for column in understood(dataset.rows.frame, dataset, plan.spec.data)],
        "messages": [str(line) for line in dataset.of_rows],
        "layers": _layers(plan, folds[0], configuration),
        "hyperparameter_importance": _hyperparameter_importance(study),
    }
    found |= (
        _of_classes(y, outputs, dataset.classes, model.threshold)
        if dataset.classes is not None
        else _of_numbers(y, outputs)
    )
    # Of the trials that there are: a sweep with a budget in minutes has planned more than it had time for.
    operations = plan.trial_operations * len(study.get_trials(deepcopy=False))
    if operations >= LEAST_FOR_BASELINES and _baseline_operations(folds[0]) < SHARE_OF_SEARCH * operations:
        found["baselines"] = _baselines(folds[0], scoring, rows, judged, dataset.task)
    return found | _importance(plan, model, operations)


def _space(plan: SweepPlan) -> dict[str, Any]:
    return {
        name: {"low": d.low, "high": d.last, "log": d.log} if isinstance(d, Range) else {"choices": list(d.values)}
        for name, d in plan.space.dimensions.items()
    }


def _hyperparameter_importance(study: optuna.Study) -> dict[str, float]:
    """By hyperparameter how much it tells the better trials from the others (PED-ANOVA, Watanabe et al. 2023); {} of few trials."""
    study = first_objective(study)
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < LEAST_TRIALS or len({trial.value for trial in complete}) < 2:
        return {}
    return {name: share for name, value in importances(study).items() if (share := _short(value)) is not None}


def _row_counts(plan: SweepPlan, validation: int) -> dict[str, int]:
    folds, test = plan.dataset.folds(), plan.dataset.test()
    return {
        "train": len(folds[0].arrays.X),
        "validation": validation,
        "folds": len(folds),
        "development": len(folds[0].arrays.X) + _n_validation(folds[0]),
        "test": 0 if test is None else len(test[1]),
        "inputs": plan.dataset.n_features,
    }


def _kept_together(plan: SweepPlan) -> str:
    """What decides whether copies of a row stay in one part: group, time, or [data] duplicates."""
    data = plan.spec.data
    return "group" if data.group else "time" if data.time else data.duplicates


def _n_validation(fold: EncodedFold) -> int:
    return 0 if fold.arrays.X_val is None else len(fold.arrays.X_val)


def _by_fold(
    folds: tuple[EncodedFold, ...], scoring: Scoring, rows: ValidationRows, outputs: NDArray[Any]
) -> list[float | None]:
    ends = np.cumsum([_n_validation(fold) for fold in folds])
    scores = []
    for first, last in zip([0, *ends[:-1]], ends, strict=True):
        weight = None if rows.weight is None else rows.weight[first:last]
        scores.append(_short(scoring(rows.y[first:last], outputs[first:last], weight)) if last > first else None)
    return scores


def _of_classes(y: NDArray[Any], outputs: NDArray[Any], classes: list[Any], threshold: float | None) -> dict[str, Any]:
    """The confusion matrix, how probabilities hold, and of two classes what each threshold gives."""
    p = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else np.asarray(outputs)
    predicted = p.argmax(axis=1) if threshold is None else (p[:, 1] > threshold).astype(np.int64)
    found: dict[str, Any] = {"labels": [str(label)[:60] for label in classes[:CLASSES]]}
    if len(classes) <= CLASSES:
        flat = np.bincount(y * len(classes) + predicted, minlength=len(classes) ** 2)
        found["confusion"] = flat.reshape(len(classes), -1).tolist()
    # Of two classes the second's probability, of more the likeliest's.
    shown, right = (p[:, 1], y == 1) if len(classes) == 2 else (p.max(axis=1), predicted == y)
    bins = np.minimum((shown * BINS).astype(int), BINS - 1)
    found["calibration"] = [
        [_short(shown[bins == b].mean()), _short(right[bins == b].mean()), int((bins == b).sum())]
        for b in range(BINS)
        if (bins == b).any()
    ]
    if len(classes) == 2:
        found["thresholds"] = [_at_threshold(p[:, 1], y == 1, t / THRESHOLDS) for t in range(THRESHOLDS + 1)]
    return found


def _at_threshold(p: NDArray[Any], positive: NDArray[np.bool_], threshold: float) -> list[float | None]:
    """The threshold, and the recall, the false positives' share and the precision where p is at or above it."""
    called = p >= threshold
    hits = float((called & positive).sum())
    n_called, n_positive = float(called.sum()), float(positive.sum())
    false = (n_called - hits) / max(len(p) - n_positive, 1.0)
    precision = hits / n_called if n_called else 1.0
    return [threshold, _short(hits / max(n_positive, 1.0)), _short(false), _short(precision)]


def _of_numbers(y: NDArray[Any], outputs: NDArray[Any]) -> dict[str, Any]:
    """(true, predicted) of some rows, and how the errors lie."""
    some = np.arange(len(y))
    if len(y) > RESIDUALS:
        some = np.sort(np.random.default_rng(0).choice(len(y), RESIDUALS, replace=False))
    errors = (outputs - y)[:, 0]
    quantiles = np.quantile(errors, [0.05, 0.25, 0.5, 0.75, 0.95])
    return {
        "predicted": [[_short(a), _short(b)] for a, b in zip(y[some, 0], outputs[some, 0], strict=True)],
        "error_quantiles": [_short(q) for q in quantiles],
    }


def _layers(plan: SweepPlan, fold: EncodedFold, configuration: Mapping[str, Any]) -> list[dict[str, float | None]]:
    """What one epoch on some rows shows of the best configuration's first network, by hidden layer.

    The mean length of the gradient, and the share of units that give the same for every row.
    """
    rows = slice(0, ROWS)
    arrays = fold.arrays
    weight = None if arrays.weight is None else arrays.weight[rows]
    if weight is not None and not weight.any():
        return []
    part = Fold(arrays.X[rows], arrays.y[rows], weight)
    hp = Hyperparameters.from_config({name: value for name, value in configuration.items() if name != CLASS_WEIGHT})
    hp = replace(hp, subset=1.0)
    network = Network(hp, seed=plan.seeds[0])
    structure = Structure.of(
        hp,
        n_inputs=part.X.shape[1],
        n_outputs=fold.target.n_outputs,
        n_rows=len(part.X),
        loss=plan.loss,
        n_plain=fold.encoder.n_plain,
        levels=fold.encoder.levels,
    )
    if not structure.hidden:
        return []
    state, curves = train(
        structure, [network], [part], start(structure, [network]), 1, order_seed=plan.spec.seed, gradient_norms=True
    )
    norms = [float(curves.values[f"grad_norm_{i + 1}"][0, 0]) for i in range(len(structure.hidden))]
    constant = constant_units(structure, state.theta, state.buffers, part.X)
    return [{"gradient_norm": _short(g), "constant_units": _short(c)} for g, c in zip(norms, constant, strict=True)]


def constant_units(structure: Structure, theta: NDArray[Any], buffers: NDArray[Any], X: NDArray[Any]) -> list[float]:
    """By hidden layer the share of a network's units whose output is the same for all rows X (n, d): dead or saturated ones."""
    from ...core.inputs import prepare_rows, with_ones

    if n_inputs := structure.n_scaling[0]:
        X = prepare_rows(structure, buffers[0, :n_inputs], X)
    rows = min(evaluation_rows(structure), len(X))
    workspace = Workspace(structure, theta, None, rows, buffers=buffers)
    z = np.empty((len(theta), structure.n_outputs, rows), dtype=theta.dtype)
    with np.errstate(all="ignore"):
        workspace.forward(with_ones(X[:rows], structure.dtype).T, z)
    spans = [
        np.ptp(dense.out[0, :units], axis=1) for dense, units in zip(workspace.dense, structure.hidden, strict=False)
    ]
    return [float(np.mean(span < 1e-6)) for span in spans]


def _baseline_operations(fold: EncodedFold) -> float:
    """What the baselines cost, in the engine's operations: a hundred trees an output look many times at each cell of some rows."""
    n, d = fold.arrays.X.shape
    return 2e4 * min(n, 10 * ROWS) * d * fold.target.n_outputs


def _baselines(
    fold: EncodedFold, scoring: Scoring, rows: ValidationRows, outputs: NDArray[Any], task: str
) -> list[dict[str, Any]]:
    """A linear model and gradient boosting, fitted on the first fold and scored on its validation rows beside ours."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    arrays, n = fold.arrays, _n_validation(fold)
    weight = None if rows.weight is None else rows.weight[:n]
    found = [{"name": "mlptune", "score": _short(scoring(rows.y[:n], outputs[:n], weight))}]
    if task == "classification":
        models: list[tuple[str, Any]] = [
            ("logistic regression", make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))),
            ("gradient boosting", HistGradientBoostingClassifier(random_state=0)),
        ]
    else:
        models = [
            ("linear regression", make_pipeline(StandardScaler(), Ridge())),
            ("gradient boosting", HistGradientBoostingRegressor(random_state=0)),
        ]
    some = slice(0, 10 * ROWS)
    X, y = (
        np.asarray(arrays.X[some], dtype=np.float64),
        np.asarray(arrays.y[some]).reshape(len(arrays.X[some]), -1)[:, 0],
    )
    kept = np.ones(len(y), dtype=bool) if arrays.weight is None else arrays.weight[some] > 0
    for name, model in models:
        outputs_of = _fitted(model, X[kept], y[kept], fold)
        found.append({"name": name, "score": _short(scoring(rows.y[:n], outputs_of(arrays.X_val), weight))})
    return found


def _fitted(model: Any, X: NDArray[Any], y: NDArray[Any], fold: EncodedFold) -> Any:
    """Fit a model of scikit-learn; what gives its outputs (n, o) as the engine's are, in the target's own unit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a baseline has not converged is no news
        model.fit(X, y)
    if fold.target.classes is None:
        return lambda rows: fold.target.restore(np.asarray(model.predict(rows), dtype=np.float64).reshape(-1, 1))
    n_classes = len(fold.target.classes)

    def outputs(rows: NDArray[Any]) -> NDArray[np.float64]:
        p = np.zeros((len(rows), n_classes))
        p[:, model.classes_.astype(int)] = model.predict_proba(rows)
        return p[:, 1:] if n_classes == 2 else p

    return outputs


def _importance(plan: SweepPlan, model: TunedModel, operations: float) -> dict[str, Any]:
    """How much the model's score falls when a column is shuffled; nothing where that costs much beside the search.

    On some rows of the test part once it has been scored, where there is none on others.
    """
    frame, y, weight = plan.dataset.some_rows(ROWS // 4)
    columns = model.parts[0].encoder.columns
    weights = sum(part.theta.size for part in model.parts)
    if len(columns) * len(frame) * weights > SHARE_OF_SEARCH * operations:
        return {}
    row = plan.scoring().metric
    metric = "loss" if row is None else row.name
    sign = 1.0 if plan.objective.direction == "maximize" else -1.0
    drops = permutation_importance(model, frame, y, weight, metric)
    return {"importance": [[name, _short(sign * drop)] for name, drop in drops.items()]}


def _short(value: Any) -> float | None:
    """A number to six significant digits; None for what is none, which JSON does not know."""
    return float(f"{float(value):.6g}") if math.isfinite(value) else None
