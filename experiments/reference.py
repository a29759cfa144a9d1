"""The reference as data, read from the tables that the program itself runs on: hyperparameters, methods, metrics.

`mlptune params`, `methods` and `metrics` print it, and docs/generate_reference.py writes the pages of it.
"""

import ast
import inspect
import itertools
import operator
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from .._text import hint, nearest
from ..core.activations import ACTIVATIONS
from ..core.hyperparameters import PARAMETERS
from ..core.initializers import INITIALIZERS
from ..core.losses import LOSSES
from ..core.metrics import METRICS, OBJECTIVE_CURVES, find, installed_names
from ..core.optimizers import OPTIMIZERS
from ..core.presets import PRESETS
from ..core.rules import Parameter
from ..core.schedules import SCHEDULES
from ..search import METHODS
from ..search.plugins import CONTEXT
from ..search.pruners import PRUNERS, pruner
from ..search.samplers import SAMPLERS
from ..search.schedulers import SCHEDULERS
from .config.names import CLASS_WEIGHT, MAX_CLASS_WEIGHT, MAX_LAYERS, SHAPE_NAMES, meant_hyperparameter, per_layer_names
from .config.schema import Spec, Table
from .errors import UserError

# The choices of a hyperparameter that have a row each: their table, and what of a row has the docstring that describes it.
CHOICES: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "activation": ("Activations", ACTIVATIONS, "forward"),
    "loss": ("Losses", LOSSES, "values"),
    "optimizer": ("Optimizers", OPTIMIZERS, "plain.update"),
    "schedule": ("Learning-rate schedules", SCHEDULES, "factor"),
    "init": ("Initialisers", INITIALIZERS, ""),
}
# Rows whose function is not the whole of it: another module does the rest.
PECULIAR = {
    "adamw": "As `adam`, after the weights have shrunk by rate * `weight_decay` (Loshchilov & Hutter 2019).",
    "logistic": "a = 1 / (1 + exp(-z)).",
    "maxout": "a = max(z1, z2), of two weighted sums for each unit (Goodfellow et al. 2013).",
    "plateau": "The rate is multiplied by `decay` each time the loss has not fallen for `plateau_epochs` epochs.",
}
# The curves that every trial has.
CURVES = {
    "val_score": "The usual score of the task: accuracy, or R2 in regression. The default.",
    "val_loss": "The loss that training minimises, without its penalties.",
}


# Docstrings


def text_of(thing: Any) -> str:
    """A docstring without its indentation."""
    return inspect.cleandoc(thing.__doc__ or "")


def first_line(thing: Any) -> str:
    """The first paragraph of a docstring in one line."""
    return " ".join(text_of(thing).partition("\n\n")[0].split())


def sections(doc: str) -> tuple[str, dict[str, dict[str, str]]]:
    """A Google docstring as its prose and its sections: `{"Args": {name: meaning}, ...}`."""
    prose: list[str] = []
    found: dict[str, dict[str, str]] = {}
    entries: dict[str, str] | None = None
    for line in doc.splitlines():
        heading = re.fullmatch(r"(Args|Arguments|Attributes|Returns|Raises|Yields):", line)
        if heading:
            entries = found.setdefault(heading[1], {})
        elif entries is not None and line.startswith("    "):
            entry = re.match(r" {4}([*\w][\w .*`|\[\]]*): (.*)", line)
            if entry and not line.startswith("     "):
                entries[entry[1]] = entry[2]
            else:
                last = next(reversed(entries), "")
                entries[last] = f"{entries.get(last, '')} {line.strip()}".strip()
        else:
            entries = None if line.strip() else entries
            if entries is None:
                prose.append(line)
    return "\n".join(prose).strip(), found


def meanings(cls: type) -> dict[str, str]:
    """What the `Args` sections of a class of ours and its bases say, and of a class's fields the strings below them."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if is_ours(base):
            found |= sections(text_of(base))[1].get("Args", {})
            found |= field_strings(base)
    return found


def field_strings(cls: type) -> dict[str, str]:
    """The string that follows each field in a class's source."""
    body = source_tree(cls).body
    found = {}
    for field, after in itertools.pairwise(body):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if is_text and isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found[field.target.id] = " ".join(inspect.cleandoc(ast.literal_eval(after.value)).split())
    return found


def source_tree(thing: Any) -> Any:
    """The syntax of a class or function."""
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def is_ours(thing: Any) -> bool:
    """Whether it is defined in mlptune."""
    return getattr(thing, "__module__", "").startswith("mlptune")


# Hyperparameters


def parameters() -> list[dict[str, Any]]:
    """All hyperparameters, and what else [model] and [space] may hold, a mapping each: name, value, default, marks, meaning."""
    return [*(_parameter(row) for row in PARAMETERS.values()), *_others().values()]


def parameter(name: str) -> dict[str, Any]:
    """One of them, with what its choices are and what presets make of it. UserError gives the nearest name."""
    others, family = _others(), per_layer_names().get(name)
    if name in others or name in SHAPE_NAMES:
        return others[name if name in others else "units_i"]
    if family is not None:
        meaning = f"Of the layer of that number alone; else as `{family}`, of which it is one value."
        return {**_parameter(PARAMETERS[family]), "name": name, "marks": ["group key"], "meaning": meaning}
    if name not in PARAMETERS:
        raise UserError(f"there is no hyperparameter {name!r}{_where_it_belongs(name)}")
    found = _parameter(PARAMETERS[name])
    if name in CHOICES:
        found["choices"] = choice_meanings(name)
    presets = {preset: values[name] for preset, values in PRESETS.items() if name in values}
    return found | ({"presets": presets} if presets else {})


