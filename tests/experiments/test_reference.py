"""The reference has each row of the tables, with a meaning; a slip gets the nearest name."""

import sys

import pytest

from mlptune.core.hyperparameters import PARAMETERS, Hyperparameters
from mlptune.core.metrics import METRICS
from mlptune.experiments import reference
from mlptune.experiments.config.names import model_names
from mlptune.experiments.errors import UserError
from mlptune.search import METHODS
from mlptune.search.pruners import PRUNERS


def test_every_row_is_there_and_says_what_it_is() -> None:
    tables = [
        (reference.parameters(), [*PARAMETERS, "layers", "units_i", "class_weight"]),
        (reference.methods(), list(METHODS)),
        (reference.pruners(), list(PRUNERS.homes)),
        (reference.metrics(), ["val_score", "val_loss", *METRICS]),
    ]
    for rows, names in tables:
        assert [row["name"] for row in rows][: len(names)] == names
        assert all(row["meaning"] for row in rows)


def test_defaults_are_those_in_force() -> None:
    defaults = {row["name"]: row["default"] for row in reference.parameters() if row["name"] in PARAMETERS}
    assert Hyperparameters(**defaults) == Hyperparameters()


@pytest.mark.parametrize("name", model_names())
def test_every_name_that_a_sweep_file_may_hold_is_explained(name: str) -> None:
    assert reference.parameter(name)["meaning"]


@pytest.mark.parametrize("name", [*METHODS, "median", "QMCSampler", "CmaEsSampler", "PatientPruner"])
def test_every_method_is_explained_with_its_options(name: str) -> None:
    found = reference.method(name)
    assert found["name"] == name
    assert not {option["name"] for option in found["options"]} & {"seed", "space", "study"}


def test_choices_and_presets_are_said() -> None:
    found = reference.parameter("optimizer")
    assert set(found["choices"]) == set(PARAMETERS["optimizer"].table)
    assert reference.parameter("activation")["presets"] == {"strong": "selu"}


@pytest.mark.parametrize(
    ("ask", "name", "line"),
    [
        (reference.parameter, "dropuot", "did you mean 'dropout'?"),
        (reference.parameter, "lr", "did you mean 'learning_rate'?"),
        (reference.parameter, "trials", "it is a key of [search]"),
        (reference.method, "tpr", "did you mean 'tpe'?"),
        (reference.metric, "val_rsme", "did you mean 'rmse'?"),
        (reference.metric, "xyz", "known: accuracy"),
    ],
)
def test_a_slip_gets_the_nearest(ask: object, name: str, line: str) -> None:
    assert callable(ask)
    with pytest.raises(UserError) as caught:
        ask(name)
    assert line in str(caught.value)


def test_a_metric_may_have_its_prefix() -> None:
    assert reference.metric("val_rmse") == reference.metric("rmse")


def test_metrics_of_installed_packages_are_there_also_where_one_cannot_be_loaded(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "extra_metric.py").write_text(
        "from mlptune.core.metrics import Metric\n"
        "def worst(y, output, weight=None):\n    'The greatest error.'\n    return 0.0\n"
        "row = Metric('worst_error', worst, 'minimize', ('regression',))\n"
    )
    info = folder / "extra_metric-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-metric\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[mlptune.metrics]\nworst_error = extra_metric:row\nbroken_one = extra_metric:nothing\n"
    )
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    found = {row["name"]: row for row in reference.metrics()}
    assert found["worst_error"]["meaning"] == "The greatest error."
    assert "cannot be loaded" in found["broken_one"]["meaning"]
