"""Searchers under the noise of validation rows: near copies among their proposals, and how good what they find is.

`test_search_under_noise`: the objective is made up: accuracy falls with the square of the distance from an optimum in each range,
which may lie at its edge, and each choice costs a constant; every value has independent normal noise. For each row there are
`SEEDS` objectives, and `TRIALS` trials in batches of `BATCH`. It is smooth, which favours Gaussian processes; the rule against near
copies was chosen on these seeds (docs/auto.md).

`test_sweeps_under_noise`: default sweeps of `TRIALS` trials on development tables, split and searched with `SEEDS` seeds, with the
rule against near copies and without it (`repeats`); the loss of what they hand back on rows that they never saw. BENCH_TABLES
chooses tables.
"""

import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

import mlptune
from mlptune.search import Space, sampler
from mlptune.search.spaces.defaults import default_space, plain_space
from mlptune.tests.bench.bench_quality import DATA, TABLES, scores

SEEDS, TRIALS, BATCH = 20, 64, 8
SPACES = {"default": default_space, "plain": plain_space}
# .016 is the standard error of an accuracy of .85 on 500 rows.
NOISE = (0.0, 0.005, 0.016)
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "random": ("random", {}),
    "tpe": ("tpe", {}),
    "Optuna's TPE": ("", {}),
    "auto, repeats": ("auto", {"repeats": True}),
    "auto": ("auto", {}),
}
# Points are near copies if all their values are so near, on the scale of each range, and their choices are equal.
NEAR = {
    "learning_rate": math.log(1.05),
    "dropout": 0.02,
    **dict.fromkeys(("weight_decay", "l2", "embedding_sigma"), math.log(1.3)),
}
# Tables, and how many rows a sweep gets at most: few, so that noise is large and the rows that judge are many.
SWEPT = {"titanic": 712, "german": 800, "phoneme": 1000}
CHOSEN = os.environ.get("BENCH_TABLES", ",".join(SWEPT)).split(",")
# How much an objective may lose over the whole of a range.
LOSS = {"learning_rate": 0.12, "dropout": 0.03, "weight_decay": 0.015, "l2": 0.01, "embedding_sigma": 0.05}


class Objective:
    """A made-up accuracy over the values that Optuna draws from a space."""

    def __init__(self, space: Space, seed: int) -> None:
        random = np.random.default_rng([7, seed])
        self._distributions = space.distributions
        self._ranges: dict[str, tuple[float, float]] = {}
        self._choices: dict[str, dict[str, float]] = {}
        for name, distribution in space.distributions.items():
            if hasattr(distribution, "low"):
                place = min(max(random.uniform(-0.3, 1.3), 0.0), 1.0)
                self._ranges[name] = place, LOSS.get(name, 0.03) * random.uniform(0.5, 1.5)
            else:
                n = len(distribution.choices)
                self._choices[name] = dict(zip(map(str, distribution.choices), random.uniform(0, 0.03, n), strict=True))
        self._together = random.uniform(-0.03, 0.03)

    @property
    def best(self) -> float:
        return 0.88 - sum(min(costs.values()) for costs in self._choices.values())

    def __call__(self, params: Mapping[str, Any]) -> float:
        loss = sum(costs[str(params[name])] for name, costs in self._choices.items())
        away = {}
        for name, (place, weight) in self._ranges.items():
            d, value = self._distributions[name], params[name]
            at = math.log(value / d.low) / math.log(d.high / d.low) if d.log else (value - d.low) / (d.high - d.low)
            away[name] = at - place
            loss += weight * away[name] ** 2
        return 0.88 - loss - self._together * away["learning_rate"] * away["dropout"]


