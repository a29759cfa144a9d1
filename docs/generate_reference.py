"""Write docs/reference from the tables that the program itself runs on, so that the two cannot disagree.

`make reference` writes the pages; with `--check` (part of `make check`) nothing is written and the exit status is 1 where a page is
out of step. What installed packages add through entry points is left out: the pages are the same on every machine.
"""

import argparse
import ast
import difflib
import importlib
import inspect
import re
import sys
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import mlptune
from mlptune import search
from mlptune.core.counted import COUNTED
from mlptune.core.hyperparameters import PARAMETERS
from mlptune.core.metrics import METRICS
from mlptune.core.presets import PRESETS
from mlptune.experiments import reference
from mlptune.experiments.cli.commands import app
from mlptune.experiments.config import schema
from mlptune.experiments.reference import first_line, is_ours, meanings, sections, source_tree, text_of
from mlptune.search import pruners, samplers, schedulers
from mlptune.tracking import schema as schema_of_store

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
WIDTH = 110
NOTE = "<!-- Written by docs/generate_reference.py from the code; change it there and run `make reference`. -->\n"


# Docstrings


def markdown(thing: Any) -> str:
    """A docstring as Markdown: its prose as it stands, its sections as lists."""
    prose, found = sections(text_of(thing))
    parts = [prose]
    for heading, entries in found.items():
        lines = [f"- `{name}`: {meaning}" if name else f"- {meaning}" for name, meaning in entries.items()]
        parts.append(f"**{heading}**\n\n" + "\n".join(lines))
    return "\n\n".join(part for part in parts if part)


# Markdown


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE.strip(), *(part.strip() for part in parts if part.strip())]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])


def code(value: object) -> str:
    return f"`{value}`"


def shown(value: Any) -> str:
    """A default as a sweep file has it; a dash where leaving it out is the default."""
    if value is None or value is inspect.Parameter.empty:
        return "–"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, str):
        return code(f'"{value}"')
    if isinstance(value, (list, tuple)):
        return code("[" + ", ".join(shown(item).strip("`") for item in value) + "]")
    if isinstance(value, Mapping):
        return code("{}") if not value else code(dict(value))
    return code(f"{value:g}" if isinstance(value, float) else value)


def signature(function: Callable[..., Any], name: str, *, of_class: bool = False) -> str:
    """A function's head as its source has it, without `self`; one argument a line where it is long."""
    node = source_tree(function)
    assert isinstance(node, ast.FunctionDef)
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    returns = "" if of_class or node.returns is None else f" -> {plain(node.returns)}"
    parts = argument_texts(arguments)
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) > WIDTH:
        line = f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"
    return f"```python\n{line}\n```"


