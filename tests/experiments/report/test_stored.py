"""What the store tells later is what memory told at the end."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

import mlptune
from mlptune.experiments.results import SweepResult, load_result
from mlptune.experiments.run import run_sweep
from mlptune.tracking import reader, schema
from tests.support.browser import in_browser
from tests.support.sweeps import iris

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def swept(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    store = tmp_path_factory.mktemp("stored") / "mlflow.db"
    store.write_bytes(migrated.read_bytes())
    return run_sweep(iris(), tracking_uri=f"sqlite:///{store}", workers=1)


def test_the_report_at_the_end_is_the_one_made_later(swept: SweepResult) -> None:
    stored = reader.artifact(swept.tracking_uri, swept.run_id, schema.REPORT_FILE).read_text(encoding="utf-8")
    assert stored == swept.report()


def test_the_diagnosis_at_the_end_is_the_one_made_later(swept: SweepResult) -> None:
    assert load_result("iris", tracking_uri=swept.tracking_uri).diagnosis == swept.diagnosis
    for finding in swept.diagnosis:
        assert set(finding) == {"rule", "severity", "text", "evidence", "advice"}


def test_a_hostile_table_runs_no_script_in_the_report_or_in_a_notebook(store: str, tmp_path: Path) -> None:
    """A real sweep, with HTML in each column's name, each label, each category and a choice of the space."""
    random = np.random.default_rng(0)
    evil = [f"{HOSTILE} {i}" for i in range(3)]
    frame = pd.DataFrame({name: random.normal(size=120) for name in evil})
    frame["category " + HOSTILE] = np.where(frame[evil[0]] > 0.5, HOSTILE, f"b {HOSTILE}")
    frame["target " + HOSTILE] = np.where(frame[evil[0]] + frame[evil[1]] > 0, evil[0], evil[1])
    result = mlptune.run_sweep(
        data=frame,
        target="target " + HOSTILE,
        tracking_uri=store,
        verbose=False,
        workers=1,
        overrides={"search.trials": 4, "model.preset": "plain", "model.epochs": 3, "name": "hostile"},
    )
    report = result.report()
    assert HOSTILE not in report
    assert "&lt;/script&gt;" in report
    assert "<title>taken</title>" not in in_browser(report, tmp_path)
    notebook = f"<title>fine</title>{result._repr_html_()}{mlptune.load_model('hostile')._repr_html_()}"
    assert "<title>fine</title>" in in_browser(notebook, tmp_path)
    run = MlflowClient(store).get_run(result.run_id)
    assert "<" not in run.data.tags["mlflow.note.content"]
