"""`--set` changes what a sweep file says, and knows what was probably meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.config import load_spec
from mlptune.experiments.errors import UserError

BASE = {"data": {"source": "a.csv", "validation": 0.3}, "space": {"hidden": [[8], [16]], "l2": [0.1, 0.2]}}


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("trials=3", "--set trials: unknown key; did you mean 'search.trials'?"),
        ("search.trails=3", "--set search.trails: unknown key; did you mean 'search.trials'?"),
        ("serch.trials=3", "--set serch.trials: unknown key; did you mean 'search.trials'?"),
        ("data.trials=3", "--set data.trials: unknown key; did you mean 'search.trials'?"),
        ("tirals=3", "--set tirals: unknown key; did you mean 'search.trials'?"),
        ("model.lr=3", "--set model.lr: unknown key; did you mean 'model.learning_rate'?"),
        (
            "learning_rate=3",
            "--set learning_rate: unknown key; did you mean 'model.learning_rate' or 'space.learning_rate'?",
        ),
        ("qqqq=1", "--set qqqq: unknown key"),
        ("name.x=1", "--set name.x: name is not a table and has no key x"),
        ("search.trials", "--set search.trials: write key=value, for instance search.trials=16"),
        ("=3", "--set =3: write key=value, for instance search.trials=16"),
        ("space.l2.low=3", "--set space.l2.low: space.l2 is not a table and has no key low"),
        ("name=7", "sweep: name: must be 1 to 100 letters"),
    ],
)
def test_wrong_overrides_are_told_with_what_was_meant(override: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load_spec(BASE, [override])
    assert str(caught.value).startswith(line)
    assert str(caught.value) == line or line.endswith("letters")


def test_values_are_toml_or_else_text() -> None:
    spec, _ = load_spec(
        BASE,
        [
            "name=my sweep",
            "search.trials = 16",
            "search.timeout=1e2",
            "data.ignore=['a', 'b']",
            "data.target=1st",
            "seed=7 # why",
        ],
    )
    assert (spec.name, spec.search.trials, spec.search.timeout, spec.seed) == ("my sweep", 16, 100.0, 7)
    assert (spec.data.ignore, spec.data.target) == (["a", "b"], "1st")


@pytest.mark.parametrize("metric", ["rmse", "val_rmse", "val_loss"])
def test_a_metric_goes_by_its_name_and_by_that_of_its_curve(metric: str) -> None:
    assert load_spec(BASE, [f"objective.metric={metric}"])[0].objective.metric == metric


def test_class_weights_are_set_whole_or_label_by_label() -> None:
    assert load_spec(BASE, ["model.class_weight=balanced"])[0].class_weight == "balanced"
    assert load_spec(BASE, ["model.class_weight={ yes = 2 }"])[0].class_weight == {"yes": 2}
    spec, _ = load_spec(BASE, {"model.class_weight.yes": 2.5, "model.class_weight.no": 1})
    assert spec.class_weight == {"yes": 2.5, "no": 1}
    with pytest.raises(UserError, match=r"\[space\] class_weight: cannot be searched"):
        load_spec(spec, ["space.class_weight=['balanced']"])


def test_a_value_cannot_bring_other_keys_along() -> None:
    spec, _ = load_spec(BASE, ["data.target=1\nseed = 5"])
    assert (spec.data.target, spec.seed) == ("1\nseed = 5", 0)


def test_an_alternative_takes_the_others_place() -> None:
    assert load_spec(BASE, ["data.folds=3"])[0].data.folds == 3
    fixed, _ = load_spec(BASE, ["model.l2=.5"])
    assert (fixed.model, fixed.space) == ({"l2": 0.5}, {"hidden": [[8], [16]]})
    deep, _ = load_spec(BASE, ["space.layers=[1]", "space.units_1=[4, 8]"])
    assert deep.space == {"l2": [0.1, 0.2], "layers": [1], "units_1": [4, 8]}
    back, _ = load_spec(deep, {"model.hidden": [4]})
    assert (back.model, back.space) == ({"hidden": [4]}, {"l2": [0.1, 0.2]})
    assert load_spec(BASE, ["space={}"])[0].space == {}
    mixed, _ = load_spec(deep, ["space.skip_1=[true, false]"])
    assert "skip_1" not in load_spec(mixed, {"model.hidden": [4]})[0].space
    flat, _ = load_spec(BASE, {"model.hidden": [4], "space.skip_1": [True, False]})
    assert flat.space == {"l2": [0.1, 0.2], "skip_1": [True, False]}
    assert load_spec(flat, {"model.hidden": [5]})[0].space == flat.space


def test_both_alternatives_at_once_are_refused() -> None:
    with pytest.raises(UserError, match="folds: cannot be combined with validation"):
        load_spec(BASE, ["data.folds=3", "data.validation=0.5"])


def test_the_source_is_left_as_it_was() -> None:
    load_spec(BASE, ["data.folds=3", "space.hidden=[[1]]", "space.l2=[1.0]"])
    assert BASE == {"data": {"source": "a.csv", "validation": 0.3}, "space": {"hidden": [[8], [16]], "l2": [0.1, 0.2]}}


keys = st.lists(
    st.sampled_from(["data", "search", "space", "model", "trials", "hidden", "low", "name", "", "é"]), max_size=4
)


@settings(max_examples=80)
@given(st.lists(st.builds(lambda key, value: f"{'.'.join(key)}={value}", keys, st.text(max_size=12)), max_size=3))
def test_any_override_gives_a_spec_or_a_user_error(overrides: list[str]) -> None:
    try:
        load_spec(BASE, overrides)
    except UserError as error:
        check_line(error)


def check_line(error: UserError) -> None:
    assert str(error).isprintable()
