"""The files around a model's own by which MLflow loads, shows and serves it, written without MLflow's import.

They are those of `mlflow.pyfunc.save_model`, to the byte (docs/decisions/0022): plain YAML and JSON, and nothing is executed.
"""

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..models import DATA, Signature

_EXAMPLE, _SERVING_EXAMPLE = "input_example.json", "serving_input_example.json"
_CONDA, _PYTHON, _REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"


def save_model(
    target: Path,
    folder: Path,
    *,
    location: str,
    model_id: str,
    run_id: str,
    loader_module: str,
    requirements: Sequence[str],
    signature: Signature | None,
) -> None:
    """Make the folder `target` a pyfunc model of the files in `folder`, which `loader_module` reads.

    Args:
        target: A folder that is not there yet.
        folder: The model's own files.
        location: The address by which others will find `target`.
        model_id: The model's number in MLflow.
        run_id: The run that it comes from.
        loader_module: A module that has `_load_pyfunc(path)`.
        requirements: Packages that it needs, as pip writes them.
        signature: What goes in and out, if that is known.
    """
    target.mkdir(parents=True)
    if signature is not None:
        _save_example(target, signature)
    shutil.copytree(folder, target / DATA)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    pyfunc = {
        "code": None,
        "data": DATA,
        "env": {"conda": _CONDA, "virtualenv": _PYTHON},
        "loader_module": loader_module,
        "python_version": platform.python_version(),
        "streamable": False,
    }
    described = {
        "artifact_path": location,
        "flavors": {"python_function": pyfunc},
        "mlflow_version": metadata.version("mlflow"),
        "model_id": model_id,
        "model_size_bytes": size,
        "model_uuid": model_id,
        "prompts": None,
        "run_id": run_id,
        "utc_time_created": str(datetime.now(UTC).replace(tzinfo=None)),
    }
    _save_yaml(target / "MLmodel", described if signature is None else {**described, **_shown(signature)})
    _save_environment(target, requirements)


def _shown(signature: Signature) -> dict[str, Any]:
    inputs = signature.inputs
    columns = None if inputs is None else [{"type": "any", "name": name, "required": needed} for name, needed in inputs]
    outputs = [{"type": kind, "name": name, "required": True} for name, kind in signature.outputs]
    return {
        "is_signature_from_type_hint": False,
        "metadata": dict(signature.about),
        "saved_input_example_info": {
            "artifact_path": _EXAMPLE,
            "pandas_orient": "split",
            "serving_input_path": _SERVING_EXAMPLE,
            "type": "dataframe",
        },
        "signature": {
            "inputs": None if columns is None else json.dumps(columns),
            "outputs": json.dumps(outputs),
            "params": None,
        },
        "type_hint_from_example": False,
    }


def _save_example(target: Path, signature: Signature) -> None:
    example = {
        "columns": list(signature.example),
        "data": list(map(list, zip(*signature.example.values(), strict=True))),
    }
    (target / _EXAMPLE).write_text(json.dumps(example))
    (target / _SERVING_EXAMPLE).write_text(json.dumps({"dataframe_split": example}, indent=2))


def _save_environment(target: Path, requirements: Sequence[str]) -> None:
    needed = [f"mlflow=={metadata.version('mlflow')}", *requirements]
    pip, python = _version("pip"), platform.python_version()
    _save_yaml(
        target / _CONDA,
        {
            "channels": ["conda-forge"],
            "dependencies": [f"python={python}", f"pip<={pip}" if pip else "pip", {"pip": needed}],
            "name": "mlflow-env",
        },
    )
    (target / _REQUIREMENTS).write_text("\n".join(needed))
    tools = {package: _version(package) for package in ("pip", "setuptools", "wheel")}
    environment = {
        "python": python,
        "build_dependencies": [f"{name}=={version}" if version else name for name, version in tools.items()],
        "dependencies": [f"-r {_REQUIREMENTS}"],
    }
    _save_yaml(target / _PYTHON, environment, sort_keys=False)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _save_yaml(path: Path, content: Mapping[str, Any], *, sort_keys: bool = True) -> None:
    import yaml

    with path.open("w") as file:
        yaml.safe_dump(content, file, sort_keys=sort_keys, default_flow_style=False)
