"""What each picture claims, asserted on the figures that it has trained."""

from collections.abc import Mapping

import pytest

from mlptune.experiments.gallery.pictures import PICTURES, Picture

Figures = Mapping[str, float]

CLAIMS = {
    "perceptron": lambda f: f["NAND"] == 1 and f["XOR"] <= 0.75,
    "hidden_units": lambda f: (
        f["best_0"] <= 0.75
        and f["undecided_0"] < 0.05
        and f["best_2"] == f["best_4"] == 1
        and 0 < f["solved_2"] < 1
        and f["solved_4"] >= 7 / 8
    ),
    "backpropagation": lambda f: (
        abs(f["hidden_2"] - 0.2689) < 5e-5
        and abs(f["a"] - 0.8232) < 5e-5
        and abs(f["delta"] - 2 * 0.8232**2 * 0.1768) < 2e-4
    ),
    "learning_rates": lambda f: (
        f["loss_0.1"] < f["loss_0.01"] < f["half_0.01"]
        and f["loss_0.1"] < 0.2 * f["loss_1"]
        and f["rises_1"] > 0.2 > 0 == f["rises_0.01"]
    ),
    "nine_runs": lambda f: (
        f["loss_0.005"] < f["loss_0.001"] < f["loss_0.0001"] and f["between_rates"] > 5 > 1.1 > f["between_decays"]
    ),
    "vanishing_gradients": lambda f: f["logistic"] < 1e-3 and f["tanh"] > 0.05 and f["relu"] > 0.05,
    "initialisation": lambda f: f["He"] < 0.5 and f["zeros"] > 2.2 and f["twenty times too large"] > 2 * f["He"],
    "batch_sizes": lambda f: f["1"] < f["8"] < f["64"] < f["512"],
    "regularisation": lambda f: (
        f["rise_nothing"] > 0.25 > max(f["rise_l2 = 0.02"], f["rise_dropout = 0.5"])
        and f["gap_nothing"] > 2 * max(f["gap_l2 = 0.02"], f["gap_dropout = 0.5"])
        and [f[f"overfits_{name}"] for name in ("nothing", "l2 = 0.02", "dropout = 0.5")] == [1, 0, 0]
    ),
    "double_descent": lambda f: 30 <= f["peak"] <= 50 and f["height"] > 5 * f["first"] and f["last"] < f["first"],
    "sweep": lambda f: (
        f["gain"] > 0
        and f["spread_of_best"] < 0.3 * f["spread_of_all"]
        and f["by_rate"] < -0.8
        and abs(f["by_dropout"]) < 0.25
        and f["wrong_after_32"] < 0.5 * f["wrong_after_2"]
    ),
}


@pytest.fixture(scope="module")
def pictures() -> dict[str, Picture]:
    return {name: make() for name, make in PICTURES.items()}


def test_every_picture_claims_something() -> None:
    assert list(CLAIMS) == [name for name in CLAIMS if name in PICTURES]
    assert set(CLAIMS) == set(PICTURES)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_claim_holds(name: str, pictures: Mapping[str, Picture]) -> None:
    assert CLAIMS[name](pictures[name].figures), dict(pictures[name].figures)


def test_a_slider_has_a_frame_for_each_step(pictures: Mapping[str, Picture]) -> None:
    for picture in pictures.values():
        assert bool(picture.maps) == bool(picture.steps)
        assert all(len(m.frames) == len(picture.steps) for m in picture.maps)
