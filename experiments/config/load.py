"""Sweep files read: `load_spec` is the one way in, for files, bundled sweeps, mappings and the command line's `--data`.

What it returns is checked, so that everything behind it can trust the values.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..._text import nearest
from ..errors import UserError
from ..formats import MEMORY, Address, is_named, is_table
from ..gathered import Gathered
from .checks import check_semantics, widen_ranges
from .counting import with_counted
from .names import model_names
from .overrides import apply_overrides
from .schema import NAME_PATTERN, Spec, Table
from .text import plain, show, show_key
from .toml import toml_document

LARGEST_FILE = 1_000_000  # bytes; a sweep file has a few thousand, a table given by mistake has more


def load_spec(
    source: "str | Path | Mapping[str, Any] | Spec | None" = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    data: str | Path | None = None,
    target: str | None = None,
    base: Path | None = None,
) -> tuple[Spec, str]:
    """Read, complete and check a sweep file; return it with the TOML text that says the same.

    `source` is a path, the name of a bundled sweep, a mapping, a Spec, or None with `data` (and `target`) instead;
    `overrides` are the "key=value" texts of `--set`, or a mapping of dotted keys. `data` "memory" stands for a table that
    the caller holds; it may come with a sweep file that names no other. The text is the file's own where nothing was
    overridden. `base` is the folder of a mapping's relative paths, unless given the current one. Raises UserError, one line that
    names the place, the rule, the value and the nearest one.
    """
    spec, text, problems = examine_spec(source, overrides, data=data, target=target)
    if spec is None or problems:
        raise UserError(*problems)
    if base is not None:
        spec._base = base
    return spec, text


def examine_spec(
    source: "str | Path | Mapping[str, Any] | Spec | None" = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    data: str | Path | None = None,
    target: str | None = None,
) -> tuple[Spec | None, str, list[str]]:
    """As `load_spec`, with all problems as a list of lines; the spec is then what is left without the keys that are wrong.

    It is None where nothing can be made of the rest. Raises UserError for what is no sweep file at all.
    """
    text = None
    label, base = "sweep", Path.cwd()
    if source is None:
        if data is None:
            raise UserError("give a sweep file, the name of a bundled sweep, or --data FILE --target COLUMN")
        label = "data" if data == MEMORY else "--data"
        tables: dict[str, Any] = {"data": plain({"source": str(data), "target": target}, "data")}
    elif data != MEMORY and (data is not None or target is not None):
        raise UserError(_only_one(source, data))
    elif isinstance(source, Spec):
        base, tables = source.base, source.dump()
    elif isinstance(source, Mapping):
        tables = _plain(_with_metric_by_name(source), label)
    else:
        text, label, base = _read(source)
        tables = _parse(text, label)
    if source is not None and data == MEMORY:
        text = None
        _put_memory(tables, target, label)
    found = Gathered()
    changed = found.value(apply_overrides, tables, overrides, _known_keys())
    spec, problems = _check(tables, label)
    found.add(*(f"{label}: {problem}" for problem in problems))
    if spec is None:
        return None, "", found.problems
    spec._base = base
    return spec, text if text is not None and not changed else spec_toml(spec), found.problems


def _only_one(source: "str | Path | Mapping[str, Any] | Spec", data: str | Path | None) -> str:
    """What is wrong where a sweep and the name of a table, or a target, are given, which would be part of it."""
    if isinstance(source, Spec | Mapping):
        return 'data, target: are keys of the sweep that is given too: {"data": {"source": FILE, "target": COLUMN}}'
    if data is None and is_table(str(source)):
        return f"{show_path(str(source))} is a table, not a sweep file; give it with --data"
    return "give a sweep file or --data, not both; a file's data is changed by --set data.source=... data.target=..."


def _with_metric_by_name(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """A sweep file's tables with the name of a metric that is a function, which from then on is known by it."""
    objective = tables.get("objective")
    if not isinstance(objective, Mapping):
        return tables
    named = dict(objective)
    if callable(named.get("metric")):
        named["metric"] = metric_name(named["metric"])
    if isinstance(named.get("metrics"), list | tuple):
        named["metrics"] = [metric_name(metric) for metric in named["metrics"]]
    return {**tables, "objective": named}


