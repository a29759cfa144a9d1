"""Charts: values lie where they belong, ticks are round, and no text becomes markup."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.report.charts import Axis, Chart, Mark, bars, matrix, parallel

finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=30))
def test_an_axis_holds_its_values_and_has_ticks_within_it(values: list[float]) -> None:
    axis = Axis.of(values)
    places = [axis.place(value) for value in values]
    assert all(0 <= place <= 1 for place in places)
    assert sorted(range(len(values)), key=lambda i: (values[i], i)) == sorted(
        range(len(values)), key=lambda i: (places[i], values[i], i)
    )
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 12
    assert all(axis.low - 1e-6 * abs(axis.low) <= value <= axis.high + 1e-6 * abs(axis.high) for value, _ in ticks)


@given(st.floats(1e-9, 1e9), st.floats(1.0, 1e6))
def test_on_a_log_axis_equal_factors_are_equal_lengths(low: float, factor: float) -> None:
    axis = Axis(low, low * factor * 4, log=True)
    assert axis.place(low) == 0
    assert axis.place(low * factor * 4) == pytest.approx(1)
    assert axis.place(low * math.sqrt(factor * 4)) == pytest.approx(0.5)
    assert axis.ticks()


def places(svg: str) -> list[tuple[float, float]]:
    return [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in ElementTree.fromstring(svg).iter("circle")]


def test_a_larger_value_is_higher_and_farther_right() -> None:
    dots = Mark([(1, 10), (2, 20), (3, 15)], dot=True)
    (x1, y1), (x2, y2), (x3, y3) = places(Chart(Axis(0, 4), Axis(0, 30), [dots], "t").svg())
    assert x1 < x2 < x3
    assert y2 < y3 < y1  # on a screen down is more
    assert y1 - y3 == pytest.approx(y3 - y2, abs=0.2)


def test_what_is_not_finite_is_not_drawn() -> None:
    dots = Mark([(1, math.nan), (2, math.inf), (3, 15)], dot=True)
    assert len(places(Chart(Axis(0, 4), Axis(0, 30), [dots], "t").svg())) == 1
    assert Axis.of([math.nan, math.inf]) == Axis(0.0, 1.0)


HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.mark.parametrize(
    "svg",
    [
        Chart(
            Axis(0, 1, HOSTILE), Axis(0, 1, HOSTILE), [Mark([(0, 0)], title=HOSTILE)], HOSTILE, {"line": HOSTILE}
        ).svg(),
        Chart(Axis(-0.4, 0.4, labels=[HOSTILE]), Axis(0, 1), [], "t").svg(),
        bars([(HOSTILE, 1.0), ("b", -0.5)], HOSTILE),
        matrix([[3, 1], [0, 2]], [HOSTILE, "b"], HOSTILE),
        parallel([(HOSTILE, Axis(0, 1)), ("b", Axis(0, 1))], [Mark([(0, 0.5), (1, 0.2)], title=HOSTILE)], HOSTILE),
    ],
)
def test_texts_stay_texts(svg: str) -> None:
    root = ElementTree.fromstring(svg)  # well-formed: nothing broke out of a text or an attribute
    assert {element.tag for element in root.iter()} <= {"svg", "path", "text", "title", "circle", "rect"}
    assert HOSTILE in "".join(root.itertext()) or HOSTILE in root.get("aria-label", "")


def test_bars_are_as_long_as_their_values() -> None:
    widths = [
        float(w)
        for w in re.findall(r'class="bar"[^>]* width="([\d.]+)"', bars([("a", 4.0), ("b", 2.0), ("c", -1.0)], "t"))
    ]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert widths[1] == pytest.approx(2 * widths[2], rel=0.01)


def test_a_confusion_matrix_shades_by_the_share_of_the_true_class() -> None:
    shares = re.findall(r"--s:([\d.]+)", matrix([[3, 1], [0, 10]], ["a", "b"], "t"))
    assert [float(share) for share in shares] == [0.75, 0.25, 0.0, 1.0]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.001, 0.02, ["0.001", "0.002", "0.005", "0.01", "0.02"]),
        (0.001, 0.3, ["0.001", "0.003", "0.01", "0.03", "0.1", "0.3"]),
        (1e-6, 1e-2, ["1e-06", "1e-05", "0.0001", "0.001", "0.01"]),
    ],
)
def test_a_log_axis_of_few_decades_has_ticks_between_them(low: float, high: float, ticks: list[str]) -> None:
    assert [text for _, text in Axis(low, high, log=True).ticks()] == ticks


def test_what_is_counted_has_no_half() -> None:
    assert [text for _, text in Axis(1.0, 3.0, whole=True).ticks()] == ["1", "2", "3"]


def test_a_field_fills_the_space_between_the_axes_and_leaves_out_what_is_not_known() -> None:
    svg = Chart(Axis(0, 1), Axis(0, 1), [], "t", field=[[0.25, None], [0.5, 1.0]]).svg()
    cells = [c.attrib for c in ElementTree.fromstring(svg).iter("rect")]
    assert [c["style"] for c in cells] == ["--s:0.25", "--s:0.50", "--s:1.00"]
    first, below, right = ((float(c["x"]), float(c["y"])) for c in cells)
    assert first[0] == below[0] < right[0]
    assert first[1] < below[1] == right[1]


def test_a_tick_at_the_right_end_is_within_the_picture() -> None:
    svg = Chart(Axis(1, 1000, log=True), Axis(0, 1), [], "t").svg()
    [last] = [t for t in ElementTree.fromstring(svg).iter("text") if t.text == "1000"]
    assert float(last.get("x", 0)) + 3.3 * len("1000") <= 480
