"""Launches as users name, list, compare, rename, delete and export them: a good one, a worse one and one that was stopped."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import mlptune
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.processes import Run
from tests.support.sweeps import iris

TINY = {"objective__ensemble": 1, "search__method": "random"}


@pytest.fixture(scope="module")
def launches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launches")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    good = iris(**TINY, search__trials=4, model={"epochs": 12}, space={"learning_rate": [0.02, 0.03]})
    worse = iris(**TINY, search__trials=2, model={"epochs": 1, "hidden": [2]}, space={"learning_rate": [1e-5, 2e-5]})
    for spec in (good, worse):
        mlptune.run_sweep(spec, tracking_uri=uri, workers=1)
    stopped = iris(search__method="random", search__trials=12)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(stopped, tracking_uri=uri, workers=1, observer=AfterTrials(4, press_ctrl_c))
    return folder


@pytest.fixture
def here(launches: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(launches)
    return run


def test_all_are_listed_within_80_columns(here: Run) -> None:
    [sweep] = json.loads(here("list", "--json").stdout)
    assert (sweep["launch"], sweep["state"], sweep["launches"]) == (2, "finished", 3)
    assert (sweep["newer"]["launch"], sweep["newer"]["state"]) == (3, "interrupted")
    assert sweep["newer"]["best_value"] is not None  # so far
    listed = here("list").stdout.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["iris", "finished"], ["interrupted", "random"]]
    every = json.loads(here("list", "iris", "--json").stdout)
    assert [entry["launch"] for entry in every] == [3, 2, 1]
    table = here("list", "iris").stdout.splitlines()
    assert table[0].startswith("iris: 3 launches, val_score")
    assert max(map(len, [*listed, *table])) <= 80
    ran = here("list", "iris#2")
    assert (ran.exit_code, "`mlptune list iris` lists all" in ran.stderr) == (2, True)


def test_the_name_means_the_newest_finished_launch_and_says_so(here: Run) -> None:
    for command in (["best", "iris"], ["show", "iris"], ["best", "iris", "--format", "toml"]):
        ran = here(*command)
        assert ran.exit_code == 0
        [line] = ran.stderr.splitlines()
        assert line.startswith("iris: this is launch #2; #3 was interrupted; #1 was better: expected val_score ")
    first = here("best", "iris#1")
    assert first.stderr == ""
    assert 'mlptune.load_model("iris#1")' in first.stdout
    run_id = json.loads(here("best", "iris#1", "--json").stdout)["run_id"]
    assert here("best", "iris", "--run", run_id[:12]).stdout == first.stdout
    assert json.loads(here("show", "iris", "--json").stdout)["run_id"] != run_id


def test_of_one_that_was_stopped_there_is_no_model_to_recommend(here: Run) -> None:
    ran = here("best", "iris#3")
    assert ran.stdout.startswith("iris#3: interrupted, so far trial ")
    assert "load_model" not in ran.stdout
    ran = here("export", "iris#3", "-o", "nowhere")
    assert (ran.exit_code, "'iris#3' has no model yet; its state is interrupted" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["best", "iris#7"], "the sweep 'iris' has no launch #7; its launches: #1, #2, #3"),
        (["show", "iris#two"], "'iris#two' is not the name of a sweep, nor of a launch such as iris#1"),
        (["best", "irs#1"], "there is no sweep 'irs'; did you mean 'iris'?"),
        (["best", "iris#1", "--run", "abc"], "names a launch already"),
        (["compare", "iris#1"], "compare needs two launches; there is only iris#1"),
        (["delete", "iris#9", "--yes"], "has no launch #9"),
        (["rename", "iris#1", "x"], "a sweep is renamed with all its launches"),
        (["rename", "iris", "a/b"], "'a/b' cannot be a name"),
        (["rename", "iris", "iris"], "the sweep is called 'iris' already"),
    ],
)
def test_slips_are_told_in_one_line(command: list[str], line: str, here: Run) -> None:
    ran = here(*command)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert line in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_launches_are_compared(here: Run) -> None:
    document = json.loads(here("compare", "iris#1", "iris#2", "--json").stdout)
    assert {row["key"]: row["values"] for row in document["settings"]}["search.trials"] == [4, 2]
    [difference] = document["differences"]
    assert (difference["better"], difference["other"], difference["beyond_noise"]) == (0, 1, True)
    text = here("compare", "iris").stdout
    assert text.splitlines()[0].split() == ["iris#1", "iris#2", "iris#3"]
    assert "iris#1 is better than iris#2 by " in text


def test_one_is_exported_and_all_are_renamed_and_deleted(launches: Path, here: Run) -> None:
    ran = here("delete", "iris#3")
    assert (ran.exit_code, "nothing is deleted" in ran.stderr) == (2, True)
    ran = here("delete", "iris#3", "--yes")
    assert ran.stdout.startswith("deleted launch #3 of 'iris' (")
    assert "mlflow gc --tracking-uri 'sqlite:///" in ran.stderr
    ran = here("rename", "iris", "flowers")
    assert (ran.exit_code, ran.stdout) == (0, "renamed iris to flowers\n")
    spec = iris(**TINY, name="flowers", search__trials=4, model={"epochs": 12}, space={"learning_rate": [0.02, 0.03]})
    assert here("delete", "flowers#2", "--yes").exit_code == 0
    again = mlptune.run_sweep(spec, resume=True, workers=1)
    assert again.best["run_id"] == json.loads(here("best", "flowers#1", "--json").stdout)["run_id"]

    rows = pd.DataFrame({name: [1.0, 4.0, 6.5] for name in mlptune.load_model("flowers").feature_names_in_})
    rows.to_csv("new.csv", index=False)
    assert here("export", "flowers", "-o", "model").exit_code == 0
    assert here("predict", "flowers", "new.csv", "-o", "ours.csv").exit_code == 0
    subprocess.run([sys.executable, "-I", "model/predict.py", "new.csv", "-o", "theirs.csv"], check=True)
    assert Path("theirs.csv").read_text() == Path("ours.csv").read_text()

    assert here("delete", "flowers", "-y").stdout == "deleted the sweep 'flowers' with 1 launch (4 trials)\n"
    assert json.loads(here("list", "--json").stdout) == []
    new = mlptune.run_sweep({**spec, "search": {"method": "random", "trials": 1}}, workers=1)
    assert json.loads(here("list", "flowers", "--json").stdout)[0]["run_id"] == new.run_id


def test_a_model_of_another_table_is_told(tmp_path: Path, run: Run) -> None:
    tiny = ["--trials", "1", "--epochs", "1", "--set", "model.preset=plain", "--workers", "1", "--name", "data"]
    for column in ("height", "width"):
        rows = "".join(f"{i % 9},{'yes' if i % 3 else 'no'}\n" for i in range(60))
        (tmp_path / f"{column}.csv").write_text(f"{column},y\n{rows}")
        assert run("sweep", "--data", f"{column}.csv", "--target", "y", *tiny).exit_code == 0
    ran = run("predict", "data", "height.csv", "-o", "out.csv")
    assert ran.exit_code == 2
    assert ran.stderr.splitlines() == [
        "height.csv: the model of data#1 has the columns of this table, that of data has others",
        "mlptune: height.csv: the rows lack the column 'width'; there are 'height', 'y'",
    ]
    assert run("predict", "data#1", "height.csv", "-o", "out.csv").exit_code == 0
