"""`list`, `show` and `best` over a real sweep in a real store."""

import json
import re
import tomllib
from pathlib import Path

from tests.support.processes import Run


def test_best_is_a_configuration_and_a_sweep_file_that_trains_it(folder: Path, there: Run) -> None:
    best = there("best", "cars", "--json")
    document = json.loads(best.stdout)
    assert document == json.loads(there("show", "cars", "--json").stdout)["best"]
    assert set(document) >= {"name", "run_id", "number", "params", "metric", "value", "test_score", "configuration"}
    assert {"epochs": 4, **document["params"]}.items() <= document["configuration"].items()
    written = there("best", "cars", "--format", "toml")
    tables = tomllib.loads(written.stdout)
    assert tables["space"] == {}
    assert tables["model"] == document["configuration"]
    (folder / "winner.toml").write_text(written.stdout)
    again = there("sweep", "winner.toml", "--set", "name=winner", "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["best"]["value"] == document["value"]
    assert json.loads(again.stdout)["best"]["test_score"] == document["test_score"]


def test_tables_in_the_terminal(folder: Path, there: Run) -> None:
    listed = there("list")
    assert listed.exit_code == 0
    assert re.search(r"^cars +finished +auto +6/6 ", listed.stdout, re.MULTILINE)
    shown = there("show", "cars", "--top", "2").stdout.splitlines()
    assert shown[0].startswith("cars: finished, method auto, 6 trials")
    assert shown[2].lstrip().startswith("*")
    assert len(shown) == 5
    assert 'mlptune.load_model("cars")' in there("best", "cars").stdout
