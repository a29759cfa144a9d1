"""What types cannot say about a sweep file: hyperparameters exist and are possible, and no part contradicts another.

The knowledge is that of the other rooms: ranges of hyperparameters are core's, spaces and methods are search's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._text import counted, hint, nearest
from ..errors import UserError
from ..gathered import Gathered
from .counting import check_counting
from .names import (
    BALANCED,
    CLASS_WEIGHT,
    MAX_CLASS_WEIGHT,
    MAX_LAYERS,
    SHAPE_NAMES,
    hyperparameter_hint,
    hyperparameter_names,
    per_layer_names,
)
from .schema import DataConfig, SearchConfig, Spec
from .text import show, show_key

if TYPE_CHECKING:
    from ...search.searcher import Searcher
    from ...search.spaces.space import Space


def widen_ranges(space: Any) -> None:
    """Make the bounds of a number's range floats where both were written as integers: `{low = 0, high = 1}` for l2.

    A range of two integers means integers only, which is what the user wants for `epochs` and never for `l2`.
    """
    from ...core.hyperparameters import PARAMETERS

    for name, entry in space.items() if isinstance(space, dict) else ():
        if name in PARAMETERS and PARAMETERS[name].kind == "float" and isinstance(entry, dict) and "step" not in entry:
            for key in ("low", "high"):
                if type(entry.get(key)) is int:
                    entry[key] = float(entry[key])


def check_semantics(spec: Spec) -> "Space | None":
    """Check all that can be said before the data are there, and return the parsed [space], None where there is none.

    Raises UserError with all problems, without the file's name.
    """
    found = Gathered()
    found.passes(_check_columns, spec.data)
    found.passes(_check_seeds, spec)
    found.passes(_check_class_weight, spec)
    found.passes(_check_standardize, spec)
    sound = found.passes(_check_names, spec)
    for name in _known(spec.hyperparameters):
        sound &= found.passes(_check_value, "model", name, spec.hyperparameters[name])
    searcher = found.value(searcher_of, spec)
    if searcher is None:  # for its method, perhaps
        found.passes(
            searcher_of, spec.model_copy(update={"search": spec.search.model_copy(update={"method": "random"})})
        )
    for name in _known(spec.space or {}):
        sound &= found.passes(_check_entry, name, (spec.space or {})[name])
    space = found.value(_check_together, spec, searcher) if sound and searcher is not None else None
    if searcher is not None:
        found.passes(_check_search, spec, searcher)
    if found.passes(check_counting, spec, searcher):
        key = "metric" if spec.objective.metrics is None else "metrics"
        found.passes(_check_metric, key, spec.objective.metric)
    found.passes(_check_target, spec)
    found.raise_any()
    return space


def _known(table: Mapping[str, Any]) -> list[str]:
    """The names in a table that are hyperparameters; the others are refused by name."""
    names = hyperparameter_names()
    return [name for name in table if name in names]


def _check_entry(name: str, entry: Any) -> None:
    """Check one entry of [space] by itself."""
    from ...search.spaces.dimensions import parse_dimension

    for value in _ends(entry):
        _check_value("space", name, value)
    try:
        parse_dimension(entry, f"space.{name}")
    except ValueError as error:
        raise UserError(_in_table(error)) from None


def _check_together(spec: Spec, searcher: "Searcher") -> "Space | None":
    """Check the values of [model] and [space], each possible by itself, against each other; return the parsed [space]."""
    # A default space of layers has those that [model] leaves open.
    if spec.space is not None or not searcher.searches_layers:
        _check_shape(spec.hyperparameters, spec.space or {})
    return None if spec.space is None else check_space(spec, spec.space)


def _check_search(spec: Spec, searcher: "Searcher") -> None:
    if searcher.enumerates and spec.search.start:
        raise UserError("[search] start: a grid tries its points in their own order; leave start out")
    if spec.search.finalists and spec.search.minutes is not None:
        raise UserError("[search] finalists: they are trained when the time is over; leave out finalists or minutes")
    if spec.search.race and searcher.ends_early:
        method, stopper = spec.search.method, searcher.pruner if searcher.scheduler == "pruner" else searcher.scheduler
        raise UserError(
            f"[search] race: method {method!r} stops trials by their epochs already ({stopper}); leave race out, or that"
        )
    refused = refuse_to_move(spec.search, searcher) if spec.search.widen else None
    if refused:
        raise UserError(f"[search] widen: {refused}")
    if searcher.ends_early and "epochs" in (spec.space or {}):
        owner = f"method {spec.search.method}" if spec.search.pruner is None else "a pruner"
        raise UserError(
            f"[space] epochs: cannot be searched under {owner}, whose budgets are epochs; fix it in [model]"
        )


def refuse_to_move(search: SearchConfig, searcher: "Searcher") -> str | None:
    """Why the ranges of the space cannot change under this method; None where they can."""
    from ...search.methods import METHODS
    from ...search.searcher import can_move

    if can_move(search.method, searcher):
        return None
    if searcher.chooses_lengths:
        return "a sweep that was begun with epochs_total chooses how long trials train, and cannot search a space that changes"
    movable = ", ".join(name for name, method in METHODS.items() if method.moves)
    return f"method {search.method} cannot search a space that changes; {movable} can"


def check_space(spec: Spec, table: Mapping[str, Any]) -> "Space":
    """Parse a [space] table and check it against the rest of the sweep file; UserError for what does not fit.

    `table` is the file's own when it is loaded, or the default, which the data decide.
    """
    from ...search.spaces.space import Space

    try:
        space = Space.parse(table, "space", spec.hyperparameters)
    except ValueError as error:
        raise UserError(_in_table(error)) from None
    _check_depth(spec.hyperparameters, table)
    _check_contradictions(spec.hyperparameters, space)
    if searcher_of(spec).enumerates:
        _check_grid(space, spec)
    return space


def _check_columns(data: DataConfig) -> None:
    """Refuse a column with two uses; only groups and times may be inputs too."""
    found = Gathered()
    uses: dict[str, str] = {} if data.target is None else {data.target: "target"}
    for key in ("group", "time", "weight", "ignore", "numeric", "categorical"):
        value = getattr(data, key)
        for column in [value] if isinstance(value, str) else value or ():
            earlier = uses.setdefault(column, key)
            if earlier == key or (earlier in ("group", "time") and key in ("ignore", "numeric", "categorical")):
                continue
            use = "is the target" if earlier == "target" else f"is also in {earlier}"
            found.add(f"[data] {key}: {show(column)} {use}")
    if data.group is not None and data.time not in (None, data.group):
        found.add("[data] group: cannot be combined with time; leave one of them out")
    found.raise_any()


def _check_seeds(spec: Spec) -> None:
    """Refuse a last network whose seed is beyond those that the engine takes: the networks' seeds count up from the sweep's."""
    from ...core.network import SEEDS

    if spec.seed + spec.data.seeds > SEEDS:
        raise UserError(
            f"seed: must be at most {SEEDS - spec.data.seeds} with [data] seeds = {spec.data.seeds}, which counts up from it, "
            f"not {spec.seed}"
        )


def _check_class_weight(spec: Spec) -> None:
    """Refuse class weights that are none, or that stand where they cannot; whose labels they are the data will say."""
    if CLASS_WEIGHT in (spec.space or {}):
        raise UserError(
            f"[space] {CLASS_WEIGHT}: cannot be searched, it weighs the training rows and is not a hyperparameter; "
            "give it in [model]"
        )
    if CLASS_WEIGHT not in spec.model:
        return
    place, given = f"[model] {CLASS_WEIGHT}", spec.class_weight
    if spec.data.task == "regression":
        raise UserError(f"{place}: regression has no classes; leave it out, or weigh the rows with [data] weight")
    if isinstance(given, str) and given == BALANCED:
        return
    if not isinstance(given, dict) or not given:
        near = nearest(given, [BALANCED]) if isinstance(given, str) else ""
        raise UserError(
            f'{place}: must be "balanced" or a table of labels and their weights such as '
            f'{{ "yes" = 3.0, "no" = 1.0 }}, not {show(given)}{near}'
        )
    found = Gathered()
    for label, weight in given.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MAX_CLASS_WEIGHT:
            found.add(f"{place}.{show_key(label)}: must be a number from 0 to {MAX_CLASS_WEIGHT}, not {show(weight)}")
    found.raise_any()


def _check_standardize(spec: Spec) -> None:
    """Refuse what would claim that a table is not standardised: it always is."""
    place = "[space]" if "standardize" in (spec.space or {}) else "[model]"
    if place == "[space]" or spec.model.get("standardize") is False:
        raise UserError(f"{place} standardize: a sweep's tables are always standardised; leave it out")


def _check_names(spec: Spec) -> None:
    found, names = Gathered(), hyperparameter_names()
    for table in ("model", "space"):
        for key in (spec.hyperparameters if table == "model" else spec.space) or {}:
            if key not in names and (table, key) != ("space", CLASS_WEIGHT):
                found.add(f"[{table}] {show_key(key)}: unknown hyperparameter{hyperparameter_hint(key)}")
    space = spec.space or {}
    for key in space:
        if key in spec.hyperparameters and key in names:
            found.add(f"[space] {key}: is fixed in [model] too; leave one of them out")
    every = {**spec.hyperparameters, **space}
    layered = [key for key in every if key in SHAPE_NAMES]
    if "hidden" in every and layered:
        table = "space" if layered[0] in space else "model"
        found.add(f"[{table}] {layered[0]}: cannot be combined with hidden; use layers with units_i, or hidden")
    choices = [key for key in every if key in per_layer_names()]
    if choices and "layers" not in every and "hidden" not in spec.hyperparameters:
        table = "space" if choices[0] in space else "model"
        found.add(
            f"[{table}] {choices[0]}: needs layers with units_i, or hidden in [model], to say how many layers there are"
        )
    found.raise_any()


def _check_value(table: str, name: str, value: Any) -> None:
    """Check one value, or one end of a range, against the rule of its hyperparameter."""
    from ...core.hyperparameters import PARAMETERS

    if name in SHAPE_NAMES:
        low, high = (0, MAX_LAYERS) if name == "layers" else (1, 100_000)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"[{table}] {name}: must be a whole number from {low} to {high}, not {show(value)}")
        return
    of_layer = per_layer_names().get(name)
    # A layer's own choice is one value, never a list.
    parameter = PARAMETERS[name] if of_layer is None else replace(PARAMETERS[of_layer], name=name, by_layer=False)
    try:
        parameter.check(value)
    except ValueError as error:
        if parameter.rule not in str(error):  # but that of a name inside the value
            raise UserError(f"[{table}] {error}") from None
        rule = parameter.rule.removesuffix(" or None")  # which TOML does not have
        hint = nearest(value, parameter.choices) if isinstance(value, str) else ""
        raise UserError(f"[{table}] {name}: {rule}, not {show(value)}{hint}") from None


def _check_shape(model: Mapping[str, Any], space: Mapping[str, Any]) -> None:
    """Refuse a [model] in which a layer lacks its value, where the search adds none."""
    from ...search.spaces.layers import configuration, layer_of

    if any(name in ("hidden", "layers") or layer_of(name) for name in space):
        return
    try:
        configuration({}, model)
    except ValueError as error:
        raise UserError(f"[model] {error}") from None


def _check_depth(model: Mapping[str, Any], space: Mapping[str, Any]) -> None:
    """Refuse a value in [model] of a layer that no network will have; Space.parse does so for those in [space]."""
    from ...search.spaces.layers import layer_of

    if "layers" in space:
        deepest = max(_ends(space["layers"]))
        depth = f"layers goes up to {deepest}"
    elif "layers" in model:
        deepest, depth = model["layers"], f"layers = {model['layers']}"
    elif "hidden" in model:
        deepest = len(model["hidden"])
        depth = f"hidden has {deepest}"
    else:
        return
    for name in model:
        layer = layer_of(name)
        if layer is not None and layer[1] > deepest:
            raise UserError(f"[model] {name}: never used, {depth}")


def _check_contradictions(model: Mapping[str, Any], space: "Space") -> None:
    """Refuse a [model] whose values contradict each other, whatever is searched besides."""
    from ...core.hyperparameters import BY_LAYER, Hyperparameters
    from ...search.spaces.layers import configuration, layer_of

    if any(name in ("hidden", "layers") or layer_of(name) for name in space):
        # The shape is searched, so lists of choices by layer fit or not trial by trial.
        model = {
            name: value
            for name, value in model.items()
            if name != "layers" and not layer_of(name) and not (name in BY_LAYER and isinstance(value, list))
        }
    try:
        Hyperparameters.from_config(configuration({}, model))
    except ValueError as error:
        # A contradiction with a default that the search replaces is none; such trials fail one by one, if they do.
        if not any(name in str(error) for name in (*space, "layers")):
            raise UserError(f"[model] {error}") from error


def _check_grid(space: "Space", spec: Spec) -> None:
    """Refuse a grid that is infinite, or larger than the number of trials."""
    try:
        size = space.grid_size()
    except ValueError as error:
        if spec.space is None:
            raise UserError("[search] method: a grid needs a [space] table whose ranges have points or step") from None
        raise UserError(_in_table(error)) from None
    trials = spec.search.trials
    if trials is not None and size > trials and not spec.search.partial:
        raise UserError(
            f"[search] trials: the grid has {size} points, more than {counted(trials, 'trial')}; "
            f"give it {size}, or set partial = true for the first {trials}"
        )


def _ends(entry: Any) -> Iterator[Any]:
    """Yield the values of a [space] entry that must be possible: both ends of a range, every choice."""
    if isinstance(entry, Mapping):
        for key in ("low", "high"):
            if isinstance(entry.get(key), int | float) and not isinstance(entry[key], bool):
                yield entry[key]
        entry = entry.get("choices")
    if isinstance(entry, list):
        yield from entry


def _in_table(error: ValueError) -> str:
    """Return search's "space.name.key: rule" as this file writes places: "[space] name.key: rule"."""
    text = str(error)
    if not text.startswith("space"):
        text = f"space.{text}"
    return re.sub(r"^space\.([^:]*):", r"[space] \1:", text)


