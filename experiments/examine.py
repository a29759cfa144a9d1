"""A sweep looked at without running it: `mlptune check` tells all that is wrong with it, `sweep --dry-run` what it would do.

The rules are those of a run, in their order; what depends on something that is wrong is not looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Spec
from .config.load import examine_spec
from .data.header import COLUMN_LISTS, COLUMN_ROLES, check_header
from .errors import UserError
from .execution.workers import default_workers
from .gathered import Gathered

if TYPE_CHECKING:
    import pandas as pd

    from .config.schema import DataConfig
    from .data.dataset import Dataset
    from .launch.outline import Outline

# Where one of these is wrong, or a key of [data] is unknown, which might have been one of them, the table is not looked at.
_OF_TABLE = re.compile(r"(\[data\] |--set data\.)((source|target|test|header)\b|.*: unknown key)")


@dataclass(frozen=True)
class Examined:
    """What was found: `problems`, one line each; where there are none, the `outline` of the plan."""

    problems: tuple[str, ...]
    outline: "Outline | None" = None


def examine(
    source: "str | Path | Mapping[str, Any] | Spec | None" = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    workers: int | None = None,
    data: str | None = None,
    target: str | None = None,
) -> Examined:
    """Look at a sweep file and its table as a run would; the arguments are those of `run_sweep`. Nothing is trained or stored."""
    try:
        spec, _, problems = examine_spec(source, overrides, data=data, target=target)
    except UserError as error:
        return Examined(error.problems)
    found = Gathered()
    found.add(*problems)
    if spec is None or any(_OF_TABLE.search(problem) for problem in problems):
        return Examined(tuple(found.problems))
    outline = _with_table(spec, found, workers or default_workers())
    return Examined(tuple(found.problems), None if found.problems else outline)


def _with_table(spec: Spec, found: Gathered, workers: int) -> "Outline | None":
    from .data.tables import read_table

    sound = not found.problems
    found.passes(check_header, spec.data, spec.base)
    said: list[str] = []
    frame = found.value(read_table, spec.data.source, spec.base, header=spec.data.header, say=said.append)
    if frame is None:
        return None
    dataset = _dataset(spec, frame, said, found)
    if dataset is None:
        return None
    if sound:
        return found.value(_outline, spec, dataset, frame, workers)
    if not any("[objective]" in problem for problem in found.problems):
        found.passes(_objective, spec, dataset)
    return None


def _dataset(spec: Spec, frame: "pd.DataFrame", said: Sequence[str], found: Gathered) -> "Dataset | None":
    """The data of a sweep; where they cannot be used, what is wrong with each column."""
    from .data.columns import recognised
    from .data.dataset import Dataset

    data = _without_missing_columns(spec.data, list(frame.columns))
    dataset = found.value(Dataset.of_frame, frame, data, spec.seed, spec.base, spec.class_weight, said=said)
    if dataset is None and not any("[data] numeric" in problem for problem in found.problems):  # for another reason
        found.passes(recognised, frame.drop(columns=data.target or "target", errors="ignore"), data)
    return dataset


def _without_missing_columns(data: "DataConfig", names: Sequence[str]) -> "DataConfig":
    """[data] without the columns that the table does not have, which are told already."""
    lists = {key: [name for name in getattr(data, key) if name in names] for key in COLUMN_LISTS}
    roles = {key: None for key in COLUMN_ROLES if getattr(data, key) not in names}
    return data.model_copy(update={**lists, **roles})


def _objective(spec: Spec, dataset: "Dataset") -> None:
    """Check the metric against the data, where the rest of the sweep file makes no plan."""
    from .launch.objective import objective_of

    objective_of(spec.objective, dataset)


def _outline(spec: Spec, dataset: "Dataset", frame: "pd.DataFrame", workers: int) -> "Outline":
    """The plan, whose searcher can be made, in outline."""
    from .launch.outline import outline
    from .launch.plan import make_plan
    from .launch.searching import create_scheduler, create_study, describe_search

    plan = make_plan(spec, dataset)
    study = create_study(plan, plan.starts)
    notes = describe_search(plan, study, create_scheduler(plan, study))
    return outline(plan, frame, notes, workers)
