"""Strategies by name: ours, those of installed packages (entry points), and every one of Optuna's classes."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._text import hint

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# The context that a sweep passes to samplers and schedulers by name; none of it is an option.
CONTEXT = frozenset(
    {"seed", "space", "trials", "batch", "given", "cost", "known_costs", "study", "max_epochs", "changeable"}
)


Factory = Callable[..., Any]


@dataclass(frozen=True)
class Registry:
    """All strategies of one kind by name: ours before those of installed packages, and these before Optuna's classes.

    Attributes:
        kind: `sampler`, `pruner` or `scheduler`; installed packages offer theirs as entry points of the group `mlptune.<kind>s`.
        homes: ours, `"module:Class"` by name; a module that begins with a dot is one of `mlptune.search`.
        optuna_base: the class in `optuna.<kind>s` whose concrete public subclasses are found too, by their class names.
        adapt: makes a factory of such a class.
        packages: what such a class imports only when it is first used, trials later, by its name.
    """

    kind: str
    homes: Mapping[str, str]
    optuna_base: str | None = None
    adapt: Callable[[type[Any]], Factory] = lambda cls: cls
    packages: Mapping[str, str] = field(default_factory=dict)

    def factory(self, name: str) -> Factory:
        """The class or function that makes the strategy of this name. Raises ValueError (one line) for an unknown name."""
        if name in self.homes:
            module, _, attribute = self.homes[name].partition(":")
            ours: Factory = getattr(import_module(module, __package__), attribute)
            return ours
        plugins = self.plugins(name)
        if plugins:
            plugin: Factory = plugins[0].load()
            return plugin
        optunas = self._optunas()
        if name not in optunas:
            raise ValueError(f"{self.kind}: {name!r} is unknown{hint(name, self.names())}")
        return self.adapt(optunas[name])

    def check(self, name: str) -> None:
        """Raise ValueError if nothing has this name; ours are not imported for it."""
        if name not in self.homes:
            self.factory(name)

    def check_installed(self, name: str) -> None:
        """Raise ValueError if what has this name needs a package that is not there."""
        package = self.packages.get(name)
        if package is not None and name not in self.homes and not self.plugins(name) and find_spec(package) is None:
            raise ValueError(f"{name} needs the package {package}: pip install {package}")

    def names(self) -> list[str]:
        """Every known name."""
        return [*self.homes, *(point.name for point in self.plugins()), *self._optunas()]

    def plugins(self, name: str | None = None) -> "list[EntryPoint]":
        """The entry points of installed packages: all of them, or those of this name."""
        from importlib.metadata import entry_points

        found = entry_points(group=f"mlptune.{self.kind}s")
        return [point for point in found if name in (None, point.name)]

    def option_names(self, name: str) -> frozenset[str] | None:
        """The options of the strategy of this name; None if it takes any."""
        parameters = inspect.signature(self.factory(name)).parameters
        return None if _takes_any(parameters) else frozenset(parameters) - CONTEXT

    def build(self, name: str, context: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Make a strategy from the user's options and as much of the context as it asks for by name.

        Raises:
            ValueError: (one line) for an unknown name, an option that the strategy does not have or that it misses, and
                a value of another type.
        """
        factory, label = self.factory(name), f"{self.kind} {name}"
        self.check_installed(name)
        parameters = inspect.signature(factory).parameters
        if not _takes_any(parameters):
            for option in options:
                if option not in parameters:
                    raise ValueError(f"{label}: unknown option {option!r}{hint(option, set(parameters) - CONTEXT)}")
        arguments = {key: value for key, value in context.items() if key in parameters} | dict(options)
        try:
            inspect.signature(factory).bind(**arguments)
        except TypeError as error:
            raise ValueError(f"{label}: {error}") from error
        _check_types(factory, label, options)
        return factory(**arguments)

    def _optunas(self) -> dict[str, type[Any]]:
        if self.optuna_base is None:
            return {}
        module = import_module(f"optuna.{self.kind}s")
        base = getattr(module, self.optuna_base)
        found = {name: getattr(module, name) for name in module.__all__}
        return {
            name: cls
            for name, cls in found.items()
            if isinstance(cls, type) and issubclass(cls, base) and not inspect.isabstract(cls)
        }


def check_integer(name: str, value: Any, low: int = 1) -> int:
    """An option that is an integer of at least `low`. Raises ValueError (one line)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{name}: {value!r} is not an integer of at least {low}")
    return value


def check_number(name: str, value: Any, high: float = 1.0) -> float:
    """An option that is a number from 0 to `high`. Raises ValueError (one line)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise ValueError(f"{name}: {value!r} is not a number from 0 to {high:g}")
    return float(value)


def _takes_any(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _check_types(factory: Callable[..., Any], label: str, options: Mapping[str, Any]) -> None:
    """Refuse numbers, texts and booleans in each other's place, which many classes notice much later or never.

    By hand, because Pydantic would also check the other types of foreign classes, and more strictly than these themselves do:
    a tuple where a list is annotated.
    """
    cls: Any = factory
    try:
        expected = typing.get_type_hints(cls.__init__ if isinstance(factory, type) else factory)
    except NameError:  # its types are imported for type checkers only
        return
    for option, value in options.items():
        kinds = expected.get(option, object)
        union = typing.get_origin(kinds) in (typing.Union, types.UnionType)
        alternatives = typing.get_args(kinds) if union else (kinds,)
        if all(kind in _RULES for kind in alternatives) and not any(_RULES[kind](value) for kind in alternatives):
            words = " or ".join(_WORDS[kind] for kind in alternatives if kind is not type(None))
            raise ValueError(f"{label}: {option} must be {words}, not {value!r}")


_RULES: dict[Any, Callable[[Any], bool]] = {
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value),
    bool: lambda value: isinstance(value, bool),
    str: lambda value: isinstance(value, str),
    type(None): lambda value: value is None,
}
_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
