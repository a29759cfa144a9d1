"""The diagnosis in words: rules over the facts of a launch, each with the figures it rests on and what to do next.

A rule is a row of `RULES`: it looks at `Facts` and says one thing or nothing. Where a fact is not known it says nothing.
"""

import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._text import counted, listed
from ..edges import Edge, edges
from ..short import number_text, value_text
from .facts import Facts, margin

# The trials that lead a sweep.
LEADERS = 5


@dataclass(frozen=True)
class Finding:
    """What a rule has found.

    Attributes:
        rule: The rule's name.
        severity: "problem", which costs score or trust, or "note".
        text: What is the case, in a sentence with its figures.
        evidence: The figures by name.
        advice: What to do next.
    """

    rule: str
    severity: str
    text: str
    evidence: Mapping[str, Any]
    advice: str


def diagnose(facts: Facts) -> list[Finding]:
    """What the curves and scores of a launch say: problems first, else in the order of the table."""
    found = [finding for rule in RULES if (finding := rule(facts)) is not None]
    return sorted(found, key=lambda finding: finding.severity != "problem")


def no_better_than_constant(facts: Facts) -> Finding | None:
    """The model's interval holds what a constant prediction scores."""
    constant, expected = facts.evidence.get("constant"), (facts.best or {}).get("expected")
    if constant is None or not expected:
        return None
    worst = expected["low"] if facts.direction == "maximize" else expected["high"]
    if facts.sign * (worst - constant) > 0:
        return None
    answer = facts.evidence.get("constant_answer", "the same answer for all rows")
    return Finding(
        "constant",
        "problem",
        f"the model is expected to score {number_text(expected['score'])} ({number_text(expected['low'])} to "
        f"{number_text(expected['high'])}), and {answer} scores {number_text(constant)}",
        {"expected": expected["score"], "low": expected["low"], "high": expected["high"], "constant": constant},
        "the columns may say nothing about the target; look for other columns or, if a class is rare, take a metric that sees it: "
        "average_precision, balanced_accuracy or log_loss ([objective] metric)",
    )


def gives_the_answer_away(facts: Facts) -> Finding | None:
    """Columns that tell the target by themselves, or a nearly perfect score that rests on one column."""
    if telling := facts.evidence.get("telling"):
        which = "each by itself" if len(telling) > 1 else "by itself"
        return Finding(
            "giveaway",
            "problem",
            f"{_columns(telling)} the target {which} in all training rows",
            {"columns": list(telling)},
            f"leave out what is not known when a prediction is wanted: data.ignore = {json.dumps(telling[:5], ensure_ascii=False)}",
        )
    importance, score = facts.evidence.get("importance"), facts.evidence.get("score")
    constant = facts.evidence.get("constant")
    if not importance or score is None or constant is None or len(importance) < 2 or facts.direction != "maximize":
        return None
    drops = sorted(((max(drop or 0.0, 0.0), name) for name, drop in importance), reverse=True)
    total = sum(drop for drop, _ in drops)
    if score < 0.995 or constant > 0.98 or total <= 0 or drops[0][0] < 0.9 * total:
        return None
    return Finding(
        "giveaway",
        "problem",
        f"the score of {number_text(score)} rests on the column {drops[0][1]!r} alone: shuffled, it costs "
        f"{number_text(drops[0][0])} of it",
        {"column": drops[0][1], "drop": drops[0][0], "score": score},
        f"if {drops[0][1]!r} is known only together with the target, leave it out: [data] ignore",
    )


def _columns(names: Sequence[str]) -> str:
    """Columns that tell something, with their verb."""
    shown = listed(list(map(repr, names)), 5)
    return f"the column {shown} tells" if len(names) == 1 else f"the columns {shown} tell"


