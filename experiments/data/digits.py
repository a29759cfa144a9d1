"""scikit-learn's handwritten digits without importing scikit-learn: the set that everybody tries first should not wait for it.

The file is the one that comes with the package; importing the package around it takes longer than training the first stack.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

_SIDE = 8


def load_digits() -> pd.DataFrame:
    """The frame of scikit-learn's `load_digits(as_frame=True)`: `pixel_0_0` ... `pixel_7_7`, 0 to 16, and `target`."""
    spec = find_spec("sklearn")
    folders = spec.submodule_search_locations if spec is not None else None
    file = Path(folders[0], "datasets", "data", "digits.csv.gz") if folders else None
    if file is None or not file.is_file():
        from sklearn import datasets

        frame: pd.DataFrame = datasets.load_digits(as_frame=True).frame
        return frame
    table = np.loadtxt(file, delimiter=",")
    pixels = {
        f"pixel_{row}_{column}": table[:, row * _SIDE + column] for row in range(_SIDE) for column in range(_SIDE)
    }
    return pd.DataFrame({**pixels, "target": table[:, -1].astype(np.int64)})
