"""What others ask of the process that runs a launch: tags, which it sees with its heartbeat, and on its own machine a signal."""

import os
import secrets
import signal

from . import launch_tags, lease, records, schema, store


def ask_to_stop(uri: str, run_id: str) -> lease.Holder | None:
    """Ask the process that runs a launch to end as after Ctrl-C; return it if it hears of it at once, by a signal.

    None: it is elsewhere, or its program has signal handlers of its own, and it sees the tag with its next heartbeat.
    """
    client = store.import_mlflow().MlflowClient(tracking_uri=uri, registry_uri=uri)
    run = client.get_run(run_id)
    held = lease.lease_of(run)
    client.set_tag(run_id, schema.STOP_REQUEST, str(held.number))
    # That it is alive means that the process of this number is really the holder: its start and its host are compared.
    if held.holder is None or held.free or not held.holder.is_alive():
        return None
    if launch_tags.tags_of(run).get(schema.STOPPED_BY) != "signal" or held.holder.process == os.getpid():
        return None
    os.kill(held.holder.process, signal.SIGTERM)
    return held.holder


def ask_to_try(uri: str, run_id: str, params: dict[str, object]) -> None:
    """Ask the process that runs a launch to try this configuration next."""
    client = store.import_mlflow().MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.set_tag(run_id, f"{schema.TRY_REQUEST}.{secrets.token_hex(4)}", records.dumps(params))
