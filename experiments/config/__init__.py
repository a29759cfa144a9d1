"""The sweep file: read, checked, changed by `--set`, and written.

The names below are imported when they are used: what only reads the store needs names of keys, and not the schema of all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import bundled_sweeps as bundled_sweeps
    from .load import default_name as default_name
    from .load import load_spec as load_spec
    from .load import spec_toml as spec_toml
    from .schema import Spec as Spec

_HOMES = {"bundled_sweeps": "load", "default_name": "load", "load_spec": "load", "spec_toml": "load", "Spec": "schema"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
