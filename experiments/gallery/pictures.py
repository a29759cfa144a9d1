"""The pictures: what each trains, what it shows, and the figures that its claim rests on.

A picture is a row of `PICTURES`: a function that trains its stacks and returns a `Picture`. Tests assert the claims on `figures`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._text import counted
from ...core.trace import trace
from ...tracking.records import TrialRecord
from ..report.charts import Axis, Chart, Mark
from ..report.facts import Facts
from ..report.rules import diagnose
from .training import Array, Trained, digits, moons, plane, train_stack

COLOURS = ("c0", "c1", "c2", "c3", "c4", "c5")
CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])


@dataclass(frozen=True)
class Map:
    """Heat maps over the plane that a slider runs through.

    Attributes:
        title: What it is of.
        frames: For each step (side, side) numbers from 0 to 1, row by row from the top.
        points: (x, y, class) of the rows, in the plane's units.
        size: The plane reaches from -size to size.
    """

    title: str
    frames: Sequence[NDArray[np.float64]]
    points: Sequence[tuple[float, float, int]] = ()
    size: float = 1.6


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        title: Its title.
        text: What it shows, and what to look at.
        charts: Static charts.
        maps: Heat maps, all moved by one slider.
        steps: What the slider says at each step.
        table: Head and rows.
        figures: What the claim rests on.
    """

    title: str
    text: str
    charts: Sequence[tuple[str, str]] = ()
    maps: Sequence[Map] = ()
    steps: Sequence[str] = ()
    table: tuple[Sequence[str], Sequence[Sequence[str]]] | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def _frames(trained: Trained, k: int, grid: Array) -> list[NDArray[np.float64]]:
    side = round(len(grid) ** 0.5)
    return [trained.predict(grid, epoch)[k, :, 0].reshape(side, side) for epoch in sorted(trained.states)]


def _points(X: Array, y: Array) -> list[tuple[float, float, int]]:
    return [(float(a), float(b), int(c)) for (a, b), c in zip(X, y, strict=True)]


def _lines(
    title: str, curves: Mapping[str, Sequence[float]], y: str, *, log: bool = False, x: str = "epoch"
) -> tuple[str, str]:
    """A chart with a line for each name."""
    marks, legend = [], {}
    for css, (name, values) in zip(itertools.cycle(COLOURS), curves.items(), strict=False):
        marks.append(Mark([(i + 1.0, float(v)) for i, v in enumerate(values)], f"plain {css}"))
        legend[f"plain {css}"] = name
    ends = [value for values in curves.values() for value in values]
    longest = max(map(len, curves.values()))
    return title, Chart(Axis(1, max(longest, 2), x), Axis.of(ends, y, log=log), marks, title, legend).svg()


def perceptron() -> Picture:
    """Rosenblatt's rule on NAND, which a line separates, and on XOR, which none does."""
    epochs = 12
    targets = {"NAND": np.array([1, 1, 1, 0]), "XOR": np.array([0, 1, 1, 0])}
    maps, figures = [], {}
    for name, y in targets.items():
        config = {"hidden": [], "loss": "perceptron", "optimizer": "sgd", "learning_rate": 0.3, "batch_size": 1}
        trained = train_stack([config], CORNERS, y, loss="perceptron", epochs=epochs, looks=range(1, epochs))
        sums = [trained.predict(plane(), epoch)[0, :, 0] for epoch in sorted(trained.states)]
        side = round(len(sums[0]) ** 0.5)
        maps.append(Map(name, [(s > 0.5).astype(float).reshape(side, side) for s in sums], _points(CORNERS, y)))
        figures[name] = float(((trained.predict(CORNERS)[0, :, 0] > 0.5) == y).mean())
    return Picture(
        "A perceptron learns NAND and never XOR",
        "One unit draws one straight line. For NAND the rule ends as soon as the line is right; for XOR no line is, so "
        "the weights go round in circles. Move the slider through the epochs.",
        maps=maps,
        steps=[f"epoch {i}" for i in range(epochs + 1)],
        figures=figures,
    )


