"""`--set key=value`: dotted keys laid over a sweep file before it is checked."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._text import escape_control_characters
from ...search.spaces.layers import layer_of
from ..errors import UserError
from .names import hyperparameter_hint
from .text import nearest, plain, show_key

# Saying one of these takes back the other: what stands in a file could not be replaced by its alternative otherwise.
_ALTERNATIVES = {
    "data.folds": "data.validation",
    "data.validation": "data.folds",
    "data.test": "data.test_size",
    "data.test_size": "data.test",
}


def apply_overrides(
    tables: dict[str, Any], overrides: Sequence[str] | Mapping[str, Any], known: Mapping[str, Iterable[str] | None]
) -> list[str]:
    """Lay `overrides` over `tables` in place and return the dotted keys that were set.

    Each override is "key=value", the value TOML if it parses and else a string; a mapping gives dotted keys and values.
    `known` maps every table to its keys and every plain key to None. Setting an alternative (folds for validation,
    [model] for [space], hidden for layers) takes back what it replaces, unless both are set here. Raises UserError.
    """
    pairs = [(key, plain(value, key)) for key, value in _pairs(overrides)]
    keys = [key for key, _ in pairs]
    for key, value in pairs:
        parts = key.split(".")
        _check_known(parts, known)
        for other in _replaced_by(parts, tables):
            if ".".join(other) not in keys:
                tables[other[0]].pop(other[1], None)
        table = tables
        for depth, part in enumerate(parts[:-1], start=1):
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise UserError(f"--set {key}: {'.'.join(parts[:depth])} is no table, so it has no key {parts[depth]}")
        table[parts[-1]] = value
    return keys


def _pairs(overrides: Sequence[str] | Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            if not isinstance(key, str):
                raise UserError(f"overrides: keys must be text such as search.trials, not {key!r}")
            if value is None:
                raise UserError(f"overrides: {show_key(key)}: None is no value of a sweep file")
            yield key, value
        return
    for text in [overrides] if isinstance(overrides, str) else overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UserError(
                f"--set {escape_control_characters(text)[:80]}: write key=value, for instance search.trials=16"
            )
        yield key.strip(), _value(value.strip())


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
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
            raise UserError(f"--set {'.'.join(parts)}: {table} is no table, so it has no key {show_key(rest[0])}")
    name = ".".join(parts)
    every = [f"{t}.{key}" for t, keys in known.items() for key in keys or ()] + list(known)
    # A key without its table, or in the wrong one, is the commonest slip: look for its last part everywhere.
    homes = [full for full in every if full.rpartition(".")[2] == parts[-1]]
    hint = f"; did you mean {' or '.join(homes[:2])}?" if homes else nearest(name, every)
    if table in ("model", "space") and len(rest) == 1:
        hint = hyperparameter_hint(rest[0]).replace("mean ", f"mean {table}.")
    if not hint:
        last = {full.rpartition(".")[2]: full for full in reversed(every)}
        slip = nearest(parts[-1], last).removeprefix("; did you mean ").removesuffix("?")
        hint = f"; did you mean {last[slip]}?" if slip else ""
    raise UserError(f"--set {show_key(name) if '.' not in name else name}: unknown key{hint}")


def _replaced_by(parts: list[str], tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the (table, key) pairs in `tables` that setting the key `parts` takes back."""
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
