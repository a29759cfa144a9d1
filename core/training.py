"""Training: the one loop by which networks learn, from a state to a state, alone or in stacks with the same numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .array import Array
from .cost import networks_per_part
from .crossfit import CrossFit
from .data import Fold, PreparedFold, prepare, take_subset
from .fitting import fit
from .metrics import Metric, resolve
from .network import INITIALIZATION, Network, check_seed
from .parameters import initial_buffers, initial_parameters
from .stack import Stack
from .state import DIVERGED, FINISHED, RUNNING, State
from .stopping import apply_stopping_rules, find_diverged
from .structure import Structure

__all__ = ["CURVES", "DIVERGED", "FINISHED", "RUNNING", "Curves", "Fold", "Network", "State", "start", "train"]

# The curves that every network has; a metric adds val_<metric>.
CURVES = ("train_loss", "val_loss", "train_score", "val_score")


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
    K, P = len(networks), structure.n_parameters
    theta = np.empty((K, P), dtype=structure.dtype)
    for k, network in enumerate(networks):
        random = np.random.Generator(network.stream(INITIALIZATION))
        theta[k] = initial_parameters(structure, network.hyperparameters, random)
    buffers = np.tile(initial_buffers(structure), (K, 1))
    return State(
        theta=theta,
        slots=np.zeros((K, structure.n_slots, P), dtype=structure.dtype),
        buffers=buffers,
        best_theta=theta.copy(),
        best_buffers=buffers.copy(),
        best_loss=np.full(K, np.inf),
        best_epoch=np.zeros(K, dtype=np.int64),
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
    metrics: Sequence[str | Metric] = (),
    gradient_norms: bool = False,
    crossfit: CrossFit | None = None,
) -> tuple[State, Curves]:
    """Train every running network up to epoch `until` or its own end; the given state is left as it is.

    A network ends after its own `epochs`, by early stopping (no lower val_loss for `early_stopping` epochs; ties
    keep the earlier epoch), by its tolerance (train_loss has fallen by no more in `tolerance_epochs` epochs, or is no
    larger and no row is misclassified), or by divergence: a loss or parameter that is not finite. A state may come from
    other `changes` of the hyperparameters, if they were the same up to its epoch: so a schedule can be found step by
    step and trained again whole. The rows' order in an epoch is a function of `order_seed`, from 0 to 2**32 - 1, and the epoch,
    and the rows of a `subset` are one of `order_seed` and the fold. With
    `gradient_norms` the curves grad_norm_1, ... hold for each dense layer from the input the length of the loss's
    gradient by its parameters, the mean over the epoch's batches. `crossfit`, of the same networks, sees every
    epoch. The result holds all K networks in the order given.
    ValueError if the data's shapes contradict the structure, a metric is unknown or not one of so many classes, or `order_seed`
    is out of its range.
    """
    check_seed("order_seed", order_seed)
    rows = tuple(resolve(name, structure.task, structure.n_outputs) for name in metrics)
    if len(networks) != len(state):
        raise ValueError(f"networks and state must be of one length, got {len(networks)} and {len(state)}")
    state = state.take(range(len(state)))
    networks_by_fold = list(networks)
    prepared: list[PreparedFold] = []
    if until > 0:  # before the first epoch there is nothing to scale by yet
        used = {network.fold for network in networks}
        folds = [take_subset(structure, fold, order_seed) if f in used else fold for f, fold in enumerate(folds)]
        fit(structure, networks, folds, state)
        networks_by_fold, prepared = prepare(structure, networks, folds, state)
    live = state.status == RUNNING
    first = int(state.epoch[live].min()) if live.any() else until
    norms = tuple(f"grad_norm_{i + 1}" for i in range(len(structure.layers))) if gradient_norms else ()
    names = (*CURVES, *(f"val_{row.name}" for row in rows), *norms)
    n_epochs = max(0, min(until, _last_epoch(networks, state)) - first)
    curves = Curves(first + 1, {name: np.full((len(state), n_epochs), np.nan) for name in names})
    trainer = _Trainer(
        structure, networks_by_fold, prepared, state, curves, until, order_seed, rows, gradient_norms, crossfit
    )
    size = networks_per_part(structure)
    with np.errstate(all="ignore"):
        for epoch in np.unique(state.epoch):
            members = np.flatnonzero((state.epoch == epoch) & (state.status == RUNNING))
            for begin in range(0, len(members), size):
                trainer.train(members[begin : begin + size])
    trained = max(0, int(state.epoch[live].max(initial=first)) - first)
    curves.values = {name: values[:, :trained] for name, values in curves.values.items()}
    return state, curves


def _last_epoch(networks: Sequence[Network], state: State) -> int:
    """The last epoch that any running network may train; 0 if none runs.

    A network that is set running after its last epoch, as by partial_fit, trains one more.
    """
    ends = [
        max(network.hyperparameters.epochs, epoch + 1) for network, epoch in zip(networks, state.epoch, strict=True)
    ]
    return int(np.max(ends, where=state.status == RUNNING, initial=0))


@dataclass(frozen=True)
class _Trainer:
    """Trains members of `state`, which are at one epoch, as one stack, and writes their values into `curves`."""

    structure: Structure
    networks: Sequence[Network]
    folds: Sequence[PreparedFold]
    state: State
    curves: Curves
    until: int
    order_seed: int
    metrics: tuple[Metric, ...]
    gradient_norms: bool
    crossfit: CrossFit | None

    def train(self, members: Array) -> None:
        """Train these networks to their ends; the stack is built anew when some end or their values change."""
        while len(members) and self.state.epoch[members[0]] < self.until:
            part = self.state.take(members)
            self._train_unchanged(members, part)
            self.state.put(members, part)
            members = members[part.status == RUNNING]

    def _train_unchanged(self, members: Array, part: State) -> None:
        """Train up to the epoch in which some network ends, or before that in which some hyperparameter changes."""
        structure, first = self.structure, int(part.epoch[0]) + 1
        own = [self.networks[k] for k in members]
        changes = [epoch for network in own for epoch, _ in network.hyperparameters.changes if epoch > first]
        last = min([self.until, *(epoch - 1 for epoch in changes)])
        stack = Stack(structure, _current_hyperparameters(structure, own, first, part), self.folds, part)
        for epoch in range(first, last + 1):
            order = np.random.default_rng(np.random.SeedSequence((self.order_seed, epoch))).permutation(
                structure.n_rows
            )
            values = stack.train_epoch(epoch, part.step, order, gradient_norms=self.gradient_norms)
            values.update(stack.validate(self.metrics, self._see(members)))
            diverged = find_diverged(stack.theta, values, stack.has_validation)
            # Which numbers became NaN or infinite, and the sign of a NaN, may depend on where a network lies in memory.
            stack.erase(diverged)
            for name, column in values.items():
                column[diverged] = np.nan
                self.curves.values[name][members, epoch - self.curves.first_epoch] = column
            part.epoch += 1
            part.step += structure.steps
            apply_stopping_rules(
                structure,
                stack.networks,
                part,
                values,
                diverged=diverged,
                has_validation=stack.has_validation,
                evaluated=stack.evaluated,
            )
            if (part.status != RUNNING).any():
                break
        for s, slot in enumerate(stack.slots):
            part.slots[:, s] = slot

    def _see(self, members: Array) -> Callable[[Array, Array, Array], None] | None:
        """Shows an epoch's validation to `crossfit`, which knows a stack's networks by their positions in the state."""
        if (crossfit := self.crossfit) is None:
            return None
        return lambda some, z, losses: crossfit.see(members[some], z, losses)


def _current_hyperparameters(
    structure: Structure, networks: Sequence[Network], epoch: int, part: State
) -> list[Network]:
    """The networks with the values that are in force in that epoch, in whose units `part` then has its slots."""
    result = list(networks)
    for k, network in enumerate(networks):
        hp = network.hyperparameters
        if not hp.changes:
            continue
        now = hp.at(epoch)
        if epoch in dict(hp.changes):
            before = hp.at(epoch - 1)
            units = zip(structure.rule.slot_units(before), structure.rule.slot_units(now), strict=True)
            for slot, (old, new) in zip(part.slots[k], units, strict=False):
                slot *= old / new
        result[k] = replace(network, hyperparameters=now)
    return result
