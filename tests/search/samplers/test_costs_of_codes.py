"""Costs of encoded points are those of the points themselves, each counted once."""

import numpy as np

from mlptune.search import Space
from mlptune.search.known_costs import KnownCosts
from mlptune.search.samplers.costs_of_codes import CostsOfCodes
from mlptune.search.samplers.modelling import drop_single
from mlptune.search.surrogate.features import Features

SPACE = Space.parse(
    {
        "rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "layers": [1, 2],
        "units_1": [4, 8, 16],
        "units_2": {"low": 2, "high": 9},
        "only": [3],
    }
)


def test_each_combination_is_counted_once_and_inactive_names_do_not_count():
    asked = []

    def cost(point):
        asked.append(point)
        return float(point["units_1"] + point.get("units_2", 0) + point["only"]), 2.0 * point["units_1"]

    names = frozenset(["layers", "units_1", "units_2"])
    known = KnownCosts(cost, lambda point: point["layers"] == 1, names, 2, limited=True)
    features = Features(drop_single(SPACE.distributions), SPACE)
    codes = features.from_unit_cube(np.random.default_rng(0).random((200, len(features.axes))))
    costs = CostsOfCodes(known, features, SPACE)
    points = [SPACE.point(features.decode(row)) for row in codes]
    expected = [(point["units_1"] + point.get("units_2", 0) + 3, 2 * point["units_1"]) for point in points]
    np.testing.assert_allclose(np.exp(costs.logarithms(codes)), expected)
    assert costs.admitted(codes).tolist() == [point["layers"] == 1 for point in points]
    assert len(asked) == len({(p["units_1"], p.get("units_2")) for p in points})
    assert all(("units_2" in point) == (point["layers"] == 2) for point in asked)
    assert costs.logarithms(codes[:0]).shape == (0, 2)
    assert costs.admitted(codes[:0]).shape == (0,)
