"""An argument of many calls that is sent to each process once."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shared:
    """An argument of many calls, such as the data; its value is left out of calls to a process that has it already."""

    key: str
    value: Any
