"""Numbers of torch, recorded by `record_torch.py`, that the engine's are compared with where torch is not installed."""

import json
from pathlib import Path

import numpy as np


def load(name):
    """The arrays of one file by name; what ends in `_json` is decoded."""
    with np.load(Path(__file__).parent / f"{name}.npz", allow_pickle=False) as file:
        return {key: json.loads(str(file[key])) if key.endswith("_json") else file[key] for key in file.files}


def part(arrays, prefix):
    """Those of the arrays whose names begin with `prefix/`, without it."""
    return {key.removeprefix(f"{prefix}/"): value for key, value in arrays.items() if key.startswith(f"{prefix}/")}
