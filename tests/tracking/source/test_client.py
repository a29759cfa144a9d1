"""MLflow's client as a source: what is not there is None, and no error of MLflow's."""

import pytest

from mlptune.tracking import reader
from mlptune.tracking.source import ClientSource
from mlptune.tracking.source import client as source_client


def test_what_is_not_there_is_none(full: str) -> None:
    source = ClientSource.of(full)
    assert source.experiment("nothing") is source.experiment("gone") is None
    assert source.run("0" * 32) is source.run("' or 1=1") is None
    assert source.model_location(reader.launch(full, "grün's 100%").run_id) is None


def test_a_page_at_a_time(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ClientSource.of(full)
    tags = {"mlptune.kind": "trial"}
    ids = list(source.sweeps())
    whole = [run.info.run_id for run in source.runs(ids, tags)]
    monkeypatch.setattr(source_client, "_PAGE", 3)
    assert list(source.sweeps()) == ids
    assert [run.info.run_id for run in source.runs(ids, tags)] == whole
    assert list(source.runs([], tags)) == []
