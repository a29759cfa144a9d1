"""What a sweep has found is read back whole, also of one that was interrupted."""

import pytest

import mlptune
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, iris


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