def hidden_units() -> Picture:
    """XOR with 0, 2 and 4 hidden units, and what each hidden unit has learned to see."""
    y, epochs, looks = np.array([0, 1, 1, 0]), 200, (5, 10, 20, 30, 40, 60, 80, 120, 160)
    maps, figures, solved = [], {}, []
    for units in (0, 2, 4):
        config = {
            "hidden": [units] if units else [],
            "activation": "tanh",
            "optimizer": "adam",
            "learning_rate": 0.05,
            "batch_size": 4,
        }
        trained = train_stack([config] * 8, CORNERS, y, loss="log_loss", epochs=epochs, looks=looks)
        right = ((trained.predict(CORNERS)[:, :, 0] > 0.5) == y).mean(axis=1)
        best = int(np.argmin(trained.curves["train_loss"][:, -1]))
        maps.append(Map(f"{units} hidden units", _frames(trained, best, plane()), _points(CORNERS, y)))
        figures[f"best_{units}"] = float(right.max())
        figures[f"solved_{units}"] = float((right == 1).mean())
        figures[f"undecided_{units}"] = float(np.abs(trained.predict(CORNERS)[best, :, 0] - 0.5).max())
        solved.append([str(units), f"{int((right == 1).sum())} of 8"])
        for unit in range(units):
            maps.append(Map(f"unit {unit + 1} of {units}", _unit_frames(trained, best, unit)))
    return Picture(
        "Hidden units solve XOR",
        "Without a hidden layer there is one line, and none is right for more than three corners: the network ends undecided, "
        "which is white. Each hidden unit adds a line of its own (the small maps), and the output joins them. Of eight starts "
        "some get stuck with two units; with four nearly all arrive.",
        maps=maps,
        steps=[f"epoch {epoch}" for epoch in (0, *looks, epochs)],
        table=(["hidden units", "starts that solved it"], solved),
        figures=figures,
    )


def _unit_frames(trained: Trained, k: int, unit: int) -> list[NDArray[np.float64]]:
    """A tanh unit's output over the plane, from 0 to 1, after each epoch that was kept."""
    grid, found = plane(), []
    side = round(len(grid) ** 0.5)
    for _, state in sorted(trained.states.items()):
        first = trace(trained.structure, state.theta[k], state.buffers[k], grid, np.zeros(len(grid), dtype=int))[0]
        found.append((first.outputs[:, unit] + 1).reshape(side, side) / 2)
    return found


def learning_rates() -> Picture:
    """The practical test of deck 003: rates 1, .1 and .01 without momentum."""
    X, y, held = digits(800)
    rates = (1.0, 0.1, 0.01)
    configs = [
        {
            "hidden": [32],
            "optimizer": "sgd",
            "learning_rate": r,
            "schedule": "inverse_time",
            "decay": 1e-6,
            "batch_size": 32,
        }
        for r in rates
    ]
    trained = train_stack(
        configs, X, y, loss="cross_entropy", epochs=25, n_outputs=10, seeds=[0, 0, 0], validation=held
    )
    loss, score = trained.curves["train_loss"], trained.curves["val_score"]
    names = [f"rate {r:g}" for r in rates]
    return Picture(
        "Too large, right, too small",
        "The same network from the same start at three learning rates: 1 jumps about or gets lost, .01 creeps, .1 "
        "arrives.",
        charts=[
            _lines("training loss", dict(zip(names, loss, strict=True)), "loss", log=True),
            _lines("validation accuracy", dict(zip(names, score, strict=True)), "accuracy"),
        ],
        figures={f"loss_{r:g}": float(v) for r, v in zip(rates, loss[:, -1], strict=True)}
        | {f"half_{r:g}": float(v) for r, v in zip(rates, loss[:, 4], strict=True)}
        | {f"rises_{r:g}": float((np.diff(v) > 0).mean()) for r, v in zip(rates, loss, strict=True)},
    )


