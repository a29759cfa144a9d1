"""What installed packages offer is found by name, as what is built in."""

import sys

import optuna
import pytest

from mlptune.search import pruner, sampler, scheduler
from mlptune.search.searcher import Searcher, resolve, split_options

MODULE = """
from mlptune.search import Continue, Scheduler
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler

class Mine(RandomSampler):
    def __init__(self, seed, batch, colour="red"):
        super().__init__(seed)
        self.made_with = (seed, batch, colour)

class Steps(Scheduler):
    def __init__(self, study, max_epochs, trials, *, length: int = 2):
        self.made_with = (study, max_epochs, trials, length)

    def decide(self, live):
        return [Continue(min(p.epoch + self.made_with[3], self.made_with[1])) for p in live]

def anything(max_epochs, **options):
    return Steps(None, max_epochs, None), options
"""
ENTRY_POINTS = """
[mlptune.samplers]
mine = elsewhere:Mine
[mlptune.pruners]
idle = elsewhere:NopPruner
[mlptune.schedulers]
steps = elsewhere:Steps
anything = elsewhere:anything
"""


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """A package of another distribution, as an installer leaves it."""
    (tmp_path / "elsewhere.py").write_text(MODULE)
    info = tmp_path / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "elsewhere", raising=False)


def test_a_sampler_and_a_pruner():
    assert sampler("mine", 7, batch=3, colour="blue").made_with == (7, 3, "blue")
    assert isinstance(pruner("idle"), optuna.pruners.NopPruner)
    assert resolve("mine", "idle") == Searcher("mine", "idle", "pruner")
    with pytest.raises(ValueError, match="sampler: 'mime' is unknown; did you mean 'mine'"):
        sampler("mime")


def test_a_scheduler_takes_of_the_context_what_it_asks_for_by_name():
    study = optuna.create_study()
    made = scheduler("steps", study, 9, seed=3, trials=20, length=4)
    assert made.made_with == (study, 9, 20, 4)
    for options, line in (
        ({"lenght": 4}, "scheduler steps: unknown option 'lenght'; did you mean 'length'?"),
        ({"length": 2.5}, "scheduler steps: length must be a whole number, not 2.5"),
    ):
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
            scheduler("steps", study, 9, **options)
        assert str(refusal.value) == line
    with pytest.raises(ValueError, match="scheduler: 'step' is unknown; did you mean 'steps'"):
        scheduler("step", study, 9)


def test_a_sweep_names_a_scheduler_where_it_names_a_pruner():
    assert resolve("tpe", "steps") == Searcher("tpe", "none", "steps")
    assert resolve("mine", "steps") == Searcher("mine", "none", "steps")
    assert resolve("tpe", "steps").needs_total
    with pytest.raises(ValueError, match="pruner: 'stepps' is unknown; did you mean 'steps'"):
        resolve("tpe", "stepps")
    with pytest.raises(ValueError, match="pruner: 'steps' cannot be combined with method 'pbt', which has its own"):
        resolve("pbt", "steps")


def test_its_options_are_told_from_those_of_the_sampler():
    options = {"length": 3, "n_ei_candidates": 9}
    assert split_options(resolve("tpe", "steps"), options) == ({"length": 3}, {}, {"n_ei_candidates": 9})
    assert split_options(resolve("random", "anything"), {"colour": "red"}) == ({"colour": "red"}, {}, {})
    with pytest.raises(ValueError, match="options: 'trials' is not an option: the sweep sets it"):
        split_options(resolve("tpe", "steps"), {"trials": 3})
