"""Whole sweeps, with real processes and a real store: the same result for any number of workers, resumed or not."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.utils import compute_class_weight

import mlptune
from mlptune.experiments.errors import SweepFailed, UserError
from tests.support.observers import AfterTrials, Listener, press_ctrl_c
from tests.support.sweeps import essence, small


def test_one_worker_and_two_give_the_same_stored_sweep(store: str) -> None:
    """The method is one that stops trials; `test_equality.py` has all of them, without the store."""
    one = essence(mlptune.run_sweep(small("hyperband"), workers=1))
    assert one == essence(mlptune.run_sweep(small("hyperband"), workers=2))
    trials = one["document"]["trials"]
    assert [trial["number"] for trial in trials] == list(range(12))
    pruned = [trial for trial in trials if trial["state"] == "pruned"]
    assert pruned
    assert all(trial["epochs"] < 9 for trial in pruned)


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


def test_what_mlflow_shows(store: str) -> None:
    result = mlptune.run_sweep(small("hyperband", model__epochs=27))
    client = MlflowClient(store)
    parent = client.get_run(result.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["test_score"] == result.best["test_score"]
    assert parent.data.params["epochs"] == "27"
    assert {file.path for file in client.list_artifacts(result.run_id)} >= {"sweep.toml", "best_config.json"}
    children = client.search_runs([parent.info.experiment_id], f"tags.mlflow.parentRunId = '{result.run_id}'")
    assert len(children) == 12
    for child in children:
        number = int(child.data.tags["mlptune.number"])
        trial = result.summary()["trials"][number]
        assert child.data.params["learning_rate"] == str(trial["params"]["learning_rate"])
        for key in ("train_loss", "val_loss", "train_score", "val_score"):
            history = client.get_metric_history(child.info.run_id, key)
            assert sorted(point.step for point in history) == list(range(1, trial["epochs"] + 1))
    version = client.get_registered_model("small").latest_versions[0]
    assert version.run_id == result.run_id


def test_the_learning_of_a_policy_is_seen_in_the_run(store: str) -> None:
    result = mlptune.run_sweep(small("rl", model__epochs=2, search__options={"learning_rate": 2.0}))
    runs = result.summary()["trials"]
    metrics = [MlflowClient(store).get_run(trial["run_id"]).data.metrics for trial in runs]
    entropy = [found["rl_entropy"] for found in metrics]
    assert entropy[0] == 1.0
    assert 0 < entropy[-1] < 1
    assert metrics[-1]["rl_baseline"] < max(trial["value"] for trial in runs) + 1e-12


def test_the_stored_model_predicts_raw_rows_and_holds_no_pickle(store: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "size": np.tile([1.5, np.nan, 3.0, 4.5], 30),
            "colour": np.tile(["red", "blue", None, "red"], 30),
            "label": np.tile(["no", "yes", "yes", "no"], 30),
        }
    )
    frame.to_csv(tmp_path / "things.csv", index=False)
    mlptune.run_sweep(data="things.csv", target="label", overrides={"search.trials": 4, "data.seeds": 2})
    model = mlptune.load_model("things")
    assert model.score(frame, frame["label"]) == 1.0
    assert model.predict(frame.drop(columns="label")).tolist() == frame["label"].tolist()
    unknown = pd.DataFrame({"colour": ["green"], "size": [2.0], "more": [1]})
    assert model.predict_proba(unknown).sum() == pytest.approx(1.0, abs=1e-12)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "mlruns" in path.parts]
    assert files
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    script = (
        "import mlflow, pandas;"
        "model = mlflow.pyfunc.load_model('models:/things/1');"
        "print(model.predict(pandas.DataFrame({'size': [1.5], 'colour': ['red']}))['prediction'][0])"
    )
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert answer.stdout.strip() == "no", answer.stderr


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


def test_a_metric_with_and_without_its_prefix_is_the_same_sweep(store: str) -> None:
    with_prefix = mlptune.run_sweep(small("random", search__trials=3, objective__metric="val_log_loss"))
    without = mlptune.run_sweep(small("random", name="plain", search__trials=3, objective__metric="log_loss"))
    assert essence(without, with_name=False) == essence(with_prefix, with_name=False)
    assert with_prefix.best["metric"] == "val_log_loss"
    assert with_prefix.best["value"] == min(trial["value"] for trial in with_prefix.summary()["trials"])
    # The loss that a network of two classes is trained on, also where float32 takes a probability for 1.
    curves = with_prefix.curves
    np.testing.assert_allclose(curves["val_log_loss"], curves["val_loss"], rtol=1e-4)


def rare(folder: Path) -> pd.DataFrame:
    """200 rows in the order of `day`, a fifth of them "yes", with weights of 1 to 3 for the first 128, the training rows."""
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"day": np.arange(200), "a": generator.normal(size=200), "b": generator.normal(size=200)})
    frame["label"] = np.where(frame["a"] + generator.normal(size=200) > 1.1, "yes", "no")
    frame["own"] = np.where(frame["day"] < 128, generator.integers(1, 4, 200), 1.0)
    frame.to_csv(folder / "rare.csv", index=False)
    return frame


@pytest.mark.parametrize("given", ["balanced", {"yes": 3.0, "no": 0.25}])
def test_class_weights_are_weights_of_the_training_rows(given: object, store: str, tmp_path: Path) -> None:
    frame = rare(tmp_path)
    train, labels, own = frame["day"] < 128, frame["label"].to_numpy(), frame["own"].to_numpy()
    if given == "balanced":
        of_class = compute_class_weight(
            given, classes=np.array(["no", "yes"]), y=labels[train], sample_weight=own[train]
        )
    else:
        of_class = np.array([given["no"], given["yes"]])
    frame["product"] = np.where(train, own * of_class[(labels == "yes").astype(int)], own)
    frame.to_csv(tmp_path / "rare.csv", index=False)
    data = {"source": "rare.csv", "target": "label", "time": "day"}
    found = {}
    for name, column, other in (("classes", "own", "product"), ("rows", "product", "own")):
        model = {"epochs": 6, "early_stopping": 3, **({"class_weight": given} if name == "classes" else {})}
        spec = small("random", name=name, model=model, search__trials=4, objective__refit=False)
        spec["data"] = {**data, "weight": column, "ignore": [other]}
        found[name] = mlptune.run_sweep(spec)
    by_class, by_row = essence(found["classes"], with_name=False), essence(found["rows"], with_name=False)
    config = by_class["document"]["best"].pop("configuration")
    assert config == {**by_row["document"]["best"].pop("configuration"), "class_weight": given}
    assert by_class == by_row
    assert mlptune.best_config("classes") == config == found["classes"].best_config
    assert "class_weight" not in mlptune.best_config("rows")


def test_the_best_configuration_has_the_class_weights(store: str, tmp_path: Path) -> None:
    frame = rare(tmp_path).assign(label=lambda f: (f["label"] == "yes").astype(int))
    frame.to_csv(tmp_path / "rare.csv", index=False)
    weights = {"1": 4.0}
    spec = {
        **small("random", search__trials=2, model={"epochs": 3, "class_weight": weights}),
        "data": {"source": "rare.csv", "target": "label", "ignore": ["own"]},
    }
    result = mlptune.run_sweep(spec)
    config = mlptune.best_config("small")
    assert config == result.best_config
    fitted = [
        mlptune.MLPClassifier(**{**config, "class_weight": weight}, random_state=0).fit(frame[["a"]], frame["label"])
        for weight in (config["class_weight"], {1: 4.0})
    ]
    assert np.array_equal(*(model.predict_proba(frame[["a"]]) for model in fitted))
    assert MlflowClient(store).get_run(result.run_id).data.params["class_weight"] == '{"1":4.0}'
    (tmp_path / "best.toml").write_text(mlptune.experiments.results.best_spec_toml("small"))
    again = mlptune.run_sweep(tmp_path / "best.toml")
    assert again.best_config == config
    assert again.best["value"] == result.best["value"]
    with pytest.raises(UserError, match=r"--resume: model.class_weight.1 was 4.0 and is 5.0 now"):
        mlptune.run_sweep(spec, overrides={"model.class_weight": {"1": 5.0}}, resume=True)
    copies = {**spec, "name": "copies", "space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    copies["search"] = {"method": "pbt", "trials": 4, "batch": 4}
    copied = mlptune.run_sweep(copies)
    assert mlptune.best_config("copies") == copied.best_config
    assert copied.best_config["class_weight"] == weights


def test_every_trial_diverging_is_a_sweep_without_a_result(store: str) -> None:
    spec = small("random", model={"optimizer": "sgd", "epochs": 5}, space={"learning_rate": [1e20, 1e25]})
    with pytest.raises(SweepFailed, match=r"none of the 12 trials is complete \(diverged\)"):
        mlptune.run_sweep(spec)
    assert mlptune.experiments.results.show("small")["state"] == "failed"


def test_interrupted_refused_then_resumed(store: str) -> None:
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        mlptune.run_sweep(small(), observer=AfterTrials(6, press_ctrl_c))
    assert mlptune.experiments.results.show("small")["state"] == "interrupted"
    with pytest.raises(UserError, match="continue it with --resume, or give this one another name"):
        mlptune.run_sweep(small())
    with pytest.raises(UserError, match=r"cannot continue it: model.epochs was 9 and is 10 now; .* or give") as refused:
        mlptune.run_sweep(small(model__epochs=10))
    assert "--resume" not in str(refused.value)  # the command line would offer what was typed, with --resume
    with pytest.raises(UserError, match=r"model.epochs was 9 and is 10 now"):
        mlptune.run_sweep(small(model__epochs=10), resume=True)
    with pytest.raises(UserError, match=r"data.folds was not given and is 3 now"):
        mlptune.run_sweep(small(data__folds=3), resume=True)
    unfinished = mlptune.experiments.results.show("small")["run_id"]
    MlflowClient(store).set_tag(unfinished, "mlptune.machine", "an abacus")
    listener = Listener()
    resumed = mlptune.run_sweep(small(), resume=True, observer=listener)
    assert any("an abacus" in text for text in listener.messages)
    assert [trial["state"] for trial in resumed.summary()["trials"]] == ["complete"] * 12
    again = mlptune.run_sweep(small(), resume=True)
    assert again.summary() == resumed.summary()
    more = mlptune.run_sweep(small(search__trials=16), resume=True)
    assert [t["value"] for t in more.summary()["trials"]][:12] == [t["value"] for t in resumed.summary()["trials"]]
    assert len(more.summary()["trials"]) == 16
    assert more.run_id == resumed.run_id


def test_the_test_part_is_met_once_and_launches_are_counted(store: str) -> None:
    first = mlptune.run_sweep(small("random", search__trials=2))
    second = mlptune.run_sweep(small("random", search__trials=3))
    client = MlflowClient(store)
    counts = [client.get_run(r.run_id).data.tags["mlptune.test_scorings"] for r in (first, second)]
    assert counts == ["1", "2"]
    none = mlptune.run_sweep(small("random", name="untested", search__trials=2, data__test_size=0.0))
    assert none.best["test_score"] is None


def test_test_rows_never_reach_a_number_before_the_end(store: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    frame["y"] = (frame["a"] + 0.3 * rng.normal(size=200) > 0).astype(int)
    held_out = frame.iloc[150:].copy()
    frame.iloc[:150].to_csv(tmp_path / "train.csv", index=False)
    values = []
    for i, test in enumerate((held_out, held_out.assign(a=-1e3 * held_out["a"], b=0.0))):
        test.to_csv(tmp_path / "test.csv", index=False)
        data = {"source": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv"), "target": "y"}
        result = mlptune.run_sweep(
            {"name": f"sealed {i}", "data": data, "model": {"epochs": 5}, "search": {"trials": 4}}
        )
        values.append(([trial["value"] for trial in result.summary()["trials"]], result.best["test_score"]))
    assert values[0][0] == values[1][0]
    assert values[0][1] != values[1][1]


@pytest.mark.parametrize("how", ["script", "stdin"])
def test_run_sweep_needs_no_main_guard(how: str, store: str, tmp_path: Path) -> None:
    text = f"import mlptune\nprint(mlptune.run_sweep({small('random', search__trials=3)!r}, workers=2).best['value'])\n"
    script = tmp_path / "plain.py"
    script.write_text(text)
    command = [sys.executable, str(script)] if how == "script" else [sys.executable, "-"]
    answer = subprocess.run(command, input=text if how == "stdin" else None, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert math.isfinite(float(answer.stdout))


def test_objective_gives_the_numbers_of_the_sweep(store: str) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for stopper in ("none", "hyperband"):
        spec = small("random", name=f"as {stopper}", model__epochs=27, search__batch=1, search__pruner=stopper)
        sweep = mlptune.run_sweep(spec)
        study = optuna.create_study(
            study_name="mlptune",
            direction="maximize",
            sampler=mlptune.search.sampler("random", seed=0),
            pruner=mlptune.search.pruner(stopper, max_epochs=27),
        )
        study.optimize(mlptune.objective(spec), n_trials=12)
        for trial, mine in zip(study.trials, sweep.summary()["trials"], strict=True):
            assert (trial.state.name.lower(), trial.value) == (mine["state"], mine["value"])
            assert len(trial.intermediate_values) == mine["epochs"]


def test_improvement_per_cost_counts_the_operations_of_the_sweep(store: str) -> None:
    """The cost of a configuration is the engine's count; the sweep says nothing of it and takes no time of day."""
    from mlptune.experiments.config import load_spec
    from mlptune.experiments.data.dataset import Dataset
    from mlptune.experiments.launch.plan import make_plan
    from mlptune.experiments.launch.searching import training_cost

    options = {"acq_func": "EIps", "n_initial_points": 6, "n_points": 200}
    spec, _ = load_spec(small("bayesian", search__options=options))
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    wide = training_cost(plan, {"learning_rate": 0.1, "hidden": [800], "dropout": 0.0})
    assert wide / 150 < training_cost(plan, {"learning_rate": 0.1, "hidden": [8], "dropout": 0.0}) < wide / 50
    assert training_cost(plan, {"learning_rate": -1.0, "hidden": [8], "dropout": 0.0}) == math.inf
    first = mlptune.run_sweep(small("bayesian", search__options=options), workers=1)
    second = mlptune.run_sweep(small("bayesian", search__options=options, name="other"), workers=2)
    assert first.trials["value"].tolist() == second.trials["value"].tolist()
