"""One table of formats: what reads, names, writes and recognises files agrees with it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlptune.experiments.config import default_name
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.formats import COMPRESSIONS, FORMATS, is_table, without_suffixes


@pytest.mark.parametrize("suffix", [suffix for suffix, row in FORMATS.items() if row.write])
def test_what_is_written_is_read_back(tmp_path, suffix):
    frame = pd.DataFrame({"prediction": ["a", "b"], "proba_a": [0.75, 0.25]})
    write = FORMATS[suffix].write
    assert write is not None
    write(frame, tmp_path / f"out{suffix}")
    again = read_table(f"out{suffix}", tmp_path).astype({"proba_a": "float64"})  # cells of CSV are texts
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.parametrize("compression", ["", *COMPRESSIONS])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_format_is_known_by_its_suffix(suffix, compression):
    name = f"My cars.v2{suffix}{compression}"
    assert is_table(Path(name))
    assert is_table(Path(name.upper()))
    assert without_suffixes(name) == without_suffixes(name.lower().replace("my", "My")) == "My cars.v2"
    assert default_name(f"some/folder/{name}") == "My cars.v2"


def test_other_files_are_not_tables():
    assert not is_table(Path("cars.toml"))
    assert not is_table(Path("csv"))
    assert without_suffixes("notes.txt") == "notes.txt"


def test_formats_are_known_without_pandas():
    script = "import sys; import mlptune.experiments.run; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
