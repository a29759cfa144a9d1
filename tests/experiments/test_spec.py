"""A sweep file gives a Spec or one clear line, whatever is in it."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.core.hyperparameters import BY_LAYER
from mlptune.experiments.config import Spec, bundled_sweeps, default_name, load_spec, spec_toml
from mlptune.experiments.errors import UserError
from mlptune.search.spaces import layers as spaces

DATA = '[data]\nsource = "sklearn:digits"\n'
NAME_RULE = (
    "name: must be 1 to 100 letters, digits, dots, underscores, hyphens and spaces, beginning with a letter or digit, "
)
METHODS = ["grid", "random", "tpe", "bayesian", "hyperband", "asha"]


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


WRONG = [
    ("", "data: missing; a sweep needs a [data] table with a source"),
    ("[data]", "[data] source: missing; a sweep needs its source"),
    ("data = 3", "data: must be a table, not 3"),
    (DATA + "[search]\ntrails = 3", "[search] trails: unknown key; did you mean trials?"),
    ("[search]\ntrails = 3", "[search] trails: unknown key; did you mean trials? (and 1 more)"),
    ("nam = 'a'\n" + DATA, "nam: unknown key; did you mean name?"),
    ("base = '/'\n" + DATA, "base: unknown key"),
    ("seed = -1\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not -1"),
    ("seed = 1.0\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not 1.0"),
    ("seed = true\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not true"),
    ("seed = 0x8000000000000000\n" + DATA, "seed: whole numbers must fit 64 bits"),
    ("seed = 1979-05-27\n" + DATA, "seed: must be text, a number, true or false, a list or a table, not a date"),
    (
        'name = "../etc"\n' + DATA,
        NAME_RULE + 'not "../etc"',
    ),
    (
        'name = "a\\n"\n' + DATA,
        NAME_RULE + 'not "a\\n"',
    ),
    ("[data]\nsource = 3", "[data] source: must be text in quotes, not 3"),
    (DATA + "test_size = 1.0", "[data] test_size: must be a share of all rows, at least 0 and below 1, not 1.0"),
    (DATA + "test_size = nan", "[data] test_size: must be a share of all rows, at least 0 and below 1, not nan"),
    (
        DATA + "validation = 0",
        "[data] validation: must be a share of the rows that are not test, above 0 and below 1, not 0",
    ),
    (DATA + "folds = 1", "[data] folds: must be a whole number from 2 to 100, not 1"),
    (DATA + "folds = 3\nvalidation = 0.2", "[data] folds: cannot be combined with validation; leave one of them out"),
    (DATA + "test = 'a.csv'\ntest_size = 0.1", "[data] test: cannot be combined with test_size; leave one of them out"),
    (
        DATA + "task = 'clasification'",
        "[data] task: must be one of auto, classification, regression, "
        'not "clasification"; did you mean classification?',
    ),
    (DATA + "ignore = 'a'", '[data] ignore: must be a list of column names such as ["a", "b"], not "a"'),
    (DATA + "ignore = ['a', 3]", '[data] ignore: must be a list of column names such as ["a", "b"], not 3'),
    (DATA + "target = 'y'\nnumeric = ['y']", '[data] numeric: "y" is the target'),
    (DATA + "target = 'y'\nweight = 'y'", '[data] weight: "y" is the target'),
    (DATA + "numeric = ['a']\ncategorical = ['a']", '[data] categorical: "a" is also in numeric'),
    (DATA + "[search]\ntrials = 0", "[search] trials: must be a whole number from 1 to 1000000, not 0"),
    (DATA + "[search]\ntrials = '8'", '[search] trials: must be a whole number from 1 to 1000000, not "8"'),
    (DATA + "[search]\ntimeout = 0", "[search] timeout: must be a number of seconds above 0, not 0"),
    (DATA + "[search]\ntrial_timeout = -1", "[search] trial_timeout: must be a number of seconds above 0, not -1"),
    (DATA + "[search]\ntimeout = inf", "[search] timeout: must be a number of seconds above 0, not inf"),
    (DATA + "[search]\npartial = 1", "[search] partial: must be true or false, not 1"),
    (DATA + "[search]\nmethod = 'tpr'", "[search] method: 'tpr' is unknown; did you mean 'tpe'?"),
    (
        DATA + "[search]\nmethod = 'hyperband'\npruner = 'asha'",
        "[search] pruner: 'asha' contradicts method 'hyperband', which schedules by itself",
    ),
    (
        DATA + "[search]\nmethod = 'hyperband'\n[space]\nepochs = [3, 9]",
        "[space] epochs: cannot be searched under method hyperband, whose budgets are epochs; fix it in [model]",
    ),
    (
        DATA + "[search]\npruner = 'median'\n[space]\nepochs = [3, 9]",
        "[space] epochs: cannot be searched under a pruner, whose budgets are epochs; fix it in [model]",
    ),
    (
        DATA + "[search]\nmethod = 'grid'\ntrials = 2\n[space]\nhidden = [[1], [2], [3]]",
        "[search] trials: the grid has 3 points, more than 2 trials; give it 3, or set partial = true",
    ),
    (
        DATA + "[search]\nmethod = 'grid'",
        "[search] method: a grid needs a [space] table whose ranges have points or step",
    ),
    (DATA + "[model]\ndropuot = 0.1", "[model] dropuot: unknown hyperparameter; did you mean dropout?"),
    (DATA + "[model]\nlr = 0.1", "[model] lr: unknown hyperparameter; did you mean learning_rate?"),
    (DATA + "[model]\nunits_0 = 3", "[model] units_0: unknown hyperparameter; did you mean units_30?"),
    (DATA + "[model]\ndropout = 1.5", "[model] dropout: must be a number at least 0 and below 1, not 1.5"),
    (
        DATA + "[model]\nhidden = [64, 0]",
        "[model] hidden: must be a list of whole numbers, each at least 1, not [64, 0]",
    ),
    (
        DATA + "[model]\nchanges = [[3, {l2 = -1}]]",
        "[model] changes in epoch 3: l2 must be a number at least 0, got -1",
    ),
    (
        DATA + "[model]\nchanges = [[1, {l2 = 1}]]",
        "[model] changes: must be a list of [epoch, {name: value}], with epochs that ascend from at least 2, "
        "not [[1, { l2 = 1 }]]",
    ),
    (DATA + "[model]\nlayers = 2\nunits_1 = 4", "[model] units_2: missing, but layers = 2"),
    (DATA + "[model]\nlayers = '2'", '[model] layers: must be a whole number from 0 to 32, not "2"'),
    (
        DATA + "[model]\nhidden = [3]\n[space]\nlayers = { low = 1, high = 2 }",
        "[space] layers: cannot be combined with hidden; use layers with units_i, or hidden",
    ),
    (
        DATA + "[model]\nlayers = 1\nunits_1 = 4\nactivation_2 = 'relu'\nactivation_1 = 'rel'",
        "[model] activation_1: must be one of identity, logistic, tanh, relu, leaky_relu, elu, selu, softplus, gelu, silu, "
        'mish, maxout, threshold, not "rel"; did you mean relu?',
    ),
    (DATA + "[model]\nhidden = [4]\nskip_1 = [true]", "[model] skip_1: must be true or false, not [true]"),
    (
        DATA + "[model]\nskip_1 = true",
        "[model] skip_1: needs layers with units_i, or hidden in [model], to say how many layers there are",
    ),
    (
        DATA + "[space]\nskip_1 = [true, false]\nhidden = [[4], [4, 4]]",
        "[space] skip_1: needs layers with units_i, or hidden in [model], to say how many layers there are",
    ),
    (DATA + "[model]\nhidden = [4, 4]\nskip_2 = true", "[model] skip_1: missing, but layers = 2"),
    (
        DATA + "[model]\nhidden = [4, 4]\n[space]\nskip_2 = [true, false]",
        "[space] skip_1: missing, but hidden has 2; [model] skip would do for the layers without",
    ),
    (DATA + "[model]\nskips_2 = true", "[model] skips_2: unknown hyperparameter; did you mean skip_2?"),
    (DATA + "[model]\nactivaton_2 = 'relu'", "[model] activaton_2: unknown hyperparameter; did you mean activation_2?"),
    (DATA + "[model]\nresidual = true", "[model] residual: unknown hyperparameter; did you mean skip?"),
    (
        DATA + "[model]\nl2 = 0.1\n[space]\nl2 = [0.1, 0.2]",
        "[space] l2: is fixed in [model] too; leave one of them out",
    ),
    (DATA + "space = 3", "[data] space: unknown key"),
    ("space = 3\n" + DATA, "space: must be a table of hyperparameters with their ranges or choices, not 3"),
    (
        DATA + "[space]\ndropout = { low = 0.0, high = 1.5 }",
        "[space] dropout: must be a number at least 0 and below 1, not 1.5",
    ),
    (DATA + "[space]\nbatch_size = [32, 0]", "[space] batch_size: must be a whole number at least 1, not 0"),
    (
        DATA + "[space]\nbatch_size = { low = 8.0, high = 64 }",
        "[space] batch_size: must be a whole number at least 1, not 8.0",
    ),
    (DATA + "[space]\nlayers = { low = 1, high = 99 }", "[space] layers: must be a whole number from 0 to 32, not 99"),
    (DATA + "[space]\nl2 = { low = 0.2, high = 0.1 }", "[space] l2: low = 0.2 is above high = 0.1"),
    (DATA + "[space]\nl2 = { low = 0.0, hihg = 0.1 }", "[space] l2.hihg: unknown key; did you mean 'high'?"),
    (
        DATA + "[objective]\nmetric = 'val_scor'",
        '[objective] metric: unknown metric "val_scor"; did you mean val_score?',
    ),
    (
        DATA + "[objective]\ndirection = 'up'",
        '[objective] direction: must be one of auto, maximize, minimize, not "up"',
    ),
]


@pytest.mark.parametrize(("text", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load_spec(write(tmp_path, text))
    assert str(caught.value) == f"my.toml: {line}"


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
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load_spec(write(tmp_path, text))
    assert str(caught.value) == f"my.toml: {line}"


def test_files_that_are_no_sweep_files_are_refused_by_name(tmp_path: Path) -> None:
    def refusal(source: object) -> str:
        with pytest.raises(UserError) as caught:
            load_spec(source)  # type: ignore[arg-type]
        return str(caught.value)

    assert refusal("digts") == "no such sweep file: digts; bundled sweeps: diabetes, digits; did you mean digits?"
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


def test_a_mapping_may_hold_what_python_people_have(tmp_path: Path) -> None:
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


def test_a_schedule_of_hyperparameters_is_written_out_and_loads_again() -> None:
    changes = [[3, {"learning_rate": 0.02, "l2": 1e-4}], [5, {"l2": 0.0}]]
    spec, text = load_spec({"data": {"source": "sklearn:digits"}, "model": {"changes": changes}})
    assert spec.model["changes"] == tomllib.loads(text)["model"]["changes"] == changes


def test_both_rooms_agree_on_what_a_layer_may_have_of_its_own() -> None:
    assert set(spaces.BY_LAYER) == set(BY_LAYER)


def test_integer_bounds_of_a_number_mean_numbers() -> None:
    spec, _ = load_spec(
        {"data": {"source": "a.csv"}, "space": {"l2": {"low": 0, "high": 1}, "epochs": {"low": 1, "high": 9}}}
    )
    assert spec.space is not None
    assert json.dumps(spec.space) == '{"l2": {"low": 0.0, "high": 1.0}, "epochs": {"low": 1, "high": 9}}'


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


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=200, deadline=None)
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


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet=st.sampled_from(list("[]{}=\"'.,#\n ab1-_datsourcepetrils")), max_size=60))
def test_any_text_gives_a_spec_or_a_user_error(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.getbasetemp(), text)
    try:
        load_spec(path)
    except UserError as error:
        check_line(error)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ({}, {"layers", "units_4", "activation_4", "batch_norm_4", "skip_4", "learning_rate"}),
        ({"layers": 2}, {"units_2", "activation_2", "batch_norm_2", "skip_2", "learning_rate"}),
        ({"hidden": [8, 8]}, {"activation_2", "batch_norm_2", "skip_2", "learning_rate"}),
        ({"activation": "elu", "layer_norm": True}, {"layers", "units_4", "skip_4", "learning_rate"}),
    ],
)
def test_architecture_search_without_a_space_searches_what_the_model_leaves_open(model, names):
    from mlptune.experiments.config.defaults import default_space
    from mlptune.search import Space

    spec, _ = load_spec({"data": {"source": "sklearn:digits"}, "model": model, "search": {"method": "nas"}})
    table = default_space(spec, 1000, "classification")
    Space.parse(table, "space", spec.model)
    last = max(int(n.rpartition("_")[2]) for n in table if n.startswith("skip"))
    assert {n for n in table if not n[-1].isdigit() or n.endswith(f"_{last}")} == names
