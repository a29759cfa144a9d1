"""The reference as text fits a terminal, and shows no marks of Markdown."""

import pytest

from mlptune.experiments import reference
from mlptune.experiments.cli import reference as text


@pytest.mark.parametrize("width", [80, 100])
def test_every_page_fits(width: int) -> None:
    pages = [
        text.parameters_text(reference.parameters(), width),
        text.methods_text(reference.methods(), reference.pruners(), width),
        text.metrics_text(reference.metrics(), width),
        *(text.parameter_text(reference.parameter(row["name"]), width) for row in reference.parameters()),
        *(text.method_text(reference.method(row["name"]), width) for row in reference.methods()),
    ]
    for page in pages:
        assert max(map(len, page.splitlines())) <= width
        assert "`" not in page


def test_a_default_is_written_as_in_a_sweep_file() -> None:
    assert [text.default_text(value) for value in ((64,), "relu", 1e-8, None, False, 32)] == [
        "[64]", '"relu"', "1e-08", "-", "false", "32",
    ]  # fmt: skip


def test_a_sentence_does_not_end_at_an_abbreviation() -> None:
    assert text.first_sentence("Add it (He et al. 2016). More.") == "Add it (He et al. 2016)."
    assert text.first_sentence("One of 0.5 only") == "One of 0.5 only."
