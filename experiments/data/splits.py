"""Which rows are the sealed test part, which train and which validate: a function of seed, labels and copies alone.

Part sizes are `round(share * rows)`, at least one row. Row numbers come back in ascending order. Labels and groups
count by which rows share them, not by what they are, so the same table read with another dtype is split the same way.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError

Rows = NDArray[np.int64]
_TEST, _VALIDATION = 1, 2  # each has a generator of its own, so that changing one part does not change the other


# Where nothing is said, trials are validated by so many folds up to so many rows that are not test, else by one part.
FOLDS, MOST_ROWS_FOR_FOLDS = 5, 10_000
VALIDATION = 0.2


def default_validation(
    n_rows: int, test_size: float, groups: NDArray[np.int64] | None, times: NDArray[np.float64] | None
) -> tuple[float, int | None]:
    """The validation share and the number of folds, or None, for a table of `n_rows` whose [data] gives neither.

    Small tables are noisy: folds use all their rows. Large ones have rows enough, and folds would take five times as long.
    """
    left = n_rows - round(test_size * n_rows)
    parts = len(np.unique(groups)) if groups is not None else n_rows
    fits = 2 * FOLDS <= left <= MOST_ROWS_FOR_FOLDS and times is None and parts > 2 * FOLDS
    return VALIDATION, FOLDS if fits else None


@dataclass(frozen=True)
class Split:
    """Row numbers: `test` and `development` make up the table, `parts` are (training, validation) of the latter."""

    development: Rows
    test: Rows
    parts: tuple[tuple[Rows, Rows], ...]
    messages: tuple[str, ...] = ()


def split_rows(
    n_rows: int,
    *,
    seed: int,
    test_size: float,
    validation: float,
    folds: int | None = None,
    labels: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    times: NDArray[np.float64] | None = None,
    repeats: NDArray[np.int64] | None = None,
) -> Split:
    """Split `n_rows` rows: first the test part, then a holdout validation part or `folds` pairs out of the rest.

    `labels` (n,) integer codes: every part gets each class in proportion, and every class keeps a row in training.
    `groups` (n,) integer codes: rows of a group stay together; part sizes come as near as whole groups allow.
    `times` (n,): the latest rows are the test part, the latest of the rest validate. Groups and times are never given together,
    and both take precedence over labels.
    `repeats` (n,) integer codes: rows of one code, which have one label, stay together where there are rows enough and neither
    groups nor times. Parts have the sizes and classes that they would have without, as near as it goes.
    k folds of n = k * m + r rows: each validates m rows and the r rows left over always train, so all training parts
    have equal size and can be stacked. Not so under `groups` (balanced, sizes may differ) and `times` (expanding
    windows: the rest is cut into k + 1 blocks, fold i trains on the first i + 1 and validates the next).

    The settings are those of a checked [data] section. Raises UserError when rows or groups are too few.
    """
    rows = np.arange(n_rows, dtype=np.int64)
    needed = (test_size > 0) + (folds + (1 if times is not None else 0) if folds is not None else 2)
    if n_rows < needed:
        verb = "is" if n_rows == 1 else "are"
        raise UserError(f"data: {counted(n_rows, 'row')} {verb} too few for the parts asked for, {needed} are needed")
    if groups is not None and len(np.unique(groups)) < needed:
        found = len(np.unique(groups))
        verb = "is" if found == 1 else "are"
        raise UserError(
            f"[data] group: {counted(found, 'group')} {verb} too few for the parts asked for, {needed} are needed"
        )
    free = groups is None and times is None
    labels, repeats = (labels, repeats) if free else (None, None)
    split = _split(rows, _Splitter(labels, groups, times, repeats), seed, test_size, validation, folds, needed - 1)
    if repeats is not None and not all(map(len, itertools.chain(*split.parts, [split.test] if test_size > 0 else []))):
        # There are too few different rows for so many parts.
        split = _split(rows, _Splitter(labels, groups, times, None), seed, test_size, validation, folds, needed - 1)
    return split


def _split(
    rows: Rows, splitter: "_Splitter", seed: int, test_size: float, validation: float, folds: int | None, reserve: int
) -> Split:
    test = rows[:0]
    if test_size > 0:
        rows, test = splitter.holdout(rows, test_size, np.random.default_rng([seed, _TEST]), reserve)
    generator = np.random.default_rng([seed, _VALIDATION])
    parts = splitter.folds(rows, folds, generator) if folds else (splitter.holdout(rows, validation, generator, 1),)
    return Split(rows, test, parts, tuple(dict.fromkeys(splitter.messages)))


class _Splitter:
    """Holdout parts and folds under the given labels, groups or times."""

    def __init__(
        self,
        labels: NDArray[np.int64] | None,
        groups: NDArray[np.int64] | None,
        times: NDArray[np.float64] | None,
        repeats: NDArray[np.int64] | None,
    ) -> None:
        self.labels = None if labels is None else _by_appearance(labels)
        self.groups = None if groups is None else _by_appearance(groups)
        self.times = times
        self.repeats = None if repeats is None else _by_appearance(repeats)
        self.messages: list[str] = []

    def holdout(self, rows: Rows, share: float, generator: np.random.Generator, reserve: int) -> tuple[Rows, Rows]:
        """The rows that stay and the rows of the part; at least `reserve` rows or groups stay."""
        count = min(max(round(share * len(rows)), 1), len(rows) - reserve)
        if self.times is not None:
            ordered = rows[np.argsort(self.times[rows], kind="stable")]
            part = ordered[len(rows) - count :]
        elif self.groups is not None:
            part = self._whole_groups(rows, count, generator, reserve)
        else:
            part = self._draw(rows, count, generator)
        return np.setdiff1d(rows, part), np.sort(part)

    def _draw(self, rows: Rows, count: int, generator: np.random.Generator) -> Rows:
        shuffled = generator.permutation(rows)
        if self.labels is None:
            return self._first(shuffled, count)
        codes = self.labels[shuffled]
        sizes = np.bincount(codes)
        taken = _in_proportion(sizes, count)
        if taken is None:
            self.messages.append(
                "some classes have too few rows to be in every part: rows are split without regard to classes"
            )
            return self._first(shuffled, count)
        return np.concatenate([self._first(shuffled[codes == label], number) for label, number in enumerate(taken)])

    def _first(self, shuffled: Rows, count: int) -> Rows:
        """The first `count` rows; of repeated ones all or none, so that it may be fewer."""
        if self.repeats is None:
            return shuffled[:count]
        chosen = [shuffled[:0]]
        for copies in self._copies(shuffled):
            if len(copies) <= count:
                chosen.append(copies)
                count -= len(copies)
        return np.concatenate(chosen)

    def _copies(self, rows: Rows) -> list[Rows]:
        """The rows, those that are the same in one array each, in the order of their first ones."""
        assert self.repeats is not None
        codes = _by_appearance(self.repeats[rows])
        return np.split(rows[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes))[:-1])

    def _whole_groups(self, rows: Rows, count: int, generator: np.random.Generator, reserve: int) -> Rows:
        assert self.groups is not None
        codes = self.groups[rows]
        names, sizes = np.unique(codes, return_counts=True)
        chosen: list[int] = []
        total = 0
        for index in generator.permutation(len(names)):
            nearer = abs(total + sizes[index] - count) < abs(total - count)
            if nearer and len(chosen) < len(names) - reserve:
                chosen.append(names[index])
                total += int(sizes[index])
        if not chosen:  # every group is more than twice as large as the part
            chosen = [names[np.argmin(sizes)]]
        return rows[np.isin(codes, chosen)]

    def folds(self, rows: Rows, k: int, generator: np.random.Generator) -> tuple[tuple[Rows, Rows], ...]:
        if self.times is not None:
            ordered = rows[np.argsort(self.times[rows], kind="stable")]
            blocks = np.array_split(ordered, k + 1)
            return tuple((np.sort(np.concatenate(blocks[: i + 1])), np.sort(blocks[i + 1])) for i in range(k))
        if self.groups is not None:
            parts = self._group_folds(rows, k, generator)
        elif self.repeats is not None:
            parts = self._folds_of_copies(rows, k, generator)
        else:
            parts = self._equal_folds(rows, k, generator)
        return tuple((np.setdiff1d(rows, part), np.sort(part)) for part in parts)

    def _equal_folds(self, rows: Rows, k: int, generator: np.random.Generator) -> list[Rows]:
        shuffled = generator.permutation(rows)
        size = len(rows) // k
        if self.labels is not None:
            counts = np.bincount(self.labels[shuffled])
            # The only row of a class is of more use in training; then classes one after the other, dealt out in turn.
            shuffled = shuffled[np.argsort(counts[self.labels[shuffled]] > 1, kind="stable")][::-1]
            kept = shuffled[: size * k]
            shuffled = kept[np.argsort(self.labels[kept], kind="stable")]
            if (counts[counts > 0] < k).any():
                self.messages.append(
                    f"some classes have fewer rows than the {k} folds and are missing from some of them"
                )
        return [shuffled[: size * k][fold::k] for fold in range(k)]

    def _folds_of_copies(self, rows: Rows, k: int, generator: np.random.Generator) -> list[Rows]:
        """As `_equal_folds`, of copies all or none: of each class the most frequent rows first, into the fold with fewest of it."""
        shuffled = generator.permutation(rows)
        labels = np.zeros_like(self.repeats) if self.labels is None else self.labels
        counts = np.bincount(labels[shuffled])
        copies = self._copies(shuffled)
        # What is left over: first the only rows of a class, then others without a copy.
        copies.sort(key=lambda same: (counts[labels[same[0]]] > 1, len(same)))
        n_left = len(rows) % k
        while n_left and len(copies[0]) == 1:
            del copies[0]
            n_left -= 1
        copies.sort(key=lambda same: (labels[same[0]], -len(same)))
        folds: list[list[Rows]] = [[] for _ in range(k)]
        sizes = [0] * k
        for _, of_class in itertools.groupby(copies, key=lambda same: labels[same[0]]):
            in_class = [0] * k
            for same in of_class:
                free = [fold for fold in range(k) if sizes[fold] + len(same) <= len(rows) // k]
                if free:
                    fold = min(free, key=lambda fold: (in_class[fold], sizes[fold], fold))
                    folds[fold].append(same)
                    in_class[fold] += len(same)
                    sizes[fold] += len(same)
        if (counts[counts > 0] < k).any() and self.labels is not None:
            self.messages.append(f"some classes have fewer rows than the {k} folds and are missing from some of them")
        return [np.concatenate([rows[:0], *_cut(fold, min(sizes))]) for fold in folds]

    def _group_folds(self, rows: Rows, k: int, generator: np.random.Generator) -> list[Rows]:
        assert self.groups is not None
        codes = self.groups[rows]
        names, sizes = np.unique(codes, return_counts=True)
        order = generator.permutation(len(names))
        order = order[np.argsort(-sizes[order], kind="stable")]  # large groups first, each into the lightest fold
        load = np.zeros(k, dtype=np.int64)
        fold_of = np.zeros(len(names), dtype=np.int64)
        for index in order:
            fold_of[index] = np.argmin(load)
            load[fold_of[index]] += sizes[index]
        placed = fold_of[np.searchsorted(names, codes)]
        return [rows[placed == fold] for fold in range(k)]


def _cut(copies: list[Rows], size: int) -> list[Rows]:
    """As many of them as make `size` rows, or where none do a few more: what is left of the others is left over too."""
    surplus = sum(map(len, copies)) - size
    kept = []
    for same in reversed(copies):
        if len(same) <= surplus:
            surplus -= len(same)
        else:
            kept.append(same)
    return kept


def _by_appearance(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same partition of the rows, numbered in the order of first appearance."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _in_proportion(sizes: NDArray[np.int64], count: int) -> NDArray[np.int64] | None:
    """Rows of each class in a part of `count`, by largest remainders; one of each class stays. None when impossible."""
    room = np.maximum(sizes - 1, 0)
    if room.sum() < count:
        return None
    ideal = sizes * (count / sizes.sum())
    taken = np.minimum(np.floor(ideal).astype(np.int64), room)
    while taken.sum() < count:
        taken[np.argmax(np.where(taken < room, ideal - taken, -np.inf))] += 1
    return taken
