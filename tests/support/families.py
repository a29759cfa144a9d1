"""Parents and children of samplers that evolve: proposals over two words, and in how many words they differ."""

import optuna

from mlptune.search import Space, sampler


def told(name, values, **options):
    """A study over two words whose first trials had these values; and the point it proposes next."""
    table = {"a": list("abcdefgh"), "b": list("abcdefgh")}
    space = Space.parse(table)
    study = optuna.create_study(sampler=sampler(name, 0, space=space, **options))
    points = []
    for value in values:
        trial = study.ask()
        points.append(space.suggest(trial))
        study.tell(trial, value)
    return points, [space.suggest(study.ask()) for _ in range(5)]


def distance(a, b):
    return sum(a[name] != b[name] for name in a)