def metric_name(metric: Any) -> Any:
    """The name of a metric; a function's is known in this process from then on. Raises UserError if it cannot be one."""
    if not callable(metric):
        return metric
    from ...core.metrics import give
    from ...core.own_metric import from_function

    try:
        give(made := from_function(metric))
    except ValueError as error:
        raise UserError(f"[objective] {error}") from None
    return made.name


def _put_memory(tables: dict[str, Any], target: str | None, label: str) -> None:
    """Make the table that the caller holds the data of a sweep file, in place."""
    section = tables.setdefault("data", {})
    if not isinstance(section, dict):
        return  # refused with all else that is of a wrong type
    if section.get("source", MEMORY) != MEMORY:
        raise UserError(
            f"{label}: [data] source: is {show(section['source'])}, and a table was given too; leave one of them out"
        )
    section["source"] = MEMORY
    if target is not None:
        section["target"] = plain(target, "target")


def spec_toml(spec: Spec) -> str:
    """Return a sweep file that says what `spec` says, with every default written out."""
    tables = spec.dump()
    tables["data"] = {key: value for key, value in tables["data"].items() if value != []}
    if not tables["search"]["options"]:
        del tables["search"]["options"]
    return toml_document(tables)


def bundled_sweeps() -> dict[str, Path]:
    """Return the sweep files that come with mlptune by their names."""
    return {path.stem: path for path in sorted((Path(__file__).parents[1] / "sweeps").glob("*.toml"))}


def default_name(source: str) -> str:
    """Return the name of a sweep that has none: the data set's, or the data file's without its suffixes."""
    return _as_name(source.split(":", 1)[1] if is_named(source) else Address.parse(source).stem)


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._ -]+", "-", text).lstrip("._ -").rstrip(" -")[:100] or "sweep"


def _read(source: str | Path) -> tuple[str, str, Path]:
    """Return (text, label for errors, folder of relative paths) of a sweep file or a bundled sweep."""
    if not isinstance(source, str | Path):
        raise UserError(f"a sweep is a path, the name of a bundled sweep, a mapping or a Spec, not {show(source)}")
    path, bundled = Path(Address.parse(str(source)).path), bundled_sweeps()
    label, base = show_path(path.name), path.parent
    try:
        if not path.is_file() and str(source) in bundled:
            path, base = bundled[str(source)], Path.cwd()
            label = path.name
        if path.is_dir() and str(source):
            raise UserError(f"{show_path(str(source))} is a folder; give a sweep file (.toml)")
        table = is_table(str(source)) and ".toml" not in {suffix.lower() for suffix in path.suffixes}
        remedy = "give it with --data, and its target column with --target"
        if not path.is_file():
            known = f"; bundled sweeps: {', '.join(bundled)}{nearest(str(source), bundled)}"
            rest = f"; it would be a table, not a sweep file: {remedy}" if table else known
            raise UserError(f"no such {'file' if table else 'sweep file'}: {show_path(str(source))}{rest}")
        if table:
            raise UserError(f"{label} is a table, not a sweep file; {remedy}")
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(
                f"{label} has {path.stat().st_size} bytes, too many for a sweep file; a table is given with --data"
            )
        return path.read_bytes().decode("utf-8-sig"), label, base.absolute()
    except UnicodeDecodeError as error:
        raise UserError(f"{label}: not UTF-8 text (byte {error.start}); a sweep file is a TOML file") from None
    except OSError as error:
        raise UserError(f"{show_path(str(source))}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{show_path(str(source))}: not a path: {error}") from None


def show_path(path: str) -> str:
    """Return a path for an error message: as it is where it is printable and short, else escaped and cut."""
    return path if path.isprintable() and 0 < len(path) <= 120 else show(path)


def _parse(text: str, label: str) -> dict[str, Any]:
    try:
        return _plain(tomllib.loads(text), label)
    except UserError:
        raise
    except tomllib.TOMLDecodeError as error:
        reason, at, place = str(error).rpartition(" (at ")
        place = place.rstrip(")") if at else "end of document"
        raise UserError(f"{label}: not valid TOML, {place}: {reason if at else error}") from None
    except (ValueError, RecursionError):  # an integer of thousands of digits; thousands of brackets
        raise UserError(f"{label}: not valid TOML: a number too long or a list nested too deeply") from None


def _plain(tables: Mapping[str, Any], label: str) -> dict[str, Any]:
    try:
        return plain(tables, label, depth=-1)
    except UserError as error:
        # The keys were named as "file.table.key"; users read "file: table.key".
        raise UserError(str(error).replace(f"{label}.", f"{label}: ", 1)) from None


