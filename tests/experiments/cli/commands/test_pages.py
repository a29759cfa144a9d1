"""What is typed to open a page."""

from tests.support.processes import Run


def test_a_port_that_there_cannot_be_is_refused(run: Run) -> None:
    refused = run("ui", "--port", "70000")
    assert refused.exit_code == 2
    [line] = [line for line in refused.output.splitlines() if "--port" in line]
    assert "65535" in line
