"""NumPy's archives of plain arrays are tables; anything else in them is refused in a line, and no pickle is loaded."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_become_columns(tmp_path):
    X, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])
    np.savez_compressed(tmp_path / "a.npz", X=X, y=y)
    expected = pd.DataFrame({"x0": X[:, 0], "x1": X[:, 1], "target": y})
    pd.testing.assert_frame_equal(read_table("a.npz", tmp_path), expected)
    np.savez(tmp_path / "b.npz", X=X)
    pd.testing.assert_frame_equal(read_table("b.npz", tmp_path), expected.drop(columns="target"))


WRONG = {
    "text.npz": (b"a,b\n1,2\n", "is not an .npz file of plain arrays"),
    "pickle.npz": (pickle.dumps({"X": [1]}), "is not an .npz file of plain arrays"),
    "objects.npz": (npz(X=np.array([[1, "a"]], dtype=object)), "is not an .npz file of plain arrays"),
    "names.npz": (npz(data=np.zeros((2, 2))), "needs an array X"),
    "flat.npz": (npz(X=np.zeros(3)), "X must have two axes"),
    "short.npz": (npz(X=np.zeros((3, 2)), y=np.zeros(2)), "y must have shape (3,)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_archive_of_plain_arrays_is_refused_in_one_line(tmp_path, name):
    data, message = WRONG[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_table(name, tmp_path)
    assert str(caught.value).startswith(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
