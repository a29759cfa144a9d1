"""What of a sweep file goes together with counted costs, each refusal in one line."""

from typing import Any

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.errors import UserError

TWO = ["val_score", "operations"]


def spec(search: dict[str, Any] | None = None, **objective: Any) -> dict[str, Any]:
    return {"name": "x", "data": {"source": "sklearn:iris"}, "objective": objective, "search": search or {}}


def test_one_metric_is_as_it_was() -> None:
    dumped = load_spec(spec())[0].dump()["objective"]
    assert dumped == {"metric": "val_score", "direction": "auto", "ensemble": 16, "refit": True}


@pytest.mark.parametrize(
    "given", [{"metrics": TWO}, {"limit": {"parameters": 1000}}, {"metrics": ["val_loss", "bytes"]}]
)
def test_the_first_is_the_metric_and_the_model_is_of_one_trial(given: dict[str, Any]) -> None:
    loaded, text = load_spec(spec(**given))
    assert loaded.objective.metric == given.get("metrics", ["val_score"])[0]
    assert loaded.objective.counted == tuple(given.get("metrics", [""])[1:])
    assert loaded.objective.ensemble == 0
    assert load_spec(loaded.dump())[0].dump() == loaded.dump(), "a sweep file with every default stated says the same"
    assert "ensemble = 0" in text


def test_a_list_of_one_is_one_metric() -> None:
    loaded = load_spec(spec(metrics=["val_loss"]))[0].objective
    assert (loaded.metric, loaded.counted, loaded.ensemble) == ("val_loss", (), 16)


def test_a_function_may_be_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def hit_rate(y_true: Any, y_pred: Any) -> float:
        return float((y_true == y_pred).mean())

    assert load_spec(spec(metrics=[hit_rate, "bytes"]))[0].objective.metric == "hit_rate"


@pytest.mark.parametrize(
    ("given", "search", "rule"),
    [
        ({"metrics": ["operations"]}, {}, r'metrics: "operations" is counted, and the first metric is a score'),
        ({"metric": "bytes"}, {}, r'metric: "bytes" is counted, .* as in metrics = \["val_score", "bytes"\]'),
        ({"metrics": ["val_score", "operatoins"]}, {}, r"counted costs, .* did you mean 'operations'\?"),
        (
            {"metrics": ["val_score", "val_loss"]},
            {},
            r"counted costs, and \"val_loss\" is none; known: bytes, operations, par",
        ),
        ({"metrics": [*TWO, "operations"]}, {}, r'"operations" is there twice'),
        ({"metrics": TWO, "metric": "val_loss"}, {}, r'metric: is "val_loss", and metrics begins with "val_score"'),
        ({"metrics": ["bytes", "val_score"], "metric": "val_score"}, {}, r'metrics: "bytes" is counted, and the first'),
        ({"metrics": []}, {}, r"metrics: must be a list such as"),
        ({"metrics": "val_score"}, {}, r"metrics: must be a list such as"),
        ({"metrics": ["acuracy", "bytes"]}, {}, r"metrics: unknown metric \"acuracy\"; did you mean 'accuracy'"),
        ({"limit": {"params": 3}}, {}, r"limit: \"params\" is not a counted cost; did you mean 'parameters'"),
        ({"limit": {"bytes": 0}}, {}, r"limit: must be a table of counted costs and numbers above 0"),
        ({"limit": {}}, {}, r"limit: must be a table of counted costs"),
        ({"limit": {"bytes": 9}, "ensemble": 4}, {}, r"ensemble: a model of several trials costs what they cost tog"),
        (
            {"metrics": TWO},
            {"method": "genetic"},
            r"method: genetic carries one metric, not 2; grid, .*auto.* carry several",
        ),
        ({"metrics": TWO}, {"method": "pbt"}, r"method: pbt carries one metric, not 2"),
        ({"metrics": TWO}, {"method": "tpe", "pruner": "median"}, r"pruner: median compares trials by one metric"),
        ({"metrics": TWO}, {"race": True}, r"race: compares trials by one metric"),
        ({"metrics": TWO}, {"patience": 8}, r"patience: compares trials by one metric"),
        ({"metrics": TWO}, {"target": 0.9}, r"target: compares trials by one metric"),
    ],
)
def test_what_cannot_be_is_one_line(given: dict[str, Any], search: dict[str, Any], rule: str) -> None:
    with pytest.raises(UserError, match=rule) as refused:
        load_spec(spec(search, **given))
    assert "\n" not in str(refused.value)


def test_limits_go_with_methods_of_one_metric() -> None:
    for method in ("genetic", "hyperband", "pbt", "mobster", "bayesian"):
        load_spec(spec({"method": method}, limit={"operations": 1e5}))
