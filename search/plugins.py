"""Samplers and pruners by name: ours, those of installed packages (entry points), and every one of Optuna's classes."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from .names import hint


def classes(module: ModuleType, base: type) -> dict[str, type[Any]]:
    """The concrete public classes of one of Optuna's modules, by name."""
    found = {name: getattr(module, name) for name in module.__all__}
    return {
        name: cls
        for name, cls in found.items()
        if isinstance(cls, type) and issubclass(cls, base) and not inspect.isabstract(cls)
    }


def plugin(name: str, group: str) -> Callable[..., Any] | None:
    """The factory that an installed package offers under this name, or None."""
    for point in entry_points(group=group, name=name):
        factory: Callable[..., Any] = point.load()
        return factory
    return None


def plugin_names(group: str) -> list[str]:
    return [point.name for point in entry_points(group=group)]


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    return ValueError(f"{kind}: {name!r} is unknown{hint(name, known)}")


def build(factory: Callable[..., Any], label: str, context: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """Call a factory with the user's options and with as much of the context as it asks for by name.

    Raises ValueError (one line) for an option that the factory does not have.
    """
    parameters = inspect.signature(factory).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for option in options:
            if option not in parameters:
                raise ValueError(f"{label}: unknown option {option!r}{hint(option, parameters)}")
    return factory(**{name: value for name, value in context.items() if name in parameters} | dict(options))
