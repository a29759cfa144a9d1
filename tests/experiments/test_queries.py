"""What the store says of a sweep by its name, also where its settings are too long for a tag of MLflow's."""

import pytest

import mlptune
from mlptune.experiments.queries import best, show
from mlptune.tracking import reader, records, schema
from tests.support.sweeps import iris


@pytest.mark.usefixtures("store")
def test_settings_longer_than_a_tag_are_followed_to_their_artifact() -> None:
    changes = [[epoch, {"learning_rate": 0.001 + epoch / 1e6, "l2": epoch / 1e7}] for epoch in range(2, 300)]
    spec = iris(name="long", model={"epochs": 300, "early_stopping": 2, "changes": changes}, space={})
    result = mlptune.run_sweep(spec, workers=1)
    launch = reader.launch(None, "long")
    assert launch.tags[schema.FIXED].startswith(records.ARTIFACT)
    assert mlptune.best_config("long")["changes"] == changes
    assert best("long") == result.best
    assert show("long")["best"] == result.best
    assert mlptune.run_sweep(spec, resume=True, workers=1).best == result.best
