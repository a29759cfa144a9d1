"""A launch that a writer has opened, and trials as a sweep writes them."""

from typing import Any

from mlflow import MlflowClient

from mlptune.tracking import launch_tags
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import Writer

KEYS = ("train_loss", "val_loss", "train_score", "val_score")
PARAMS = {"learning_rate": 0.001, "hidden": [64, 32], "activation": "relu", "batch_norm": True, "clip_norm": None}


def curves(epochs: int, first: int = 1) -> dict[str, list[float]]:
    return {key: [k + (first + j) / 8 for j in range(epochs)] for k, key in enumerate(KEYS)}


def record(number: int, **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {"state": "complete", "value": 0.5, "params": PARAMS, "epochs": 5, "seeds": (0, 1)}
    return TrialRecord(number, **{**values, **changes})


def opened(writer: Writer, name: str = "digits", **options: Any) -> str:
    tags = {"mlptune.method": "tpe", "mlptune.trials": "4"}
    return writer.open_launch(name, spec_text="name = 'é'\n", spec={"name": name}, tags=tags, **options).result()


def tags_of_launch(uri: str, run_id: str) -> dict[str, str]:
    return launch_tags.tags_of(MlflowClient(uri).get_run(run_id))


def set_launch_tag(uri: str, run_id: str, name: str, text: str) -> None:
    client = MlflowClient(uri)
    short, _ = launch_tags.stored({name: text}, before=client.get_run(run_id).data.tags)
    for key, value in short.items():
        client.set_tag(run_id, key, value)
