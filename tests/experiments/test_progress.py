"""What observers are given, under its present and its former name."""

import pytest

from mlptune.experiments import progress
from mlptune.tracking.records import TrialRecord


def test_the_former_name_of_a_trial_still_works() -> None:
    with pytest.warns(DeprecationWarning, match=r"is now mlptune\.tracking\.records\.TrialRecord.*next minor version"):
        former = progress.TrialSummary
    assert former is TrialRecord
    with pytest.raises(AttributeError, match="Nothing"):
        _ = progress.Nothing
