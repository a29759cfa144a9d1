"""Options of samplers and schedulers, checked in one line each."""

from typing import Any


def positive(name: str, value: Any, low: int = 1) -> int:
    """An option that counts something. Raises ValueError (one line)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{name}: {value!r} is not an integer of at least {low}")
    return value


def share(name: str, value: Any) -> float:
    """An option that is a share, from 0 to 1. Raises ValueError (one line)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{name}: {value!r} is not a number from 0 to 1")
    return float(value)
