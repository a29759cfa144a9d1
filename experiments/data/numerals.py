"""Numbers as people write them: decimal commas, thousands marks, currency signs, percent, brackets, magnitude letters, units.

One cell is read by itself. Only one thing has to be known of its column: what a mark means that may be either, as in 1,234 or
1.234. Every other form says itself which mark is the decimal one: 10,4 and 0,125 and 1.234,5 are decimal commas anywhere.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BLANKS = " '’\u00a0\u2009\u202f"  # what stands between groups of three digits beside points and commas
_CURRENCY = r"(?:(?:US|A|C|R|NZ|HK|S)?\$|[€£¥₹₽₩₺₴₪฿]|USD|EUR|GBP|CHF|JPY|CNY|INR|Fr\.|kr\.?|zł)"
_MONEY = re.compile(_CURRENCY)
_UNITS = {"%": 0.01, "‰": 0.001, "k": 1e3, "K": 1e3, "M": 1e6, "Mio": 1e6, "Mn": 1e6, "mn": 1e6}
_UNITS |= {"B": 1e9, "bn": 1e9, "Bn": 1e9, "Mrd": 1e9, "T": 1e12, "tn": 1e12}
_SIGN = r"[+\-−–]"
_WRITTEN = re.compile(
    rf"(?P<before>{_SIGN})?\s*(?:{_CURRENCY})?\s*(?P<after>{_SIGN})?\s*"
    rf"(?P<digits>\d[\d.,{_BLANKS}]*|[.,]\d+)(?P<power>[eE][+-]?\d+)?"
    rf"\s*(?P<unit>{'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})?\.?\s*(?:{_CURRENCY})?",
    re.ASCII,
)
_GROUPED = {
    ",": re.compile(r"[1-9]\d{0,2}(,\d{3})+|[1-9]\d?(,\d{2})+,\d{3}", re.ASCII),  # also as in India: 12,34,567
    ".": re.compile(r"[1-9]\d{0,2}(\.\d{3})+", re.ASCII),
}
_BLANK_GROUPED = re.compile(rf"\d{{1,3}}([{_BLANKS}])\d{{3}}(\1\d{{3}})*([.,]\d+)?", re.ASCII)


# A unit begins with a letter or a sign and has figures only below a stroke, as in l/100km: 12 km, 173,5 cm, 15 €/m².
_WITH_UNIT = re.compile(
    rf"(?P<number>(?:{_SIGN}\s*)?(?:\d[\d.,{_BLANKS}]*|[.,]\d+))"
    r"(?P<unit>(?:[^\W\d_]|[°µ€$£%‰\"″′])[^0-9/]{0,15}(?:/\s?[0-9]{0,4}\s?[^\W\d_][^0-9]{0,9})?)"
)


def split_unit(text: str) -> tuple[str, str]:
    """A stripped text as a number's text and the unit after it, in small letters; "" is the unit where there is none."""
    found = _WITH_UNIT.fullmatch(text)
    return (found["number"].rstrip(), found["unit"].lower()) if found is not None else (text, "")


def without_unit(cell: str, unit: str) -> str:
    """The cell without the unit after its number, if it is this one."""
    number, own = split_unit(cell.strip()) if unit else (cell, "")
    return number if unit and own == unit else cell


def parse(text: str, decimal: str = ".") -> float | None:
    """The number that a stripped `text` says, None where it is something else.

    `decimal` is what a mark means that may be either: in a column with decimal commas 1,234 is 1.234 and 1.234 is 1234.
    """
    if decimal == "." and PLAIN.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text)
    bracketed = text.startswith("(") and text.endswith(")")
    found = _WRITTEN.fullmatch(text[1:-1].strip() if bracketed else text)
    if found is None:
        return None
    signs = [sign for sign in (found["before"], found["after"]) if sign]
    value = _value(found["digits"].rstrip(), decimal)
    if value is None or len(signs) + bracketed > 1:
        return None
    number = float(value + (found["power"] or "")) * _UNITS.get(found["unit"], 1.0)
    return -number if bracketed or (signs and signs[0] != "+") else number


def _value(digits: str, decimal: str) -> str | None:
    """The digits with a decimal point and no other mark, None where they are no number."""
    blanks = any(blank in digits for blank in _BLANKS)
    if blanks:
        if not _BLANK_GROUPED.fullmatch(digits):
            return None
        digits = "".join(character for character in digits if character not in _BLANKS)
    mark, ambiguous = _decimal_of(digits)
    if mark is None:
        return None
    if ambiguous and not blanks:
        mark = decimal
    other = "." if mark == "," else ","
    return digits.replace(other, "").replace(mark, ".")


def _decimal_of(digits: str) -> tuple[str | None, bool]:
    """Which mark is the decimal one in `digits`, None where neither makes sense; and whether it might be a thousands mark."""
    points, commas = digits.count("."), digits.count(",")
    if not points and not commas:
        return ".", False
    if points and commas:
        mark = max(".", ",", key=digits.rfind)
        other = "." if mark == "," else ","
        right = digits.count(mark) == 1 and _GROUPED[other].fullmatch(digits[: digits.index(mark)])
        return (mark, False) if right else (None, False)
    mark = "." if points else ","
    if points + commas > 1:
        return ("," if points else ".", False) if _GROUPED[mark].fullmatch(digits) else (None, False)
    return mark, bool(_GROUPED[mark].fullmatch(digits))


def decimal_mark(texts: Iterable[str]) -> str:
    """The decimal mark that the cells of a column show: "." or ",", "?" where marks may be either, "" where there are none.

    Money with a comma before three digits, $1,200, is thousands: hardly anyone writes three decimals after a comma there. Nobody
    writes thousands before a power of ten: the mark of 1,257E-01 is the decimal one.
    """
    shown: Counter[str] = Counter()
    for text in texts:
        text = text.strip()
        if _WRITTEN.fullmatch(text) is None:
            text, _ = split_unit(text)
        found = _WRITTEN.fullmatch(text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text)
        digits = found["digits"].rstrip() if found is not None else ""
        if "." in digits or "," in digits:
            blanks = any(blank in digits for blank in _BLANKS)
            mark, ambiguous = _decimal_of("".join(character for character in digits if character not in _BLANKS))
            if ambiguous and not blanks and not (found is not None and found["power"]):
                mark = "." if mark == "," and _MONEY.search(text) else "?"
            if mark is not None:
                shown[mark] += 1
    if shown[","] or shown["."]:
        return "," if shown[","] > shown["."] else "."
    return "?" if shown["?"] else ""


def shown(value: float) -> str:
    """A number as messages write it."""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else f"{value:.10g}"
