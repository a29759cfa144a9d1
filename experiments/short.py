"""Numbers, times and parameters as short texts, the same in a terminal and in a notebook."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def count_text(count: float | None) -> str:
    """A counted cost with its thousands set apart, or a dash."""
    return "-" if count is None else f"{count:,.0f}"


def params_text(params: Mapping[str, Any]) -> str:
    """Return parameters as name=value, numbers to four digits."""
    return "  ".join(f"{name}={value_text(value)}" for name, value in params.items())


def value_text(value: Any) -> str:
    """Return one parameter's value, short."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(value_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def number_text(value: float | None) -> str:
    """Return an objective's value to five significant digits, or a dash."""
    return "-" if value is None else f"{value:#.5g}".rstrip(".")


def time_text(seconds: float) -> str:
    """Return seconds as m:ss or h:mm:ss."""
    minutes, second = divmod(round(max(seconds, 0.0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def clock_text(moment: datetime, now: datetime) -> str:
    """Return a time of day as 14:05, with the weekday or the date where it is not today's."""
    days = (moment.date() - now.date()).days
    day = "" if days == 0 else "%a " if 0 < days < 7 else "%d %b "
    return f"{moment:{day}%H:%M}"
