"""A made-up objective whose optimum a prior may know, or be wrong about."""

import numpy as np
import optuna

from mlptune.search import Space, sampler

D, BATCH = 4, 8


def quadratic(seed: int, prior: str | None, trials: int, method: str = "auto") -> np.ndarray:
    """The least value so far (trials,) of a quadratic in the unit cube, with priors near its optimum, far from it, or none.

    Near is a tenth of the range away (standard deviation), far the end that is further away.
    """
    generator = np.random.default_rng(seed)
    best, weights = generator.uniform(0.1, 0.9, D), generator.uniform(0.5, 1.5, D)
    priors = {"near": np.clip(best + generator.normal(0, 0.1, D), 0, 1), "far": np.where(best < 0.5, 1.0, 0.0)}
    given = [{"prior": float(place)} for place in priors[prior]] if prior is not None else [{}] * D
    space = Space.parse({f"x{i}": {"low": 0.0, "high": 1.0, **given[i]} for i in range(D)})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=sampler(method, seed, space=space))
    for _ in range(trials // BATCH):
        asked = [study.ask() for _ in range(BATCH)]
        points = [np.array(list(space.suggest(trial).values())) for trial in asked]
        for trial, point in zip(asked, points, strict=True):
            study.tell(trial, float(weights @ (point - best) ** 2))
    return np.minimum.accumulate([trial.value for trial in study.trials])
