"""The libraries of linear algebra in this process, whose threads a job limits to one: two would change float32 bits."""

import functools

from threadpoolctl import ThreadpoolController


@functools.cache
def libraries() -> ThreadpoolController:
    """Those that are loaded, NumPy's among them; found once, since to look for them takes as long as a small job."""
    import numpy as np  # noqa: F401

    return ThreadpoolController()
