"""What the store tells later is what memory told at the end."""

from pathlib import Path

import pytest

from mlptune.experiments.results import SweepResult, load_result
from mlptune.experiments.run import run_sweep
from mlptune.tracking import reader, schema
from tests.support.sweeps import iris


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
