"""Counts in messages: a person asks for one trial now and then."""


def counted(number: int, noun: str) -> str:
    """``"1 trial"`` or ``"2 trials"``, for a noun whose plural has an s."""
    return f"{number} {noun if number == 1 else noun + 's'}"
