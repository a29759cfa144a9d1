"""The default searcher: what it promises beyond the contract that all samplers share."""

import itertools
import json
import math
import warnings

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from mlptune.search import Space, sampler
from mlptune.search.known_costs import KnownCosts
from mlptune.search.pareto import hypervolume
from mlptune.search.samplers.auto import MAX_TRAINING_TRIALS, select_training_trials
from tests.support.priors import quadratic

TABLE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "layers": {"low": 1, "high": 3},
    "units_1": [16, 64, 256],
    "units_2": [16, 64, 256],
    "units_3": [16, 64, 256],
    "activation": ["relu", "tanh", "elu"],
}
SPACE = Space.parse(TABLE)


def value(point):
    """Smooth, with its least value 0.1 at one layer of 64 units."""
    units = sum(abs(math.log(point[f"units_{i}"] / 64)) for i in range(1, point["layers"] + 1))
    return (
        0.1 * point["layers"]
        + (math.log10(point["learning_rate"]) + 2.5) ** 2
        + units
        + (point["activation"] != "tanh")
    )


def run(seed, trials, batch=1, made=None):
    study = optuna.create_study(sampler=made or sampler("auto", seed, space=SPACE))
    while len(study.trials) < trials:
        asked = [study.ask() for _ in range(batch)]
        points = [SPACE.suggest(trial) for trial in asked]
        for trial, point in zip(asked, points, strict=True):
            study.tell(trial, value(point))
    return study


@pytest.mark.parametrize("batch", [1, 8])
def test_it_finds_the_best_of_a_conditional_space(batch):
    study = run(0, 64, batch)
    assert study.best_value < 0.11
    assert study.best_params.keys() == {"learning_rate", "layers", "units_1", "activation"}


def test_a_fresh_sampler_proposes_the_same_at_every_length_of_the_history():
    study = run(3, 36)
    for length in range(8, 36, 3):
        again = optuna.create_study(sampler=sampler("auto", 3, space=SPACE))
        again.add_trials(study.trials[:length])
        assert SPACE.suggest(again.ask()) == SPACE.decode(study.trials[length].params)


def test_no_point_is_tried_twice_before_all_were_tried():
    space = Space.parse({"layers": {"low": 1, "high": 2}, "units_1": [8, 16, 32], "units_2": [8, 16, 32]})
    study = optuna.create_study(sampler=sampler("auto", space=space, n_startup_trials=1))
    batches = []
    for _ in range(4):
        trials = [study.ask() for _ in range(4)]
        batches += [tuple(space.suggest(trial).items()) for trial in trials]
        for trial in trials:
            study.tell(trial, float(trial.number))
    # One of the first four may be met twice: they are a Latin hypercube, blind to one another.
    assert len({*batches[:4]}) + 8 == len({*batches[:12]})
    assert len({*batches}) == 12 == len(list(space.grid()))


def test_where_every_value_is_the_same_it_goes_on():
    study = optuna.create_study(sampler=sampler("auto", space=SPACE))
    study.optimize(lambda trial: len(SPACE.suggest(trial)) * 0.0, n_trials=20)
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 20


def test_points_that_were_given_twice_do_no_harm():
    study = optuna.create_study(sampler=sampler("auto", space=SPACE, n_startup_trials=2))
    for _ in range(12):
        study.enqueue_trial({"learning_rate": 0.01, "layers": 1, "units_1": 64, "activation": "relu"})
    study.optimize(lambda trial: value(SPACE.suggest(trial)) + 0.01 * (trial.number % 3), n_trials=20)
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 9


@pytest.mark.parametrize("space", [{}, {"x": [3]}, {"x": {"low": 2, "high": 2}}, {"x": {"low": 0.5, "high": 0.5}}])
def test_a_space_of_one_point_is_no_trouble(space):
    space = Space.parse(space)
    study = optuna.create_study(sampler=sampler("auto", space=space, n_startup_trials=2))
    study.optimize(lambda trial: len(space.suggest(trial)), n_trials=5)
    assert len(study.trials) == 5


