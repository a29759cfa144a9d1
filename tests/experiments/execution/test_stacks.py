"""Stacks hold each network that still trains once, with others like it, whatever the number of workers."""

import dataclasses
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.cost import operations
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import FINISHED, RUNNING, Network, start
from mlptune.experiments.execution.stacks import MAX_STACK, SEGMENT_OPERATIONS, Stack, segment_end, stacks
from mlptune.experiments.execution.trial import Trial

LAST = 9


def structure(hidden: list[int], n_rows: int = 100) -> tuple[Hyperparameters, Structure]:
    hp = Hyperparameters.from_config({"hidden": hidden, "epochs": LAST})
    return hp, Structure.of(hp, n_inputs=5, n_outputs=1, n_rows=n_rows, loss="squared_error")


KINDS = [structure([4]), structure([4, 4]), structure([64])]
UNTRAINED = [start(shape, [Network(hp, seed=0)]) for hp, shape in KINDS]


@st.composite
def trials(draw: st.DrawFn) -> dict[int, Trial]:
    """Trials of several networks, each at an epoch of its own, of which some have ended."""
    made = {}
    for number in draw(st.sets(st.integers(0, 200), min_size=1, max_size=30)):
        kind = draw(st.integers(0, len(KINDS) - 1))
        hp, shape = KINDS[kind]
        count = draw(st.integers(1, 6))
        trial = Trial(number, tuple(Network(hp, seed=seed) for seed in range(count)), (shape,) * count)
        for i in range(count):
            epoch, status = draw(st.sampled_from([(0, RUNNING), (3, RUNNING), (6, RUNNING), (5, FINISHED)]))
            if epoch:
                trial.states[i] = dataclasses.replace(
                    UNTRAINED[kind], epoch=np.array([epoch]), status=np.array([status])
                )
        made[number] = trial
    return made


@given(trials(), st.sampled_from([3, 6, LAST]), st.integers(1, 8))
def test_each_network_that_still_trains_is_in_one_stack_of_its_kind(
    made: dict[int, Trial], until: int, workers: int
) -> None:
    found = stacks(made, dict.fromkeys(made, until), workers)
    due = [
        (number, i)
        for number, trial in made.items()
        for i in range(len(trial.networks))
        if not trial.ended(i) and trial.epoch(i) < until
    ]
    assert sorted(member for stack in found for member in stack.members) == sorted(due)
    costs = []
    for stack in found:
        kinds = {(made[number].structures[i], made[number].epoch(i)) for number, i in stack.members}
        [(shape, epoch)] = kinds
        assert stack.until == until
        assert len(stack.members) <= MAX_STACK
        costs.append(len(stack.members) * operations(shape) * (until - epoch))
    assert all(cost >= later * (1 - 1e-9) for cost, later in pairwise(costs)), "the costliest first"


def test_a_large_group_is_cut_and_spread_over_the_workers_and_four_networks_are_not() -> None:
    hp, shape = KINDS[0]

    def sizes(networks: int, workers: int) -> list[int]:
        made = {n: Trial(n, (Network(hp, seed=0),), (shape,)) for n in range(networks)}
        return [len(stack.members) for stack in stacks(made, dict.fromkeys(made, LAST), workers)]

    assert sizes(MAX_STACK, workers=1) == [MAX_STACK]
    assert sizes(3 * MAX_STACK, workers=1) == [MAX_STACK] * 3
    assert sizes(48, workers=4) == [6] * 8
    assert sizes(4, workers=4) == [4]


@given(st.integers(2, MAX_STACK), st.integers(1, LAST))
def test_halves_are_the_same_networks_in_two_stacks(count: int, until: int) -> None:
    whole = Stack(tuple((n, n % 3) for n in range(count)), until)
    first, second = whole.halves()
    assert first.members + second.members == whole.members
    assert first.until == second.until == until
    assert abs(len(first.members) - len(second.members)) <= 1


@given(st.integers(1, MAX_STACK), st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([10**2, 10**5, 10**8]))
def test_a_job_trains_at_least_an_epoch_and_not_much_longer_than_it_may(
    networks: int, epoch: int, more: int, n_rows: int
) -> None:
    _, shape = structure([64], n_rows)
    end = segment_end(shape, networks, epoch, epoch + more)
    assert epoch < end <= epoch + more
    assert end == epoch + 1 or (end - epoch) * networks * operations(shape) <= 1.5 * SEGMENT_OPERATIONS
