"""`report` and `diagnose` as users type them."""

import json
from pathlib import Path

from tests.support.processes import Run


def test_a_report_is_a_page_of_the_sweeps_name(folder: Path, there: Run) -> None:
    ran = there("report", "cars")
    assert (ran.exit_code, ran.stdout) == (0, "wrote cars.html\n")
    assert (folder / "cars.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert there("report", "cars", "-o", "other.html").exit_code == 0
    assert (folder / "other.html").read_bytes() == (folder / "cars.html").read_bytes()


def test_a_diagnosis_is_text_or_a_list(there: Run) -> None:
    found = json.loads(there("diagnose", "cars", "--json").stdout)
    assert all({"rule", "text", "evidence", "advice"} <= set(finding) for finding in found)
    text = there("diagnose", "cars").stdout
    assert all(finding["text"] in text for finding in found)


def test_a_sweep_that_there_is_not_is_named_with_the_nearest(there: Run) -> None:
    missing = there("report", "care")
    assert missing.exit_code == 2
    assert "did you mean 'cars'" in missing.stderr
