"""The pages that teach, as a reader would type them; the links of all pages; the notebooks, cell by cell."""

import importlib.util
import json
import re
import runpy
import shlex
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from typer.testing import CliRunner

from mlptune.experiments.cli import commands

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
# A sweep of the pages in a second: what is small comes last and so wins.
TINY = ["--workers", "1", "--epochs", "2", "--set", "model.preset=plain"]


def _site_links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_links", DOCS / "site_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SITE = _site_links()


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def _commands(page: str) -> list[list[str]]:
    lines = [line for block in _blocks(page, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), "the output of a command would be out of date one day"
    return [shlex.split(line[2:]) for line in lines]


def _type(words: list[str]) -> None:
    """Run one command of a page in this process and in the current folder."""
    if words[0] == "python":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words[1:])
            with pytest.raises(SystemExit) as ended:
                runpy.run_path(words[1], run_name="__main__")
            assert not ended.value.code
        return
    assert words[0] == "mlptune"
    if words[1] == "sweep":
        words = [*words, *TINY, *([] if words[2] == "nine.toml" else ["--trials", "2"])]  # a grid keeps its nine points
    answer = CliRunner().invoke(commands.app, words[1:], prog_name="mlptune")
    assert answer.exit_code == 0, f"{shlex.join(words)}\n{answer.output}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tables that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    rng, n = np.random.default_rng(0), 120
    size = rng.normal(size=n).round(3)
    frame = pd.DataFrame({"size": size, "colour": rng.choice(["red", "blue"], n)})
    frame["patient"] = [f"p{i // 3}" for i in range(n)]
    frame["day"] = pd.date_range("2024-01-01", periods=n).astype(str)
    yes = np.where(size + rng.normal(size=n) > 0.8, "yes", "no")
    amount = (10 * size + rng.normal(size=n)).round(2)
    for file, target, values in (
        ("cars", "price", amount),
        ("claims", "fraud", yes),
        ("sales", "sold", amount),
        ("visits", "outcome", yes),
        ("few", "outcome", yes),
        ("many", "outcome", yes),
    ):
        frame.assign(**{target: values}).to_csv(f"{file}.csv", index=False)
    frame.to_csv("new-claims.csv", index=False)
    load_wine(as_frame=True).data.head(9).to_csv("new.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("page", ["first-five-minutes.md", "recipes.md", "teaching.md"])
def test_the_page_does_what_it_says(page: str, desk: Path) -> None:
    for text in _blocks(page, "toml"):
        tomllib.loads(text)
        name = re.match(r"# (\S+\.toml)\n", text)
        assert name, "the first line of a sweep file names it"
        Path(name[1]).write_text(text, encoding="utf-8")
    for words in _commands(page):
        if words[:2] != ["mlptune", "gallery"]:  # minutes of training, and tested by itself
            _type(words)
    for code in _blocks(page, "python"):
        exec(compile(code, page, "exec"), {"__name__": "page"})


@pytest.mark.parametrize("page", SITE.sources(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [str(target) for target in SITE.targets(page) if not target.exists()] == []


@pytest.mark.parametrize(
    ("written", "in_the_site"),
    [
        ("[words](glossary.md#state)", "[words](glossary.md#state)"),
        ("[words](decisions)", "[words](decisions/README.md)"),
        ("[words](../CHANGELOG.md)", "[words](CHANGELOG.md)"),
        ("[`code`](../search/schedulers)", "`code`"),
        ("[words](https://example.org/a.md)", "[words](https://example.org/a.md)"),
        ("![a picture](pictures/a.png)", "![a picture](pictures/a.png)"),
        ("```toml\n[a](nothing)\n```", "```toml\n[a](nothing)\n```"),
    ],
)
def test_links_are_right_in_the_site_too(written: str, in_the_site: str) -> None:
    assert SITE.for_the_site(written, DOCS / "methods.md", pytest.fail) == in_the_site


def test_a_link_to_nothing_is_told() -> None:
    told: list[str] = []
    SITE.for_the_site("[words](nowhere.md)", DOCS / "methods.md", told.append)
    assert told == ["docs/methods.md links to 'nowhere.md', which does not exist"]


def test_the_list_of_decisions_is_complete() -> None:
    listed = {target.name for target in SITE.targets(DOCS / "decisions" / "README.md")}
    assert listed == {file.name for file in (DOCS / "decisions").glob("0*.md")}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells use nothing that plain Python has not, so they run here one after the other."""
    import matplotlib

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    matplotlib.use("agg")
    names: dict[str, Any] = {"__name__": "notebook"}
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        assert cell["outputs"] == [], "notebooks are kept without outputs"
        exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
    matplotlib.pyplot.close("all")
    if "scores" in names:
        assert names["scores"] == {0: pytest.approx(0.5, abs=0.26), 1: 1.0}
        assert names["losses"][0.1][-1] < names["losses"][0.01][-1]
