"""What is said of each column is what the encoding does, and each guess names the key that undoes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.data.understanding import Column, understood

N = 300
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "id": [str(i) for i in range(N)],
        "price": [f"${value:,.2f}" for value in RNG.uniform(500, 5000, N)],
        "mark": [f"1,{value}" for value in RNG.integers(100, 999, N)],
        "words": ["n.v." if i % 9 == 0 else str(2 * i) for i in range(N)],
        "colour": RNG.choice(["red", "blue", "green"], N),
        "one": "1",
        "note": [f"a note {i} of it" for i in range(N)],
        "some": [f"a note {i} of it" if i % 3 else None for i in range(N)],
        "day": [f"{d:02d}/{m:02d}/2023" for d, m in zip(RNG.integers(1, 13, N), RNG.integers(1, 13, N), strict=True)],
        "country": [f"C{i}" for i in RNG.zipf(1.5, N) % 200],
        "nothing": None,
        "y": [str(i % 3) for i in range(N)],
    }
)


def described(frame: pd.DataFrame = FRAME, **section: object) -> dict[str, Column]:
    data = DataConfig.model_validate({"source": "t.csv", "target": "y", **section})
    dataset = Dataset.of_frame(frame, data, 0, Path.cwd())
    return {column.name: column for column in understood(frame, dataset, data)}


def test_every_column_is_there_in_order_and_inputs_are_those_of_the_encoding() -> None:
    columns = described()
    assert list(columns) == list(FRAME)
    data = DataConfig(source="t.csv", target="y")
    encoder = Dataset.of_frame(FRAME, data, 0, Path.cwd()).folds()[0].encoder
    for name, column in columns.items():
        own = [feature for feature in encoder.feature_names if feature == name or feature.startswith(f"{name}=")]
        assert column.inputs == len(own)
        assert column.used == bool(own) or column.kind == "target"
        assert bool(column.reason) is not column.used


def test_kinds_counts_and_reasons() -> None:
    columns = described()
    kinds = {name: column.kind for name, column in columns.items()}
    assert kinds == {
        **dict.fromkeys(("id", "price", "mark", "words", "one"), "numeric"),
        **dict.fromkeys(("colour", "country"), "categorical"),
        **dict.fromkeys(("note", "some"), "text"),
        **{"day": "date", "nothing": "empty", "y": "target"},
    }
    assert (columns["words"].missing, columns["words"].levels) == (34, N - 34)
    assert (columns["some"].missing, columns["nothing"].missing) == (N // 3, N)
    assert (columns["y"].levels, columns["colour"].levels) == (3, 3)
    assert "only number the rows" in columns["id"].reason
    assert columns["y"].becomes == "3 classes: 0, 1, 2"


# A guess, and a section that says it instead.
OTHERS = {
    "id": {"numeric": ["id"]},
    "price": {"categorical": ["price"], "levels": 1},
    "mark": {"decimal": ","},
    "words": {"missing": []},
    "note": {"categorical": ["note"]},
    "some": {"categorical": ["some"]},
    "day": {"dates": "dmy"},
    "country": {"levels": 3},
    "y": {"task": "regression"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_key_that_a_guess_names_undoes_it(name: str) -> None:
    before, after = described()[name], described(**OTHERS[name])[name]
    key = f"data.{next(iter(OTHERS[name]))}"
    assert key in f"{before.changed_by} {before.becomes} {before.reason} {before.remarks}"
    assert (before.becomes, before.remarks, before.levels) != (after.becomes, after.remarks, after.levels)


def test_missing_values_may_be_numbers_too() -> None:
    cells = ["-999" if i % 4 == 0 else str(i / 7) for i in range(N)]
    for column in (cells, [float(cell) for cell in cells]):
        frame = pd.DataFrame({"x": column, "y": FRAME["y"]})
        assert described(frame)["x"].missing == 0
        assert described(frame, missing=["-999"])["x"].missing == N // 4


def test_a_column_with_a_role_says_which() -> None:
    frame = FRAME.assign(g=[str(i % 40) for i in range(N)], w="2")
    columns = described(frame, group="g", weight="w", ignore=["colour"])
    assert [columns[name].used for name in ("g", "w", "colour")] == [False] * 3
    assert [columns[name].changed_by for name in ("g", "w", "colour")] == ["data.group", "data.weight", "data.ignore"]


def test_rows_without_a_target_are_its_missing_ones() -> None:
    frame = FRAME.assign(y=[None if i < 20 else str(i % 3) for i in range(N)])
    assert described(frame)["y"].missing == 20
