"""Which networks train together in one stack: those of one structure that stand at one epoch and train up to the same one.

How they are grouped and cut decides only the speed, never a number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...core.cost import networks_per_job, operations
from ...core.structure import Structure
from .trial import Trial

MAX_STACK = 64
# Multiply-adds after which a job returns, so that the user sees something every second or two, and what else a step costs in
# the same measure: the calls, which outweigh the products of small networks.
SEGMENT_OPERATIONS, STEP_OPERATIONS = 20e9, 1e6


@dataclass(frozen=True)
class Stack:
    """Networks, each as (trial number, index in the trial), that train together up to the epoch `until`."""

    members: tuple[tuple[int, int], ...]
    until: int

    def halves(self) -> list["Stack"]:
        """The same networks in two stacks."""
        middle = len(self.members) // 2
        return [Stack(self.members[:middle], self.until), Stack(self.members[middle:], self.until)]


def stacks(trials: Mapping[int, Trial], until: Mapping[int, int], workers: int) -> list[Stack]:
    """Stacks of all networks that still train; the costliest come first.

    Args:
        trials: All trials by number.
        until: For each trial to be trained the epoch to train it to.
        workers: How many jobs run at once.
    """
    groups: dict[tuple[Structure, int, int], list[tuple[int, int]]] = {}
    for number, end in until.items():
        trial = trials[number]
        for i, structure in enumerate(trial.structures[: trial.active]):
            if not trial.ended(i) and trial.epoch(i) < end:
                groups.setdefault((structure, trial.epoch(i), end), []).append((number, i))
    cost = {key: len(members) * operations(key[0]) * (key[2] - key[1]) for key, members in groups.items()}
    # Enough jobs that no worker idles at the end while another still trains a big stack.
    share = sum(cost.values()) / (2 * workers) if workers > 1 else math.inf
    costed: list[tuple[float, Stack]] = []
    for key, members in groups.items():
        # Fold by fold: networks of one fold share its rows, those of different folds need a copy each in every step.
        members.sort(key=lambda member: (trials[member[0]].networks[member[1]].fold, member))
        most = min(MAX_STACK, networks_per_job(key[0]))
        parts = max(math.ceil(len(members) / most), min(math.ceil(cost[key] / share), math.ceil(len(members) / 4)))
        for part in np.array_split(np.arange(len(members)), parts):
            stack = Stack(tuple(members[i] for i in part), key[2])
            costed.append((cost[key] * len(part) / len(members), stack))
    return [stack for _, stack in sorted(costed, key=lambda pair: -pair[0])]


def segment_end(structure: Structure, n_networks: int, epoch: int, until: int) -> int:
    """The epoch at which a job that trains a stack of `n_networks` from `epoch` on towards `until` returns."""
    an_epoch = operations(structure) * n_networks + structure.steps * STEP_OPERATIONS
    epochs = max(1, round(SEGMENT_OPERATIONS / an_epoch))
    return min(until, epoch + epochs)
