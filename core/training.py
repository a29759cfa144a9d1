"""Training: the one loop by which networks learn, from a state to a state, alone or in stacks with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .array import Array
from .data import Fold, PreparedFold, training_share
from .fitting import fit, prepare
from .losses import LOSSES
from .metrics import METRICS
from .parameters import initial_parameters, initial_running, n_parameters
from .stack import Network, Stack, footprint, generator
from .state import DIVERGED, FINISHED, RUNNING, State
from .stopping import _erase_diverged, _judge
from .structure import Structure

__all__ = ["DIVERGED", "FINISHED", "RUNNING", "Curves", "Fold", "Network", "State", "start", "train"]


CURVES = ("train_loss", "val_loss", "train_score", "val_score")


# A stack larger than this many bytes is trained in parts, one after the other: the networks do not notice.
CACHE = 4 << 20


@dataclass
class Curves:
    """Values by epoch: column j of each (K, E) array belongs to epoch `first_epoch + j`, counted from 1.

    NaN where a network did not train in that epoch. `first_epoch` is the first that any running network still had to
    train, and the last column belongs to the last epoch that any trained; with none left to train E is 0.
    """

    first_epoch: int
    values: dict[str, Array]


def start(structure: Structure, networks: Sequence[Network]) -> State:
    """The state of networks that have not trained yet; each is initialised from its own seed."""
    K, P = len(networks), n_parameters(structure)
    theta = np.empty((K, P), dtype=structure.dtype)
    for k, network in enumerate(networks):
        random = np.random.Generator(generator(network.seed, 0))
        theta[k] = initial_parameters(structure, network.hyperparameters, random)
    running = np.tile(initial_running(structure), (K, 1))
    return State(
        theta=theta,
        slots=np.zeros((K, structure.rule.n_slots, P), dtype=structure.dtype),
        running=running,
        best_theta=theta.copy(),
        best_running=running.copy(),
        best_loss=np.full(K, np.inf),
        kept_epoch=np.zeros(K, dtype=np.int64),
        epoch=np.zeros(K, dtype=np.int64),
        step=np.zeros(K, dtype=np.int64),
        status=np.full(K, RUNNING, dtype=np.int8),
        rate_factor=np.ones(K),
        plateau=np.tile([np.inf, 0.0], (K, 1)),
        progress=np.tile([np.inf, 0.0], (K, 1)),
    )


def train(
    structure: Structure,
    networks: Sequence[Network],
    folds: Sequence[Fold],
    state: State,
    until: int,
    *,
    order_seed: int,
    metrics: Sequence[str] = (),
    gradient_norms: bool = False,
) -> tuple[State, Curves]:
    """Train every running network up to epoch `until` or its own end; the given state is left as it is.

    A network ends after its own `epochs`, by early stopping (no lower val_loss for `early_stopping` epochs; ties
    keep the earlier epoch), by its tolerance (train_loss has fallen by no more in `tolerance_epochs` epochs, or is no
    larger and no row is misclassified), or by divergence: a loss or parameter that is not finite. A state may come from
    other `changes` of the hyperparameters, if they were the same up to its epoch: so a schedule can be found step by
    step and trained again whole. The rows' order in an epoch is a function of `order_seed` and the epoch, and
    the rows of a `subset` are one of `order_seed` and the fold. With
    `gradient_norms` the curves grad_norm_1, ... hold for each dense layer from the input the length of the loss's
    gradient by its parameters, the mean over the epoch's batches. The result holds all K networks in the order given.
    ValueError if the data's shapes contradict the structure or a metric is unknown.
    """
    task = LOSSES[structure.loss].task
    for name in metrics:
        if name not in METRICS or task not in METRICS[name].tasks:
            possible = ", ".join(known for known, metric in METRICS.items() if task in metric.tasks)
            raise ValueError(f"metric must be one of {possible} in {task}, got {name!r}")
    if len(networks) != len(state):
        raise ValueError(f"networks and state must be of one length, got {len(networks)} and {len(state)}")
    state = state.take(range(len(state)))
    placed = list(networks)
    prepared: list[PreparedFold] = []
    if until > 0:  # before the first epoch there is nothing to scale by yet
        used = {network.fold for network in networks}
        folds = [training_share(structure, fold, order_seed) if f in used else fold for f, fold in enumerate(folds)]
        fit(structure, networks, folds, state)
        placed, prepared = prepare(structure, networks, folds, state)
    live = state.status == RUNNING
    first = int(state.epoch[live].min()) if live.any() else until
    # A network that is told to run after its last epoch, as partial_fit does, trains one more.
    ends = [
        max(network.hyperparameters.epochs, epoch + 1) for network, epoch in zip(networks, state.epoch, strict=True)
    ]
    last = int(np.max(ends, where=live, initial=0))
    norms = tuple(f"grad_norm_{i + 1}" for i in range(len(structure.layers))) if gradient_norms else ()
    names = (*CURVES, *(f"val_{name}" for name in metrics), *norms)
    curves = Curves(
        first + 1, {name: np.full((len(state), max(0, min(until, last) - first)), np.nan) for name in names}
    )
    size = max(1, CACHE // footprint(structure))
    with np.errstate(all="ignore"):
        for epoch in np.unique(state.epoch):
            members = np.flatnonzero((state.epoch == epoch) & (state.status == RUNNING))
            for begin in range(0, len(members), size):
                _train_part(
                    structure,
                    placed,
                    prepared,
                    state,
                    members[begin : begin + size],
                    until,
                    order_seed,
                    metrics,
                    norms,
                    curves,
                )
    trained = max(0, int(state.epoch[live].max(initial=first)) - first)
    curves.values = {name: values[:, :trained] for name, values in curves.values.items()}
    return state, curves


def _train_part(
    structure: Structure,
    networks: Sequence[Network],
    folds: Sequence[PreparedFold],
    state: State,
    members: Array,
    until: int,
    order_seed: int,
    metrics: Sequence[str],
    norms: Sequence[str],
    curves: Curves,
) -> None:
    """Train these members, which are at one epoch, as one stack, built anew when some end or their values change."""
    while len(members) and state.epoch[members[0]] < until:
        part = state.take(members)
        first = int(part.epoch[0]) + 1
        changed = [epoch for k in members for epoch, _ in networks[k].hyperparameters.changes if epoch > first]
        last = min([until, *(epoch - 1 for epoch in changed)])
        stack = Stack(structure, _in_force(structure, [networks[k] for k in members], first, part), folds, part)
        part.theta, part.running = stack.theta, stack.running
        while True:
            epoch = int(part.epoch[0]) + 1
            order = np.random.default_rng(np.random.SeedSequence((order_seed, epoch))).permutation(structure.n_rows)
            stack.norms = np.zeros((len(members), len(norms))) if norms else None
            train_loss, train_score = stack.train_epoch(epoch, part.step, order)
            values = {"train_loss": train_loss, "train_score": train_score, **stack.validate(metrics)}
            if stack.norms is not None:
                values.update(zip(norms, stack.norms.T / structure.steps, strict=True))
            diverged = _erase_diverged(stack, values)
            for name, column in values.items():
                curves.values[name][members, epoch - curves.first_epoch] = column
            part.epoch += 1
            part.step += structure.steps
            _judge(stack, part, diverged, values)
            ended = part.status != RUNNING
            if ended.any() or epoch >= last:
                break
        for s, slot in enumerate(stack.slots):
            part.slots[:, s] = slot
        state.put(members, part)
        members = members[~ended]


def _in_force(structure: Structure, networks: Sequence[Network], epoch: int, part: State) -> list[Network]:
    """The networks with the values that are in force in that epoch, in whose units `part` then has its slots."""
    result = list(networks)
    for k, network in enumerate(networks):
        hp = network.hyperparameters
        if not hp.changes:
            continue
        now = hp.at(epoch)
        if epoch in dict(hp.changes):
            pairs = zip(part.slots[k], structure.rule.units(hp.at(epoch - 1)), structure.rule.units(now), strict=False)
            for slot, before, after in pairs:
                slot *= before / after
        result[k] = replace(network, hyperparameters=now)
    return result
