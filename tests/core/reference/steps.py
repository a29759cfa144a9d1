"""Networks whose layers differ, thirty steps beside torch's: the cases that `layers.npz` holds."""

import numpy as np

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs

from . import load, part

REFERENCE = load("layers")


def thirty_steps_equal_torch(case):
    """Thirty steps of Adam from torch's start, and the predictions after them for other rows."""
    arrays = part(REFERENCE, case)
    X, y, before, after = arrays["X"], arrays["y"], part(arrays, "before"), part(arrays, "after")
    hp = Hyperparameters(**REFERENCE["settings_json"][case], epochs=30, batch_size=len(X))
    group = Structure.of(hp, n_inputs=X.shape[1], n_outputs=3, n_rows=len(X), loss="cross_entropy", dtype="float64")
    state = start(group, [Network(hp, 0)])
    for i, W in enumerate(weight_blocks(group, state.theta)):
        W[0, :-1], W[0, -1] = before[f"W{i}"], before[f"b{i}"]
    trained, _ = train(group, [Network(hp, 0)], [Fold(X, y)], state, 30, order_seed=0)
    spans = group.offsets
    for i, (layer, W) in enumerate(zip(group.layers, weight_blocks(group, trained.theta), strict=True)):
        np.testing.assert_allclose(W[0, :-1], after[f"W{i}"], rtol=1e-7, atol=1e-8)
        if layer.norm != "none":
            gains = trained.theta[0, spans[i][1] - layer.n_out : spans[i][1]]
            np.testing.assert_allclose(gains, after[f"gain{i}"], rtol=1e-7)
        np.testing.assert_allclose(W[0, -1], after[f"b{i}"], rtol=1e-7, atol=1e-8)
    predicted = outputs(group, trained.theta, trained.buffers, arrays["other"])[0]
    np.testing.assert_allclose(predicted, arrays["predicted"], atol=1e-8)