def nine_runs() -> Picture:
    """The nine runs of deck 000: three learning rates by three weight decays, as a table and as charts."""
    X, y, held = digits(800)
    rates, decays = (0.005, 0.001, 0.0001), (0.0, 0.01, 0.1)
    pairs = list(itertools.product(rates, decays))
    configs = [
        {"hidden": [32], "optimizer": "adamw", "learning_rate": r, "weight_decay": d, "batch_size": 32}
        for r, d in pairs
    ]
    trained = train_stack(configs, X, y, loss="cross_entropy", epochs=20, n_outputs=10, seeds=[0] * 9, validation=held)
    loss, score = trained.curves["val_loss"], trained.curves["val_score"]
    rows = [[f"{r:g}", f"{d:g}", f"{loss[i, -1]:.3f}", f"{score[i, -1]:.3f}"] for i, (r, d) in enumerate(pairs)]
    by_rate = {f"rate {r:g}": loss[[i for i, pair in enumerate(pairs) if pair[0] == r]].mean(axis=0) for r in rates}
    by_decay = {f"decay {d:g}": loss[[i for i, pair in enumerate(pairs) if pair[1] == d]].mean(axis=0) for d in decays}
    return Picture(
        "Nine runs compared",
        "Three learning rates by three weight decays, trained as one stack. Grouped by rate the curves fall apart at "
        "once; grouped by decay they lie on one another: the weight decay changes little at these rates.",
        charts=[
            _lines("validation loss, mean over the decays", by_rate, "loss", log=True),
            _lines("validation loss, mean over the rates", by_decay, "loss", log=True),
        ],
        table=(["learning rate", "weight decay", "validation loss", "validation accuracy"], rows),
        figures={f"loss_{r:g}": float(values[-1]) for r, values in zip(rates, by_rate.values(), strict=True)}
        | {"between_rates": _factor(by_rate), "between_decays": _factor(by_decay)},
    )


def _factor(curves: Mapping[str, Array]) -> float:
    """How many times as large as the lowest of the curves the highest ends."""
    ends = [float(values[-1]) for values in curves.values()]
    return max(ends) / min(ends)


def vanishing_gradients() -> Picture:
    """The length of the gradient by layer in the first epoch, by activation, in a network of eight hidden layers."""
    X, y, _ = digits(400)
    depth, curves, figures = 8, {}, {}
    for activation, init in (("logistic", "glorot"), ("tanh", "glorot"), ("relu", "he")):
        config = {
            "hidden": [24] * depth,
            "activation": activation,
            "init": init,
            "optimizer": "sgd",
            "learning_rate": 0.01,
        }
        trained = train_stack([config] * 5, X, y, loss="cross_entropy", epochs=1, n_outputs=10, gradient_norms=True)
        norms = [float(np.median(trained.curves[f"grad_norm_{i + 1}"][:, 0])) for i in range(depth)]
        curves[activation] = norms
        figures[activation] = norms[0] / norms[-1]
    return Picture(
        "Gradients vanish on their way back",
        "The logistic function's slope is at most a quarter, so eight layers leave little of the gradient for the first"
        " one; that of tanh and of relu comes through.",
        charts=[
            _lines(
                "length of the gradient in the first epoch",
                curves,
                "length",
                log=True,
                x="hidden layer, from the input",
            )
        ],
        figures=figures,
    )


def initialisation() -> Picture:
    """Weights that start at zero, far too large, or by He's rule."""
    X, y, held = digits(800)
    base = {"hidden": [32, 32], "optimizer": "sgd", "learning_rate": 0.05, "batch_size": 32}
    curves, figures = {}, {}
    for name, init, factor in (("zeros", "zeros", 1.0), ("twenty times too large", "he", 20.0), ("He", "he", 1.0)):
        losses = _from_scaled_start({**base, "init": init}, X, y, held, factor)
        curves[name], figures[name] = losses, float(losses[-1])
    return Picture(
        "Where the weights start",
        "Units that start alike get the same updates for ever, so zeros never separate them; weights that are far too "
        "large give sums so large that the first steps throw everything over. He's rule keeps signals at their size.",
        charts=[_lines("validation loss", curves, "loss", log=True)],
        figures=figures,
    )


def _from_scaled_start(
    config: Mapping[str, Any], X: Array, y: Array, held: tuple[Array, Array], factor: float
) -> list[float]:
    """The validation loss by epoch of a network whose initial weights are multiplied by `factor`."""
    from ...core.hyperparameters import Hyperparameters
    from ...core.network import Network
    from ...core.structure import Structure
    from ...core.training import Fold, start, train

    hp = Hyperparameters.from_config({**config, "epochs": 15})
    structure = Structure.of(
        hp, n_inputs=X.shape[1], n_outputs=10, n_rows=len(X), loss="cross_entropy", dtype="float64"
    )
    state = start(structure, [Network(hp, 0)])
    state.theta *= factor
    _, curves = train(structure, [Network(hp, 0)], [Fold(X, y, None, *held)], state, 15, order_seed=0)
    return [float(v) for v in curves.values["val_loss"][0]]


