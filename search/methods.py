"""The methods by name, one row each: what a sweep file's `method` stands for, and where its class is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A sampler together with a scheduler.

    Attributes:
        sampler: the name of the sampler.
        home: `".module:Class"` of what has the method's own name, the sampler or else the scheduler.
        about: a few words for the list of methods.
        trials: what `trials` counts.
        scheduler: the name of the scheduler; `pruner` leaves it to a pruner, any other cannot be combined with one.
        full_length_trials: whether all trials of a batch train to the last epoch, so that nothing may end them early.
        several_metrics: whether it searches for several at once.
        moves: whether the ranges of the space may change while it searches.
        priors: whether it uses the priors of the space.
        in_epochs: the names of sampler and scheduler where the budget is in epochs, if they are others.
    """

    sampler: str
    home: str
    about: str
    trials: str = "configurations trained"
    scheduler: str = "pruner"
    full_length_trials: bool = False
    several_metrics: bool = False
    moves: bool = False
    priors: bool = False
    in_epochs: tuple[str, str] | None = None


_BEGUN = "configurations begun, most stopped early"

EARLY_CURVES = "early_curves"
"""The scheduler by which a method chooses how long trials train."""

METHODS: dict[str, Method] = {
    "grid": Method(
        "grid",
        ".samplers.grid:GridSampler",
        "every point once, in order",
        trials="points of the grid; its size unless given",
        several_metrics=True,
    ),
    "random": Method(
        "random", ".samplers.random:RandomSampler", "independent points", several_metrics=True, moves=True, priors=True
    ),
    "quasirandom": Method(
        "quasirandom",
        ".samplers.quasirandom:QuasirandomSampler",
        "points of a scrambled Sobol sequence",
        several_metrics=True,
        moves=True,
    ),
    "tpe": Method(
        "tpe", ".samplers.tpe:TPESampler", "tree-structured Parzen estimator", several_metrics=True, moves=True
    ),
    "bayesian": Method(
        "bayesian", ".samplers.skopt.sampler:BayesianSampler", "Gaussian process of scikit-optimize", moves=True
    ),
    "genetic": Method("genetic", ".samplers.genetic:GeneticSampler", "crossover and mutation of the best"),
    "rl": Method("rl", ".samplers.rl:ReinforceSampler", "a policy over values, trained by REINFORCE"),
    "nas": Method("nas", ".samplers.nas:EvolutionSampler", "architectures by regularised evolution and a predictor"),
    "auto": Method(
        "auto",
        ".samplers.auto:AutoSampler",
        "Gaussian process, a few milliseconds a proposal",
        several_metrics=True,
        moves=True,
        priors=True,
        in_epochs=("mobster", EARLY_CURVES),
    ),
    "hyperband": Method(
        "random",
        ".schedulers.hyperband:HyperbandScheduler",
        "random points in brackets of successive halving",
        trials=_BEGUN,
        scheduler="hyperband",
        priors=True,
    ),
    "asha": Method(
        "random",
        ".schedulers.asha:AshaScheduler",
        "random points, the best third of a rung promoted",
        trials=_BEGUN,
        scheduler="asha",
        priors=True,
    ),
    "bohb": Method(
        "bohb",
        ".samplers.bohb:BohbSampler",
        "TPE in the brackets of Hyperband",
        trials=_BEGUN,
        scheduler="hyperband",
    ),
    "mobster": Method(
        "mobster",
        ".samplers.mobster:MobsterSampler",
        "Gaussian process of configuration and epoch, the best third of a rung promoted",
        trials=_BEGUN,
        scheduler="asha",
        priors=True,
    ),
    "pbt": Method(
        "random",
        ".schedulers.pbt:PopulationBasedTraining",
        "population-based training from random points",
        trials="members of the population, all trained to the end",
        scheduler="pbt",
        full_length_trials=True,
        priors=True,
    ),
}
