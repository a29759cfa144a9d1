"""The commands: what the user types, turned into calls of the other modules. `--help` lists them in this order."""

from ..app import app

# isort: split
from . import sweeping  # noqa: I001
from . import looking
from . import reading
from . import reviewing
from . import curves
from . import models
from . import launches
from . import reference
from . import pages

__all__ = ["app", "curves", "launches", "looking", "models", "pages", "reading", "reference", "reviewing", "sweeping"]
