"""The errors of the documented tree: each derives from the one above it and has the exit status beside it."""

import importlib
import re

import pytest

from mlptune.experiments import errors

HOMES = [
    "mlptune.experiments.errors",
    "mlptune.tracking.store.errors",
    "mlptune.tracking.runs.launches",
    "mlptune.tracking.lease",
    "mlptune.tracking.reader",
    "mlptune.tracking.renaming",
    "mlptune.search.samplers.limited",
    "builtins",
]


def find(name: str) -> type[BaseException]:
    for home in HOMES:
        if hasattr(module := importlib.import_module(home), name):
            found: type[BaseException] = getattr(module, name)
            return found
    raise AssertionError(f"the tree names {name}, which is nowhere")


def tree() -> list[tuple[str, str, int]]:
    """(error, the error above it, exit status) of each row with a status in the module's docstring."""
    above: dict[int, str] = {}
    rows = []
    for branch, name, status in re.findall(r"^    ([│├└─ ]*)(\w+)(?: +(\d+) .*)?$", errors.__doc__ or "", re.MULTILINE):
        above[len(branch)] = name
        if status:
            rows.append((name, above[len(branch) - 4], int(status)))
    return rows


def test_the_tree_says_where_those_of_the_store_are() -> None:
    places = re.findall(r"(\w+) +\d+  .*  (mlptune\.tracking[\w.]*)$", errors.__doc__ or "", re.MULTILINE)
    assert len(places) == 7
    for name, home in places:
        assert getattr(importlib.import_module(home), name).__module__ == home


def test_the_tree_names_every_error_of_the_module() -> None:
    here = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert here <= {name for name, _, _ in tree()}


@pytest.mark.parametrize(("name", "parent", "status"), tree())
def test_each_error_derives_from_the_one_above_it_and_has_its_status(name: str, parent: str, status: int) -> None:
    error = find(name)
    assert error.__bases__ == (find(parent),)
    if error.__module__ == errors.__name__:  # the command line gives those of the store theirs
        assert error.exit_status == status  # type: ignore[attr-defined]