def test_one_bad_network_does_not_hide_the_differences_between_the_good_ones():
    bests = []
    for disaster in (2.0, 1e30, math.inf):
        study = optuna.create_study(sampler=sampler("auto", 1, n_startup_trials=6))

        def objective(trial, disaster=disaster):
            x = trial.suggest_float("x", 0, 1)
            return disaster if x > 0.9 else 1.0 + (x - 0.4) ** 2

        study.optimize(objective, n_trials=20)
        bests.append(study.best_value)
    assert max(bests) < 1.0 + 1e-3


def history(trials, seed=0):
    """A finished study of random points, without its sampler."""
    generator = np.random.default_rng(seed)
    distributions = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1), "n": IntDistribution(1, 5)}
    for _ in range(trials):
        x, y, n = generator.random(), generator.random(), int(generator.integers(1, 6))
        result = (x - 0.3) ** 2 + (y - 0.6) ** 2 + 0.1 * n
        yield create_trial(params={"x": x, "y": y, "n": n}, distributions=distributions, value=result)


def test_after_a_thousand_trials_it_still_knows_where_the_best_is():
    study = optuna.create_study(sampler=sampler("auto"))
    study.add_trials(list(history(1000)))
    before = study.best_value
    for _ in range(5):
        trial = study.ask()
        point = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1), trial.suggest_int("n", 1, 5)
        study.tell(trial, (point[0] - 0.3) ** 2 + (point[1] - 0.6) ** 2 + 0.1 * point[2])
    assert study.best_value < before
    assert study.best_value < 0.1 + 1e-4


