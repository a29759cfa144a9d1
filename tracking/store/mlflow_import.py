"""The import of MLflow, with telemetry and chatter off."""

import gc
import os
from typing import Any

_SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # no message leaves the machine by itself
    "MLFLOW_MODEL_CATALOG_URI": "",  # nor is a list of language models fetched
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",  # logging a model would try an install
    "MLFLOW_UV_AUTO_DETECT": "false",  # nor would it ask uv about the project in the current folder
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password that the address may hold
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",  # a server that is away is reported after half a minute, not after four
}


def import_mlflow() -> Any:
    """The `mlflow` module, imported with telemetry, network look-ups and chatter off; what the user has set stays.

    Takes about 1.5 s the first time.
    """
    import logging

    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    # Imported modules stay: looking for garbage among them takes a fifth of the time and finds none.
    collecting = gc.isenabled()
    gc.disable()
    try:
        import mlflow
    finally:
        if collecting:
            gc.enable()

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It prints each database error with its traceback besides raising it; the raised one is enough.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return mlflow
