"""`run_sweep` with real processes and a real store: what it trains can be trained again.

That a plain script may call it without a main guard is shown by `test_faults.py` and, on standard input, by `test_readme.py`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments import queries
from mlptune.experiments.errors import UserError
from tests.support.sweeps import essence, small


def test_layers_choose_one_by_one_and_the_best_configuration_makes_an_estimator(store: str) -> None:
    space = {"layers": [1, 2], "units_1": [4, 8], "units_2": [4, 8], "activation_2": ["relu", "tanh"], "skip_2": [True]}
    model = {"epochs": 3, "activation": "tanh", "skip": False, "changes": [[3, {"learning_rate": 0.01}]]}
    result = mlptune.run_sweep(small("random", space=space, model=model, search__trials=8))
    assert {trial["state"] for trial in result.summary()["trials"]} == {"complete"}
    config = mlptune.best_config("small")
    assert not [name for name in config if name.startswith(("layers", "units", "activation_", "skip_"))]
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 2
    fitted = mlptune.MLPClassifier(**config, random_state=0).fit(X, y)
    assert fitted.n_epochs_ == 3
    rows = np.zeros((2, 30))
    assert mlptune.load_model("small").predict(rows).shape == (2,)


def test_training_the_best_configuration_alone_gives_its_recorded_curve(store: str) -> None:
    result = mlptune.run_sweep(small("random", objective__refit=False))
    alone = mlptune.run_sweep(
        small("random", name="alone", space={}, model=mlptune.best_config("small"), objective__refit=False)
    )
    best = result.curves[result.curves["number"] == result.best["number"]].drop(columns="number")
    pd.testing.assert_frame_equal(
        best.reset_index(drop=True), alone.curves.drop(columns="number"), check_exact=True, check_like=True
    )
    assert alone.best["value"] == result.best["value"]
    assert alone.best["test_score"] == result.best["test_score"]


def test_folds_seeds_and_another_metric(store: str) -> None:
    changes = {
        "data__folds": 3,
        "data__seeds": 2,
        "objective__metric": "balanced_accuracy",
        "search__trials": 3,
    }
    result = mlptune.run_sweep(small("random", **changes))
    assert result.best["metric"] == "val_balanced_accuracy"
    assert "val_balanced_accuracy" in result.curves
    assert len(mlptune.load_model("small").parts[0].theta) == 2
    kept = mlptune.run_sweep(small("random", name="kept", objective__refit=False, **changes))
    assert [len(part.theta) for part in mlptune.load_model("kept").parts] == [2, 2, 2]
    assert kept.best["value"] == result.best["value"]


QUICK = {"search.trials": 3, "search.batch": 3, "model.epochs": 3, "space": {"learning_rate": [0.001, 0.01, 0.1]}}


def cars(n: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(0)
    age, fuel = random.uniform(0, 15, n), random.choice(["petrol", "diesel", None], n)
    return pd.DataFrame({"age": age.round(2), "fuel": fuel, "price": (9 - age / 2 + random.normal(size=n)).round(2)})


def test_a_table_in_memory_is_the_sweep_of_its_file(store: str, tmp_path: Path) -> None:
    frame = cars()
    frame.to_csv(tmp_path / "cars.csv", index=False)
    before = frame.copy()
    of_file = mlptune.run_sweep(data="cars.csv", target="price", overrides=QUICK)
    in_memory = mlptune.run_sweep(data=frame.set_index(frame.index + 7), target="price", overrides=QUICK)
    assert (of_file.name, in_memory.name) == ("cars", "price")
    assert essence(in_memory, with_name=False) == essence(of_file, with_name=False)
    pd.testing.assert_frame_equal(frame, before)
    models = [mlptune.load_model(name) for name in ("cars", "price")]
    np.testing.assert_array_equal(*[model.predict(frame) for model in models])
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["cars.csv"]


def test_a_sweep_over_a_table_in_memory_needs_it_again(store: str, tmp_path: Path) -> None:
    frame, done = cars(), dict(QUICK)
    first = mlptune.run_sweep(data=frame, target="price", overrides=done)
    again = mlptune.run_sweep(data=frame.copy(), target="price", overrides=done, resume=True)
    assert again.run_id == first.run_id
    with pytest.raises(UserError, match="the data has changed"):
        mlptune.run_sweep(data=frame.assign(age=1.5 * frame["age"]), target="price", overrides=done, resume=True)

    text = queries.best_spec_toml("price")
    assert 'source = "memory"' in text
    (tmp_path / "best.toml").write_text(text, encoding="utf-8")
    assert "has to be given again" in text.splitlines()[0]
    for resume in (False, True):
        with pytest.raises(UserError, match="give it again") as refusal:
            mlptune.run_sweep(tmp_path / "best.toml", resume=resume)
        assert "\n" not in str(refusal.value)
    best = mlptune.run_sweep(tmp_path / "best.toml", data=frame)
    assert best.best["value"] == first.best["value"]


def test_arrays_are_a_table_too_and_a_sweep_file_may_come_with_it(store: str) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(90, 3)), np.repeat(["a", "b", "c"], 30)
    spec = {"name": "arrays", "data": {"folds": 2}, **{k: v for k, v in small().items() if k in ("model", "search")}}
    result = mlptune.run_sweep(spec, data=(X, y), overrides={"search.trials": 2})
    model = mlptune.load_model("arrays")
    assert (result.name, list(model.feature_names_in_)) == ("arrays", ["x0", "x1", "x2"])
    assert set(model.predict(X)) <= {"a", "b", "c"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"data": cars(), "target": "prize"}, "no column 'prize'.*did you mean 'price'"),
        ({"data": cars()}, "name the column to predict"),
        ({"source": {"data": {"source": "cars.csv"}}, "data": cars()}, 'source: is "cars.csv", and a table was given'),
        ({"data": cars(), "target": "price", "overrides": {"data.source": "cars.csv"}}, "and a table was given too"),
        ({"data": cars(), "target": "price", "overrides": {"data.weight": "weights"}}, "no column 'weights'"),
        ({"data": {"a": [1]}, "target": "a"}, "must be a DataFrame or an array"),
        ({"data": "memory", "target": "a"}, "give it again"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(store: str, arguments: dict, line: str) -> None:
    with pytest.raises(UserError, match=line) as refusal:
        mlptune.run_sweep(**arguments)
    assert "\n" not in str(refusal.value)


def test_the_best_configuration_fits_raw_columns_as_the_sweep_did(store: str) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 3)) * [1.0, 500.0, 0.01] + [0.0, 9000.0, 3.0], columns=["a", "b", "c"])
    frame = X.assign(price=50_000 + 4000 * X["a"] + 8 * X["b"] + 100_000 * X["c"])
    model = {"preset": "plain", "epochs": 40, "learning_rate": 0.01, "batch_size": 16}
    spec = {"name": "raw", "model": model, "space": {}, "objective": {"ensemble": 0}}
    result = mlptune.run_sweep(spec, data=frame, target="price", workers=1)
    config = mlptune.best_config("raw")
    assert config == result.best_config
    alone = mlptune.MLPRegressor(**config, random_state=0).fit(X, frame["price"])
    assert alone.score(X, frame["price"]) > result.best["test_score"] - 0.02 > 0.95
    with pytest.raises(UserError, match=r"\[model\] standardize: a sweep's tables are always standardised"):
        mlptune.run_sweep(spec, data=frame, target="price", overrides={"model.standardize": False})
