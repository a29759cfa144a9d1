"""Errors about names say which known name was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def counted(number: int, noun: str) -> str:
    """`"1 trial"` or `"2 trials"`, for a noun whose plural has an s."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def hint(name: object, known: Iterable[str]) -> str:
    """The end of an error line: the nearest known name, or all of them where none is near."""
    known = sorted(set(known))
    near = get_close_matches(str(name).lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {next(k for k in known if k.lower() == near[0])!r}?"
    return f"; known: {', '.join(known)}" if known else ""
