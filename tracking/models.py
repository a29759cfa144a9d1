"""Fitted models in MLflow, without a pickle: a folder of plain files and the name of the module that reads it.

MLflow's own `log_model` goes through the process-wide tracking address and active run, and would publish the address
(with its password) in the environment of every later child process. The same steps are therefore taken here through one
client.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from . import schema

DATA = "data/model"  # where `save_model` puts a folder of the name `model`


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out of it, as plain data.

    Attributes:
        inputs: Name of each column and whether it must be there; what it holds is not looked at. None: any table or array.
        outputs: Name and type of each column, in MLflow's words: double, long, boolean, string.
        example: By column a few cells as JSON has them, None where one is missing.
        about: What else is stored of the model, as JSON data.
    """

    inputs: tuple[tuple[str, bool], ...] | None
    outputs: tuple[tuple[str, str], ...]
    example: Mapping[str, Sequence[Any]]
    about: Mapping[str, Any] = field(default_factory=dict)


def log_model(
    client: Any,
    run_id: str,
    folder: Path,
    *,
    name: str,
    loader_module: str,
    metrics: Mapping[str, float],
    requirements: Sequence[str],
    timestamp: int,
    again: bool,
    signature: Signature | None = None,
) -> str:
    """Log `folder` as a pyfunc model of the run and register it as `name`, its champion; return the registered version.

    `again`: this call, recognised by its `timestamp`, was made before and failed; what it has already done is not done twice.

    `loader_module` has `_load_pyfunc(path)`. Nothing is installed, imported or executed.
    """
    from mlflow.entities import LoggedModelOutput, Metric
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    run = client.get_run(run_id)
    mark = {schema.MODEL_RUN: run_id, schema.MODEL_LOGGED: str(timestamp)}
    if again:
        for version in client.search_model_versions(f"run_id = '{run_id}'"):
            if mark.items() <= version.tags.items():
                client.set_registered_model_alias(name, schema.CHAMPION, version.version)
                return str(version.version)
    found = _logged(client, run.info.experiment_id, run_id, mark) if again else None
    # Logged models refuse more characters than sweeps do.
    logged = found or client.create_logged_model(
        run.info.experiment_id,
        name=re.sub(r"[^A-Za-z0-9_ -]", "_", name),
        source_run_id=run_id,
        tags={schema.SWEEP: name, **mark},
        model_type="pyfunc",
    )
    # MLflow refuses an output that the run has already.
    known = {output.model_id for output in run.outputs.model_outputs} if found and run.outputs else set()
    if logged.model_id not in known:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    if metrics:
        client.log_batch(
            run_id,
            metrics=[
                Metric(key, float(value), timestamp, 0, model_id=logged.model_id) for key, value in metrics.items()
            ],
        )
    with tempfile.TemporaryDirectory() as temporary:
        source, target = Path(temporary, "model"), Path(temporary, "target")
        shutil.copytree(folder, source)
        description = Model(
            artifact_path=logged.artifact_location, model_uuid=logged.model_id, run_id=run_id, model_id=logged.model_id
        )
        save_model(
            str(target),
            loader_module=loader_module,
            data_path=str(source),
            mlflow_model=description,
            pip_requirements=list(requirements),
            **({} if signature is None else _shown(signature)),
        )
        client.log_model_artifacts(logged.model_id, str(target))
    client.finalize_logged_model(logged.model_id, "READY")
    try:
        client.create_registered_model(name, description=f"Models of the sweep {name}, one version a launch.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # MLflow 3.17 looks a models:/ address up at the process-wide store, which need not be this one; a server knows.
    on_server = client.tracking_uri.startswith("http")
    version = client.create_model_version(
        name,
        source=f"models:/{logged.model_id}" if on_server else logged.artifact_location,
        run_id=run_id,
        model_id=logged.model_id,
        tags=mark,
    )
    client.set_registered_model_alias(name, schema.CHAMPION, version.version)
    return str(version.version)


def _shown(signature: Signature) -> dict[str, Any]:
    """A signature as `save_model` takes it."""
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    inputs, outputs = signature.inputs, Schema([ColSpec(kind, name) for name, kind in signature.outputs])
    columns = None if inputs is None else Schema([ColSpec(AnyType(), name, needed) for name, needed in inputs])
    example = pd.DataFrame(dict(signature.example), dtype=object)  # in which None stays None
    example.columns = example.columns.astype(object)  # MLflow compares names in a way that those of pandas 3 warn of
    return {
        "signature": ModelSignature(columns, outputs),
        "input_example": example,
        "metadata": dict(signature.about),
    }


def _logged(client: Any, experiment_id: str, run_id: str, mark: Mapping[str, str]) -> Any:
    for model in client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
        if mark.items() <= model.tags.items():
            return model
    return None


def default_requirements() -> list[str]:
    """What the loader needs, at the versions that run here."""
    found = []
    for package in ("mlptune", "numpy", "pandas"):
        try:
            found.append(f"{package}=={metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(package)
    return found
