"""What a sweep has found is read back whole, also where its settings are too long for a tag of MLflow's."""

import pytest

import mlptune
from mlptune.experiments.results import best, show
from mlptune.tracking import reader, records, schema
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, iris


@pytest.mark.usefixtures("store")
def test_settings_longer_than_a_tag_are_followed_to_their_artifact() -> None:
    changes = [[epoch, {"learning_rate": 0.001 + epoch / 1e6, "l2": epoch / 1e7}] for epoch in range(2, 300)]
    spec = iris(name="long", model={"epochs": 300, "early_stopping": 2, "changes": changes}, space={})
    result = mlptune.run_sweep(spec, workers=1)
    launch = reader.launch(None, "long")
    assert launch.tags[schema.FIXED].startswith(records.ARTIFACT)
    assert mlptune.best_config("long")["changes"] == changes
    assert best("long") == result.best
    assert show("long")["best"] == result.best
    assert mlptune.run_sweep(spec, resume=True, workers=1).best == result.best


def test_a_result_read_back_is_the_one_that_was_returned(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mlptune.run_sweep(iris(search__trials=4))
    second = mlptune.run_sweep(iris(search__trials=5, seed=1))
    for result, run in ((second, None), (first, first.run_id[:12])):
        read = mlptune.load_result("iris", run)
        assert essence(read) == essence(result)
        assert (read.run_id, read.best_config, read.tracking_uri) == (result.run_id, result.best_config, store)
        assert read.trials.equals(result.trials)
        assert "val_score" in read._repr_html_()
    with pytest.raises(mlptune.NotFound, match="did you mean 'iris'"):
        mlptune.load_result("irs")
    with pytest.raises(mlptune.NotFound, match="has no run"):
        mlptune.load_result("iris", "0123")


@pytest.mark.usefixtures("store")
def test_of_an_interrupted_sweep_there_is_what_was_found_so_far() -> None:
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(iris(search__method="random"), observer=AfterTrials(4, press_ctrl_c))
    result = mlptune.load_result("iris")
    assert result.summary()["state"] == "interrupted"
    assert result.best["number"] in result.trials["number"].tolist()
    complete = [trial for trial in result.study.trials if trial.state.name == "COMPLETE"]
    assert len(complete) == (result.trials["state"] == "complete").sum()