def argument_texts(arguments: ast.arguments) -> list[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    texts = [argument_text(*pair) for pair in zip(positional, defaults, strict=True)]
    if arguments.vararg:
        texts.append("*" + argument_text(arguments.vararg, None))
    elif arguments.kwonlyargs:
        texts.append("*")
    texts += [argument_text(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return [*texts, *(["**" + argument_text(arguments.kwarg, None)] if arguments.kwarg else [])]


def argument_text(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg + (f": {plain(argument.annotation)}" if argument.annotation else "")
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if argument.annotation else f"{text}={ast.unparse(default)}"


def plain(annotation: ast.expr) -> str:
    """An annotation without the quotes of a forward reference."""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return annotation.value if quoted else ast.unparse(annotation)  # type: ignore[attr-defined]


# The pages


def sweep_file() -> str:
    tables = []
    for name, field in ROOT_TABLE.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            tables.append(f"## `[{name}]`\n\n{about_table(field.annotation)}\n\n{keys_of(field.annotation)}")
    return page(
        "The sweep file",
        SWEEP_FILE,
        "## Top level\n\n" + keys_of(ROOT_TABLE),
        *tables,
    )


ROOT_TABLE = schema.Spec


def about_table(model: type) -> str:
    return re.sub(r"^\[\w+\]: (\w)", lambda found: found[1].upper(), text_of(model))


def keys_of(model: Any) -> str:
    rows = []
    said = meanings(model)
    for key, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows.append([code(key), f"a table: see [`[{key}]`](#{key})", "–", said.get(key, "")])
            continue
        default = "required" if field.is_required() else shown(field.get_default(call_default_factory=True))
        rows.append([code(key), rule_of(field), default, said.get(key, "")])
    return table(["key", "value", "default", "meaning"], rows)


def rule_of(field: Any) -> str:
    if field.description:
        return str(field.description)
    if typing.get_origin(field.annotation) is typing.Literal:
        return "one of " + ", ".join(shown(choice) for choice in typing.get_args(field.annotation))
    raise SystemExit(f"a key of the sweep file has neither a description nor choices: {field}")


SWEEP_FILE = """
A sweep file is TOML; `mlptune init --data FILE --target COLUMN` writes one to edit. Unknown keys, wrong types and impossible ranges
are refused with the full name of the key and the nearest known one. Every key can be changed on the command line:
`--set search.trials=128`. Where the column *default* has a dash, the last column says what holds without the key.

## `[model]` and `[space]`

`[model]` gives the hyperparameters that all trials share, `[space]` those that are searched; the names are listed in
[hyperparameters](hyperparameters.md). A name stands in one of the two. An entry of `[space]` is

- a list of choices: `activation = ["relu", "silu"]`, `hidden = [[64], [64, 64]]`;
- a range, bounds included: `{ low = 1e-4, high = 1e-1, log = true }`. Two whole numbers make a range of whole numbers; `step`
  counts from `low`; `points` says into how many values a grid cuts the range;
- either with a `prior`, the value near which good ones are expected: `{ low = 1e-4, high = 1e-1, log = true, prior = 0.003 }`,
  `{ choices = ["relu", "silu"], prior = "silu" }`. See [priors](../methods.md#priors).

The shape of the network is either `hidden`, a list of layer widths, or `layers` with `units_1`, `units_2` ... . Each hidden layer
may also have its own `activation_1`, `batch_norm_1`, `layer_norm_1` or `skip_1`. What belongs to layer 3 is part of a trial only
where there are at least three layers.

`[model]` may also hold `class_weight`, for a target of classes: `"balanced"`, or a table of labels, as text, and their weights such
as `class_weight = { "yes" = 3.0, "no" = 1.0 }`, in which a label that is left out has the weight 1. It is not a hyperparameter and
cannot be searched: it multiplies the weights of training rows, and the curves `train_loss` and `train_score` are weighed with it;
validation and test are weighed as without it. Balanced, a class weighs `W / (C W_c)`: `W` is the weight of all training rows of the
fold, each 1 unless `[data] weight` says otherwise, `W_c` that of the rows of the class, and `C` the number of classes. All classes
then count the same.

Without a `[space]` table the default space of the data is searched: learning rate, width, batch size, dropout and L2, or, with the
method `nas`, the architecture. An empty one trains the single configuration of `[model]`.
"""


def hyperparameters() -> str:
    rows = []
    for name, row in PARAMETERS.items():
        rule = row.rule.removeprefix("must be ")
        rows.append([code(name), rule, shown(row.default), ", ".join(reference.marks(row)), row.about])
    preset_names = [name for name in PRESETS if name != "none"]
    preset_keys = [key for key in PARAMETERS if any(key in PRESETS[name] for name in preset_names)]
    return page(
        "Hyperparameters",
        HYPERPARAMETERS,
        table(["name", "value", "default", "marks", "meaning"], rows),
        *(f"## {title}\n\n{choice_table(name)}" for name, (title, *_) in reference.CHOICES.items()),
        "## Presets\n\nA preset fills in what a configuration leaves out.\n\n"
        + table(
            ["name", *map(code, preset_names)],
            [[code(key), *(shown(PRESETS[name].get(key)) for name in preset_names)] for key in preset_keys],
        ),
    )


def choice_table(name: str) -> str:
    rows = [[code(choice), about] for choice, about in reference.choice_meanings(name).items()]
    return table(["name", "what it computes"], rows)


HYPERPARAMETERS = """
The names that `[model]` and `[space]` of a [sweep file](sweep-file.md) and the estimators `MLPClassifier` and `MLPRegressor` take.
A dash as default means that it depends on the rest, as the last column says. Marks:

- *group key*: changes shapes or code. Only networks that agree on all of these train in one stack; the others may differ inside it.
- *by layer*: may be a list with one value for each hidden layer.
- *can change*: may take another value in the middle of training, by `changes`.
"""


def metrics() -> str:
    rows = [
        [code(name), ", ".join(row.tasks), row.direction, row.decision or "", first_line(row.function)]
        for name, row in METRICS.items()
    ]
    costs = [[code(name), row.about] for name, row in COUNTED.items()]
    return page(
        "Metrics",
        METRICS_TEXT,
        table(["name", "task", "better is", "decision", "meaning"], rows),
        COUNTED_TEXT,
        table(["name", "what is counted"], costs),
    )


COUNTED_TEXT = """
## Counted costs

Further metrics of `[objective] metrics`, which are minimised, and what `[objective] limit` may limit: see
[several metrics](../pareto.md).
"""


METRICS_TEXT = """
`[objective] metric` names what a trial is judged by, computed on the validation part: `val_score` (accuracy or R2, the default),
`val_loss`, or `val_` and one of the names below, with or without the prefix. Row weights, where there are any, are respected.
`TunedModel.evaluate` takes the plain names.

*Decision*: how the classes are predicted that the metric judges. `likeliest`: the likeliest one. `threshold`: of two classes the
second where its probability is above a threshold, which is chosen on validation rows and kept with the model. Without one the
metric judges the outputs themselves.

In Python a function of scikit-learn's signature is a metric too: `run_sweep(..., metric=f)` and `TunedMLPClassifier(metric=f)`
take `f(y_true, y_pred)`, also with a third parameter `sample_weight`. It is known by its own name, and goes to workers as it
is, whether it stands in a module or in a script. Classes are given as 0, 1, ... in the order of `classes_`; a second parameter
called `y_score`, `y_proba` or `y_prob`, or `f.needs_probabilities = True`, asks for probabilities (of two classes those of the
second). Which way is better is found by trying it on made-up rows, unless `f.greater_is_better` says it. In regression networks
see standardised targets, so that a function must not depend on where the target's zero is (as relative errors do) nor on a
power of its unit. A resume needs the same function again, which is told by name and source.

An installed package offers a metric of its own as an entry point of the group `mlptune.metrics`, whose name is that of the
`mlptune.core.metrics.Metric` it stands for; see [CONTRIBUTING](../../CONTRIBUTING.md).
"""


def methods() -> str:
    parts = []
    for name, method in search.METHODS.items():
        sampler, scheduler = factory(samplers, method.sampler), factory(schedulers, method.scheduler)
        rows = [*option_rows(sampler, "sampler"), *option_rows(scheduler, "scheduler")]
        facts = f"{method.about[:1].upper()}{method.about[1:]}. `trials` counts {method.trials}."
        made = f"- sampler {code(method.sampler)}: {lower(first_line(sampler))}"
        if method.scheduler != "pruner":
            made += f"\n- scheduler {code(method.scheduler)}: {lower(first_line(scheduler))}"
        head = ["option", "type", "default", "of the", "meaning"]
        parts.append(f"## `{name}`\n\n{facts}\n\n{made}\n\n" + (table(head, rows) if rows else "It has no options."))
    return page("Search methods and their options", METHODS_TEXT, *parts, pruner_part())


def factory(module: Any, name: str) -> Any:
    """The class behind a name in the registry of `search.samplers`, `search.pruners` or `search.schedulers`."""
    return getattr(module, module.__name__.rpartition(".")[2].upper()).factory(name)


def lower(text: str) -> str:
    word = text.split(" ")[0]
    return text if word.isupper() or "'" in word else text[:1].lower() + text[1:]


def option_rows(cls: Any, owner: str) -> list[list[str]]:
    """The options of a class of ours: its arguments without what the sweep itself passes in."""
    rows = reference.options(cls, owner)
    return [[code(row["name"]), row["type"], shown(row["default"]), owner, row["meaning"]] for row in rows]


def pruner_part() -> str:
    rows = []
    for name in pruners._OURS:
        cls = factory(pruners, name)
        given = "" if is_ours(cls) else ", ".join(f"`{k} = {v}`" for k, v in pruner_defaults(name, cls).items())
        rows.append([code(name), code(cls.__name__), given])
    ours = factory(pruners, "extrapolation")
    return "\n\n".join(
        [
            "## Pruners",
            PRUNERS_TEXT.strip(),
            table(["name", "class", "arguments with 81 epochs"], rows),
            f"`extrapolation`: {lower(first_line(ours))}",
            table(["option", "type", "default", "of the", "meaning"], option_rows(ours, "pruner")),
        ]
    )


def pruner_defaults(name: str, cls: Any) -> dict[str, Any]:
    """What a pruner of Optuna's is given for 81 epochs."""
    row = pruners._OURS[name]
    given = row[1](81)
    return {key: value for key, value in sorted(given.items()) if key in taken_by(cls)}


def taken_by(cls: Any) -> Iterable[str]:
    return () if cls.__init__ is object.__init__ else inspect.signature(cls).parameters


METHODS_TEXT = """
`[search] method` names one of these; `[search] options = { ... }` are its options. What the methods are and when to choose which is
in [methods](../methods.md). The name of a class in `optuna.samplers`, or of an entry point in the group `mlptune.samplers`, is a
method too; its options are that class's arguments.
"""

PRUNERS_TEXT = """
`[search] pruner` adds early stopping to a method that has no scheduler of its own. `[search] options` may name arguments of the
pruner too. Besides these, the name of a class in `optuna.pruners` will do, and that of an entry point in the group
`mlptune.pruners` or `mlptune.schedulers`.
"""


def exceptions() -> str:
    found = {cls for module in modules() for cls in vars(module).values() if is_exception(cls)}
    public = {cls for cls in found if getattr(mlptune, cls.__name__, None) is cls}
    inner = sorted(found - public, key=lambda cls: (cls.__module__, cls.__name__))
    rows = [[code(cls.__name__), code(cls.__module__), bases(cls), first_line(cls)] for cls in inner]
    return page("Exceptions", EXCEPTIONS, tree(public), INNER, table(["name", "module", "base", "meaning"], rows))


def modules() -> Iterable[types.ModuleType]:
    """Every module of the package, in order."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = tomllib.load(file)["tool"]["setuptools"]["packages"]
    for package in packages:
        yield importlib.import_module(package)
        folder = ROOT.joinpath(*package.split(".")[1:])
        for path in sorted(folder.glob("*.py")):
            if not path.stem.startswith("__"):
                yield importlib.import_module(f"{package}.{path.stem}")


def is_exception(value: Any) -> bool:
    is_class = isinstance(value, type) and issubclass(value, BaseException)
    return is_class and is_ours(value) and not value.__name__.startswith("_")


def bases(cls: type) -> str:
    return ", ".join(code(base.__name__) for base in cls.__bases__)


def tree(classes: set[type]) -> str:
    lines: list[str] = []

    def add(cls: type, depth: int) -> None:
        status = f" Exit status {cls.exit_status}." if "exit_status" in vars(cls) else ""
        name = f"`mlptune.{cls.__name__}`: {first_line(cls)}" if cls in classes else code(cls.__name__)
        lines.append(f"{'  ' * depth}- {name}{status if 'xit status' not in name else ''}")
        for child in sorted((c for c in classes if cls in c.__bases__), key=lambda c: c.__name__):
            add(child, depth + 1)

    outside = {base for cls in classes for base in cls.__bases__ if base not in classes}
    for base in sorted(outside, key=lambda base: base.__name__):
        add(base, 0)
    return "\n".join(lines)


EXCEPTIONS = """
What a call of `mlptune` may raise, with the base classes by which it can also be caught. Messages are one or two lines that name
the place, the rule and the value. The command line turns each into its exit status.
"""

INNER = """
## Inside the rooms

A room does not know the errors of the rooms above it; `experiments` turns these into the ones above.
"""


def mlflow() -> str:
    parts = []
    gathered = {name: f", in {code(tag)}" for tag, names in schema_of_store.GATHERED.items() for name in names}
    for kind in ("TAGS", "METRICS", "ALIASES", "ARTIFACTS"):
        rows = [
            [code(name), where + gathered.get(name, ""), meaning]
            for name, (where, meaning) in getattr(schema_of_store, kind).items()
        ]
        parts.append(f"## {kind.capitalize()}\n\n" + table(["name", "on", "meaning"], rows))
    return page("What lies in MLflow", MLFLOW, *parts)


MLFLOW = """
The experiment has the sweep's name. Each launch is a run in it, each trial a nested run of its launch. Hyperparameters are params:
on the launch those of `[model]` and, once it has ended, those of the best trial as `best_NAME` (a param never changes, so where a
launch goes on and has another best trial, its own are `best_NAME.N`, with the number of the process behind them); on a trial those
that the sampler chose. A trial is committed when its run is terminated, which is
written last. MLflow marks complete trials `FINISHED`, those that were stopped early `KILLED` and those that failed `FAILED`. A text
longer than MLflow's 8,000 characters for a tag is an artifact in `tags/`, and the tag then holds `artifact:` and its path.

What of a launch only programs read is gathered in two tags, each a JSON object of texts, whose names lack `mlptune.`. Launches of
0.1.0 have each by itself.
"""


def python() -> str:
    described: list[str] = []
    for name in ("run_sweep", "columns", "load_result", "load_model", "best_config", "objective"):
        value = getattr(mlptune, name)
        described.append(f"## `mlptune.{name}`\n\n{signature(value, f'mlptune.{name}')}\n\n{markdown(value)}")
    for name in ("SweepResult", "TunedModel"):
        described.append(class_part(getattr(mlptune, name), f"mlptune.{name}"))
    described.append(class_part(mlptune.Observer, "mlptune.Observer"))
    seen = [observed(method) for method in ("started", "trial_finished")]
    described += [f"### `{cls.__module__}.{cls.__name__}`\n\n{markdown(cls)}\n\n{fields_part(cls)}" for cls in seen]
    described += [*estimators(), *tuned_estimators()]
    names = ["UserError", "SweepFailed", "ExecutorLost", "Interrupted", "NotFound", "UnusableStore", "StoreError"]
    listed = "\n".join(f"- `mlptune.{name}`: {first_line(getattr(mlptune, name))}" for name in names)
    described.append(f"## Exceptions\n\nSee [exceptions](exceptions.md).\n\n{listed}")
    described.append(search_part())
    return page("Python", PYTHON, *described)


def class_part(cls: type, name: str) -> str:
    """A class with its public methods and properties, in the order of its source."""
    return "\n\n".join([f"## `{name}`", markdown(cls), *members(cls)])


def members(cls: type) -> list[str]:
    parts = []
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if not inspect.isfunction(function) or not is_ours(function):
            continue
        is_method = function is member or hasattr(member, "__func__")
        label = f"{name}()" if is_method else name
        head = "" if label == name else signature(function, name) + "\n\n"
        parts.append(f"### `{cls.__name__}.{label}`\n\n{head}{markdown(function)}".strip())
    return parts


def observed(method: str) -> type:
    """The class of what an observer's method is given."""
    [kind] = [k for n, k in typing.get_type_hints(getattr(mlptune.Observer, method)).items() if n != "return"]
    return typing.cast(type, kind)


def fields_part(cls: Any) -> str:
    names = [code(name) for name in cls.__dataclass_fields__]
    return f"Fields: {', '.join(names)}."


def estimators() -> list[str]:
    shared = next(cls for cls in mlptune.MLPRegressor.__mro__ if is_ours(cls) and cls is not mlptune.MLPRegressor)
    extra = [
        [code(name), shown(p.default)]
        for name, p in inspect.signature(mlptune.MLPClassifier).parameters.items()
        if name not in PARAMETERS and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    extra += [
        [code(name), shown(p.default)]
        for name, p in inspect.signature(shared).parameters.items()
        if name not in PARAMETERS and [code(name), shown(p.default)] not in extra and name not in ("self",)
    ]
    parts = [f"## The estimators\n\n{markdown(shared)}\n\n{ESTIMATORS.strip()}\n\n" + table(["name", "default"], extra)]
    return parts + [class_part(getattr(mlptune, name), f"mlptune.{name}") for name in ("MLPClassifier", "MLPRegressor")]


def tuned_estimators() -> list[str]:
    shared = next(cls for cls in mlptune.TunedMLPRegressor.__mro__[1:] if is_ours(cls))
    head = signature(shared.__init__, "mlptune.TunedMLPClassifier", of_class=True)
    parts = [f"## Tuned estimators\n\n{head}\n\n{markdown(shared)}"]
    names = ("TunedMLPClassifier", "TunedMLPRegressor")
    return parts + [class_part(getattr(mlptune, name), f"mlptune.{name}") for name in names]


ESTIMATORS = """
They take every name of [hyperparameters](hyperparameters.md) by keyword and have scikit-learn's `get_params`, `set_params` and
`score`. Besides the hyperparameters they take:
"""


def search_part() -> str:
    parts = [f"## `mlptune.search`\n\n{markdown(search)}"]
    makers = ("sampler", "pruner", "scheduler")
    for name in makers:
        function = getattr(search, name)
        parts.append(f"### `mlptune.search.{name}()`\n\n{signature(function, name)}\n\n{markdown(function)}")
    public = {name: value for name, value in vars(search).items() if not name.startswith("_") and is_ours(value)}
    rows = [[code(name), first_line(value)] for name, value in public.items() if name not in makers]
    rows.append([code("METHODS"), "The table of methods: see [methods](methods.md)."])
    return "\n\n".join([*parts, table(["name", "meaning"], sorted(rows, key=lambda row: row[0].lower()))])


PYTHON = """
`import mlptune` loads nothing but these names' places; each is imported when it is first used.
"""


def command_line() -> str:
    import typer

    group: Any = typer.main.get_command(app)
    parts = [command_part(group, "mlptune")]
    parts += [command_part(command, f"mlptune {name}") for name, command in group.commands.items()]
    return page("The command line", COMMAND_LINE, *parts)


def command_part(command: Any, name: str) -> str:
    rows = []
    for parameter in command.params:
        value = parameter.metavar or ("" if isinstance(parameter.default, bool) else parameter.name.upper())
        if parameter.param_type_name == "argument":
            label = value if parameter.required else f"[{value}]"
        else:
            choices = type(parameter.default) if isinstance(parameter.default, Enum) else ()
            label = f"{', '.join(parameter.opts)} {'|'.join(choice.value for choice in choices) or value}".strip()
        plain_default = parameter.default in (None, False) or callable(parameter.default)
        default = "" if plain_default else shown(getattr(parameter.default, "value", parameter.default))
        rows.append([code(label), default, parameter.help or ""])
    options = table(["argument or option", "default", "meaning"], rows) if rows else ""
    return "\n\n".join(part for part in (f"## `{name}`", help_text(command.help or ""), options) if part)


def help_text(text: str) -> str:
    """A command's help: paragraphs as they are, those marked as preformatted in a block."""
    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            parts.append("```console\n" + re.sub(r"^(?=mlptune )", "$ ", paragraph[2:], flags=re.MULTILINE) + "\n```")
        else:
            parts.append(" ".join(paragraph.split()))
    return "\n\n".join(parts)


COMMAND_LINE = """
| exit status | meaning |
| --- | --- |
| 0 | done |
| 1 | the sweep could not give a result, or the store is away |
| 2 | wrong usage, sweep file or data: one or two lines name the place and the rule |
| 130 | interrupted; `--resume` continues |

With `--json` one strict JSON document goes to standard output and nothing else; progress and messages go to standard error.
"""

PAGES: dict[str, Callable[[], str]] = {
    "sweep-file": sweep_file,
    "hyperparameters": hyperparameters,
    "metrics": metrics,
    "methods": methods,
    "exceptions": exceptions,
    "mlflow": mlflow,
    "python": python,
    "command-line": command_line,
}


def stale() -> list[str]:
    """What differs between the pages and the code, as the lines of a diff; empty where nothing does."""
    lines: list[str] = []
    for name, write in PAGES.items():
        path = FOLDER / f"{name}.md"
        there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        wanted = write().splitlines()
        lines += difflib.unified_diff(there, wanted, f"{path.name} as it is", f"{path.name} from the code", lineterm="")
    return lines


def main() -> None:
    """Write the pages, or with --check compare them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if parser.parse_args().check:
        lines = stale()
        if lines:
            print(*lines[:40], "docs/reference is out of step with the code: run `make reference`", sep="\n")
            sys.exit(1)
        return
    FOLDER.mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (FOLDER / f"{name}.md").write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