def overfits(facts: Facts) -> Finding | None:
    """The best trial's validation loss rises again while the training loss falls, and the scores part."""
    if not facts.complete:
        return None
    number = facts.complete[0].number
    train, val = facts.curve(number, "train_loss"), facts.curve(number, "val_loss")
    scores = facts.curve(number, "train_score"), facts.curve(number, "val_score")
    if min(len(train), len(val), *map(len, scores)) < 5:
        return None
    at = min(range(len(val)), key=val.__getitem__)
    rise = val[-1] / val[at] - 1 if val[at] > 0 else 0.0
    gap = scores[0][-1] - scores[1][at]
    if rise < 0.25 or gap < 0.05 or train[-1] >= train[at]:
        return None
    return Finding(
        "overfitting",
        "problem",
        f"trial {number}, the best, overfits: after epoch {at + 1} its validation loss rises by {rise:.0%} while its training "
        f"loss falls (score in training {scores[0][-1]:.3f}, in validation {scores[1][at]:.3f})",
        {"trial": number, "best_epoch": at + 1, "rise": rise, "train_score": scores[0][-1], "val_score": scores[1][at]},
        f"the model keeps epoch {at + 1}; more dropout or weight decay, smaller networks or more rows help further",
    )


def underfits(facts: Facts) -> Finding | None:
    """Training and validation are both poor: a baseline does better, or hardly anything was learned."""
    if not facts.complete:
        return None
    number = facts.complete[0].number
    train, val = facts.curve(number, "train_score"), facts.curve(number, "val_score")
    if not train or not val:
        return None
    baselines = facts.evidence.get("baselines") or []
    ours = [row["score"] for row in baselines if row["name"] == "mlptune" and row["score"] is not None]
    others = [row for row in baselines if row["name"] != "mlptune" and row["score"] is not None]
    if ours and others:
        best = max(others, key=lambda row: facts.sign * row["score"])
        constant = facts.evidence.get("constant")
        scale = abs(best["score"] - constant) if constant is not None else abs(best["score"])
        lead = facts.sign * (best["score"] - ours[0])
        if scale <= 0 or lead < 0.1 * scale:
            return None
        return Finding(
            "underfitting",
            "problem",
            f"{best['name']} scores {number_text(best['score'])} on rows where the model scores {number_text(ours[0])} "
            f"(in training {max(train):.3f}, in validation {max(val):.3f})",
            {"baseline": best["name"], "baseline_score": best["score"], "score": ours[0], "train_score": max(train)},
            "wider or deeper networks, more epochs, or higher learning rates; less dropout and weight decay",
        )
    constant = _constant_score(facts)
    if constant is None or constant >= 1 or (max(train) - constant) / (1 - constant) >= 0.1:
        return None
    return Finding(
        "underfitting",
        "problem",
        f"hardly anything was learned: trial {number}, the best, scores {max(train):.3f} in training and {max(val):.3f} in "
        f"validation; always the same answer scores {constant:.3f}",
        {"trial": number, "train_score": max(train), "val_score": max(val), "constant": constant},
        "higher learning rates, more epochs or wider networks; and look whether the columns can say anything about the target",
    )


def _constant_score(facts: Facts) -> float | None:
    """What a constant answer has of the curves' score: accuracy or R2."""
    shares = facts.evidence.get("shares")
    if shares:
        return float(max(shares.values()))
    return 0.0 if facts.evidence.get("task") == "regression" else None