def is_near(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(
        a[name] == b[name]
        if name not in NEAR
        else abs(a[name] - b[name] if name == "dropout" else math.log(a[name] / b[name])) <= NEAR[name]
        for name in a
    )


def share_of_copies(points: list[dict[str, Any]]) -> float:
    """The share of points that are near copies of an earlier one."""
    return sum(any(is_near(points[i], points[j]) for j in range(i)) for i in range(len(points))) / len(points)


def searched(method: str, space: Space, noise: float, seed: int) -> tuple[float, float, float]:
    """The share of near copies, and the regret of the trial that looks best after half of the trials and after all."""
    name, options = METHODS[method]
    made = sampler(name, seed, space=space, trials=TRIALS, batch=BATCH, **options) if name else None
    study = optuna.create_study(direction="maximize", sampler=made or optuna.samplers.TPESampler(seed=seed))
    objective = Objective(space, seed)
    errors = np.random.default_rng([11, seed]).normal(size=TRIALS) * noise
    points: list[dict[str, Any]] = []
    values: list[float] = []
    while len(points) < TRIALS:
        asked = [study.ask() for _ in range(BATCH)]
        for trial in asked:
            space.suggest(trial)
        for trial in asked:
            points.append(dict(trial.params))
            values.append(objective(trial.params) + errors[len(values)])
            study.tell(trial, values[-1])
    half, whole = (objective.best - objective(points[int(np.argmax(values[:n]))]) for n in (TRIALS // 2, TRIALS))
    return share_of_copies(points), half, whole


@pytest.mark.parametrize("which", SPACES)
def test_search_under_noise(which: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = Space.parse(SPACES[which](5600, "classification"))
    print(
        f"\n{which} space, {SEEDS} seeds: near copies, regret in 1e-4 (standard error) after {TRIALS // 2} and {TRIALS}"
    )
    for noise in NOISE:
        for method in METHODS:
            found = np.array([searched(method, space, noise, seed) for seed in range(SEEDS)])
            copies, *regrets = found.mean(axis=0)
            errors = found.std(axis=0)[1:] / math.sqrt(SEEDS)
            shown = "  ".join(f"{1e4 * r:4.0f} ({1e4 * e:.0f})" for r, e in zip(regrets, errors, strict=True))
            print(f"  noise {noise:<5}  {method:14} {copies:4.0%}  {shown}", flush=True)


def swept(train: pd.DataFrame, test: pd.DataFrame, target: str, seed: int, repeats: bool) -> tuple[float, float]:
    """The share of near copies among the trials of a default sweep, and the log loss of the model that it hands back."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{Path(folder) / 'mlflow.db'}"
        settings = {"name": "noisy", "data.test_size": 0.0, "data.task": "classification", "seed": seed}
        changes = {**settings, "search.trials": TRIALS, "search.options.repeats": repeats}
        result = mlptune.run_sweep(data=train, target=target, tracking_uri=uri, overrides=changes, verbose=False)
        trials = result.trials.filter(like="params_").rename(columns=lambda name: name.removeprefix("params_"))
        model = mlptune.load_model("noisy", tracking_uri=uri)
        points = [row.dropna().to_dict() for _, row in trials.iterrows()]
        return share_of_copies(points), scores("classification", model.predict_proba, test, target)[0]


@pytest.mark.parametrize("table", CHOSEN)
def test_sweeps_under_noise(table: str) -> None:
    file, target = TABLES[table]
    frame = pd.read_csv(DATA / file)
    found = []
    for seed in range(SEEDS):
        train, test = train_test_split(frame, train_size=SWEPT[table], stratify=frame[target], random_state=seed)
        found.append([swept(train, test, target, seed, repeats) for repeats in (False, True)])
        print(f"\n{table}, seed {seed}: {found[-1]}", flush=True)
    copies, losses = np.moveaxis(np.array(found), 2, 0)
    gain = losses[:, 0] - losses[:, 1]
    print(
        f"\n{table}, {TRIALS} trials, {SEEDS} seeds: near copies, log loss on {len(test)} other rows (standard error)"
    )
    for name, share, of in zip(("auto", "auto, repeats"), copies.T, losses.T, strict=True):
        print(f"  {name:14} {share.mean():4.0%}  {of.mean():.4f} ({of.std() / math.sqrt(SEEDS):.4f})")
    print(f"  difference           {gain.mean():+.4f} ({gain.std() / math.sqrt(SEEDS):.4f})")
