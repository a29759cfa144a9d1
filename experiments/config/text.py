"""Plain values, how errors show them, and TOML out of them: tomllib reads sweep files, and this writes them."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from os import PathLike, fspath
from typing import Any

from ..._text import escape_control_characters
from ..errors import UserError
from .toml import _BARE_KEY, toml_value

MAX_DEPTH = 16


_SIXTY_FOUR_BITS = 2**63


def plain(value: Any, where: str, depth: int = 0) -> Any:
    """Return `value` as TOML knows it: dict, list, str, bool, int, float.

    Python callers may hand over tuples, paths and NumPy values, which are converted. A key of a mapping whose value is
    None is left out, as TOML has no null: it means the default. Raises UserError naming `where` for anything else.
    """
    if depth > MAX_DEPTH:
        raise UserError(f"{where}: tables and lists may be nested {MAX_DEPTH} deep, not deeper")
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise UserError(f"{where}: keys must be text, not {show(key)}")
            name = f"{where}.{show_key(key)}"
            plain(key, name, depth)
            if item is not None:
                result[key] = plain(item, name, depth + 1)
        return result
    if isinstance(value, list | tuple):
        return [plain(item, where, depth + 1) for item in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist(), where, depth + 1)
    if isinstance(value, PathLike):
        return plain(fspath(value), where, depth + 1)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UserError(f"{where}: must be valid Unicode text, not {show(value)}") from None
        return str(value)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if not -_SIXTY_FOUR_BITS <= value < _SIXTY_FOUR_BITS:
            raise UserError(f"{where}: whole numbers must fit 64 bits")
        return int(value)
    raise UserError(f"{where}: must be text, a number, true or false, a list or a table, not {show(value)}")


def show(value: Any) -> str:
    """Return `value` in one short printable line, as TOML would write it where it can."""
    try:
        text = toml_value(value)
    except (TypeError, ValueError, RecursionError):  # not of our types, or an integer too long to print
        text = f"a {type(value).__name__}"
    # Beyond control characters: bidirectional marks and the like, which could make a terminal lie.
    text = escape_control_characters(text)
    return text if len(text) <= 60 else text[:57] + "..."


def show_key(key: str) -> str:
    """Return a key for an error message: bare where it may stand bare, else quoted and shortened."""
    return key if _BARE_KEY.fullmatch(key) and len(key) <= 60 else show(key)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean NAME?" for the known name most like `name`, or nothing."""
    close = get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
