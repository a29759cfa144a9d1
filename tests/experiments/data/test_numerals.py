"""Numbers in the forms that people write, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.data.numerals import decimal_mark, parse, shown, split_unit, without_unit


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1,234", 1234.0, 1.234),
        ("1.234", 1.234, 1234.0),
        ("10,4", 10.4, 10.4),
        ("10.4", 10.4, 10.4),
        ("0,125", 0.125, 0.125),
        ("1.234,50", 1234.5, 1234.5),
        ("1,234.50", 1234.5, 1234.5),
        ("1.234.567", 1234567.0, 1234567.0),
        ("12,34,567", 1234567.0, 1234567.0),
        ("40 430", 40430.0, 40430.0),
        ("40\u202f430,5", 40430.5, 40430.5),
        ("1'234.50", 1234.5, 1234.5),
        ("$1,234.5", 1234.5, 1234.5),
        ("-$5", -5.0, -5.0),
        ("€ 3,50", 3.5, 3.5),
        ("3,50 EUR", 3.5, 3.5),
        ("45%", 0.45, 0.45),
        ("(12.5)", -12.5, -12.5),
        ("−5", -5.0, -5.0),
        ("177 B", 177e9, 177e9),
        ("1.5k", 1500.0, 1500.0),
        ("1,5e3", 1500.0, 1500.0),
        ("01", 1.0, 1.0),
        (".5", 0.5, 0.5),
        ("5.", 5.0, 5.0),
    ],
)
def test_numbers_as_people_write_them(text, point, comma):
    assert parse(text) == pytest.approx(point, rel=1e-15)
    assert parse(text, ",") == pytest.approx(comma, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2A",
        "Nr. 3.1",
        "1,2,3",
        "1.2.3",
        "1 2",
        "555-1234",
        "01.01.2024",
        "13:08",
        "(-5)",
        "--5",
        "$",
        ".",
        "0x1f",
        "1_000",
    ],
)
def test_other_texts_are_no_numbers(text):
    assert parse(text) is None
    assert parse(text, ",") is None


@given(st.floats(allow_nan=False))
def test_plain_numbers_are_themselves(value):
    assert parse(repr(value)) == value


@given(st.integers(-(10**12), 10**12), st.sampled_from(".,"))
def test_grouped_numbers_with_decimals_need_no_context(cents, decimal):
    text = f"{cents / 100:,.2f}"
    assert (
        parse(text.translate(str.maketrans(",.", ".,")), decimal)
        == parse(text, decimal)
        == float(text.replace(",", ""))
    )


def test_a_column_shows_its_decimal_mark():
    assert decimal_mark(["1,234", "10,4", "x"]) == ","
    assert decimal_mark(["1,234", "10.4"]) == "."
    assert decimal_mark(["1,234", "5"]) == "?"
    assert decimal_mark(["5", "x", "1 234"]) == ""
    assert decimal_mark(["$1,234", "($17,855)", "unknown"]) == "."
    assert decimal_mark(["€ 1.234", "5"]) == "?"
    assert decimal_mark(["1,234 €", "10,40 €", "9,90 €"]) == ","


def test_numbers_in_messages_are_short():
    assert [shown(value) for value in (1234.0, 0.45, 1e20)] == ["1234", "0.45", "1e+20"]


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("24.928 km", "24.928", "km"),
        ("173,7cm", "173,7", "cm"),
        ("-3,5 °C", "-3,5", "°c"),
        ("15 €/m²", "15", "€/m²"),
        ("4,25 l/100km", "4,25", "l/100km"),
        ("1 234 kWh/100 km", "1 234", "kwh/100 km"),
        ("12", "12", ""),
        ("1e5", "1e5", ""),
        ("2024-03-01", "2024-03-01", ""),
        ("20240301T000000Z", "20240301T000000Z", ""),
        ("12:30 pm", "12:30 pm", ""),
        ("12 Main Street 5", "12 Main Street 5", ""),
    ],
)
def test_units_stand_after_numbers(text, number, unit):
    assert split_unit(text) == (number, unit)
    assert without_unit(f" {text} ", unit) == (number if unit else f" {text} ")
    assert without_unit(text, "lb") == text
    assert decimal_mark([text]) == decimal_mark([number])
