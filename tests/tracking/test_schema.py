"""What lies in a store after a sweep is what the schema lists."""

from pathlib import Path

import mlptune
from mlptune.tracking import schema, store

ROOT = Path(mlptune.__file__).parent


def test_names_are_listed_once_and_nowhere_else() -> None:
    constants = {value for name, value in vars(schema).items() if name.isupper() and isinstance(value, str)}
    described = {
        *schema.TAGS,
        *schema.METRICS,
        *schema.ALIASES,
        *schema.ARTIFACTS,
        schema.SUPERSEDED,
        schema.LONG_TAGS,
        schema.PREDICTIONS,
    }
    assert constants <= described
    literals = [f'"{name}"' for name in schema.TAGS]
    for room in ("tracking", "experiments"):
        for file in (ROOT / room).rglob("*.py"):
            if file.name != "schema.py":
                text = file.read_text(encoding="utf-8")
                assert [name for name in literals if name in text] == [], file


def test_a_sweep_writes_nothing_else(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    spec = {
        "name": "digits",
        "data": {"source": "sklearn:iris", "target": "target"},
        "model": {"epochs": 2},
        "space": {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
        "search": {"method": "random", "trials": 2},
    }
    mlptune.run_sweep(spec, workers=1, tracking_uri=uri)
    client = store.import_mlflow().MlflowClient(uri)
    [experiment] = [found for found in client.search_experiments() if found.name == "digits"]
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 3
    for run in runs:
        assert set(run.data.tags) <= set(schema.TAGS)
        assert set(run.data.metrics) <= set(schema.METRICS)
        paths = {item.path for item in client.list_artifacts(run.info.run_id)}
        assert paths <= {name.rstrip("/") for name in schema.ARTIFACTS}
    [launch] = [run.info.run_id for run in runs if run.data.tags[schema.KIND] == "launch"]
    assert {tag.removesuffix(launch) for tag in experiment.tags} <= set(schema.TAGS)
    assert set(client.get_registered_model("digits").aliases) == set(schema.ALIASES)
