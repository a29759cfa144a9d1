"""Collection is off inside, and afterwards as it was before, whatever happens."""

import gc

import pytest

from mlptune.experiments.garbage import without_collection


def test_it_is_off_inside_and_as_before_afterwards() -> None:
    assert gc.isenabled()
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), without_collection():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
