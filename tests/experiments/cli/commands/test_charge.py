"""`continue`, `try` and `stop` as they are typed: what is printed, and what is refused in one line."""

import json
import os
from pathlib import Path

import pytest

import mlptune
from tests.support.processes import Run, start, wait_until
from tests.support.sweeps import LONG, ROWS, iris


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished sweep "iris" that the tests add to."""
    folder = tmp_path_factory.mktemp("charge")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlptune.run_sweep(iris(search__trials=4), tracking_uri=uri, workers=1, verbose=False)
    return folder


@pytest.fixture
def here(finished: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(finished)
    return run


def test_a_sweep_grows_and_takes_a_trial_by_hand(here: Run) -> None:
    tried = here("try", "iris", "dropout=.0", "hidden=[8]", "--workers", "1")
    assert tried.exit_code == 0, tried.stderr
    assert tried.stdout.startswith("iris: trial 4 by hand, val_score ")
    assert "hidden=[8]  dropout=0" in tried.stdout
    grown = here("continue", "iris", "--trials", "+2", "--workers", "1", "--json")
    document = json.loads(grown.stdout)
    assert (len(document["trials"]), document["by_hand"]) == (7, [4])
    assert "(by hand)" in here("show", "iris").stdout
    assert "7/7" in here("list").stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["try", "iris", "dropout=9"], "dropout: 9 is not in the range 0.0 to 0.3"),
        (["try", "iris", "dropou=0"], "'dropou' is not searched; did you mean 'dropout'"),
        (["try", "iris", "dropout"], "dropout: write name=value"),
        (["try", "iris", "dropout=0", "dropout=.1"], "dropout: is given twice"),
        (["try", "iriss", "dropout=0"], "there is no sweep 'iriss'; did you mean 'iris'"),
        (["continue", "iris", "--trials", "+x"], "--trials: must be a whole number above 0, or +32"),
        (["continue", "iris", "--minutes", "+2"], "give it --trials +32"),
        (["continue", "iris#7"], "only the newest launch of a sweep goes on"),
        (["stop", "iris"], "iris: is not running, it is finished"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(here: Run, arguments: list[str], line: str) -> None:
    ran = here(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert line in ran.stderr.splitlines()[-1]


def test_a_running_sweep_is_listed_stopped_by_its_name_and_says_how_to_go_on(run: Run, tmp_path: Path) -> None:
    """In a process of its own, which ends as by Ctrl-C."""

    def listed() -> list[tuple[str, int]]:
        ran = run("list", "--json")
        return [(sweep["state"], sweep["trials"]) for sweep in json.loads(ran.stdout)] if ran.exit_code == 0 else []

    (tmp_path / "rows.csv").write_text(ROWS)
    process = start(tmp_path, *LONG, "1")
    try:
        wait_until(lambda: listed() and listed()[0][1] >= 8, process)
        assert listed()[0][0] == "running"
        stopped = run("stop", "rows")
        assert stopped.stdout.startswith(f"stopped rows, which {os.uname().nodename} process {process.pid} ran"), (
            stopped
        )
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert err.splitlines()[-2:] == [
        "interrupted; what is finished is kept. Continue with:",
        "  mlptune sweep --data rows.csv --target y --set search.trials=5000 --workers 1 --resume",
    ]
    assert [state for state, _ in listed()] == ["interrupted"]
    assert run("show", "rows").stdout.startswith("rows: interrupted, ")
    refused = run("stop", "rows")
    assert refused.exit_code == 2
    assert "rows: is not running, it is interrupted; `mlptune continue rows` goes on" in refused.stderr
