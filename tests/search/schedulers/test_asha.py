"""Asynchronous successive halving by promotion."""

import pytest

from mlptune.search import pruner

from .loop import quality, run


@pytest.mark.parametrize("batch", [1, 8])
def test_asha_promotes_late_whoever_has_become_one_of_the_best(batch):
    trained = run("asha", 27, 81, batch)
    order = sorted(range(81), key=quality, reverse=True)
    # Everybody among the best third of all has been promoted, whenever he came; some others were when there were fewer.
    assert all(trained[n] >= 3 for n in order[:27])
    assert all(trained[n] >= 9 for n in order[:9])
    assert trained[order[0]] == 27
    assert sum(e > 1 for e in trained) < 45


def test_asha_promotes_whom_optunas_pruner_has_stopped():
    """The third of 40 is the worst of the first three, and the third best in the end."""

    def rising(number, epoch):
        return {0: 0.9, 1: 0.8, 2: 0.5}.get(number, 0.1 * quality(number)) * epoch / 9

    ours = run("asha", 9, 40, 1, curve=rising)
    optunas = run("pruner", 9, 40, 1, curve=rising, pruner=pruner("asha", 9))
    assert (ours[2], optunas[2]) == (9, 1)
