"""Short texts that every room needs: counts, the name that was probably meant, and text made safe for a terminal."""

from collections.abc import Iterable
from difflib import get_close_matches


def counted(number: int, noun: str) -> str:
    """`"1 trial"` or `"2 trials"`, for a noun whose plural has an s."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def hint(name: object, known: Iterable[str], most: int | None = None) -> str:
    """The end of an error line: the nearest known name, or all of them (the first `most`) where none is near."""
    known = sorted(set(known))
    near = get_close_matches(str(name).lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {next(k for k in known if k.lower() == near[0])!r}?"
    more = [] if most is None or len(known) <= most else [f"and {len(known) - most} more"]
    return f"; known: {', '.join([*known[:most], *more])}" if known else ""


def escape_control_characters(text: str) -> str:
    """The text in one line, without characters that control a terminal; names of columns may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
