"""What draws each value by itself: no proposal waits for a result or for another one."""

import optuna
import pytest

from mlptune.search import Space
from mlptune.search.samplers import ignores_history
from mlptune.search.samplers.independent import IndependentSampler
from tests.support.samplers import SPACE, make, new_study, proposals, value


@pytest.mark.parametrize("name", ["grid", "random", "quasirandom"])
def test_what_ignores_history_ignores_the_batch_too(name):
    assert ignores_history(make(name))
    assert proposals(name, 12, 1) == proposals(name, 4, 3) == proposals(name, 1, 12)
    parallel = new_study(name)
    parallel.optimize(lambda trial: value(0, SPACE.suggest(trial)), n_trials=12, n_jobs=3)
    assert [SPACE.decode(t.params) for t in parallel.trials] == proposals(name, 12, 1)


def test_a_sampler_needs_to_say_no_more_than_how_one_value_is_drawn():
    class Names(IndependentSampler):
        """Proposes the first choice whose word has the parameter's name in it."""

        def sample_independent(self, study, trial, param_name, param_distribution):
            return next(choice for choice in param_distribution.choices if param_name in choice)

    assert ignores_history(Names())
    space = Space.parse({"a": ["one b", "one a"], "b": ["two a", "two b"], "a b": ["three", "four a b"]})
    study = optuna.create_study(sampler=Names())
    study.add_trial(
        optuna.trial.create_trial(value=0.0, params={"a": "one b"}, distributions={"a": space.distributions["a"]})
    )
    assert [space.suggest(study.ask()) for _ in range(2)] == [{"a": "one a", "b": "two b", "a b": "four a b"}] * 2
