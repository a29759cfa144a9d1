"""A metric brings its curve and direction, is refused where it cannot judge the data, and a class that it hardly sees is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.errors import UserError
from tests.support.plans import planned


@pytest.mark.parametrize(
    ("source", "metric", "judged"),
    [
        ("sklearn:iris", "val_score", ("val_score", "maximize", None)),
        ("sklearn:iris", "val_loss", ("val_loss", "minimize", None)),
        ("sklearn:iris", "balanced_accuracy", ("val_balanced_accuracy", "maximize", "balanced_accuracy")),
        ("sklearn:iris", "log_loss", ("val_log_loss", "minimize", "log_loss")),
        ("sklearn:iris", "val_log_loss", ("val_log_loss", "minimize", "log_loss")),
        ("sklearn:breast_cancer", "f1", ("val_f1", "maximize", "f1")),
        ("sklearn:diabetes", "val_rmse", ("val_rmse", "minimize", "rmse")),
    ],
)
def test_a_metric_brings_its_curve_and_direction(source, metric, judged):
    objective = planned(source, objective={"metric": metric}).objective
    assert (objective.key, objective.direction, objective.metric) == judged
    assert planned(source, objective={"metric": metric, "direction": "minimize"}).objective.direction == "minimize"


def labelled(folder: Path, **rows: int) -> dict[str, Any]:
    """[data] of a table with that many rows of each label, a fifth of each in the test part."""
    labels = [label for label, n in rows.items() for _ in range(n)]
    frame = pd.DataFrame({"a": np.random.default_rng(0).normal(size=len(labels)), "y": labels})
    frame.to_csv(folder / "t.csv", index=False)
    return {"source": str(folder / "t.csv"), "target": "y"}


@pytest.mark.parametrize("metric", ["val_score", "accuracy", "zero_one"])
def test_a_rare_class_is_named_where_accuracy_is_the_metric(tmp_path: Path, metric: str) -> None:
    data = labelled(tmp_path, no=950, yes=50)
    [note] = planned(data=data, objective={"metric": metric}, search={"method": "random"}).notes
    assert note == (
        "class 'yes' is 5 % of the rows that are not test: accuracy hardly sees it; balanced_accuracy, average_precision and "
        'log_loss ([objective] metric) do; [model] class_weight = "balanced" lets all classes count the same in training'
    )
    [note] = planned(data=data, objective={"metric": metric}, model={"class_weight": {"yes": 9.0}}).notes
    assert note.endswith("log_loss ([objective] metric) do")
    for other in ("balanced_accuracy", "average_precision", "log_loss", "val_loss", "f1"):
        assert planned(data=data, objective={"metric": other}).notes == ()


def test_what_is_rare_depends_on_the_number_of_classes(tmp_path: Path) -> None:
    assert planned(data=labelled(tmp_path, no=900, yes=100)).notes == ()
    assert planned(data=labelled(tmp_path, a=700, b=250, c=50)).notes == ()
    [note] = planned(data=labelled(tmp_path, a=960, b=15, c=25)).notes
    assert note.startswith("class 'b' is 1.5 % of the rows that are not test: accuracy")
    [note] = planned(data=labelled(tmp_path, a=970, b=15, c=10)).notes
    assert note.startswith("class 'c' is 1 % of the rows that are not test (1 more below 2 %): accuracy")
    assert planned("sklearn:diabetes").notes == ()


@pytest.mark.parametrize(
    ("data", "which"),
    [({"folds": 3}, "the validation rows of fold [123] have"), ({"validation": 0.3}, "the validation rows have")],
)
@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_a_metric_that_is_not_defined_on_validation_rows_is_refused_before_training(
    tmp_path: Path, data, which, metric
):
    rows = pd.DataFrame({"a": np.arange(60.0) ** 1.5, "y": ["no"] * 59 + ["yes"]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    data = {**data, "target": "y", "test_size": 0.0}
    line = rf"\[objective\] metric: '{metric}' is not defined, since {which} none of the class 'yes'; take fewer folds"
    with pytest.raises(UserError, match=line):
        planned(str(tmp_path / "rows.csv"), data=data, objective={"metric": metric})
    assert (
        planned(str(tmp_path / "rows.csv"), data=data, objective={"metric": "log_loss"}).objective.metric == "log_loss"
    )
