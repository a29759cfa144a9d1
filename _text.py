"""Short texts that every room needs: counts, the name that was probably meant, and text made safe for a terminal."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches


def counted(number: int, noun: str, plural: str = "") -> str:
    """`"1 trial"` or `"2 trials"`, for a noun whose plural has an s unless it is given."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str], most: int = 8) -> str:
    """The first few of the words, with commas, and how many more there are: `"a, b and 3 more"`."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def joined(words: Sequence[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def closest(name: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like `name`, whatever the case of its letters; None where none is near.

    `cutoff`, from 0 to 1, is the least likeness, as `difflib` counts it.
    """
    lowered = {other.lower(): other for other in sorted(set(known), reverse=True)}
    # Likeness takes a time of the product of the lengths, and what is given by mistake may be a whole file.
    given = str(name)[:100].lower()
    near = get_close_matches(given, lowered, n=3, cutoff=cutoff)

    def likeness(other: str) -> tuple[float, bool]:
        """Of names that are equally like it the one of the same letters: `beta1_` is `beta_1`, not `beta_2`."""
        return SequenceMatcher(None, other, given).ratio(), sorted(other) == sorted(given)

    return lowered[max(near, key=likeness)] if near else None


def suggestion(*names: str | None) -> str:
    """The end of an error line for what was probably meant: `"; did you mean 'x' or 'y'?"`; nothing for no names."""
    given = [repr(name) for name in names if name is not None]
    return f"; did you mean {' or '.join(given)}?" if given else ""


def nearest(name: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of an error line: the known name most like `name`, or nothing."""
    return suggestion(closest(name, known, cutoff))


def hint(name: object, known: Iterable[str], most: int | None = None) -> str:
    """The end of an error line: the known name most like `name`, or all of them (the first `most`) where none is near."""
    known = sorted(set(known))
    return nearest(name, known) or (f"; known: {listed(known, len(known) if most is None else most)}" if known else "")


def escape_control_characters(text: str) -> str:
    """The text in one line, without characters that control a terminal; names of columns may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
