"""Deleting and renaming in the user's words: what is meant, what is refused, and what follows."""

import pytest

from mlptune.experiments import housekeeping
from mlptune.experiments.errors import UserError
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import Writer

TAGS = {"mlptune.method": "grid", "mlptune.trials": "1"}


def test_a_name_means_all_launches_and_a_number_one(store: str) -> None:
    for _ in range(2):
        with Writer(store) as writer:
            writer.open_launch("cars", spec_text="", spec={"name": "cars"}, tags=TAGS)
            writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1), {})
            writer.finish_launch("finished", best=TrialRecord(0, "complete", 0.5, {}, 1))
    assert housekeeping.deletion(store, "cars").what == "the sweep 'cars' with 2 launches (2 trials)"
    one = housekeeping.deletion(store, "cars#2")
    assert one.what == "launch #2 of 'cars' (1 trial)"
    assert one.afterwards.splitlines()[1] == f"  mlflow gc --tracking-uri '{one.uri}' --backend-store-uri '{one.uri}'"
    with Writer(store) as writer:
        writer.open_launch("cars", spec_text="", spec={}, tags=TAGS).result()
        with pytest.raises(UserError, match="stop it first, nothing is deleted"):
            housekeeping.deletion(store, "cars").carry_out(print)
        with pytest.raises(UserError, match="nothing is renamed"):
            housekeeping.rename(store, "cars", "boats", print)
        writer.finish_launch("interrupted")
    housekeeping.rename(store, "cars", "boats", print)
    housekeeping.deletion(store, "boats").carry_out(print)
    with pytest.raises(LookupError, match="there is no sweep 'boats'"):
        housekeeping.deletion(store, "boats")


@pytest.mark.parametrize(
    ("new", "said"), [("cars#3", "cannot be a name"), ("", "cannot be a name"), ("x" * 101, "100 letters")]
)
def test_names_that_no_sweep_can_have(store: str, new: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        housekeeping.rename(store, "cars", new, print)