def _known_keys() -> dict[str, Sequence[str] | None]:
    known: dict[str, Sequence[str] | None] = {}
    for key, field in Spec.model_fields.items():
        table = field.annotation
        known[key] = tuple(table.model_fields) if isinstance(table, type) and issubclass(table, Table) else None
    names = model_names()  # in [space] one of them is refused, with the reason
    return known | {"model": names, "space": names}


def _check(tables: dict[str, Any], label: str) -> tuple[Spec | None, list[str]]:
    """The sweep file without what is wrong in it, None where too little is left, and the problems, without the file's name."""
    data = tables.get("data")
    if "name" not in tables and isinstance(data, dict) and isinstance(data.get("source"), str):
        if data["source"] == MEMORY:  # a table without a name: what it predicts says most
            tables["name"] = _as_name(str(data.get("target", "target")))
        else:
            tables["name"] = default_name(data["source"])
    widen_ranges(tables.get("space"))
    spec, problems = _typed(tables)
    if spec is None:
        return None, problems
    found = Gathered()
    found.add(*problems)
    spec = found.value(with_counted, spec) or spec
    # A pattern's $ also matches before a final newline.
    if not re.fullmatch(NAME_PATTERN, spec.name):
        found.add(f"name: must be {Spec.model_fields['name'].description}, not {show(spec.name)}")
    for key, other in (("folds", "validation"), ("test", "test_size")):
        if getattr(spec.data, key) is not None and other in spec.data.model_fields_set:
            found.add(f"[data] {key}: cannot be combined with {other}; leave one of them out")
    spec._parsed_space = found.value(check_semantics, spec)
    return spec, [text if len(text) <= 300 else text[:297] + "..." for text in found.problems]


def _typed(tables: dict[str, Any]) -> tuple[Spec | None, list[str]]:
    """The sweep file without the keys that are unknown or of a wrong type, and what is wrong with these."""
    try:
        return Spec.model_validate(tables), []
    except ValidationError as error:
        problems = _explain(error)
    rest = {key: dict(value) if isinstance(value, dict) else value for key, value in tables.items()}
    for table, *key in problems:
        if key and isinstance(rest.get(table), dict) and table not in ("model", "space"):
            rest[table].pop(key[0], None)
        else:
            rest.pop(table, None)
    rest.setdefault("name", "sweep")  # any will do for the rest
    try:
        return Spec.model_validate(rest), list(problems.values())
    except ValidationError:  # what is needed is missing
        return None, list(problems.values())


def _explain(error: ValidationError) -> dict[tuple[str, ...], str]:
    """Return the problems by place, one line each; unknown keys first, since a slip there also makes a key seem missing."""
    # A missing name only says that there was no data to take it from.
    relevant = [
        problem for problem in error.errors() if not (problem["type"] == "missing" and problem["loc"] == ("name",))
    ]
    found: dict[tuple[str, ...], str] = {}
    for problem in sorted(relevant, key=lambda problem: problem["type"] != "extra_forbidden"):
        place = tuple(map(str, problem["loc"][:2]))
        found.setdefault(place, _explain_one(problem))
    return found


def _explain_one(problem: Any) -> str:
    *tables, key = [str(part) for part in problem["loc"][:2]]
    model: type[Table] = Spec
    if tables:
        annotation = Spec.model_fields[tables[0]].annotation
        if isinstance(annotation, type) and issubclass(annotation, Table):
            model = annotation
        else:  # inside a free table: the table itself is the field
            tables, key = [], tables[0]
    place = f"[{tables[0]}] {show_key(key)}" if tables else show_key(key)
    value = problem["input"]
    if problem["type"] == "extra_forbidden":
        rule = f"unknown key{nearest(key, model.model_fields)}"
    elif problem["type"] == "missing":
        rule = "missing; a sweep needs its source" if tables else "missing; a sweep needs a [data] table with a source"
    else:
        field = model.model_fields[key]
        if problem["type"] == "literal_error" and not field.description:
            choices = field.annotation.__args__  # type: ignore[union-attr]
            hint = nearest(value, choices) if isinstance(value, str) else ""
            rule = f"must be one of {', '.join(choices)}, not {show(value)}{hint}"
        else:
            rule = f"must be {field.description or 'a table'}, not {show(value)}"
    return f"{place}: {rule}"
