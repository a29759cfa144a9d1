"""A sweep file gives a Spec or one clear line, whatever is in it."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.config import Spec, bundled_sweeps, default_name, load_spec, spec_toml
from mlptune.experiments.errors import UserError

DATA = '[data]\nsource = "sklearn:digits"\n'
METHODS = ["grid", "random", "tpe", "bayesian", "hyperband", "asha"]


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = = 2", "not valid TOML, line 2, column 5: Invalid value"),
        ("a = 1\na = 2\n", "not valid TOML, line 2, column 6: Cannot overwrite a value"),
        ("x = [", "not valid TOML, end of document: Invalid value"),
        ("a = " + "[" * 5000, "not valid TOML: a number too long or a list nested too deeply"),
        ("a = " + "9" * 5000, "not valid TOML: a number too long or a list nested too deeply"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load_spec(write(tmp_path, text))
    assert str(caught.value) == f"my.toml: {line}"


def test_files_that_are_not_sweep_files_are_refused_by_name(tmp_path: Path) -> None:
    def refusal(source: object) -> str:
        with pytest.raises(UserError) as caught:
            load_spec(source)  # type: ignore[arg-type]
        return str(caught.value)

    assert refusal("digts") == "no such sweep file: digts; bundled sweeps: diabetes, digits; did you mean 'digits'?"
    assert "is a folder" in refusal(tmp_path)
    assert "bytes" in refusal(write(tmp_path, "#" * 2_000_000))
    (tmp_path / "cars.csv").write_text("a,b\n1,2\n")
    assert "--data" in refusal(tmp_path / "cars.csv")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    assert refusal(tmp_path / "latin.toml").startswith("latin.toml: not UTF-8 text (byte 8)")
    for hostile in ("a\0b", "a\nb", "\x1b[31m", "x" * 5000):
        assert refusal(hostile).isprintable()
    assert refusal(3) == "a sweep is a path, the name of a bundled sweep, a mapping or a Spec, not 3"
    assert "--data" in refusal(None)
    with pytest.raises(UserError, match="are keys of the sweep that is given too"):
        load_spec({"name": "cars"}, data=str(tmp_path / "cars.csv"), target="b")


def test_a_mapping_may_hold_numpy_values_tuples_and_paths(tmp_path: Path) -> None:
    spec, _ = load_spec(
        {
            "data": {"source": tmp_path / "a b.csv", "folds": None},
            "model": {"hidden": (np.int64(8), 4), "learning_rate": None},
            "search": {"trials": np.int64(3)},
        }
    )
    assert spec.name == "a b"
    assert spec.model == {"hidden": [8, 4]}
    assert spec.search.trials == 3
    json.dumps(spec.dump(), allow_nan=False)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("sklearn:digits", "digits"),
        ("/data/House 16H.csv.gz", "House 16H"),
        ("a/.hidden.parquet", "hidden"),
        ("größe?.CSV", "gr-e"),
        ("old.parquet.zip", "old"),
        ("notes.txt", "notes.txt"),
        ("...", "sweep"),
        ("x" * 300 + ".csv", "x" * 100),
    ],
)
def test_a_name_that_fits_is_made_from_the_data(source: str, name: str) -> None:
    assert default_name(source) == name


def test_relative_paths_belong_to_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    spec, _ = load_spec(write(folder, '[data]\nsource = "a.csv"\ntest = "b.csv"'))
    assert spec.base == folder
    moved = load_spec(spec_toml(spec.absolute()) and tomllib.loads(spec_toml(spec.absolute())))[0]
    assert (moved.data.source, moved.data.test) == (str(folder / "a.csv"), str(folder / "b.csv"))
    assert load_spec("digits")[0].base == tmp_path
    assert load_spec("digits")[0].absolute().data.source == "sklearn:digits"


@pytest.mark.parametrize("name", bundled_sweeps())
def test_bundled_sweeps_load_and_say_the_same_when_written_out(name: str) -> None:
    spec, text = load_spec(name)
    assert text == bundled_sweeps()[name].read_text()
    assert load_spec(tomllib.loads(spec_toml(spec)))[0].dump() == spec.dump()
    assert spec.name == name


@pytest.mark.parametrize("method", METHODS)
def test_the_digits_sweep_runs_with_only_the_method_changed(method: str) -> None:
    spec, text = load_spec("digits", [f"search.method={method}"])
    assert (spec.search.trials or 0) >= 32
    assert tomllib.loads(text)["search"]["method"] == method


names = st.sampled_from(
    ["name", "seed", "data", "model", "space", "search", "source", "target", "trials", "method", "hidden", "l2"]
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=3)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.dictionaries(names, values, max_size=6))
def test_any_mapping_gives_a_spec_or_a_user_error(mapping: dict[str, object]) -> None:
    check_round_trip(mapping)


hyperparameters = st.fixed_dictionaries(
    {},
    optional={
        "learning_rate": st.floats(1e-6, 1.0),
        "hidden": st.lists(st.lists(st.integers(1, 99), max_size=3), min_size=1, max_size=4, unique_by=str),
        "activation": st.just(["relu", "tanh"]),
        "batch_size": st.fixed_dictionaries({"low": st.integers(1, 8), "high": st.integers(8, 99)}),
        "l2": st.fixed_dictionaries({"low": st.floats(0, 1e-3), "high": st.floats(1e-3, 1.0)}),
    },
)


@settings(max_examples=80)
@given(
    st.fixed_dictionaries(
        {
            "data": st.fixed_dictionaries(
                {"source": st.text(min_size=1, max_size=9)}, optional={"target": st.text(max_size=5)}
            )
        },
        optional={
            "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,20}", fullmatch=True),
            "space": hyperparameters,
            "search": st.fixed_dictionaries(
                {}, optional={"timeout": st.floats(1e-9), "options": st.dictionaries(st.text(), st.text())}
            ),
        },
    )
)
def test_what_loads_is_written_out_and_loads_again(mapping: dict[str, object]) -> None:
    check_round_trip(mapping)


def check_line(error: UserError) -> None:
    assert str(error).isprintable()


def check_round_trip(mapping: dict[str, object]) -> None:
    try:
        spec, text = load_spec(mapping)
    except UserError as error:
        check_line(error)
        return
    assert isinstance(spec, Spec)
    again, _ = load_spec(tomllib.loads(text))
    assert again.dump() == spec.dump()
    json.dumps(spec.dump(), allow_nan=False)


@settings(max_examples=80)
@given(text=st.text(alphabet=st.sampled_from(list("[]{}=\"'.,#\n ab1-_datsourcepetrils")), max_size=60))
def test_any_text_gives_a_spec_or_a_user_error(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.getbasetemp(), text)
    try:
        load_spec(path)
    except UserError as error:
        check_line(error)
