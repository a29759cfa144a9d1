"""scikit-learn's bundled data sets, and among them the digits, the set that most users try first, without importing scikit-learn.

The digits' file is the one that comes with the package; importing the package around it takes longer than training the first stack.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..._text import nearest
from ..errors import UserError

if TYPE_CHECKING:
    import pandas as pd

BUNDLED = ("digits", "iris", "wine", "breast_cancer", "diabetes")
_SIDE = 8


def bundled_name(source: str) -> str:
    """The name of a bundled set from `sklearn:<name>`. Raises UserError for one that does not exist."""
    name = source.removeprefix("sklearn:")
    if name not in BUNDLED:
        raise UserError(f"{source}: is not a bundled set{nearest(name, BUNDLED)} (all: {', '.join(BUNDLED)})")
    return name


def load_bundled(source: str) -> "pd.DataFrame":
    """The frame of a bundled set, as scikit-learn gives it: the target is "target", classes are its integers."""
    name = bundled_name(source)
    if name == "digits":
        return load_digits()
    from sklearn import datasets

    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame


def load_digits() -> "pd.DataFrame":
    """The frame of scikit-learn's `load_digits(as_frame=True)`: `pixel_0_0` ... `pixel_7_7`, 0 to 16, and `target`."""
    import numpy as np
    import pandas as pd

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
