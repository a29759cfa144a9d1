"""NumPy's archives as tables: an array X of inputs, and y where there is a target. No pickle is loaded."""

import io
import zipfile
from typing import IO, TYPE_CHECKING, Any

from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd


def read(shown: str, file: IO[bytes]) -> "pd.DataFrame":
    """The table of an archive: columns x0, x1, ... and `target`. Raises UserError, which begins with `shown`."""
    import numpy as np
    import pandas as pd

    try:
        archive = np.load(io.BytesIO(file.read()), allow_pickle=False)
        held: dict[str, Any] = dict(archive) if isinstance(archive, np.lib.npyio.NpzFile) else {}
    except (ValueError, TypeError, KeyError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        raise UserError(f"{shown}: is not an .npz file of plain arrays: {reason(error)}") from None
    arrays = {name: array for name, array in held.items() if isinstance(array, np.ndarray)}
    X = arrays.get("X")
    if X is None:
        holds = ", ".join(held) or "no named arrays"
        raise UserError(f"{shown}: needs an array X (rows, columns), and y (rows,); it holds {holds[:100]}")
    if X.ndim != 2:
        raise UserError(f"{shown}: X must have two axes (rows, columns), its shape is {X.shape}")
    frame = pd.DataFrame({f"x{column}": X[:, column] for column in range(X.shape[1])}, index=range(len(X)))
    if "y" in arrays:
        y = arrays["y"]
        if y.size != len(X) or y.ndim not in (1, 2):
            raise UserError(f"{shown}: y must have shape ({len(X)},) like the rows of X, its shape is {y.shape}")
        frame["target"] = y.ravel()
    return frame
