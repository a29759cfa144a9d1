"""Update rules as loops that numba compiles, where it is installed (`pip install 'mlptune[fast]'`): the same bits, sooner.

A rule in NumPy passes over its arrays ten times, a loop once. The passes are the reference: a loop is used only if it gives
their bits on this machine, and only once a process has done so many updates that compiling it is worth it.
"""

from collections.abc import Callable

import numpy as np

from .array import Array
from .hyperparameters import Hyperparameters
from .optimizers import UpdateRule

Loop = Callable[[Array, Array, tuple[Array, ...], Array, int, int, int], None]


class Loops:
    """The compiled loops of this process.

    Attributes:
        worth: After how many updates of single parameters a loop is compiled: about half a second of NumPy's passes; the
            import of numba and the first compilation take as long.
    """

    def __init__(self) -> None:
        self.worth = 500_000_000
        self._updates = 0
        self._found: dict[tuple[UpdateRule, str], Loop | None] = {}

    def find(self, rule: UpdateRule, dtype: str, updates: int) -> Loop | None:
        """The loop of a rule over arrays of that dtype, for so many updates of single parameters; None: NumPy's passes.

        `loop(theta, gradient, slots, scalars, step, begin, end)` is the rule's `update` of the columns from `begin` to `end`
        of whole arrays (K, P), in C order, with the scalars (s, steps, K) of that step.
        """
        self._updates += updates
        if rule.loop is None or self._updates < self.worth:
            return None
        key = rule, dtype
        if key not in self._found:
            self._found[key] = _compiled(rule, dtype)
        return self._found[key]


LOOPS = Loops()


def _compiled(rule: UpdateRule, dtype: str) -> Loop | None:
    """The rule's loop, or None where there is no compiler or where it gives other bits than the passes."""
    try:
        import numba
    except ImportError:
        return None
    if numba.config.DISABLE_JIT:  # by the variable NUMBA_DISABLE_JIT; a loop would be Python's own
        return None
    try:
        return _held_against_passes(numba.njit(error_model="numpy", cache=True)(rule.loop), rule, dtype)
    except (RuntimeError, OSError):  # there is no folder to keep it in, or no room
        return _held_against_passes(numba.njit(error_model="numpy")(rule.loop), rule, dtype)


def _held_against_passes(loop: Loop, rule: UpdateRule, dtype: str) -> Loop | None:
    """The loop, compiled by a call, or None where it gives other bits than the passes."""
    random = np.random.default_rng(0)
    K, P = 3, 77
    passes = [np.abs(random.normal(size=(K, P))).astype(dtype) for _ in range(2 + rule.n_slots)]
    looped = [array.copy() for array in passes]
    n_scalars = len(rule.coefficients(Hyperparameters(), np.ones(1), np.ones(1)))
    scalars = random.uniform(0.1, 0.9, (n_scalars, 1, K)).astype(dtype)
    with np.errstate(all="ignore"):
        rule.update(passes[0], passes[1], passes[2:], list(scalars[:, 0, :, None]), np.empty_like(passes[0]))
    loop(looped[0], looped[1], tuple(looped[2:]), scalars, 0, 0, P)
    changed = (0, *range(2, len(passes)))  # the gradient may be left as it was
    return loop if all(np.array_equal(passes[i], looped[i]) for i in changed) else None
