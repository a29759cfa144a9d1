"""The least and the greatest over a space against all of its points."""

from mlptune.experiments.launch.extremes import extreme
from mlptune.search import Space

SPACE = Space.parse({"layers": [1, 2, 3], **{f"units_{i}": {"low": 4, "high": 16, "points": 3} for i in (1, 2, 3)}})


def weights(point) -> float | None:
    sizes = [point[f"units_{i}"] for i in range(1, point["layers"] + 1)]
    return None if sizes == [4, 4, 4] else float(sum(a * b for a, b in zip([5, *sizes], [*sizes, 2], strict=True)))


def test_both_ends_are_those_of_the_grid() -> None:
    found = [value for point in SPACE.grid() if (value := weights(point)) is not None]
    least, most = extreme(SPACE, weights, -1), extreme(SPACE, weights, 1)
    assert least is not None
    assert most is not None
    assert (weights(least), weights(most)) == (min(found), max(found))


def test_where_nothing_can_be_measured_there_is_none() -> None:
    assert extreme(SPACE, lambda point: None, 1) is None
    assert extreme(Space.parse({}), lambda point: 3.0, 1) == {}
