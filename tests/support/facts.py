"""Made-up facts of a launch, to be bent into the case that a test needs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlptune.experiments.report.facts import Facts
from mlptune.tracking.records import TrialRecord

EPOCHS = 20


def trial(number: int, value: float | None = 0.9, state: str = "complete", **about: Any) -> TrialRecord:
    params = about.pop("params", {"learning_rate": 0.01, "dropout": 0.2})
    return TrialRecord(number, state, value, params=params, epochs=EPOCHS, best_epochs=(15,), **about)


def curves(
    val_loss: Sequence[float] | None = None,
    train_loss: Sequence[float] | None = None,
    train_score: float = 0.93,
    val_score: float = 0.9,
) -> dict[str, list[float]]:
    """Curves that fall fast and then hardly, as of a training that went well."""
    falling = [0.3 + 0.5 * 0.6**epoch for epoch in range(EPOCHS)]
    return {
        "val_loss": list(val_loss or falling),
        "train_loss": list(train_loss or [0.9 * value for value in falling]),
        "train_score": [train_score] * EPOCHS,
        "val_score": [val_score] * EPOCHS,
    }


def healthy(n: int = 24) -> Facts:
    """A sweep about which there is nothing to say: trials that differ, and rates all over the range."""
    values = [0.9 - 0.002 * ((7 * i + 8) % n) for i in range(n)]
    rates = [0.001 * 100 ** (((5 * i) % n + 0.5) / n) for i in range(n)]
    drops = [0.4 * ((11 * i) % n + 0.5) / n for i in range(n)]
    trials = [
        trial(i, v, params={"learning_rate": r, "dropout": d})
        for i, (v, r, d) in enumerate(zip(values, rates, drops, strict=True))
    ]
    return Facts(
        name="made up",
        run_id="r",
        state="finished",
        method="random",
        metric="val_score",
        direction="maximize",
        trials=trials,
        curves={i: curves() for i in range(n)},
        space={
            "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
            "dropout": {"low": 0.0, "high": 0.4, "log": False},
            "hidden": {"choices": [[8], [16]]},
        },
        max_epochs=EPOCHS,
        best={
            "number": 16,
            "value": 0.9,
            "metric": "val_score",
            "params": trials[16].params,
            "test_score": 0.897,
            "ensemble": [],
            "expected": {"score": 0.895, "low": 0.892, "high": 0.898},
        },
        evidence={
            "task": "classification",
            "rows": {"train": 800, "validation": 1000, "folds": 5, "development": 1000, "test": 250, "inputs": 4},
            "shares": {"no": 0.6, "yes": 0.4},
            "score": 0.895,
            "constant": 0.6,
            "by_fold": [0.89, 0.9, 0.893, 0.897, 0.895],
            "repeated": 0,
            "layers": [{"gradient_norm": 0.2, "constant_units": 0.0}, {"gradient_norm": 0.1, "constant_units": 0.05}],
            "baselines": [{"name": "mlptune", "score": 0.895}, {"name": "gradient boosting", "score": 0.89}],
            "importance": [["a", 0.1], ["b", 0.08], ["c", 0.02]],
        },
    )


def with_evidence(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, evidence={**facts.evidence, **changes})


def with_best(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, best={**(facts.best or {}), **changes})


def with_curves(facts: Facts, numbers: Sequence[int], made: Mapping[str, Sequence[float]]) -> Facts:
    return replace(facts, curves={**facts.curves, **dict.fromkeys(numbers, made)})
