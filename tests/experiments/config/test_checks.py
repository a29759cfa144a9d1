"""What types cannot say: unknown hyperparameters, impossible values and contradictions are refused before data are read."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mlptune.core.hyperparameters import BY_LAYER
from mlptune.experiments.config import load_spec
from mlptune.experiments.errors import UserError
from mlptune.search.spaces import layers as spaces

DATA = '[data]\nsource = "sklearn:digits"\n'

WRONG = [
    (
        "seed = 4294967295\n" + DATA + "seeds = 2",
        "seed: must be at most 4294967294 with [data] seeds = 2, which counts up from it, not 4294967295",
    ),
    (DATA + "target = 'y'\nnumeric = ['y']", '[data] numeric: "y" is the target'),
    (DATA + "target = 'y'\nweight = 'y'", '[data] weight: "y" is the target'),
    (DATA + "numeric = ['a']\ncategorical = ['a']", '[data] categorical: "a" is also in numeric'),
    (DATA + "[search]\nmethod = 'tpr'", "[search] method: 'tpr' is unknown; did you mean 'tpe'?"),
    (
        DATA + "[search]\nmethod = 'hyperband'\npruner = 'asha'",
        "[search] pruner: 'asha' cannot be combined with method 'hyperband', which has its own scheduler",
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
        "[search] trials: the grid has 3 points, more than 2 trials; give it 3, or set partial = true for the first 2",
    ),
    (DATA + "[model]\ndropuot = 0.1", "[model] dropuot: unknown hyperparameter; did you mean 'dropout'?"),
    (DATA + "[model]\nlr = 0.1", "[model] lr: unknown hyperparameter; did you mean 'learning_rate'?"),
    (DATA + "[model]\nunits_0 = 3", "[model] units_0: unknown hyperparameter; did you mean 'units_30'?"),
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
        "[model] changes: must be a list of [epoch, {name: value}], with epochs that ascend from at least 2, not [[1, { l2 = 1 }]]",
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
        "mish, maxout, threshold, not \"rel\"; did you mean 'relu'?",
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
    (DATA + "[model]\nskips_2 = true", "[model] skips_2: unknown hyperparameter; did you mean 'skip_2'?"),
    (
        DATA + "[model]\nactivaton_2 = 'relu'",
        "[model] activaton_2: unknown hyperparameter; did you mean 'activation_2'?",
    ),
    (DATA + "[model]\nresidual = true", "[model] residual: unknown hyperparameter; did you mean 'skip'?"),
    (
        DATA + "[model]\nl2 = 0.1\n[space]\nl2 = [0.1, 0.2]",
        "[space] l2: is fixed in [model] too; leave one of them out",
    ),
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
        "[objective] metric: unknown metric \"val_scor\"; did you mean 'val_score'?",
    ),
    (
        DATA + "[space]\nclass_weight = ['balanced']",
        "[space] class_weight: cannot be searched, it weighs the training rows and is not a hyperparameter; give it in [model]",
    ),
    (
        DATA + "[model]\nclass_weight = 'balance'",
        '[model] class_weight: must be "balanced" or a table of labels and their weights such as { "yes" = 3.0, "no" = 1.0 }, '
        "not \"balance\"; did you mean 'balanced'?",
    ),
    (
        DATA + "[model]\nclass_weight = 3.0",
        '[model] class_weight: must be "balanced" or a table of labels and their weights such as { "yes" = 3.0, "no" = 1.0 }, '
        "not 3.0",
    ),
    (
        DATA + "[model]\nclass_weight = { }",
        '[model] class_weight: must be "balanced" or a table of labels and their weights such as { "yes" = 3.0, "no" = 1.0 }, '
        "not {}",
    ),
    (
        DATA + "[model]\nclass_weight = { 'a b' = -1 }",
        '[model] class_weight."a b": must be a number from 0 to 1000000, not -1',
    ),
    (
        DATA + "[model]\nclass_weight = { yes = true }",
        "[model] class_weight.yes: must be a number from 0 to 1000000, not true",
    ),
    (
        DATA + "task = 'regression'\n[model]\nclass_weight = 'balanced'",
        "[model] class_weight: regression has no classes; leave it out, or weigh the rows with [data] weight",
    ),
    (
        DATA + "[model]\nclass_weights = 'balanced'",
        "[model] class_weights: unknown hyperparameter; did you mean 'class_weight'?",
    ),
    (
        DATA + "[model]\npos_weight = 3.0",
        "[model] pos_weight: unknown hyperparameter; did you mean 'class_weight'?",
    ),
    (DATA + "weight = 'a'\nnumeric = ['a']", '[data] numeric: "a" is also in weight'),
    (DATA + "group = 'a'\ntime = 'a'", '[data] time: "a" is also in group'),
    (DATA + "group = 'a'\ntime = 'b'", "[data] group: cannot be combined with time; leave one of them out"),
    (
        DATA + "[search]\nmethod = 'random'\n[space]\n[model]\nbatch_norm = true\nlayer_norm = true",
        "[model] layer_norm must be false where batch_norm is true, got True for both in hidden layer 1",
    ),
    (
        DATA + "[space]\nlearning_rate = { low = 1e-4, high = 0.1, prior = 0.3 }",
        "[space] learning_rate.prior: 0.3 is not in the range 0.0001 to 0.1",
    ),
    (
        DATA + "[space]\nactivation = { choices = ['relu', 'tanh'], prior = 'tahn' }",
        """[space] activation.prior: 'tahn' is not one of the choices ["relu","tanh"]; did you mean 'tanh'?""",
    ),
    (
        DATA + "[search]\nmethod = 'grid'\n[space]\nl2 = { low = 0.1, high = 0.2 }",
        "[space] l2: a grid needs points = 3 (or a step) to cut the range 0.1 to 0.2",
    ),
]


@pytest.mark.parametrize(("text", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_spec(tmp_path / "my.toml")
    assert str(caught.value) == f"my.toml: {line}"


def test_a_stated_space_is_parsed_once_and_kept() -> None:
    spec, _ = load_spec({"data": {"source": "a.csv"}, "space": {"l2": [0.0, 0.1]}})
    assert spec.parsed_space is not None
    assert spec.parsed_space.table() == spec.space
    assert spec.absolute().parsed_space is spec.parsed_space
    assert load_spec({"data": {"source": "a.csv"}})[0].parsed_space is None
    empty = load_spec({"data": {"source": "a.csv"}, "space": {}})[0].parsed_space
    assert empty is not None
    assert len(empty) == 0


@pytest.mark.parametrize("given", ["balanced", {"yes": 3.0, "no": 0, "ü b.c": 0.5}])
def test_class_weights_are_no_hyperparameter_and_are_written_out(given: object) -> None:
    spec, text = load_spec({"data": {"source": "a.csv"}, "model": {"l2": 0.1, "class_weight": given}})
    assert (spec.class_weight, spec.hyperparameters) == (given, {"l2": 0.1})
    assert load_spec(tomllib.loads(text))[0].model == spec.model
    assert load_spec({"data": {"source": "a.csv"}})[0].class_weight is None


def test_groups_and_times_may_be_inputs_too() -> None:
    data = {"source": "a.csv", "group": "g", "categorical": ["g"]}
    assert load_spec({"data": data})[0].data.categorical == ["g"]


def test_integer_bounds_of_a_number_mean_numbers() -> None:
    spec, _ = load_spec(
        {"data": {"source": "a.csv"}, "space": {"l2": {"low": 0, "high": 1}, "epochs": {"low": 1, "high": 9}}}
    )
    assert spec.space is not None
    assert json.dumps(spec.space) == '{"l2": {"low": 0.0, "high": 1.0}, "epochs": {"low": 1, "high": 9}}'


def test_both_rooms_agree_on_what_a_layer_may_have_of_its_own() -> None:
    assert set(spaces.BY_LAYER) == set(BY_LAYER)


@pytest.mark.parametrize(
    ("search", "line"),
    [
        (
            {"method": "hyperband", "race": True},
            r"\[search\] race: method 'hyperband' stops trials by their epochs already",
        ),
        ({"finalists": 3, "minutes": 2}, r"\[search\] finalists: they are trained when the time is over"),
    ],
)
def test_what_needs_no_data_is_refused_before_they_are_read(search: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        load_spec({"data": {"source": "absent.csv"}, "search": search})