def _check_metric(key: str, metric: str) -> None:
    from ...core.metrics import METRICS, OBJECTIVE_CURVES, find, installed_names

    plain = metric.removeprefix("val_")
    if metric in OBJECTIVE_CURVES:
        return
    try:
        is_known = find(plain) is not None
    except ValueError as error:
        raise UserError(f"[objective] {error}") from None
    if not is_known:
        known = (*OBJECTIVE_CURVES, *METRICS, *installed_names())
        raise UserError(f"[objective] {key}: unknown metric {show(metric)}{hint(plain, known)}")


def _check_target(spec: Spec) -> None:
    """Refuse a target that no score reaches, such as 98 for 98 %."""
    target, objective = spec.search.target, spec.objective
    if target is not None and target > 1 and objective.metric == "val_score" and objective.direction != "minimize":
        hint = f"; did you mean {show(target / 100)}" if target <= 100 else ""
        raise UserError(f"[search] target: val_score is at most 1, not {show(target)}{hint}")


def searcher_of(spec: Spec) -> "Searcher":
    """What the method of a sweep file comes down to. Raises UserError for names that are unknown or do not go together.

    A budget in epochs lets the method choose how long trials train, where nothing else of the file needs all of their epochs.
    """
    from ...search.searcher import resolve

    search, chooses = spec.search, spec._chooses_lengths
    if chooses is None:
        whole = search.widen or search.race or spec.objective.counted or "epochs" in (spec.space or {})
        chooses = search.epochs_total is not None and not whole and not _too_few_to_choose(spec)
    try:
        return resolve(search.method, search.pruner, in_epochs=chooses)
    except ValueError as error:
        raise UserError(f"[search] {error}") from None


def _too_few_to_choose(spec: Spec) -> bool:
    """Whether so few trials are tried that hardly one would be promoted, or they have no epoch before their last."""
    from ...search.schedulers.early_curves import LEAST_TRIALS

    trials = spec.search.trials
    return (trials is not None and trials < LEAST_TRIALS) or spec.hyperparameters.get("epochs") == 1
