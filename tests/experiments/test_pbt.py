"""Population-based training from the sweep file to the stored schedule, with real processes and a real store."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer

import mlptune
from mlptune.experiments import queries
from mlptune.experiments.cli.commands import app
from mlptune.experiments.errors import UserError
from mlptune.experiments.results import SweepResult
from mlptune.experiments.short import params_text
from mlptune.search.spaces.changes import values_at
from mlptune.tracking import reader
from tests.support.observers import Listener
from tests.support.processes import script, wait_until
from tests.support.sweeps import essence, on_file, small


def population(**changes: Any) -> dict[str, Any]:
    """Two populations of eight members, of which three copy after every second of nine epochs."""
    options = {"search__trials": 16, "search__options": {"population": 8, "interval": 2, "quantile": 0.4}}
    changed = {
        "data__seeds": 2,
        "objective__metric": "val_loss",
        "objective__refit": False,
        "objective__ensemble": 0,
        **options,
        **changes,
    }
    return small("pbt", **changed)


@pytest.fixture(scope="module")
def uri(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("population")
    shutil.copyfile(migrated, folder / "mlflow.db")
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return on_file(population(), tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def swept(uri: str, spec: dict[str, Any]) -> tuple[SweepResult, list[str]]:
    """A sweep whose best trial has copied others, and what was told before it began."""
    listener = Listener()
    result = mlptune.run_sweep(spec, workers=1, tracking_uri=uri, observer=listener)
    assert result.copied, "a case in which nothing was copied shows nothing"
    return result, listener.announced


def test_all_members_train_to_the_end(swept) -> None:
    result, told = swept
    assert [(trial["state"], trial["epochs"]) for trial in result.summary()["trials"]] == [("complete", 9)] * 16
    assert told[-4:] == [
        "batch = 4 is not used: search.options.population says who trains together",
        "early_stopping is off: under method pbt all trials train to the last epoch",
        "2 populations one after the other, of 8, 8 members, all trained for 9 epochs",
        "every 2 epochs the worst 3 copy the networks of the best 3 and change learning_rate, dropout",
    ]


def test_the_best_configuration_is_the_schedule_everywhere(swept, uri: str, tmp_path: Path) -> None:
    result, _ = swept
    schedule = mlptune.best_config("small", tracking_uri=uri)
    assert schedule == result.best_config
    assert schedule["changes"]
    stored = MlflowClient(uri).download_artifacts(result.run_id, "best_config.json", str(tmp_path))
    assert json.loads(Path(stored).read_text()) == schedule
    # The documents have it beside what was sampled.
    assert queries.best("small", tracking_uri=uri) == result.best
    assert result.best["configuration"] == schedule
    number = result.best["number"]
    assert result.best["params"] == result.summary()["trials"][number]["params"]
    X, y = load_breast_cancer(return_X_y=True)
    model = mlptune.MLPClassifier(**schedule).fit((X - X.mean(0)) / X.std(0), y)
    assert model.get_params()["changes"] == schedule["changes"]


def test_the_sweep_file_of_the_best_trains_its_network_again(swept, uri: str, tmp_path: Path) -> None:
    result, _ = swept
    (tmp_path / "winner.toml").write_text(queries.best_spec_toml("small", tracking_uri=uri))
    alone = mlptune.run_sweep(tmp_path / "winner.toml", tracking_uri=uri)
    assert alone.best["value"] == result.best["value"]
    assert alone.best["test_score"] == result.best["test_score"]
    epoch, _ = result.copied[-1]
    curves = [r.curves[r.curves["number"] == r.best["number"]].set_index("epoch") for r in (result, alone)]
    pd.testing.assert_frame_equal(
        *(curve.drop(columns="number").loc[epoch + 1 :] for curve in curves), check_exact=True, check_like=True
    )
    models = [mlptune.load_model(r.name, tracking_uri=uri).parts[0] for r in (result, alone)]
    np.testing.assert_array_equal(models[0].theta, models[1].theta, strict=True)


def test_schedules_are_told_in_words(swept, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    result, _ = swept
    epoch, source = result.copied[-1]
    app(["best", "small", "--tracking-uri", uri], standalone_mode=False)
    told = capsys.readouterr().out
    for first, values in result.best_config["changes"]:
        assert f"from epoch {first} on  {params_text(values)}" in told
    assert f"trial {source} at epoch {epoch}\n" in told
    app(["show", "small", "--tracking-uri", uri], standalone_mode=False)
    rows = capsys.readouterr().out.splitlines()
    row = next(row for row in rows if row.lstrip().startswith(f"*{result.best['number']} "))
    assert row.endswith(f"trial {source} at epoch {epoch})")


def test_what_mlflow_holds_of_a_schedule(swept, uri: str) -> None:
    result, _ = swept
    trial = result.summary()["trials"][result.best["number"]]
    client = MlflowClient(uri)
    run = client.get_run(trial["run_id"])
    told = ", ".join(f"trial {source} at epoch {epoch}" for epoch, source in result.copied)
    assert run.data.tags["mlptune.copied"] == told
    assert json.loads(run.data.tags["mlflow.note.content"].split("```")[1][4:]) == result.best_config
    assert run.data.params["learning_rate"] == str(trial["params"]["learning_rate"])
    rates = {point.step: point.value for point in client.get_metric_history(trial["run_id"], "learning_rate")}
    assert sorted(rates) == list(range(1, 10))
    assert rates[1] == trial["params"]["learning_rate"], "its own before it copied"
    assert rates[9] == values_at(result.best_config, 9)["learning_rate"]
    others = [t for t in reader.trials(uri, result.run_id) if not t.copied]
    assert "mlptune.copied" not in client.get_run(str(others[0].run_id)).data.tags


# It halts in the second population, of whose members four are committed by then and four are not.
HALTING = """
import time
import mlptune
from mlptune.experiments.progress import Observer

