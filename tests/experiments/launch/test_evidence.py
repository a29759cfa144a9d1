"""What is measured beside the search, against scikit-learn and plain counting."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, r2_score, recall_score

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import Network
from mlptune.core.structure import Structure
from mlptune.core.training import start
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import MemoryTable
from mlptune.experiments.data.understanding import understood
from mlptune.experiments.formats import MEMORY
from mlptune.experiments.launch.evidence import constant_units, measure
from mlptune.experiments.launch.members import validation_rows
from mlptune.experiments.launch.plan import SweepPlan, plan_of
from mlptune.experiments.launch.unstored import Found, search_unstored

Case = tuple[SweepPlan, Found]


def table(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"power": rng.normal(size=n), "noise": rng.normal(size=n), "colour": rng.choice(["red", "blue"], n)}
    )
    frame["kind"] = np.where(frame["power"] + 0.1 * rng.normal(size=n) > 0.3, "suv", "mini")
    frame["price"] = 100 + 30 * frame["power"] + rng.normal(size=n)
    return frame


def searched(target: str) -> Case:
    frame = table().drop(columns="price" if target == "kind" else "kind")
    frame = pd.concat([frame, frame.iloc[:40]], ignore_index=True)
    tables: dict[str, Any] = {
        "data": {"folds": 3, "test_size": 0.0, "duplicates": "apart"},
        "model": {"epochs": 12, "hidden": [8]},
        "space": {"learning_rate": {"low": 0.01, "high": 0.1}},
        "search": {"method": "random", "trials": 2},
        "objective": {"ensemble": 0},
    }
    spec, _ = load_spec(tables, data=MEMORY, target=target)
    given = MemoryTable(frame, target)
    return plan_of(spec, given), search_unstored(spec, given)


@pytest.fixture(scope="module")
def classes() -> Case:
    return searched("kind")


@pytest.fixture(scope="module")
def numbers() -> Case:
    return searched("price")


def study() -> optuna.Study:
    """Trials of which only x matters."""
    made = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    made.optimize(lambda t: t.suggest_float("x", -1, 1) ** 2 + 0 * t.suggest_float("y", -1, 1), 40)
    return made


def measured(case: Case, outputs: np.ndarray, operations: float = 0.0) -> dict[str, Any]:
    plan, found = case
    plan = replace(plan, trial_operations=operations)
    return measure(plan, study(), validation_rows(plan), outputs, found.model, {"hidden": [8], "epochs": 12})


def probabilities(case: Case) -> np.ndarray:
    return np.random.default_rng(1).uniform(size=(len(validation_rows(case[0]).y), 1))


def test_counts_of_classes_are_those_of_scikit_learn(classes: Case) -> None:
    p, y = probabilities(classes), validation_rows(classes[0]).y
    found, called = measured(classes, p), (p[:, 0] > 0.5).astype(int)
    assert found["confusion"] == confusion_matrix(y, called).tolist()
    assert found["score"] == pytest.approx(accuracy_score(y, called), rel=1e-5)
    for threshold, recall, _, precision in found["thresholds"]:
        above = (p[:, 0] >= threshold).astype(int)
        assert recall == pytest.approx(recall_score(y, above), rel=1e-5)
        assert precision == pytest.approx(precision_score(y, above, zero_division=1.0), rel=1e-5)
    assert sum(n for _, _, n in found["calibration"]) == len(y)
    bounds = np.cumsum([0, *(len(fold.arrays.X_val) for fold in classes[0].dataset.folds())])
    expected = [accuracy_score(y[a:b], called[a:b]) for a, b in pairwise(bounds)]
    assert found["by_fold"] == pytest.approx(expected, rel=1e-5)


def test_the_constant_answer_is_that_of_a_dummy(classes: Case, numbers: Case) -> None:
    plan = classes[0]
    right = []
    for fold in plan.dataset.folds():
        dummy = DummyClassifier().fit(fold.arrays.X, fold.arrays.y)
        right.append(dummy.predict(fold.arrays.X_val) == fold.arrays.y_val)
    assert measured(classes, probabilities(classes))["constant"] == pytest.approx(
        np.concatenate(right).mean(), rel=1e-5
    )
    y = validation_rows(numbers[0]).y
    assert measured(numbers, y + 1.0)["constant"] == pytest.approx(0.0, abs=0.05)


def test_errors_of_numbers(numbers: Case) -> None:
    y = validation_rows(numbers[0]).y
    outputs = y + np.random.default_rng(2).normal(size=y.shape)
    found = measured(numbers, outputs)
    assert found["score"] == pytest.approx(r2_score(y, outputs), rel=1e-5)
    assert found["error_quantiles"] == pytest.approx(np.quantile(outputs - y, [0.05, 0.25, 0.5, 0.75, 0.95]), rel=1e-4)
    assert {tuple(pair) for pair in found["predicted"]} <= {
        (float(f"{a:.6g}"), float(f"{b:.6g}")) for a, b in zip(y[:, 0], outputs[:, 0], strict=True)
    }


def test_rows_that_occur_twice_are_counted(classes: Case) -> None:
    count = 0
    for fold in classes[0].dataset.folds():
        train = pd.DataFrame(fold.arrays.X).assign(y=fold.arrays.y)
        val = pd.DataFrame(fold.arrays.X_val).assign(y=fold.arrays.y_val)
        count += len(val.merge(train.drop_duplicates(), how="inner"))
    assert measured(classes, probabilities(classes))["repeated"] == count
    assert count > 0


def test_what_matters_is_found(classes: Case, numbers: Case) -> None:
    """Of hyperparameters and of columns, where the sweep is long enough for it to cost little."""
    assert not {"importance", "baselines"} & set(measured(classes, probabilities(classes)))
    # Here fitting them would cost little, but importing them as much as the search.
    assert "baselines" not in measured(classes, probabilities(classes), operations=5e7)
    for case in (classes, numbers):
        y = validation_rows(case[0]).y
        found = measured(case, y.astype(float).reshape(-1, 1), operations=1e12)
        shares = found["hyperparameter_importance"]
        assert shares["x"] > 0.9
        drops = dict(found["importance"])
        assert max(drops, key=lambda name: drops[name]) == "power"
        assert abs(drops["noise"]) < 0.3 * drops["power"]
        names = [row["name"] for row in found["baselines"]]
        assert names[0] == "mlptune"
        assert all(row["score"] > 0.8 for row in found["baselines"])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_units_that_are_always_the_same_are_counted(activation: str) -> None:
    hp = Hyperparameters.from_config({"hidden": [8, 4], "activation": activation, "scaling": "none"})
    structure = Structure.of(hp, n_inputs=3, n_outputs=2, n_rows=50, loss="cross_entropy")
    state = start(structure, [Network(hp, seed=0)])
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert max(constant_units(structure, state.theta, state.buffers, X)) < 0.3
    # The first layer's parameters are (3 + 1, 8), the biases last: two units get one that nothing gets over.
    state.theta[0, : 4 * 8].reshape(4, 8)[-1, :2] = -1e4
    found = constant_units(structure, state.theta, state.buffers, X)
    assert found[0] >= 0.25


def test_the_columns_as_they_were_understood() -> None:
    """Also of a table whose numbers are read only once, with rows that have no target and a column that gives it away."""
    frame = table()
    frame["price"] = [f"${1000 * value:,.0f}" for value in 100 + 30 * frame["power"]]
    frame["tax"], frame["nothing"], frame["noise"] = frame["power"] * 2, None, "1,5"
    frame.loc[3, "price"] = None
    frame = frame.drop(columns="kind")
    spec, _ = load_spec({"search": {"trials": 1}, "model": {"epochs": 1}}, data=MEMORY, target="price")
    dataset = plan_of(spec, MemoryTable(frame, "price")).dataset
    before = understood(frame, dataset, spec.data)
    columns = {column.name: column for column in understood(dataset.rows.frame, dataset, spec.data)}
    assert list(columns) == list(frame.columns) == [column.name for column in before]
    assert [column.becomes for column in columns.values()] == [column.becomes for column in before]
    assert columns["price"].missing == 1
    assert columns["price"].remarks[0].startswith("'$")
    assert columns["nothing"].reason
    assert dataset.telling == ("power", "tax")
    assert dataset.messages[0].startswith("power, tax tell price each by itself")


def test_copies_are_what_duplicates_keeps_together() -> None:
    frame = pd.concat([table(), table().iloc[:40]], ignore_index=True)
    tables: dict[str, Any] = {"data": {"duplicates": "apart"}, "search": {"trials": 1}, "model": {"epochs": 1}}
    for duplicates, some in (("apart", True), ("together", False)):
        tables["data"]["duplicates"] = duplicates
        spec, _ = load_spec(tables, data=MEMORY, target="kind")
        assert (plan_of(spec, MemoryTable(frame, "kind")).dataset.n_copied() > 0) is some
    answers = pd.DataFrame({"a": np.arange(200) % 2, "b": np.arange(200) % 3, "kind": np.arange(200) % 2})
    spec, _ = load_spec(tables, data=MEMORY, target="kind")
    assert plan_of(spec, MemoryTable(answers, "kind")).dataset.n_copied() == 0  # they agree by chance
