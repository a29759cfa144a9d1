"""[objective] metrics and limit: what of a sweep file goes together with counted costs, and what of it cannot."""

from typing import TYPE_CHECKING

from ..._text import hint
from ..errors import UserError
from ..gathered import Gathered
from .schema import SearchConfig, Spec
from .text import show

if TYPE_CHECKING:
    from ...search.searcher import Searcher

# Those of Optuna's classes that carry several metrics, for messages.
OF_OPTUNA = ("NSGAIISampler", "NSGAIIISampler", "TPESampler")


def with_counted(spec: Spec) -> Spec:
    """The sweep file with the first of its metrics as its metric, and with the model of one trial where costs are counted.

    Raises UserError where both are given and are not the same, and where an ensemble is asked for.
    """
    from ...core.counted import COUNTED

    objective, stated = spec.objective, spec.objective.model_fields_set
    changes: dict[str, object] = {}
    if objective.metrics is not None:
        first = objective.metrics[0]
        # A cost in the first place is what is wrong there, whatever `metric` says.
        if "metric" in stated and objective.metric != first and first not in COUNTED:
            raise UserError(
                f"[objective] metric: is {show(objective.metric)}, and metrics begins with {show(first)}; leave metric out"
            )
        changes["metric"] = first
    if objective.counts:
        if "ensemble" in stated and objective.ensemble:
            raise UserError(
                "[objective] ensemble: a model of several trials costs what they cost together, which metrics and limit do not "
                "count; leave ensemble out"
            )
        changes["ensemble"] = 0
    if not changes:
        return spec
    return spec.model_copy(update={"objective": objective.model_copy(update=changes)})


def check_counting(spec: Spec, searcher: "Searcher | None") -> None:
    """Refuse costs that are none, and what of [search] knows one metric alone. Raises UserError with all problems."""
    found = Gathered()
    found.passes(_check_metrics, spec)
    found.passes(_check_limit, spec)
    if spec.objective.counted and searcher is not None:
        found.passes(_check_searcher, spec.search, searcher, 1 + len(spec.objective.counted))
        found.passes(_check_rules, spec.search)
    found.raise_any()


def _check_metrics(spec: Spec) -> None:
    from ...core.counted import COUNTED

    first, *rest = spec.objective.metrics or [spec.objective.metric]
    if first in COUNTED:
        raise UserError(
            f"[objective] {'metric' if spec.objective.metrics is None else 'metrics'}: {show(first)} is counted, and the first "
            f'metric is a score of validation, as in metrics = ["val_score", "{first}"]'
        )
    for name in rest:
        if name not in COUNTED:
            known = hint(name, COUNTED)
            raise UserError(f"[objective] metrics: after the first come counted costs, and {show(name)} is none{known}")
        if rest.count(name) > 1:
            raise UserError(f"[objective] metrics: {show(name)} is there twice")


def _check_limit(spec: Spec) -> None:
    from ...core.counted import COUNTED

    for name in spec.objective.limit or ():
        if name not in COUNTED:
            raise UserError(f"[objective] limit: {show(name)} is not a counted cost{hint(name, COUNTED)}")


def _check_searcher(search: SearchConfig, searcher: "Searcher", metrics: int) -> None:
    """Refuse a method or a pruner that compares trials by one metric. Optuna's and other packages' classes are asked later."""
    from ...search.methods import METHODS

    if searcher.pruner != "none" or (searcher.scheduler != "pruner" and search.pruner is not None):
        raise UserError(
            f"[search] pruner: {search.pruner} compares trials by one metric and would stop the cheap ones; leave it out"
        )
    if search.method in METHODS and not METHODS[search.method].several_metrics:
        raise UserError(f"[search] method: {search.method} carries one metric, not {metrics}; {which_carry_several()}")


def which_carry_several() -> str:
    """The methods that carry several metrics, in words."""
    from ...search.methods import METHODS

    return f"{', '.join((*(name for name, row in METHODS.items() if row.several_metrics), *OF_OPTUNA))} carry several"


def _check_rules(search: SearchConfig) -> None:
    for key, given in (("race", search.race), ("target", search.target), ("patience", search.patience)):
        if given:
            raise UserError(f"[search] {key}: compares trials by one metric; leave it out with several")
