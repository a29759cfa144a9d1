"""Class weights are weights of the training rows, and part of the best configuration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.utils import compute_class_weight

import mlptune
from mlptune.experiments.errors import UserError
from tests.support.sweeps import essence, small


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
    (tmp_path / "best.toml").write_text(mlptune.experiments.queries.best_spec_toml("small"))
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
