"""What waits on disk is read as it was written, by its own launch's next holder alone."""

import json
import math
from pathlib import Path

import pytest

from mlptune.tracking import records, spool
from mlptune.tracking.records import TrialRecord, TrialWrite

RUN = "a" * 32
WRITES = [
    TrialWrite(
        TrialRecord(
            0,
            "complete",
            math.inf,
            {"text": "line\nbreak\r\u2028\udc80", "hidden": [8, 4]},
            3,
            best_epochs=(2, 3),
            spread=0.25,
            seeds=(0, 1),
            rebuild={"values": [0.5, -math.inf]},
            configuration={"changes": [[2, {"l2": 0.1}]]},
            copied=((1, 3),),
        ),
        [("val_loss", math.inf, 1), ("value", 0.5, 0)],
        1_700_000_000_000,
        {"mlptune.reruns": "1"},
        1_600_000_000_000,
    ),
    TrialWrite(TrialRecord(1, "running", None), [], 1),
]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def same(write: TrialWrite) -> str:
    """A write as JSON: tuples and lists are the same to whoever writes it."""
    return json.dumps({**vars(write), "record": vars(write.record)})


def test_writes_are_read_back_by_the_next_claim_alone() -> None:
    first = spool.Spool(RUN, 1)
    assert first.take_over() == []
    places = [*first.append(WRITES), *first.append(WRITES[:1])]
    assert [same(first.read(place)) for place in places] == [same(write) for write in [*WRITES, WRITES[0]]]
    assert [records.trial_tags(first.read(place).record) for place in places[:2]] == [
        records.trial_tags(write.record) for write in WRITES
    ]
    first.close()
    heir = spool.Spool(RUN, 2)
    taken = heir.take_over()
    more = heir.append(WRITES[1:])
    assert [heir.read(place).record.number for place in [*taken, *more]] == [0, 1, 0, 1]
    heir.close()
    stranger = spool.Spool(RUN, 4)
    assert stranger.take_over() == []
    assert not stranger.path.exists()


@pytest.mark.parametrize("header", [b'{"claim":       1}\n', b'{"spool":2,"claim":       1}\n', b"garbage\n"])
def test_a_file_of_another_version_is_set_aside(header: bytes) -> None:
    old = spool.Spool(RUN, 2)
    old.path.parent.mkdir(parents=True)
    # As 0.1.0 wrote it.
    old.path.write_bytes(header + b'{"number":0,"attempt":1,"params":{},"tags":{},"metrics":[],"now":1,"state":null}\n')
    with pytest.raises(
        spool.OtherFormat, match=r"of another version of mlptune and is now .*\.other-version"
    ) as caught:
        old.take_over()
    assert "\n" not in str(caught.value)
    assert not old.path.exists()
    assert old.path.with_suffix(".other-version").read_bytes().startswith(header)
    assert [old.read(place).record.number for place in old.append(WRITES)] == [0, 1]


@pytest.mark.parametrize("left", [b"", b'{"spool":2,"cla'])
def test_a_file_that_was_barely_begun_is_discarded(left: bytes) -> None:
    begun = spool.Spool(RUN, 2)
    begun.path.parent.mkdir(parents=True)
    begun.path.write_bytes(left)
    assert begun.take_over() == []
    assert not begun.path.exists()
