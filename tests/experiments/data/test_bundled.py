"""scikit-learn's bundled sets by name, the digits without importing scikit-learn."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris

from mlptune.experiments.data.bundled import BUNDLED, bundled_name
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import UserError


def test_bundled_sets_are_scikit_learns(tmp_path):
    X, y = load_digits(return_X_y=True)
    digits = read_table("sklearn:digits", tmp_path)
    np.testing.assert_array_equal(digits.drop(columns="target").to_numpy(), X)
    np.testing.assert_array_equal(digits["target"], y)
    assert list(read_table("sklearn:iris", tmp_path)) == [*load_iris().feature_names, "target"]
    for name in BUNDLED:
        assert "target" in read_table(f"sklearn:{name}", tmp_path)


def test_the_digits_are_scikit_learns_own_and_come_without_it(tmp_path):
    pd.testing.assert_frame_equal(read_table("sklearn:digits", tmp_path), load_digits(as_frame=True).frame)
    script = (
        "import sys, pathlib; from mlptune.experiments.data.tables import read_table;"
        "read_table('sklearn:digits', pathlib.Path()); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_each_set_is_listed_once_where_there_is_none_of_a_name() -> None:
    for name in ("linnerud", "digit"):
        with pytest.raises(UserError) as caught:
            bundled_name(f"sklearn:{name}")
        listed = str(caught.value).partition("all: ")[2]
        assert [listed.count(known) for known in BUNDLED] == [1] * len(BUNDLED)
