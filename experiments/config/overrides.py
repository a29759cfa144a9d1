"""`--set key=value`: changes to a sweep file by dotted keys, made before it is checked."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._text import closest, escape_control_characters, suggestion
from ...search.spaces.layers import layer_of
from ..errors import UserError
from ..gathered import Gathered
from .names import meant_hyperparameter
from .text import plain, show_key

_BARE_POINT = re.compile(r"^\s*([+-]?)\.(?=\d)", re.ASCII)
# Setting one of these removes the other: what stands in a file could not be replaced by its alternative otherwise.
_ALTERNATIVES = {
    "data.folds": "data.validation",
    "data.validation": "data.folds",
    "data.test": "data.test_size",
    "data.test_size": "data.test",
}


def apply_overrides(
    tables: dict[str, Any], overrides: Sequence[str] | Mapping[str, Any], known: Mapping[str, Iterable[str] | None]
) -> list[str]:
    """Change `tables` in place by `overrides` and return the dotted keys that were set.

    Each override is "key=value", the value TOML if it parses and else a string; a mapping gives dotted keys and values.
    `known` maps every table to its keys and every plain key to None. Setting an alternative (folds for validation,
    [model] for [space], hidden for layers) removes what it replaces, unless both are set here. Raises UserError with all problems,
    once the others are set.
    """
    found = Gathered()
    pairs = [(key, plain(value, key)) for key, value in _pairs(overrides, found)]
    pairs = [(key, value) for key, value in pairs if found.passes(_check_known, key.split("."), known)]
    keys = [key for key, _ in pairs]
    for key, value in pairs:
        parts = key.split(".")
        for other in _replaced_by(parts, tables):
            if ".".join(other) not in keys:
                tables[other[0]].pop(other[1], None)
        table = tables
        for depth, part in enumerate(parts[:-1], start=1):
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise UserError(f"--set {key}: {'.'.join(parts[:depth])} is not a table and has no key {parts[depth]}")
        table[parts[-1]] = value
    found.raise_any()
    return keys


def _pairs(overrides: Sequence[str] | Mapping[str, Any], found: Gathered) -> Iterator[tuple[str, Any]]:
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            if not isinstance(key, str):
                raise UserError(f"overrides: keys must be text such as search.trials, not {key!r}")
            if value is None:
                raise UserError(f"overrides: {show_key(key)}: None is not a value of a sweep file")
            yield key, value
        return
    for text in [overrides] if isinstance(overrides, str) else overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            found.add(f"--set {escape_control_characters(text)[:80]}: write key=value, for instance search.trials=16")
            continue
        yield key.strip(), value_of(value.strip())


def value_of(text: str) -> Any:
    """The TOML value that a text is, or else the text itself; .5 is a number too, which TOML does not take."""
    try:
        parsed = tomllib.loads("value = " + _BARE_POINT.sub(r"\g<1>0.", text))
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _check_known(parts: list[str], known: Mapping[str, Iterable[str] | None]) -> None:
    table, rest = parts[0], parts[1:]
    if table in known:
        keys = known[table]
        if not rest or (keys is not None and rest[0] in keys):
            return
        if keys is None:
            raise UserError(f"--set {'.'.join(parts)}: {table} is not a table and has no key {show_key(rest[0])}")
    name = ".".join(parts)
    shown = name if "." in name else show_key(name)
    raise UserError(f"--set {shown}: unknown key{suggestion(*_meant(parts, known))}")


def _meant(parts: list[str], known: Mapping[str, Iterable[str] | None]) -> list[str]:
    """Return the full names, at most two, that an unknown key was probably meant to be."""
    table, key = parts[0], parts[-1]
    every = [f"{t}.{k}" for t, keys in known.items() for k in keys or ()] + list(known)
    if table in ("model", "space") and len(parts) == 2:
        meant = meant_hyperparameter(key)
        if meant is not None:
            return [f"{table}.{meant}"]
    else:
        # A key without its table, or in the wrong one, is the commonest slip: look for it everywhere.
        homes = [full for full in every if full.rpartition(".")[2] == key]
        if homes:
            return homes[:2]
        near = closest(".".join(parts), every)
        if near is not None:
            return [near]
    by_key = {full.rpartition(".")[2]: full for full in reversed(every)}
    slip = closest(key, by_key)
    return [] if slip is None else [by_key[slip]]


def _replaced_by(parts: list[str], tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the (table, key) pairs in `tables` that setting the key `parts` removes."""
    other = _ALTERNATIVES.get(".".join(parts))
    if other:
        table, _, key = other.partition(".")
        return [(table, key)] if isinstance(tables.get(table), dict) else []
    if len(parts) < 2 or parts[0] not in ("model", "space"):
        return []
    opposite, name = ("space" if parts[0] == "model" else "model"), parts[1]
    replaced = [(opposite, name)]
    present = [(owner, key) for owner in ("model", "space") for key in _table(tables, owner)]
    if name == "layers" or name.startswith("units_"):
        replaced += [(owner, key) for owner, key in present if key == "hidden"]
    elif name == "hidden":
        # A single layer's own choices (skip_1) stay where the layers are given by hidden before and after.
        of_layers = any(key == "layers" for _, key in present)
        gone = [key for _, key in present if key.startswith("units_") or (of_layers and layer_of(key))]
        replaced += [(owner, key) for owner, key in present if key in ("layers", *gone)]
    return [(owner, key) for owner, key in replaced if isinstance(tables.get(owner), dict)]


def _table(tables: Mapping[str, Any], owner: str) -> Mapping[str, Any]:
    table = tables.get(owner)
    return table if isinstance(table, dict) else {}
