"""`mlptune.columns` describes files and tables in memory, with a target and without one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlptune

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "id": range(60),
        "power": RNG.normal(size=60),
        "colour": RNG.choice(["red", "blue"], 60),
        "kind": RNG.choice(["a", "b"], 60),
    }
)


def test_a_file_and_its_frame_are_described_alike(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    FRAME.to_csv(path, index=False)
    found = mlptune.columns(path, "kind")
    pd.testing.assert_frame_equal(found, mlptune.columns(FRAME, "kind"))
    assert found["name"].tolist() == list(FRAME)
    assert found["kind"].tolist() == ["numeric", "numeric", "categorical", "target"]
    assert found["used"].tolist() == [False, True, True, True]
    assert {"name", "kind", "used", "reason", "missing", "levels"} <= set(found)


def test_without_a_target_all_are_inputs() -> None:
    assert mlptune.columns(FRAME)["kind"].tolist() == ["numeric", "numeric", "categorical", "categorical"]


def test_a_table_of_which_nothing_can_be_used_is_described_too() -> None:
    assert mlptune.columns(FRAME[["id"]])["used"].tolist() == [False]


def test_a_sweep_file_says_its_own(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "cars.csv", index=False)
    path = tmp_path / "my.toml"
    path.write_text('[data]\nsource = "cars.csv"\ntarget = "kind"\nnumeric = ["id"]\n')
    assert mlptune.columns(path)["used"].all()
    assert not mlptune.columns(path, overrides={"data.ignore": ["power"]})["used"].all()
    with pytest.raises(mlptune.UserError, match="names its own"):
        mlptune.columns(path, "power")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv",), "there is no such file"),
        ((FRAME, "kin"), "did you mean 'kind'"),
        ((3,), "must be a DataFrame"),
    ],
)
def test_what_is_no_table_is_told(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(mlptune.UserError, match=message):
        mlptune.columns(*arguments)
