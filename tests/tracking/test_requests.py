"""What others ask of the process that runs a launch is written where it looks, and a signal goes only to the right process."""

import json
import os

import pytest

from mlptune.tracking import reader, requests, schema
from mlptune.tracking.writer import Writer


def test_requests_are_tags_and_no_signal_goes_to_a_process_that_is_not_the_holder(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append(process))
    with Writer(uri) as writer:
        run_id = writer.open_launch("a", spec_text="", spec={}, tags={schema.STOPPED_BY: "signal"}).result()
        requests.ask_to_try(uri, run_id, {"hidden": [8]})
        assert requests.ask_to_stop(uri, run_id) is None, "the holder is this very process"
        writer.finish_launch("interrupted")
    assert requests.ask_to_stop(uri, run_id) is None, "it has given its claim back"
    assert sent == []
    tags = reader.launch_run(uri, run_id).data.tags
    assert tags[schema.STOP_REQUEST] == "1"
    assert [json.loads(v) for k, v in tags.items() if k.startswith(f"{schema.TRY_REQUEST}.")] == [{"hidden": [8]}]
