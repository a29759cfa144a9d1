"""`mlptune init`: a sweep file for a table, with all that was recognised written out, ready to edit."""

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._text import counted, escape_control_characters
from ...search.methods import METHODS
from ..config import default_name, load_spec
from ..config.toml import toml_key, toml_value
from ..errors import UserError
from ..formats import Address, is_named
from ..writing import writing
from .understood import LEGEND, table_lines

if TYPE_CHECKING:
    from ..config import Spec
    from ..data.dataset import Dataset
    from ..data.understanding import Column

_MOST_COLUMNS = 200  # a table with more is described by counts, since lists of thousands of names are no help
_SPACE_COMMENTS = {
    "learning_rate": "the one that matters most; log: as many trials from 0.001 to 0.01 as from 0.01 to 0.1",
    "hidden": "choices: the widths of the hidden layers",
    "embedding": "how each number becomes several inputs; also plr, piecewise, ple",
    "embedding_sigma": "how fast the waves of plr, periodic and cosine are at the start",
    "label_smoothing": "share of each target that is spread over all classes",
    "dropout": "share of units dropped in each step",
    "l2": "pulls the weights towards zero",
    "weight_decay": "pulls the weights towards zero, independently of the adapted rates",
}


def write_sweep_file(data: str, target: str | None, out: Path | None, *, force: bool = False) -> Path:
    """Read the table, recognise task and columns, and write the sweep file; return its path.

    `out` defaults to the table's name with .toml in the current folder. Raises UserError, also where the file exists and
    `force` is not given.
    """
    path = Path(f"{default_name(data)}.toml") if out is None else out
    if path.suffix.lower() != ".toml":
        raise UserError(f"-o {path}: a sweep file ends in .toml")
    if path.is_dir():
        raise UserError(f"-o {path}: is a folder")
    if not path.parent.is_dir():
        raise UserError(f"-o {path}: there is no folder {str(path.parent)!r}")
    if path.exists() and not force:
        raise UserError(f"{path} exists already; --force overwrites it, -o gives another name")
    spec, _ = load_spec(None, data=data, target=target)

    from ..data.dataset import Dataset
    from ..data.tables import read_table
    from ..data.understanding import understood

    said: list[str] = []
    frame = read_table(spec.data.source, spec.base, header=spec.data.header, say=said.append)
    dataset = Dataset.of_frame(frame, spec.data, spec.seed, spec.base, said=said)
    columns = understood(frame, dataset, spec.data)
    text = sweep_file(spec, dataset, columns, said, source=_source(data, path), path=str(path))
    try:
        with writing(path), path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} exists already; --force overwrites it, -o gives another name") from None
    return path


