"""The type of the engine's arrays: the only one, and what its arrays are."""

from pathlib import Path
from typing import get_origin, get_type_hints

import numpy as np

from mlptune.core.array import Array
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.state import State
from mlptune.core.training import Fold
from tests.support.tables import table, trained

CORE = Path(__file__).parents[2] / "core"


def test_what_a_state_says_is_an_array_is_one_after_training():
    hp = Hyperparameters(hidden=(3,), epochs=1, batch_norm=True, scaling="robust", target_scaling=True)
    _, state, _ = trained(hp, Fold(*table()))
    hints = get_type_hints(State)
    assert set(hints) == set(vars(state))
    assert get_origin(Array) is np.ndarray
    for name, hint in hints.items():
        assert hint == Array, name
        assert isinstance(getattr(state, name), np.ndarray), name


def test_no_other_module_of_the_engine_makes_a_type_of_arrays():
    elsewhere = [p.name for p in CORE.rglob("*.py") if "numpy.typing" in p.read_text(encoding="utf-8")]
    assert elsewhere == ["array.py"]