class Halting(Observer):
    left = 12

    def trial_finished(self, trial):
        self.left -= 1
        while not self.left:
            time.sleep(1)

mlptune.run_sweep({spec!r}, workers=1, observer=Halting())
"""


def _committed(client: MlflowClient) -> int:
    experiment = client.get_experiment_by_name("small")
    if experiment is None:
        return 0
    query = "tags.mlptune.kind = 'trial' and attributes.status != 'RUNNING'"
    return len(client.search_runs([experiment.experiment_id], query))


def test_killed_and_resumed_with_two_workers_equals_undisturbed(
    swept, spec: dict[str, Any], store: str, tmp_path: Path
) -> None:
    undisturbed, _ = swept
    client = MlflowClient(store)
    with subprocess.Popen(script(tmp_path, HALTING.format(spec=spec))) as process:
        wait_until(lambda: _committed(client) >= 12, process)
        process.send_signal(signal.SIGKILL)
    assert _committed(client) == 12
    resumed = mlptune.run_sweep(spec, resume=True, workers=2)
    assert essence(resumed) == essence(undisturbed)
    assert (resumed.best_config, resumed.copied) == (undisturbed.best_config, undisturbed.copied)
    found = [reader.trials(r.tracking_uri, r.run_id, rebuild=False) for r in (resumed, undisturbed)]
    assert [(t.configuration, t.copied) for t in found[0]] == [(t.configuration, t.copied) for t in found[1]]
    again = mlptune.run_sweep(spec, resume=True)
    assert (again.best_config, again.copied) == (resumed.best_config, resumed.copied)
    with pytest.raises(UserError, match=r"search.trials was 16 and is 24 now; method pbt plans with all its trials"):
        mlptune.run_sweep({**spec, "search": {**spec["search"], "trials": 24}}, resume=True)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"space": {"hidden": [[4], [8]]}}, r"method pbt: nothing in the space \(hidden\) may change during training"),
        ({"model": {}, "space": {"l2": [0.1, 0.2], "early_stopping": [2, 3]}}, r"\[space\] early_stopping: cannot be"),
        ({"model": {}, "space": {"l2": [0.1, 0.2], "epochs": [2, 3]}}, r"\[space\] epochs: cannot be searched under"),
        ({"model__changes": [[3, {"l2": 0.1}]]}, r"\[model\] changes: method pbt makes the changes itself"),
        (
            {"search__pruner": "median"},
            "pruner: 'median' cannot be combined with method 'pbt', which has its own scheduler",
        ),
        ({"search__options": {"interval": 0}}, "interval: 0 is not an integer of at least 1"),
        (
            {"space": {"momentum": [0.0, 0.9], "hidden": [[4], [8]]}},
            r"nothing in the space \(momentum, hidden\) may change",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(changes, line, store: str) -> None:
    with pytest.raises(UserError, match=line):
        mlptune.run_sweep(population(**changes))
