"""The pages of docs/reference say what the code says, and leave nothing unsaid."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))


def test_the_pages_are_in_step_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a narrow terminal, which the help of the command line would otherwise follow. `make check` runs it as a command."""
    monkeypatch.setenv("COLUMNS", "40")
    generator = runpy.run_path(str(ROOT / "docs" / "generate_reference.py"))
    assert generator["stale"]() == []


def test_every_key_of_the_sweep_file_has_a_meaning() -> None:
    rows = _rows(ROOT / "docs" / "reference" / "sweep-file.md")
    assert len(rows) > 30
    assert not [row for row in rows if not row[-1]]


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")], ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def _rows(page: Path) -> list[list[str]]:
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")], ids=lambda path: path.name
)
def test_files_named_exist(page: Path) -> None:
    """Paths from the root, between backticks: a page that names a file or folder that has moved is found here."""
    named = re.findall(
        r"`((?:core|search|tracking|experiments|tests|docs|examples)/[\w./-]+)`", page.read_text(encoding="utf-8")
    )
    assert not [path for path in named if not (ROOT / path).exists()]
