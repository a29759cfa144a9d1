"""An argument of many calls that each process is sent once."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shared:
    """An argument of many calls, such as the data. Whoever brings a call to a process that has it already leaves out the value."""

    key: str
    value: Any
