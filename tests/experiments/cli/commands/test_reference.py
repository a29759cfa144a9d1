"""`params`, `methods` and `metrics` as users type them."""

import json

import pytest

from tests.support.processes import Run


@pytest.mark.parametrize(
    ("command", "name", "part"),
    [("params", "dropout", "can change"), ("methods", "hyperband", "eta"), ("metrics", "rmse", "root of the mean")],
)
def test_all_or_one_as_text_or_for_programs(run: Run, command: str, name: str, part: str) -> None:
    everything, one = run(command), run(command, name)
    assert (everything.exit_code, one.exit_code, everything.stderr) == (0, 0, "")
    assert f"\n{name} " in everything.stdout
    assert part in one.stdout
    assert name in [row["name"] for row in json.loads(run(command, "--json").stdout)]
    assert json.loads(run(command, name, "--json").stdout)["name"] == name


@pytest.mark.parametrize(("command", "slip"), [("params", "dropuot"), ("methods", "hyperbnd"), ("metrics", "rsme")])
def test_a_slip_is_told_in_one_line(run: Run, command: str, slip: str) -> None:
    ran = run(command, slip)
    assert (ran.exit_code, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)
    assert "did you mean" in ran.stderr