def test_of_many_trials_the_model_knows_the_best_and_the_latest():
    y = np.random.default_rng(0).random(1000)
    rows = select_training_trials(y)
    assert len(rows) == len(set(rows)) == MAX_TRAINING_TRIALS
    assert (np.diff(rows) > 0).all()
    assert set(np.argsort(y)[: MAX_TRAINING_TRIALS // 2]) <= set(rows)
    assert set(range(1000 - MAX_TRAINING_TRIALS // 4, 1000)) <= set(rows)
    assert select_training_trials(y[:MAX_TRAINING_TRIALS]).tolist() == list(range(MAX_TRAINING_TRIALS))


def test_running_trials_keep_the_others_away():
    study = run(0, 24)
    asked = [SPACE.suggest(study.ask()) for _ in range(16)]
    assert len({tuple(point.items()) for point in asked}) == 16
    # The learning rate is continuous, so that points could differ by nothing that matters.
    gaps = [
        abs(math.log10(a["learning_rate"] / b["learning_rate"]))
        for a, b in itertools.combinations(asked, 2)
        if {**a, "learning_rate": 0} == {**b, "learning_rate": 0}
    ]
    assert min(gaps, default=1.0) > 1e-3


def test_a_batch_can_be_held_to_few_structures():
    names = ("layers", "units_1", "units_2", "units_3", "activation")
    study = run(0, 32, 8, sampler("auto", 0, space=SPACE, structures=2, structural=names, n_startup_trials=8))
    points = [SPACE.decode(trial.params) for trial in study.trials]
    kinds = [len({tuple(p.get(n) for n in names) for p in points[i : i + 8]}) for i in range(0, 32, 8)]
    assert kinds[0] > 2  # nothing is known yet, so the points are spread
    assert max(kinds[1:]) == 2
    assert study.best_value < 0.2


def test_failed_trials_alone_are_no_reason_to_stop():
    study = optuna.create_study(sampler=sampler("auto", space=SPACE, n_startup_trials=3))
    for _ in range(8):
        trial = study.ask()
        SPACE.suggest(trial)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            study.tell(trial, state=TrialState.FAIL)
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 8


def test_it_says_that_configurations_are_given():
    def words(given, trials=64):
        return sampler("auto", space=TABLE, trials=trials, batch=8, given=given).choice

    assert words(8) == "auto: 8 configurations to start with, then expected improvement under a Gaussian process"
    assert words(1).startswith("auto: 1 configuration to start with and 7 points of a Latin hypercube, then")
    assert words(9).startswith("auto: 9 configurations to start with and 7 points of a Latin hypercube, then")
    assert words(3, 3) == "auto: 3 trials, too few to learn from; 3 configurations to start with"


@pytest.mark.parametrize(
    ("space", "trials", "batch", "words"),
    [
        (TABLE, 64, 8, "8 points of a Latin hypercube, then expected improvement under a Gaussian process"),
        (TABLE, 64, 6, "12 points of a Latin hypercube, then expected improvement under a Gaussian process"),
        (TABLE, None, None, "8 points of a Latin hypercube, then expected improvement under a Gaussian process"),
        (TABLE, 32, 32, "32 trials, too few to learn from; 32 points of a Latin hypercube"),
        (
            {"layers": [1, 2], "units_1": [8, 16], "units_2": [8, 16]},
            8,
            1,
            "the space has 6 points; each is tried once before any is tried again",
        ),
    ],
)
def test_it_says_what_it_does(space, trials, batch, words):
    choice = sampler("auto", space=space, trials=trials, batch=batch).choice
    assert choice.startswith(f"auto: {words}")
    assert "\n" not in choice


@pytest.mark.parametrize("name", ["auto", "mobster"])
@given(
    optimizers=st.integers(1, 3),
    layers=st.integers(1, 2),
    widths=st.integers(1, 3),
    batch=st.integers(1, 9),
    startup=st.integers(1, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=15, derandomize=True)
def test_a_small_space_is_tried_whole_before_a_point_is_repeated(
    name, optimizers, layers, widths, batch, startup, seed
):
    units = [8, 16, 32][:widths]
    space = Space.parse(
        {
            "optimizer": ["sgd", "adam", "adamw"][:optimizers],
            "layers": {"low": 1, "high": layers},
            **{f"units_{i}": units for i in range(1, layers + 1)},  # the second is inactive at one layer
        }
    )
    points = len(list(space.grid()))
    study = optuna.create_study(sampler=sampler(name, seed, space=space, n_startup_trials=startup))
    tried = []
    while len(tried) < points:
        trials = []
        for _ in range(min(batch, points - len(tried))):
            trials.append(study.ask())
            tried.append(json.dumps(space.suggest(trials[-1])))  # at once, as sweeps do: the next one knows of it
        for trial in trials:
            trial.report(0.1 * (trial.number % 4), 1)
            study.tell(trial, 0.1 * (trial.number % 4))
    assert len(set(tried)) == points
    space.suggest(study.ask())  # all were tried: it goes on


def test_the_first_points_of_a_small_space_may_repeat_as_they_did_in_older_sweeps():
    space = Space.parse({"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"], "batch_size": [8, 16, 32]})
    method = sampler("auto", 0, space=space, trials=16, batch=4, repeats=True)
    assert method.choice == (
        "auto: the space has 12 points; of 8 in a Latin hypercube some may repeat, later none before all are tried"
    )
    study = optuna.create_study(sampler=method)
    first = [tuple(space.suggest(study.ask()).items()) for _ in range(8)]
    assert len(set(first)) < 8


NOISY = Space.parse(
    {
        "learning_rate": {"low": 1e-3, "high": 2e-2, "log": True},
        "dropout": {"low": 0.0, "high": 0.5},
        "l2": {"low": 1e-6, "high": 1e-2, "log": True},
        "hidden": [[64], [64, 64]],
    }
)


def is_near(a, b):
    """The rates within 5 %, dropout within .02, l2 within 30 %, the same layers."""
    return (
        abs(math.log(a["learning_rate"] / b["learning_rate"])) <= math.log(1.05)
        and abs(a["dropout"] - b["dropout"]) <= 0.02
        and abs(math.log(a["l2"] / b["l2"])) <= math.log(1.3)
        and a["hidden"] == b["hidden"]
    )


def noisy_sweep(seed, deviation, **options):
    """(share of near copies, regret of the trial with the best value) after 40 trials in batches of 8, validated on some rows."""
    generator = np.random.default_rng([seed, 5])
    peak = generator.uniform(0.0, 1.0, size=3)
    study = optuna.create_study(sampler=sampler("auto", seed, space=NOISY, **options))
    loss = []
    for _ in range(5):
        trials = []
        for _ in range(8):
            trials.append(study.ask())
            point = NOISY.suggest(trials[-1])
            places = (
                math.log10(point["learning_rate"] / 1e-3) / math.log10(20),
                point["dropout"] / 0.5,
                math.log10(point["l2"] / 1e-6) / 4,
            )
            loss.append(0.1 + float(([0.1, 0.03, 0.01] * (places - peak) ** 2).sum()))
        for trial in trials:
            study.tell(trial, loss[trial.number] + deviation * generator.normal())
    points = [trial.params for trial in study.trials]
    copies = [any(is_near(point, other) for other in points[:i]) for i, point in enumerate(points)]
    return np.mean(copies), loss[study.best_trial.number] - 0.1


def test_under_noise_it_does_not_polish_what_looks_best():
    noise = math.sqrt(0.1 * 0.9 / 500)  # that of the accuracy on 500 rows
    now, before = (np.array([noisy_sweep(seed, noise, repeats=r) for seed in range(5)]) for r in (False, True))
    assert now[:, 0].max() < 0.1 < 0.2 < before[:, 0].mean()
    assert now[:, 1].mean() < before[:, 1].mean() + 2e-3


def test_without_noise_it_goes_on_to_the_optimum():
    regret = [noisy_sweep(seed, 0.0)[1] for seed in range(3)]
    assert max(regret) < 1e-3


def test_the_points_of_a_batch_are_no_near_copies_of_one_another():
    generator = np.random.default_rng(1)
    study = optuna.create_study(sampler=sampler("auto", 0, space=NOISY))
    for _ in range(24):
        trial = study.ask()
        study.tell(trial, NOISY.suggest(trial)["dropout"] + 0.3 * generator.normal())
    asked = [NOISY.suggest(study.ask()) for _ in range(16)]
    assert not any(is_near(a, b) for a, b in itertools.combinations(asked, 2))


@pytest.mark.parametrize("number", [0, 2.5, True])
@pytest.mark.parametrize("option", ["n_startup_trials", "structures"])
def test_an_impossible_number_is_refused(option, number):
    with pytest.raises(ValueError, match=rf"{option}(: .* is not an integer of at least 1| must be a whole number)"):
        sampler("auto", **{option: number})


UNITS = Space.parse(
    {
        "units": {"low": 4, "high": 256, "log": True},
        "rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "kind": ["a", "b"],
    }
)
COST = KnownCosts(lambda point: (74.0 * point["units"],), lambda point: True, frozenset(["units"]), 1)


def score_loss(point):
    away = (math.log10(point["rate"]) + 2.5) ** 2 + 0.5 * (point["kind"] == "a")
    return math.exp(-point["units"] / 16) + 0.3 * away


def two_objectives(name, seed, trials=40, known_costs=COST):
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=sampler(name, seed, space=UNITS, known_costs=known_costs)
    )
    while len(study.trials) < trials:
        asked = [study.ask() for _ in range(4)]
        for trial, point in zip(asked, [UNITS.suggest(trial) for trial in asked], strict=True):
            study.tell(trial, [1.0 - score_loss(point), 74.0 * point["units"]])
    return study


def test_of_two_objectives_the_front_is_found():
    def volume(study):
        values = np.array([trial.values for trial in study.trials])
        return hypervolume(np.stack([-values[:, 0], np.log(values[:, 1])], axis=1), (0.0, math.log(74 * 256)))

    ours, others = ([volume(two_objectives(name, seed)) for seed in range(3)] for name in ("auto", "tpe"))
    # The whole front: the best rate and kind at every size.
    front = np.array([[-(1.0 - math.exp(-u / 16)), math.log(74 * u)] for u in range(4, 257)])
    assert min(ours) > 0.97 * hypervolume(front, (0.0, math.log(74 * 256)))
    assert np.mean(ours) > np.mean(others)


def test_of_three_objectives_more_is_found_than_by_chance():
    """The third is cheap where the second is dear: units by their share of 256, and the kind that scores less costs half."""

    def costs(point):
        return 74.0 * point["units"], (1.0 + (point["kind"] == "b")) / point["units"]

    def volume(points):
        values = np.array([(score_loss(point), *np.log(costs(point))) for point in points])
        reference = np.array([1.0, math.log(74 * 256), math.log(2 / 4)])
        return compute_hypervolume(np.minimum(values, reference), reference)

    def found(name, seed):
        known = KnownCosts(costs, lambda point: True, frozenset(["units", "kind"]), 2)
        study = optuna.create_study(
            directions=["maximize", "minimize", "minimize"], sampler=sampler(name, seed, space=UNITS, known_costs=known)
        )
        for _ in range(32):
            trial = study.ask()
            point = UNITS.suggest(trial)
            study.tell(trial, [-score_loss(point), *costs(point)])
        return volume([UNITS.point(trial.params) for trial in study.trials])

    ours, chance = ([found(name, seed) for seed in range(3)] for name in ("auto", "random"))
    assert all(own > other for own, other in zip(ours, chance, strict=True))


def test_a_cost_in_proportion_to_another_changes_no_proposal():
    known = KnownCosts(lambda point: (*COST.of(point), 4 * 74.0 * point["units"]), COST.admits, COST.names, 2)
    study = two_objectives("auto", 2, 24)
    proposer = sampler("auto", 2, space=UNITS, known_costs=known)
    both = optuna.create_study(directions=["maximize", "minimize", "minimize"], sampler=proposer)
    for trial in study.trials[:20]:
        both.add_trial(
            create_trial(
                params=trial.params, distributions=trial.distributions, values=[*trial.values, 4 * trial.values[1]]
            )
        )
    assert UNITS.suggest(both.ask()) == UNITS.point(study.trials[20].params)


def test_of_two_objectives_a_rebuilt_study_proposes_the_same():
    study = two_objectives("auto", 1, 24)
    for length in (8, 12, 20):
        rebuilt = optuna.create_study(
            directions=study.directions, sampler=sampler("auto", 1, space=UNITS, known_costs=COST)
        )
        rebuilt.add_trials(study.trials[:length])
        assert UNITS.suggest(rebuilt.ask()) == UNITS.point(study.trials[length].params)


@pytest.mark.parametrize(
    ("directions", "known_costs"),
    [(["maximize", "minimize"], None), (["maximize"] * 3, COST), (["maximize"], COST)],
)
def test_costs_that_are_not_known_are_refused(directions, known_costs):
    study = optuna.create_study(directions=directions, sampler=sampler("auto", 0, space=UNITS, known_costs=known_costs))
    if len(directions) == 1:
        assert UNITS.suggest(study.ask())
    else:
        with pytest.raises(ValueError, match="multi-objective"):
            UNITS.suggest(study.ask())


def test_a_good_prior_saves_trials_and_a_wrong_one_is_overruled():
    none, near, far = (
        np.array([quadratic(seed, prior, trials) for seed in range(10)])
        for prior, trials in ((None, 40), ("near", 16), ("far", 40))
    )
    assert near[:, 15].mean() < 0.5 * none[:, 15].mean()
    assert near[:, 7].mean() < none[:, 15].mean()  # after the first points already
    assert far[:, 15].mean() > none[:, 15].mean()
    assert far[:, 39].mean() < 3 * none[:, 39].mean()
    assert far[:, 39].mean() < 0.1 * none[:, 15].mean()


PRIORS = {
    **TABLE,
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "prior": 3e-3},
    "units_1": {"choices": [16, 64, 256], "prior": 64},
    "activation": {"choices": ["relu", "tanh", "elu"], "prior": "relu"},
}


@pytest.mark.parametrize("name", ["auto", "mobster"])
def test_with_priors_a_fresh_sampler_proposes_the_same_at_every_length_of_the_history(name):
    space = Space.parse(PRIORS)
    study = optuna.create_study(sampler=sampler(name, 3, space=space))
    points = []
    for _ in range(20):
        trial = study.ask()
        points.append(space.suggest(trial))
        trial.report(value(points[-1]), 1)
        study.tell(trial, value(points[-1]))
    assert points[0].items() >= {"learning_rate": 3e-3, "units_1": 64, "activation": "relu"}.items()
    for length in (0, 1, 8, 15):
        again = optuna.create_study(sampler=sampler(name, 3, space=space))
        again.add_trials(study.trials[:length])
        assert space.suggest(again.ask()) == points[length]


def test_priors_are_told():
    assert sampler("auto", space=PRIORS, trials=64).choice.endswith("under a Gaussian process, weighed by 3 priors")
    assert "prior" not in sampler("auto", space=TABLE, trials=64).choice
