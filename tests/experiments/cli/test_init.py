"""`mlptune init` writes a file that loads, says what was recognised, and never overwrites by itself."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.cli.init import write_sweep_file
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError


def table(folder: Path, rows: int = 60, name: str = "cars.csv", **columns: object) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": range(rows),
            "power": rng.normal(size=rows),
            "colour": rng.choice(["red", "blue"], rows),
            "price": rng.normal(size=rows),
            **columns,
        }
    )
    frame.to_csv(folder / name, index=False)
    return folder / name


def test_the_file_says_what_was_recognised_and_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_sweep_file(str(table(tmp_path)), "price", None)
    assert path == Path("cars.toml")
    spec, text = load_spec(path)
    assert (spec.name, spec.data.source, spec.data.task) == ("cars", "cars.csv", "regression")
    assert (spec.data.numeric, spec.data.categorical, spec.data.ignore) == (["power"], ["colour"], ["id"])
    assert "# id: integers that only number the rows" in text
    assert spec.space is not None
    assert {"learning_rate", "hidden"} <= set(spec.space)
    assert all(len(line) <= 160 for line in text.splitlines())


def test_what_stands_there_as_a_comment_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_sweep_file(str(table(tmp_path)), "price", None)
    lines = path.read_text(encoding="utf-8").splitlines()
    wanted = ("# subset", "# changes", "# layers", "# units_", "# skip_", "# timeout")
    used = [line.removeprefix("# ") if line.startswith(wanted) else line for line in lines]
    path.write_text(
        "\n".join(line for line in used if not line.startswith(("hidden", "learning_rate"))), encoding="utf-8"
    )
    spec, _ = load_spec(path)
    assert spec.model["subset"] == 0.3
    assert spec.model["changes"] == [[11, {"learning_rate": 1e-3, "l2": 0.0}]]
    assert spec.space is not None
    assert {"layers", "units_1", "units_2", "skip_1", "skip_2"} <= set(spec.space)


def test_the_written_sweep_is_the_one_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = str(table(tmp_path))
    written, _ = load_spec(write_sweep_file(source, "price", None))
    bare, _ = load_spec(None, data=source, target="price")
    a, b = (Dataset.load(spec.data, spec.seed, spec.base) for spec in (written, bare))
    for one, other in zip(a.folds(), b.folds(), strict=True):
        np.testing.assert_array_equal(one.arrays.X, other.arrays.X)
        np.testing.assert_array_equal(one.arrays.y, other.arrays.y)


def test_paths_hold_from_the_files_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    table(tmp_path)
    spec, _ = load_spec(write_sweep_file("cars.csv", "price", Path("sub/my.toml")))
    assert (spec.base / spec.data.source).resolve() == tmp_path / "cars.csv"
    assert load_spec(write_sweep_file("sklearn:iris", None, Path("sub/iris.toml")))[0].data.source == "sklearn:iris"


def test_a_sheet_keeps_its_name_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.read_csv(table(tmp_path)).round(6)  # openpyxl writes 16 digits
    frame.to_excel("cars.xlsx", sheet_name="2019", index=False)
    Path("sub").mkdir()
    spec, _ = load_spec(write_sweep_file("cars.xlsx?sheet=2019", "price", Path("sub/mine.toml")))
    assert (spec.name, spec.data.source) == ("cars-2019", "../cars.xlsx?sheet=2019")
    dataset = Dataset.load(spec.data, 0, spec.base)
    assert dataset.fingerprint == Dataset.of_frame(frame, spec.data, 0, spec.base).fingerprint
    assert spec.absolute().data.source == f"{tmp_path.resolve() / 'cars.xlsx'}?sheet=2019"


def test_hostile_names_stay_in_their_comments_and_strings(tmp_path: Path) -> None:
    evil = 'x"]\nseed = 7\n# \x1b[31m'
    rows = 60
    path = table(tmp_path, rows, **{evil: range(rows), "[b]": ["one"] * rows, '"q"': np.arange(rows) % 7})
    out = write_sweep_file(str(path), "price", tmp_path / "a.toml")
    tables = tomllib.loads(out.read_text())
    assert tables["seed"] == 0
    assert evil in tables["data"]["ignore"]
    assert "\x1b" not in out.read_text()


def test_many_columns_are_counted_not_listed(tmp_path: Path) -> None:
    path = table(tmp_path, **{f"x{i}": np.random.default_rng(i).normal(size=60) for i in range(300)})
    spec, text = load_spec(write_sweep_file(str(path), "price", tmp_path / "a.toml"))
    assert spec.data.numeric == []
    assert "# 303 columns: 301 numeric, 1 categorical, 1 left out." in text


def test_nothing_is_overwritten_by_itself(tmp_path: Path) -> None:
    source, out = str(table(tmp_path)), tmp_path / "cars.toml"
    out.write_text("mine")
    with pytest.raises(UserError, match="exists already; --force overwrites it"):
        write_sweep_file(source, "price", out)
    assert out.read_text() == "mine"
    write_sweep_file(source, "price", out, force=True)
    assert load_spec(out)[0].name == "cars"


@pytest.mark.parametrize(
    ("out", "told"), [("cars.csv", "ends in .toml"), ("none/a.toml", "there is no folder"), ("d.toml", "is a folder")]
)
def test_impossible_places_are_refused(tmp_path: Path, out: str, told: str) -> None:
    (tmp_path / "d.toml").mkdir()
    source = table(tmp_path)
    before = source.read_bytes()
    with pytest.raises(UserError, match=told):
        write_sweep_file(str(source), "price", tmp_path / out, force=True)
    assert source.read_bytes() == before


def test_an_unknown_target_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'price'"):
        write_sweep_file(str(table(tmp_path)), "prise", tmp_path / "a.toml")
    assert not (tmp_path / "a.toml").exists()
