"""`columns`, `check` and `sweep --dry-run` as users type them: nothing is trained, nothing is stored."""

import json
from pathlib import Path

import pytest

from tests.support.processes import Run

TABLE = "id,power,colour,kind\n" + "".join(
    f"{i},{i * 7 % 11}.5,{'red' if i % 3 else 'blue'},{'ab'[i % 2]}\n" for i in range(60)
)


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    (tmp_path / "cars.csv").write_text(TABLE)
    return tmp_path


def test_columns_are_shown_and_told_to_programs(cars: Path, run: Run) -> None:
    ran = run("columns", "cars.csv", "--target", "kind")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[0] == "cars.csv: 60 rows, 4 columns; 2 used, as 3 inputs"
    assert "left out: integers that only" in ran.stdout
    document = json.loads(run("columns", "cars.csv", "--target", "kind", "--json").stdout)
    assert [column["name"] for column in document] == ["id", "power", "colour", "kind"]
    assert all({"name", "kind", "used", "reason", "missing", "levels"} <= set(column) for column in document)
    forced = json.loads(run("columns", "cars.csv", "--set", "data.numeric=['id']", "--json").stdout)
    assert forced[0]["used"]
    assert [path.name for path in cars.iterdir()] == ["cars.csv"]


def test_a_first_line_of_values_is_told_on_standard_error(cars: Path, run: Run) -> None:
    (cars / "bare.csv").write_text(TABLE.partition("\n")[2])
    ran = run("columns", "bare.csv", "--json")
    assert "first line holds values" in ran.stderr
    assert [column["name"] for column in json.loads(ran.stdout)] == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize(
    "arguments", [["cars.csv", "--target", "kin"], ["none.csv"], ["cars.csv", "--set", "data.x=1"]]
)
def test_wrong_columns_are_told_in_one_line(cars: Path, run: Run, arguments: list[str]) -> None:
    ran = run("columns", *arguments)
    assert (ran.exit_code, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)


def test_check_tells_all_problems_a_line_each(cars: Path, run: Run) -> None:
    (cars / "my.toml").write_text(
        '[data]\nsource = "cars.csv"\ntarget = "kind"\nignore = ["colr"]\n[model]\nl2 = -1\n[search]\ntrails = 3\nmethod = "tpr"\n'
    )
    ran = run("check", "my.toml")
    assert ran.exit_code == 2
    lines = ran.stdout.splitlines()
    assert len(lines) == 4
    for part in ("unknown key; did you mean 'trials'", "l2: must be", "did you mean 'tpe'", "no column 'colr'"):
        assert [line for line in lines if part in line]
    document = json.loads(run("check", "my.toml", "--json").stdout)
    assert document == {"problems": lines, "plan": None}


def test_check_says_that_there_are_none_and_what_is_planned(cars: Path, run: Run) -> None:
    ran = run("check", "--data", "cars.csv", "--target", "kind", "--set", "search.trials=7")
    assert (ran.exit_code, ran.stderr) == (0, "")
    first, second = ran.stdout.splitlines()
    assert first == "no problems"
    assert second.startswith("cars: 7 trials by auto, 5 networks each")
    assert [path.name for path in cars.iterdir()] == ["cars.csv"]


def test_a_dry_run_stores_nothing_and_says_what_the_run_would_do(cars: Path, run: Run) -> None:
    command = ["sweep", "--data", "cars.csv", "--target", "kind", "--trials", "3", "--workers", "1", "--dry-run"]
    ran = run(*command)
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.startswith("cars: the plan; nothing is trained\n")
    document = json.loads(run(*command, "--json").stdout)
    assert document["search"]["trials"] == 3
    assert document["forecast"]["workers"] == 1
    assert [column["name"] for column in document["columns"]] == ["id", "power", "colour", "kind"]
    assert [path.name for path in cars.iterdir()] == ["cars.csv"]


def test_a_dry_run_of_what_is_wrong_ends_with_status_2_and_one_line(cars: Path, run: Run) -> None:
    ran = run("sweep", "--data", "cars.csv", "--target", "kind", "--trials", "0", "--set", "model.l2=-1", "--dry-run")
    assert (ran.exit_code, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)
    assert "(and 1 more)" in ran.stderr