def still_falling(facts: Facts) -> Finding | None:
    """The leaders are best at their last epoch, and were getting better to the end."""
    leaders = [trial.number for trial in facts.complete[:LEADERS]]
    gains = {}
    for number in leaders:
        val = facts.curve(number, "val_loss")
        if len(val) < 5 or len(val) < facts.max_epochs or min(val) < val[-1]:
            continue
        back = max(1, len(val) // 5)
        if val[-1 - back] > 0 and (gain := 1 - val[-1] / val[-1 - back]) > 0.05:
            gains[number] = gain
    if not leaders or leaders[0] not in gains or len(gains) * 2 < len(leaders):
        return None
    gain = gains[leaders[0]]
    return Finding(
        "still_falling",
        "problem",
        f"{_of_best(len(gains), len(leaders))} still getting better at the last epoch: trial "
        f"{leaders[0]} lost {gain:.0%} of its validation loss in the last fifth of {facts.max_epochs} epochs",
        {"trials": sorted(gains), "gain": gain, "epochs": facts.max_epochs},
        f"train longer: --epochs {2 * facts.max_epochs}",
    )


def _of_best(n: int, leaders: int) -> str:
    """So many of the leading trials, in words, with their verb."""
    if n < leaders:
        return f"{n} of the best {leaders} trials {'were' if n > 1 else 'was'}"
    return f"all of the best {leaders} trials were" if n > 1 else "the best trial was"


def best_early(facts: Facts) -> Finding | None:
    """The leaders are best in the first third of the epochs and get worse afterwards."""
    places = []
    for trial in facts.complete[:LEADERS]:
        val = facts.curve(trial.number, "val_loss")
        if len(val) < 6:
            continue
        at = min(range(len(val)), key=val.__getitem__)
        if (
            at + 1 <= facts.max_epochs / 3
            and val[at] > 0
            and val[-1] / val[at] > 1.1
            and _falls(facts, trial.number, at)
        ):
            places.append(at + 1)
    if len(places) < 2 or len(places) * 2 < len(facts.complete[:LEADERS]):
        return None
    middle = int(statistics.median(places))
    return Finding(
        "best_early",
        "note",
        f"the best trials are at their best around epoch {middle} of {facts.max_epochs} and get worse from there",
        {"best_epoch": middle, "epochs": facts.max_epochs, "trials": len(places)},
        "lower learning rates or more regularisation (weight_decay, dropout); fewer epochs cost less",
    )


def _falls(facts: Facts, number: int, at: int) -> bool:
    """Whether a trial's objective loses more than noise after epoch `at` (from 0): a loss rises long before a score falls."""
    curve = facts.curve(number, facts.metric)
    if facts.noise is None or len(curve) <= at:
        return True
    return facts.sign * (curve[at] - curve[-1]) > facts.noise


def diverged(facts: Facts) -> Finding | None:
    """A tenth of the trials or more diverged, two or a fifth; where a learning rate parts them from the others, which."""
    unstable = [trial for trial in facts.trials if trial.diverged]
    if not unstable or len(unstable) < (0.1 if len(unstable) > 1 else 0.2) * len(facts.ended):
        return None
    rates = [trial.params["learning_rate"] for trial in unstable if _is_number(trial.params.get("learning_rate"))]
    sound = [t.params["learning_rate"] for t in facts.complete if _is_number(t.params.get("learning_rate"))]
    text = f"{len(unstable)} of {counted(len(facts.ended), 'trial')} diverged"
    evidence: dict[str, Any] = {"diverged": len(unstable), "trials": len(facts.ended)}
    advice = "lower learning rates, [model] clip_norm = 1 or a warmup"
    if rates and (not sound or statistics.median(rates) > statistics.median(sound)):
        above = min(rates)
        healthy_above = sum(rate >= above for rate in sound)
        evidence |= {"learning_rate": above, "complete_above": healthy_above}
        many = len(unstable) > 1
        text += f", {'all ' if many else ''}with a learning rate of {value_text(above)}{' or more' if many else ''}"
        text += f", where {counted(healthy_above, 'trial')} did not" if healthy_above else ""
        bound = f"set the high end of learning_rate near {value_text(above)}"
        if "choices" in facts.space.get("learning_rate", {}):
            bound = f"leave {value_text(above)}{' and more' if many else ''} out of learning_rate"
        advice = f"{bound}; or [model] clip_norm = 1"
    return Finding("divergence", "problem", text, evidence, advice)


def at_the_edge(facts: Facts) -> Finding | None:
    """The best trial and most of the leaders stand at one end of a searched range, and the others are worse."""
    leaders = facts.complete[:LEADERS]
    if len(facts.complete) < 10:
        return None
    found = [edge for edge in edges(facts.space, leaders) if _matters(facts, edge)]
    if not found:
        return None
    places = ", ".join(f"{edge.name} at its {edge.end} end, {value_text(edge.value)}" for edge in found)
    advice = f"move that bound: the best {found[0].name} may lie beyond" + (
        "" if facts.space_changes else " ([search] widen = true does so by itself)"
    )
    if facts.has_default_space:  # whose bounds were chosen on many tables: seldom is there more beyond
        advice = "these are bounds of the default space; [search] widen = true tries what lies beyond"
    return Finding(
        "edge",
        "note" if facts.has_default_space else "problem",
        f"most of the best {len(leaders)} trials stand at the edge of what was searched: {places}",
        {edge.name: {"end": edge.end, "value": edge.value, "trials": edge.trials} for edge in found},
        advice,
    )


def _matters(facts: Facts, edge: Edge) -> bool:
    """Whether the best trial away from an edge is worse than the best by more than a standard error.

    A sampler puts many of its trials at the ends of ranges, so most leaders stand at one where nothing depends on it.
    """
    table = {edge.name: facts.space[edge.name]}
    away = [t for t in facts.complete if edge.end not in [found.end for found in edges(table, [t])]]
    best, other = (facts.complete[0].value, away[0].value) if away else (None, None)
    if best is None or other is None or facts.noise is None:
        return True
    return facts.sign * (best - other) > facts.noise


def within_noise(facts: Facts) -> Finding | None:
    """The leaders differ by less than the standard error of one of them."""
    leaders, noise = facts.complete[:LEADERS], facts.noise
    if noise is None or len(leaders) < LEADERS:
        return None
    values = [trial.value for trial in leaders if trial.value is not None]
    gap = abs(values[0] - values[-1])
    if gap >= noise:
        return None
    return Finding(
        "noise",
        "note",
        f"the best {len(leaders)} trials cannot be told apart: they differ by {gap:.2g}, and the standard error is {noise:.2g}",
        {"gap": gap, "standard_error": noise, "trials": [trial.number for trial in leaders]},
        "any of them will do; more folds or seeds tell them apart ([data] folds, seeds)",
    )


def stagnates(facts: Facts) -> Finding | None:
    """The second half of the trials gained next to nothing on the first."""
    so_far, noise = facts.best_so_far, facts.noise
    if noise is None or len(so_far) < 20:
        return None
    half = len(so_far) // 2
    before, after = so_far[half - 1], so_far[-1]
    gain = facts.sign * (after - before)
    if math.isnan(before) or gain >= 0.25 * noise:
        return None
    return Finding(
        "stagnation",
        "note",
        f"the last {len(so_far) - half} trials gained {gain:.2g}, and the standard error is {noise:.2g}",
        {"trials": len(so_far) - half, "gain": gain, "standard_error": noise},
        "more trials of this space will hardly help; another space, columns or rows may",
    )


def often_failed(facts: Facts) -> Finding | None:
    """A tenth of the trials or more failed; the commonest reason."""
    failed = [trial for trial in facts.ended if trial.state == "failed"]
    if not failed or len(failed) < 0.1 * len(facts.ended):
        return None
    [(reason, count)] = Counter(trial.reason or "no reason given" for trial in failed).most_common(1)
    return Finding(
        "failures",
        "problem",
        f"{len(failed)} of {counted(len(facts.ended), 'trial')} failed, {count} of them: {reason}",
        {"failed": len(failed), "trials": len(facts.ended), "reason": reason, "count": count},
        f"`mlptune show {facts.name}` has the reason of each",
    )


def dead_units(facts: Facts) -> Finding | None:
    """Units that give the same for every row, by layer: half of a layer is made up for by the rest, nearly all of it is not."""
    dead = [layer["constant_units"] for layer in facts.evidence.get("layers") or []]
    if not dead or None in dead or max(dead) < 0.5:
        return None
    layer = dead.index(max(dead))
    return Finding(
        "dead_units",
        "problem" if max(dead) >= 0.9 else "note",
        f"{dead[layer]:.0%} of the units of hidden layer {layer + 1} give the same for every row after an epoch",
        {"shares": dead},
        "lower learning rates, another activation (leaky_relu, gelu) or initialisation (he)",
    )


def gradients_by_layer(facts: Facts) -> Finding | None:
    """The first epoch's gradients of the first and of the last hidden layer differ by a factor of a thousand."""
    norms = [layer["gradient_norm"] for layer in facts.evidence.get("layers") or []]
    if len(norms) < 2 or None in norms or max(norms) == 0:
        return None
    first, last = norms[0], norms[-1]
    ratio = max(first, last) / max(min(first, last), 1e-30)
    if ratio < 1000:
        return None
    vanish = first < last
    return Finding(
        "vanishing_gradients" if vanish else "exploding_gradients",
        "problem",
        f"in the first epoch the gradient of the first hidden layer is {ratio:.0f} times {'smaller' if vanish else 'larger'} "
        f"than that of the last ({first:.2g} against {last:.2g})",
        {"gradient_norms": norms},
        "relu with he initialisation, batch or layer normalisation, skip connections, or fewer layers",
    )


# What to do about copies on both sides of a split, by what decides it (see `evidence.py`).
_APART = {
    "apart": 'data.duplicates = "together" keeps copies in one part',
    "together": "they differ only in columns that are left out: [data] group names one that tells what belongs together",
    "group": "keep equal rows together: [data] group names a column that tells what belongs together",
    "time": "if that is not a coincidence of later rows, drop the copies",
}


def repeated_rows(facts: Facts) -> Finding | None:
    """Validation rows that are training rows too, target and all."""
    repeated, rows = facts.evidence.get("repeated"), facts.evidence.get("rows") or {}
    n = rows.get("validation")
    if not repeated or not n or repeated < 5 or repeated < 0.02 * n:
        return None
    return Finding(
        "repeated_rows",
        "note",
        f"{repeated} of {n} validation rows are in the training rows too, target included: "
        "the score is too good if new rows are not copies",
        {"repeated": repeated, "validation": n},
        _APART.get(facts.evidence.get("duplicates", ""), _APART["group"]),
    )


def rare_classes(facts: Facts) -> Finding | None:
    """Classes with so few rows that a validation part has one or two of them."""
    shares, rows = facts.evidence.get("shares") or {}, facts.evidence.get("rows") or {}
    n = rows.get("development", 0)
    rare = {label: round(share * n) for label, share in shares.items() if round(share * n) < 10}
    if not rare or len(shares) < 2:
        return None
    shown = listed([f"{label} {count}" for label, count in rare.items()], 5)
    return Finding(
        "rare_classes",
        "problem",
        f"too few rows to learn from or to judge by: {shown}",
        {"rows": rare},
        "more rows of these classes, or join them with others",
    )


def odd_fold(facts: Facts) -> Finding | None:
    """One fold's score stands apart from all others'."""
    scores = facts.evidence.get("by_fold") or []
    if len(scores) < 4 or None in scores:
        return None
    for i, score in enumerate(scores):
        others = scores[:i] + scores[i + 1 :]
        middle, spread = statistics.mean(others), statistics.stdev(others)
        if abs(score - middle) > max(6 * spread, 0.1 * abs(middle)):
            return Finding(
                "odd_fold",
                "problem",
                f"fold {i + 1} scores {number_text(score)}, the others {number_text(min(others))} to {number_text(max(others))}",
                {"fold": i + 1, "score": score, "others": others},
                "its rows are unlike the others: look for groups or an order in time ([data] group, time)",
            )
    return None


def promise_kept(facts: Facts) -> Finding | None:
    """The sealed test part scored outside of what was expected."""
    best = facts.best or {}
    expected, test = best.get("expected"), best.get("test_score")
    if not expected or test is None:
        return None
    half = margin(expected)
    # The test part's own error adds to that of the expectation.
    n, m = _rows(facts, "validation"), _rows(facts, "test")
    allowed = half * math.sqrt(1 + (n / m if n and m else 1.0)) * 1.3
    if half <= 0 or abs(test - expected["score"]) <= allowed:
        return None
    better = facts.sign * (test - expected["score"]) > 0
    return Finding(
        "promise",
        "note" if better else "problem",
        f"the test part scored {number_text(test)}, {'better' if better else 'worse'} than the {number_text(expected['low'])} to "
        f"{number_text(expected['high'])} that validation promised",
        {"test_score": test, **expected},
        "the test rows differ from the others: look at how they were split ([data] group, time, test)",
    )


def _rows(facts: Facts, part: str) -> int:
    return int((facts.evidence.get("rows") or {}).get(part) or 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Rule = Callable[[Facts], Finding | None]

RULES: Sequence[Rule] = (
    no_better_than_constant,
    gives_the_answer_away,
    often_failed,
    diverged,
    underfits,
    overfits,
    still_falling,
    dead_units,
    gradients_by_layer,
    at_the_edge,
    odd_fold,
    rare_classes,
    promise_kept,
    repeated_rows,
    best_early,
    stagnates,
    within_noise,
)
