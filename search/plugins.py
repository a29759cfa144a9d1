"""Samplers and pruners by name: ours, those of installed packages (entry points), and every one of Optuna's classes."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from .._text import hint


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


# What a sweep tells samplers and schedulers by itself; none of it is an option.
CONTEXT = frozenset({"seed", "space", "trials", "batch", "cost", "study", "max_epochs", "changeable"})


def options_of(factory: Callable[..., Any]) -> frozenset[str] | None:
    """The options of a factory by name; None where it takes any."""
    parameters = inspect.signature(factory).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return None
    return frozenset(parameters) - CONTEXT


def build(factory: Callable[..., Any], label: str, context: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """Call a factory with the user's options and with as much of the context as it asks for by name.

    Raises ValueError (one line) for an option that the factory does not have or that it misses, and for a value of another type.
    """
    parameters = inspect.signature(factory).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for option in options:
            if option not in parameters:
                raise ValueError(f"{label}: unknown option {option!r}{hint(option, set(parameters) - CONTEXT)}")
    arguments = {name: value for name, value in context.items() if name in parameters} | dict(options)
    try:
        inspect.signature(factory).bind(**arguments)
    except TypeError as error:
        raise ValueError(f"{label}: {error}") from error
    _check_types(factory, label, options)
    return factory(**arguments)


def _check_types(factory: Callable[..., Any], label: str, options: Mapping[str, Any]) -> None:
    """Refuse numbers, words and truth values in each other's place, which many classes only notice much later."""
    cls: Any = factory
    try:
        expected = typing.get_type_hints(cls.__init__ if isinstance(factory, type) else factory)
    except NameError:  # its types are known to type checkers alone
        return
    for option, value in options.items():
        kinds = expected.get(option, object)
        alternatives = typing.get_args(kinds) if isinstance(kinds, types.UnionType | _UNION) else (kinds,)
        if all(kind in _RULES for kind in alternatives) and not any(_RULES[kind](value) for kind in alternatives):
            words = " or ".join(_WORDS[kind] for kind in alternatives if kind is not type(None))
            raise ValueError(f"{label}: {option} must be {words}, not {value!r}")


_UNION = type(typing.Optional[int])  # noqa: UP045 - the older kind of union, which Optuna's classes may use
_RULES: dict[Any, Callable[[Any], bool]] = {
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value),
    bool: lambda value: isinstance(value, bool),
    str: lambda value: isinstance(value, str),
    type(None): lambda value: value is None,
}
_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
