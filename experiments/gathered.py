"""Problems of independent checks, gathered: who has made three slips sees three lines, not one after each attempt."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .errors import UserError

P = ParamSpec("P")
T = TypeVar("T")


class Gathered:
    """What several checks have refused, in their order and each once.

    A check is a function that raises UserError; one that depends on what another has refused is left out by its caller.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def value(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `check` returns; None where it refuses."""
        try:
            return check(*args, **kwargs)
        except UserError as error:
            self.add(*error.problems)
            return None

    def passes(self, check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether `check` refuses nothing."""
        before = len(self.problems)
        self.value(check, *args, **kwargs)
        return len(self.problems) == before

    def add(self, *problems: str) -> None:
        """Add problems, one line each."""
        self.problems += [problem for problem in problems if problem not in self.problems]

    def raise_any(self) -> None:
        """Raise UserError, with all problems, where there are any."""
        if self.problems:
            raise UserError(*self.problems)