def sweep_file(
    spec: "Spec", dataset: "Dataset", columns: "Sequence[Column]", said: Sequence[str] = (), *, source: str, path: str
) -> str:
    """Return the text of the sweep file: valid TOML that means what the defaults mean for this table.

    `columns` is what was understood of the table, and `said` what there was to say of all of it; both become comments.
    """
    from ...core.metrics import names_for
    from ...search.spaces.defaults import default_space
    from ..config.defaults import DEFAULT_TRIALS, default_model

    fold = dataset.folds()[0]
    trained = len(fold.arrays.X)
    space = default_space(trained, dataset.task, fold.encoder.n_numeric)
    classes = f", {len(dataset.classes)} classes" if dataset.classes is not None else ""
    target = spec.data.target or "target"
    score = "accuracy" if dataset.task == "classification" else "R2"
    others = ", ".join(names_for(dataset.task, len(dataset.classes or ())))
    blocks = [
        [
            f"# A sweep over {_comment(source)}: {dataset.n_rows} rows, {dataset.task}{classes}.",
            f"# Run it with:  mlptune sweep {_comment(path)}",
            *(line for text in said for line in _wrapped(text)),
            *_understood(columns),
            f"name = {toml_value(spec.name)}",
            "seed = 0                    # the same seed gives the same sweep, with any number of workers",
        ],
        [
            "[data]",
            f"source = {toml_value(source)}" + ("" if is_named(source) else "    # relative to this file"),
            f"target = {toml_value(target)}",
            f"task = {toml_value(dataset.task)}     # recognised; or {_other(dataset.task)}",
            'test_size = 0.2             # sealed: only the model that is handed back is scored on it; or test = "file"',
            _validation(dataset),
            "seeds = 1                   # networks per configuration; more give steadier values and take longer",
            *_columns(dataset),
        ],
        [
            "[model]                         # what every trial shares",
            *_lines(
                default_model({}, trained, with_space=False),
                {
                    "epochs": "at most; under hyperband and asha the largest budget",
                    "early_stopping": "epochs without a better val_loss; 0 = off",
                    "schedule": "how the learning rate falls; or constant, step, inverse_time",
                    "optimizer": "or sgd, adam, ...",
                    "batch_size": "rows per step",
                    "scaling": "of numbers, learned from the training rows; or robust, standard, none",
                },
            ),
            "# subset = 0.3              # trials train on this share of the rows, which is cheaper; the refit uses all",
            "# changes = [[11, { learning_rate = 1e-3, l2 = 0.0 }]]    # other values from epoch 11 on",
        ],
        [
            "[space]                         # what the trials differ in; delete a line and it keeps its default",
            *_lines(space, _SPACE_COMMENTS),
            "# What you expect to be good: prior = 0.005 in a range, or { choices = [[64], [128]], prior = [128] }",
            "# The architecture layer by layer, instead of hidden; also activation_1, batch_norm_1 or layer_norm_1, ...",
            "# layers = { low = 1, high = 2 }",
            "# units_1 = { low = 16, high = 128, log = true }",
            "# units_2 = { low = 16, high = 128, log = true }",
            "# skip_1 = [false, true]    # the layer adds its input to its output",
            "# skip_2 = [false, true]",
        ],
        [
            "[search]",
            f"method = {toml_value(spec.search.method)}                # one of {' '.join(METHODS)}",
            f"trials = {DEFAULT_TRIALS}",
            "# minutes = 5                 # instead of trials: as many as fit, the model included",
        ],
        [
            "[objective]",
            f'metric = "val_score"          # {score}; or val_loss, {others}',
            "ensemble = 16                 # the model: so many picks of trials at most; 0 = the best trial alone",
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _validation(dataset: "Dataset") -> str:
    folds = len(dataset.folds())
    if folds > 1:
        return f"folds = {folds}                   # trials train {folds} times, each time validated on other rows; or validation"
    return "validation = 0.2            # share of the other rows, on which trials are compared; or folds"


def _columns(dataset: "Dataset") -> list[str]:
    """Return the recognised columns as lists that can be edited."""
    schema = dataset.schema
    by_kind: dict[str, list[str]] = {}
    for name, kind in schema.kinds.items():
        by_kind.setdefault(kind, []).append(name)
    if len(schema.inputs) > _MOST_COLUMNS:
        counts = ", ".join(f"{len(names)} {kind}" for kind, names in by_kind.items())
        return [
            f"# {counted(len(schema.inputs), 'column')}: {counts}, {len(schema.left_out)} left out.",
            '# numeric = ["..."]           # a list overrides what was recognised; likewise categorical and ignore',
        ]
    lines = ["# Columns as recognised; move a name to another list to change its use."]
    lines += _list("numeric", by_kind.get("numeric", []))
    lines += _list("categorical", by_kind.get("categorical", []))
    if by_kind.get("presence"):
        lines += _wrapped("used as missing indicators: " + ", ".join(by_kind["presence"]))
    lines += _list("ignore", list(schema.left_out))
    for name, reason in schema.left_out.items():
        lines += _wrapped(f"{name}: {reason}")
    return [
        *lines,
        '# group = "..."               # a column whose equal rows must stay on one side; also time, weight',
    ]


def _understood(columns: "Sequence[Column]") -> list[str]:
    """Return what was understood of the columns, as comments; nothing for a table of very many."""
    if len(columns) > _MOST_COLUMNS:
        return []
    return ["#", *(f"# {line}" for line in table_lines(columns, 118)), f"# {LEGEND}", "#"]


def _list(key: str, names: list[str]) -> list[str]:
    if not names:
        return [f"{key} = []"]
    line = f"{key} = {toml_value(names)}"
    if len(line) <= 100:
        return [line]
    return [f"{key} = [", *(f"  {toml_value(name)}," for name in names), "]"]


def _lines(table: Mapping[str, Any], comments: Mapping[str, str]) -> Iterable[str]:
    texts = {name: f"{toml_key(name)} = {toml_value(value)}" for name, value in table.items()}
    width = max(map(len, texts.values()), default=0)
    for name, text in texts.items():
        yield f"{text.ljust(width)}  # {comments[name]}" if name in comments else text


def _wrapped(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(_comment(text), 100)]


def _comment(text: str) -> str:
    """Return `text` in one line: a file's or column's name may hold a line break, which would end the comment."""
    return escape_control_characters(text)


def _other(task: str) -> str:
    return '"regression"' if task == "classification" else '"classification"'


def _source(data: str, path: Path) -> str:
    """Return the table's address as the sweep file must give it: relative to the file's folder where that is near."""
    if is_named(data):
        return data
    address = Address.parse(data)
    table = Path(address.path).expanduser().resolve()
    relative = os.path.relpath(table, path.resolve().parent)
    return address.at(str(table) if relative.count("..") > 2 else Path(relative).as_posix())
