"""Regularised evolution: which trials are parents, their mutants, and the predictor."""

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from sklearn.kernel_ridge import KernelRidge

from mlptune.search import Space, sampler
from mlptune.search.samplers.nas import mutate, predict
from tests.support.architectures import FEATURES, SEEDS, draw, point
from tests.support.families import distance, told


@given(SEEDS)
@settings(max_examples=80)
def test_a_mutant_differs_in_one_decision_and_a_new_layer_is_as_the_one_below_it(seed):
    generator = np.random.default_rng(seed)
    codes = draw(generator)
    parent, child = point(codes), point(mutate(FEATURES, codes, generator))
    if parent["layers"] == child["layers"]:
        assert parent.keys() == child.keys()
        assert sum(parent[name] != child[name] for name in parent) == 1
        return
    shallow = min(parent["layers"], child["layers"])
    for name, value in child.items():
        kind, _, layer = name.rpartition("_")
        if layer.isdigit() and int(layer) > shallow:
            copied = parent[f"{kind}_{shallow}"]
            assert value == pytest.approx(copied) if isinstance(value, float) else value == copied
        elif name != "layers":
            assert value == parent[name]


def test_only_the_young_have_children():
    """The oldest trial is the best of all, and dead."""
    points, children = told("nas", [0, 5, 4, 3], population=3, sample=3, predictor=False)
    assert all(distance(child, points[3]) == 1 for child in children)
    points, children = told("nas", [5, 0, 4, 3], population=3, sample=3, predictor=False)
    assert all(distance(child, points[1]) == 1 for child in children)


def additive(seed):
    weights = np.random.default_rng(seed).random((8, 5))
    return lambda values: float(sum(w[v] for w, v in zip(weights, values, strict=True)))


def test_the_predictor_finds_more_than_evolution_alone():
    space = Space.parse({f"x_{i}": list("abcde") for i in range(8)})
    best = {True: [], False: []}
    for predictor in best:
        for seed in range(5):
            function = additive(seed)
            study = optuna.create_study(sampler=sampler("nas", seed, space=space, predictor=predictor))
            for _ in range(50):
                trial = study.ask()
                study.tell(trial, function(["abcde".index(v) for v in space.suggest(trial).values()]))
            best[predictor].append(study.best_value)
    assert np.mean(best[True]) < np.mean(best[False]) - 0.1


def test_the_predictor_is_scikit_learns_kernel_ridge():
    generator = np.random.default_rng(0)
    X, y, new = generator.random((30, 6)), generator.random(30), generator.random((5, 6))
    centre = X.mean(axis=0)
    unit = np.sqrt(((X - centre) ** 2).sum(axis=1).mean())
    theirs = KernelRidge(alpha=0.3, kernel="polynomial", degree=2, gamma=1.0, coef0=1.0)
    theirs.fit((X - centre) / unit, y - y.mean())
    np.testing.assert_allclose(predict(X, y, new), theirs.predict((new - centre) / unit) + y.mean())
    np.testing.assert_allclose(predict(np.ones((4, 2)), np.full(4, 0.5), np.ones((1, 2))), [0.5])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"predictor": "ridge"}, "predictor must be true or false, not 'ridge'"),
        ({"sample": 0}, "sample: 0 is not an integer of at least 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options, line):
    with pytest.raises(ValueError, match=line):
        sampler("nas", **options)