def batch_sizes() -> Picture:
    """One step a row, one step an epoch, and between."""
    X, y, _ = digits(512)
    curves, rows, figures = {}, [], {}
    for size in (1, 8, 64, 512):
        config = {"hidden": [16], "optimizer": "sgd", "learning_rate": 0.02, "batch_size": size}
        trained = train_stack([config], X, y, loss="cross_entropy", epochs=10, n_outputs=10)
        losses = trained.curves["train_loss"][0]
        name = f"{size}" if size < 512 else "all 512"
        curves[name], figures[str(size)] = losses, float(losses[-1])
        rows.append([name, str(512 // size), f"{losses[-1]:.3f}"])
    return Picture(
        "From single rows to the full batch",
        "At the same rate a smaller batch takes more steps an epoch and gets farther in it; the full batch takes one step "
        "and hardly moves. (Each step of a small batch uses the machine less well, which a stack "
        "of networks makes up for.)",
        charts=[_lines("training loss by batch size", curves, "loss", log=True)],
        table=(["batch size", "steps an epoch", "training loss at the end"], rows),
        figures=figures,
    )


def regularisation() -> Picture:
    """Overfitting, and what L2 and dropout do against it."""
    X, y = moons(60, 0.45, 0)
    held = moons(600, 0.45, 1)
    cases = {"nothing": {}, "l2 = 0.02": {"l2": 0.02}, "dropout = 0.5": {"dropout": 0.5}}
    base = {"hidden": [64, 64], "optimizer": "adam", "learning_rate": 0.001, "batch_size": 20}
    epochs, looks = 200, (10, 25, 50, 100)
    trained = train_stack(
        [{**base, **case} for case in cases.values()],
        X, y, loss="log_loss", epochs=epochs, seeds=[0, 0, 0], validation=held, looks=looks,
    )  # fmt: skip
    train_loss, val_loss = trained.curves["train_loss"], trained.curves["val_loss"]
    rows, figures = [], {}
    for k, name in enumerate(cases):
        at = int(np.argmin(val_loss[k]))
        rise = val_loss[k, -1] / val_loss[k, at] - 1
        said = _diagnosis({key: curves[k].tolist() for key, curves in trained.curves.items()})
        rows.append([name, f"{train_loss[k, -1]:.3f}", f"{val_loss[k, -1]:.3f}", str(at + 1), said])
        figures[f"overfits_{name}"] = float("overfits" in said)
        figures[f"rise_{name}"] = float(rise)
        figures[f"gap_{name}"] = float(val_loss[k, -1] - train_loss[k, -1])
    return Picture(
        "Overfitting, and what helps",
        "Sixty noisy rows and two layers of 64 units. Without a brake the boundary winds round single points and the "
        "validation loss rises while the training loss falls; L2 smooths the boundary, dropout makes units do without "
        "one another.",
        charts=[_lines("validation loss", dict(zip(cases, val_loss, strict=True)), "loss", log=True)],
        maps=[Map(name, _frames(trained, k, plane(size=2.2)), _points(X, y), 2.2) for k, name in enumerate(cases)],
        steps=[f"epoch {epoch}" for epoch in (0, *looks, epochs)],
        table=(["against it", "training loss", "validation loss", "best epoch", "diagnosis"], rows),
        figures=figures,
    )


def _diagnosis(curves: Mapping[str, Sequence[float]]) -> str:
    """What the diagnosis says of one network by its curves, as of a sweep of one trial."""
    trial = TrialRecord(0, "complete", max(curves["val_score"]), epochs=len(curves["val_loss"]))
    facts = Facts("", "", "finished", "", "val_score", "maximize", [trial], {0: curves}, {}, trial.epochs, None)
    found = [finding.text.removeprefix("trial 0, the best, ") for finding in diagnose(facts)]
    return "; ".join(found) or "nothing conspicuous"


def double_descent() -> Picture:
    """The test error over the number of random features: it peaks where there are as many as rows, and falls again beyond."""
    rng = np.random.default_rng(0)
    n, widths = 40, (2, 5, 10, 20, 30, 36, 40, 44, 55, 80, 150, 400, 1000)
    X, X_test = rng.normal(size=(n, 5)), rng.normal(size=(500, 5))

    def truth(rows: Array) -> Array:
        return np.sin(rows[:, 0]) + 0.5 * rows[:, 1] * rows[:, 2]

    y = truth(X) + rng.normal(scale=0.3, size=n)
    errors, fits = [], []
    for width in widths:
        found = []
        for seed in range(10):
            random = np.random.default_rng((seed, width))
            W, b = random.normal(size=(5, width)), random.uniform(-1, 1, size=width)
            H, H_test = np.maximum(X @ W + b, 0), np.maximum(X_test @ W + b, 0)
            beta = np.linalg.pinv(H) @ y
            found.append((np.mean((H_test @ beta - truth(X_test)) ** 2), np.mean((H @ beta - y) ** 2)))
        error, fit = np.median(found, axis=0)
        errors.append(float(error))
        fits.append(float(fit))
    marks = [
        Mark(list(zip(widths, errors, strict=True)), "plain c0"),
        Mark(list(zip(widths, np.maximum(fits, 1e-4), strict=True)), "plain c1"),
    ]
    chart = Chart(
        Axis(2, 1000, "hidden units", log=True),
        Axis.of([*errors, *np.maximum(fits, 1e-4)], "squared error", log=True),
        marks,
        "error by width",
        {"plain c0": "test", "plain c1": "training"},
    )
    peak = widths[int(np.argmax(errors))]
    return Picture(
        "Double descent",
        "A hidden layer of fixed random weights and the least-squares output that fits forty rows best, of all that fit"
        " equally the smallest. The test error rises to its peak where the units are as many as the rows, and falls "
        "again beyond: what is much too large is smooth once more.",
        charts=[("error by width", chart.svg())],
        figures={"peak": float(peak), "height": max(errors), "first": min(errors[:4]), "last": errors[-1]},
    )


def backpropagation() -> Picture:
    """The lectures' worked example, each number of one step."""
    from ...core.hyperparameters import Hyperparameters
    from ...core.network import Network
    from ...core.parameters import weight_blocks
    from ...core.structure import Structure
    from ...core.training import start

    hp = Hyperparameters(hidden=(2,), activation="logistic", optimizer="sgd")
    structure = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="brier", dtype="float64")
    state = start(structure, [Network(hp, 0)])
    hidden, output = weight_blocks(structure, state.theta)
    hidden[0], output[0] = [[1.0, -4.0], [-2.0, 2.0], [5.0, 3.0]], [[4.0], [2.0], [-1.0]]
    first, last = trace(structure, state.theta[0], state.buffers[0], np.array([[3.0, 4.0]]), np.array([0]))
    a, step = last.outputs[0, 0], 0.1
    rows = [
        ["hidden unit 1: input", "1 · 3 - 2 · 4 + 5", f"{first.sums[0, 0]:.4f}"],
        ["hidden unit 1: output", "g(0)", f"{first.outputs[0, 0]:.4f}"],
        ["hidden unit 2: input", "-4 · 3 + 2 · 4 + 3", f"{first.sums[0, 1]:.4f}"],
        ["hidden unit 2: output", "g(-1)", f"{first.outputs[0, 1]:.4f}"],
        ["output unit: input", "4 · 0.5 + 2 · 0.2689 - 1", f"{last.sums[0, 0]:.4f}"],
        ["output unit: output a", "g(1.5379)", f"{a:.4f}"],
        ["squared error", "(0 - a)²", f"{a * a:.4f}"],
        ["delta of the output unit", "-2 (0 - a) a (1 - a)", f"{last.deltas[0, 0]:.4f}"],
        ["delta of hidden unit 1", "0.5 (1 - 0.5) · 4 · delta", f"{first.deltas[0, 0]:.4f}"],
        ["delta of hidden unit 2", "0.2689 (1 - 0.2689) · 2 · delta", f"{first.deltas[0, 1]:.4f}"],
        ["gradient of the weight 4", "0.5 · delta", f"{last.weights_gradient[0, 0]:.4f}"],
        ["the weight 4 after a step of 0.1", "4 - 0.1 · gradient", f"{4 - step * last.weights_gradient[0, 0]:.4f}"],
        ["gradient of the weight 1", "3 · delta of hidden unit 1", f"{first.weights_gradient[0, 0]:.4f}"],
        ["the weight 1 after a step of 0.1", "1 - 0.1 · gradient", f"{1 - step * first.weights_gradient[0, 0]:.4f}"],
    ]
    return Picture(
        "Backpropagation, number by number",
        "Two inputs (3, 4), two logistic hidden units, one logistic output, the wanted answer 0 and the squared error. "
        "The pass forward stores inputs and outputs of the units; the deltas come back layer by layer. In Python: "
        "model.trace(X, y).",
        table=(["what", "how", "value"], rows),
        figures={"a": float(a), "delta": float(last.deltas[0, 0]), "hidden_2": float(first.outputs[0, 1])},
    )


def sweep() -> Picture:
    """A random search as a film: 64 configurations trained as one stack, and the best so far."""
    X, y, held = digits(500)
    rng = np.random.default_rng(0)
    rates, drops = 10 ** rng.uniform(-4, -0.5, 64), rng.uniform(0, 0.6, 64)
    configs = [
        {"hidden": [24], "learning_rate": float(r), "dropout": float(d), "batch_size": 50}
        for r, d in zip(rates, drops, strict=True)
    ]
    trained = train_stack(configs, X, y, loss="cross_entropy", epochs=12, n_outputs=10, validation=held)
    score = trained.curves["val_score"].max(axis=1)
    best = np.maximum.accumulate(score)
    shade = (score - score.min()) / (np.ptp(score) or 1.0)
    dots = [
        Mark([(float(r), float(d))], "line best" if i == int(np.argmax(score)) else "line", shade=float(s), dot=True)
        for i, (r, d, s) in enumerate(zip(rates, drops, shade, strict=True))
    ]
    curves = [
        Mark(
            [(j + 1.0, float(v)) for j, v in enumerate(values)],
            "line best" if i == int(np.argmax(score)) else "line",
            shade=float(s),
        )
        for i, (values, s) in enumerate(zip(trained.curves["val_score"], shade, strict=True))
    ]
    where = Chart(
        Axis(1e-4, 10**-0.5, "learning rate", log=True), Axis(0, 0.6, "dropout"), dots, "where the good ones lie"
    )
    how = Chart(Axis(1, 12, "epoch"), Axis.of(trained.curves["val_score"].ravel(), "accuracy"), curves, "all curves")
    places = np.column_stack([(np.log10(rates) + 2.25) / 1.75, drops / 0.3 - 1])  # the space as a square from -1 to 1
    counts = (1, 2, 4, 8, 16, 32, 64)
    film = [_known_after(places[:n], shade[:n], plane(size=1.0)) for n in counts]
    near = [abs(np.log10(r) - np.log10(rates[int(np.argmax(score))])) for r in rates[np.argsort(-score)[:8]]]
    return Picture(
        "A sweep as a film",
        "64 random configurations, trained together in one pass. The slider runs through the trials: each point of the space "
        "(learning rate to the right, dropout upwards) has the accuracy of the nearest trial so far, red the best. The rate "
        "decides (dark dots stand in one column), dropout hardly matters here.",
        charts=[
            ("all curves", how.svg()),
            ("where the good ones lie", where.svg()),
            _lines("the best so far", {"best": best.tolist()}, "accuracy", x="trial"),
        ],
        maps=[Map("the space", film, size=1.0)],
        steps=[counted(n, "trial") for n in counts],
        figures={
            "wrong_after_2": float(np.abs(film[1] - film[-1]).mean()),
            "wrong_after_32": float(np.abs(film[-2] - film[-1]).mean()),
            "gain": float(best[-1] - best[0]),
            "spread_of_best": float(max(near)),
            "spread_of_all": float(np.ptp(np.log10(rates))),
            "by_rate": float(
                np.corrcoef(score, np.abs(np.log10(rates) - np.log10(rates[int(np.argmax(score))])))[0, 1]
            ),
            "by_dropout": float(np.corrcoef(score, drops)[0, 1]),
        },
    )


def _known_after(places: Array, values: Array, grid: Array) -> NDArray[np.float64]:
    """By point of a square grid the value of the nearest place."""
    distances = ((grid[:, None] - places[None]) ** 2).sum(axis=2)
    side = round(len(grid) ** 0.5)
    return np.asarray(values, dtype=np.float64)[distances.argmin(axis=1)].reshape(side, side)


PICTURES: Mapping[str, Callable[[], Picture]] = {
    "perceptron": perceptron,
    "hidden_units": hidden_units,
    "backpropagation": backpropagation,
    "learning_rates": learning_rates,
    "nine_runs": nine_runs,
    "vanishing_gradients": vanishing_gradients,
    "initialisation": initialisation,
    "batch_sizes": batch_sizes,
    "regularisation": regularisation,
    "double_descent": double_descent,
    "sweep": sweep,
}
