"""Every embedding in the table: what it makes of a network without a hidden layer."""

import numpy as np
import pytest

from mlptune.core.embeddings import EMBEDDINGS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.training import Fold
from tests.support.tables import trained


@pytest.mark.parametrize("embedding", sorted(set(EMBEDDINGS) - {"none"}))
def test_an_embedding_bends_where_a_line_cannot(embedding):
    x = np.linspace(-1.0, 1.0, 200)[:, None]
    y = np.abs(x)
    hp = {"hidden": (), "epochs": 200, "learning_rate": 0.02, "embedding_sigma": 0.5}
    loss = {
        kind: trained(Hyperparameters(**hp, embedding=kind), Fold(x, y), n_inputs=1, n_outputs=1)[2]["train_loss"][-1]
        for kind in ("none", embedding)
    }
    assert loss[embedding] < 0.1 * loss["none"]
