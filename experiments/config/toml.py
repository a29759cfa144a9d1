"""TOML out of plain values: the standard library reads TOML, and this writes it."""

import json
import re
from collections.abc import Mapping
from typing import Any

LINE = 120  # characters
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_key(key: str) -> str:
    """Return `key` as it stands left of an equals sign."""
    return key if BARE_KEY.fullmatch(key) else _toml_string(key)


def toml_value(value: Any) -> str:
    """Return a plain value as inline TOML. Raises TypeError for what TOML does not know."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_string(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        body = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {body} }}" if body else "{}"
    raise TypeError(f"TOML has no {type(value).__name__}")


def toml_document(tables: Mapping[str, Any]) -> str:
    """Return a TOML document: plain values first, then a [table] for each mapping, whose own mappings stand inline."""
    head = [_toml_line(key, value) for key, value in tables.items() if not isinstance(value, Mapping)]
    blocks = ["\n".join(head)] if head else []
    for key, table in tables.items():
        if isinstance(table, Mapping):
            lines = [f"[{toml_key(key)}]", *(_toml_line(k, v) for k, v in table.items())]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _toml_line(key: str, value: Any) -> str:
    """Return key and value; a list too long for a line has one for each item."""
    line = f"{toml_key(key)} = {toml_value(value)}"
    if not isinstance(value, list | tuple) or len(line) <= LINE:
        return line
    return "\n".join([f"{toml_key(key)} = [", *(f"    {toml_value(item)}," for item in value), "]"])


def _toml_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
