"""A sampler of your own searches the hyperparameters of a sweep file: `python examples/own_sampler.py`.

`mlptune.objective` evaluates a configuration exactly as a sweep would, for any Optuna study. To use the sampler in sweeps too,
`[search] method = "greedy"`, a package names it in its pyproject.toml:

    [project.entry-points."mlptune.samplers"]
    greedy = "my_package:GreedySampler"
"""

from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

import mlptune

SWEEP: dict[str, Any] = {
    "name": "digits",
    "data": {"source": "sklearn:digits"},
    "model": {"epochs": 10},
    "space": {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "hidden": [[32], [64], [64, 64]],
        "dropout": {"low": 0.0, "high": 0.5},
    },
}


class GreedySampler(BaseSampler):
    """Changes one value of the best trial so far; the first trial is a random point.

    A proposal is a function of the seed, the trial's number and the finished trials. That is all that a sweep asks of a sampler
    for its promise that the same seed gives the same trials, whatever the number of workers.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._random = mlptune.search.sampler("random", seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            best = study.best_trial.params
            changed = np.random.default_rng([self._seed, trial.number]).choice(sorted(best))
            if param_name in best and param_name != changed:
                return best[param_name]
        return self._random.sample_independent(study, trial, param_name, param_distribution)


def main() -> None:
    """Search with it and print what it finds."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = mlptune.search.pruner("median", max_epochs=SWEEP["model"]["epochs"])
    study = optuna.create_study(direction="maximize", sampler=GreedySampler(seed=0), pruner=pruner)
    study.optimize(mlptune.objective(SWEEP), n_trials=16)
    for trial in study.trials:
        print(f"trial {trial.number}: {trial.value:.4f} {trial.state.name.lower()} {trial.params}")
    print(f"best: trial {study.best_trial.number}, accuracy {study.best_value:.4f} on the validation part")


if __name__ == "__main__":
    main()