def marks(row: Parameter) -> list[str]:
    """What a hyperparameter's row says besides its rule."""
    facts = {"group key": row.structural, "by layer": row.by_layer, "can change": row.changeable}
    return [mark for mark, holds in facts.items() if holds]


def choice_meanings(name: str) -> dict[str, str]:
    """What each choice of a hyperparameter computes."""
    _, table, attribute = CHOICES[name]
    return {
        choice: PECULIAR.get(choice) or first_line(operator.attrgetter(attribute)(row) if attribute else row)
        for choice, row in table.items()
    }


def _parameter(row: Parameter) -> dict[str, Any]:
    return {
        "name": row.name,
        "value": row.rule.removeprefix("must be "),
        "default": row.default,
        "marks": marks(row),
        "meaning": row.about,
    }


def _others() -> dict[str, dict[str, Any]]:
    said = {
        "layers": (
            f"a whole number from 0 to {MAX_LAYERS}",
            "How many hidden layers there are, whose widths are units_1, units_2, ...: an alternative to hidden.",
        ),
        "units_i": ("a whole number from 1 to 100000", "The width of hidden layer i, as units_1; it goes with layers."),
        CLASS_WEIGHT: (
            f'"balanced", or a table of labels and their weights from 0 to {MAX_CLASS_WEIGHT}',
            "The weights of training rows by their class. In [model] alone: it cannot be searched.",
        ),
    }
    return {
        name: {"name": name, "value": value, "default": None, "marks": [], "meaning": meaning}
        for name, (value, meaning) in said.items()
    }


def _where_it_belongs(name: str) -> str:
    """The end of an error line: the key of a sweep file of this name, or the hyperparameter that was probably meant."""
    for table, field in Spec.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, Table) and name in model.model_fields:
            return f"; it is a key of [{table}]: {field_strings(model).get(name, '')}"
    return nearest(meant_hyperparameter(name) or name, [*PARAMETERS, *_others()]) or "; mlptune params lists all"


# Methods


def methods() -> list[dict[str, Any]]:
    """All methods of the table, and those of installed packages: name, meaning, what `trials` counts."""
    rows = [{"name": name, "meaning": row.about, "trials": row.trials} for name, row in METHODS.items()]
    plugins = [point.name for point in SAMPLERS.plugins() if point.name not in METHODS]
    return rows + [
        {"name": name, "meaning": "of an installed package", "trials": "configurations trained"} for name in plugins
    ]


def pruners() -> list[dict[str, Any]]:
    """All pruners that have a name of ours, and what they are."""
    said = dict(re.findall(r"^- `(\w+)`: (.*?)(?=\n- |\n\n)", text_of(pruner), re.DOTALL | re.MULTILINE))
    return [{"name": name, "meaning": " ".join(said.get(name, "").split())} for name in PRUNERS.homes]


def method(name: str) -> dict[str, Any]:
    """A method, or any sampler or pruner by name, with its options. UserError gives the nearest name."""
    row = METHODS.get(name)
    if row is not None:
        sampler, scheduler = SAMPLERS.factory(row.sampler), SCHEDULERS.factory(row.scheduler)
        of_scheduler = {} if row.scheduler == "pruner" else {"scheduler": row.scheduler}
        return {
            "name": name,
            "meaning": row.about,
            "trials": row.trials,
            "sampler": row.sampler,
            **of_scheduler,
            "about": first_line(scheduler if of_scheduler and row.sampler == "random" else sampler),
            "options": [*options(sampler, "sampler"), *options(scheduler, "scheduler")],
        }
    for kind, registry in (("sampler", SAMPLERS), ("pruner", PRUNERS), ("scheduler", SCHEDULERS)):
        try:
            factory = registry.factory(name)
        except ValueError:
            continue
        return {"name": name, "meaning": f"a {kind}", "about": first_line(factory), "options": options(factory, kind)}
    near = nearest(name, [*METHODS, *SAMPLERS.names(), *PRUNERS.names()]) or hint(name, METHODS)
    raise UserError(f"there is no method {name!r}{near}")


def options(factory: Callable[..., Any], owner: str) -> list[dict[str, Any]]:
    """The options of a strategy: its arguments without what the sweep itself passes in."""
    said = meanings(factory) if isinstance(factory, type) else {}
    rows = []
    for name, argument in inspect.signature(factory).parameters.items():
        if name in CONTEXT or argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            continue
        annotation = argument.annotation
        kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
        given = None if argument.default is argument.empty else argument.default
        rows.append({"name": name, "type": kind, "default": given, "of": owner, "meaning": said.get(name, "")})
    return rows


# Metrics


def metrics() -> list[dict[str, Any]]:
    """All that a sweep can be judged by, that of installed packages too: name, task, direction, meaning."""
    return [*map(metric, (*CURVES, *METRICS)), *map(_installed, installed_names())]


def _installed(name: str) -> dict[str, Any]:
    try:
        return metric(name)
    except UserError as error:
        return {"name": name, "tasks": [], "direction": "", "meaning": str(error)}


def metric(name: str) -> dict[str, Any]:
    """One of them, with or without its `val_`. UserError gives the nearest name."""
    if name in CURVES:
        both = ["classification", "regression"]
        return {"name": name, "tasks": both, "direction": OBJECTIVE_CURVES[name], "meaning": CURVES[name]}
    plain = name.removeprefix("val_")
    try:
        row = find(plain)
    except ValueError as error:
        raise UserError(str(error)) from None
    if row is None:
        raise UserError(f"there is no metric {name!r}{hint(plain, [*CURVES, *METRICS, *installed_names()])}")
    return {"name": plain, "tasks": list(row.tasks), "direction": row.direction, "meaning": first_line(row.function)}
