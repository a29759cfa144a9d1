"""Columns that are the target in disguise are named; columns that merely help are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset


def warnings_of(folder: Path, frame: pd.DataFrame, target: str = "y", suffix: str = "csv") -> list[str]:
    """What is said of columns that tell the target."""
    source = folder / f"t.{suffix}"
    frame.to_csv(source, index=False) if suffix == "csv" else frame.to_parquet(source, index=False)
    spec, _ = load_spec({"name": "t", "data": {"source": str(source), "target": target}})
    said = Dataset.load(spec.data, spec.seed, folder).messages
    return [line for line in said if "by itself" in line]


def people(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, place = rng.normal(40, 9, n), rng.choice(["north", "south", "west"], n)
    income = np.exp(rng.normal(7, 1, n)) + 20 * age
    survived = (age + rng.normal(0, 9, n) > 40).astype(int)
    return pd.DataFrame({"age": age, "place": place, "income": income, "survived": survived})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("alive", lambda y: np.where(y == 1, "yes", "no")),
        ("code", lambda y: 7 - 3 * y),
        ("boat", lambda y: np.where(y == 1, np.array(["a", "b", "c"])[np.arange(len(y)) % 3], None)),
        ("depth", lambda y: np.where(y == 1, -1.0, 1.0) * np.random.default_rng(1).uniform(0.1, 9, len(y))),
        (
            "since",
            lambda y: (
                np.where(y == 1, "2024-01-0", "2021-05-1") + (np.arange(len(y)) % 9 + 1).astype(str).astype(object)
            ),
        ),
    ],
)
def test_a_column_that_tells_the_class_is_named(tmp_path: Path, suffix: str, name: str, column) -> None:
    frame = people().assign(**{name: lambda frame: column(frame["survived"].to_numpy())})
    [line] = warnings_of(tmp_path, frame, "survived", suffix)
    assert line.startswith(f"{name} tells survived by itself in all training rows")
    assert line.endswith(f'data.ignore = ["{name}"]')


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("copy", lambda y: y),
        ("rounded", lambda y: y.round(-1)),
        ("in dollars", lambda y: [f"${cell:,.2f}" for cell in 1.1 * y]),
        ("log", lambda y: -np.log(y)),
        ("mostly", lambda y: np.where(np.arange(len(y)) % 5 == 0, np.nan, y**2)),
        ("by name", lambda y: [f"n{cell}" for cell in y.round(-4)]),
    ],
)
def test_a_monotone_copy_of_a_number_is_named(tmp_path: Path, name: str, column) -> None:
    frame = people().drop(columns="survived")
    if name == "by name":
        frame["income"] = frame["income"].round(-3)
        column = lambda y: [f"n{cell:.0f}" for cell in y]  # noqa: E731
    frame[name] = column(frame["income"].to_numpy())
    [line] = warnings_of(tmp_path, frame, "income")
    assert line.startswith(f"{name} tells income by itself")


def test_several_are_named_together(tmp_path: Path) -> None:
    frame = people().assign(a=lambda frame: 1 - frame["survived"], b=lambda frame: frame["survived"].map(str) + "x")
    [line] = warnings_of(tmp_path, frame, "survived")
    assert line.startswith("a, b tell survived each by itself")
    assert 'data.ignore = ["a", "b"]' in line


def test_what_merely_helps_is_not_named(tmp_path: Path) -> None:
    frame = people()
    assert warnings_of(tmp_path, frame, "survived") == []
    assert warnings_of(tmp_path, frame, "income") == []
    noisy = frame.assign(nearly=frame["income"] * np.random.default_rng(0).normal(1, 0.1, 400))
    assert warnings_of(tmp_path, noisy, "income") == []
    wrong_once = frame.assign(alive=np.where(np.arange(400) % 40 == 0, 1 - frame["survived"], frame["survived"]))
    assert warnings_of(tmp_path, wrong_once, "survived") == []


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(25, 120), classes=st.integers(2, 4))
def test_chance_is_no_leak(tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n).round(2) for i in range(4)})
    frame["c"] = rng.integers(0, n // 2, n).astype(str)
    frame["y"] = rng.integers(0, classes, n).astype(str)
    assert warnings_of(tmp_path_factory.getbasetemp(), frame) == []
