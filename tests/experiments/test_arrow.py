"""Parquet and Feather: the same frame, the same names; what is neither is refused in one line."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pytest

from mlptune.experiments import arrow
from mlptune.experiments.errors import UserError

FRAME = pd.DataFrame(
    {"age": [1.0, None], "name": pd.Categorical(["Ann", "Bo"]), "day": pd.to_datetime(["2020-01-01"] * 2)}
)


def feather(table: pa.Table) -> io.BytesIO:
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    buffer.seek(0)
    return buffer


def test_feather_is_parquet():
    parquet, other = io.BytesIO(), io.BytesIO()
    FRAME.to_parquet(parquet)
    FRAME.to_feather(other)
    parquet.seek(0), other.seek(0)
    frames = [arrow.read_parquet("a", parquet, print), arrow.read_feather("a", other, print)]
    for frame in frames:
        pd.testing.assert_frame_equal(frame, FRAME)
    parquet.seek(0), other.seek(0)
    assert arrow.parquet_columns("a", parquet) == arrow.feather_columns("a", other) == list(FRAME)


def test_texts_in_feather_that_are_not_utf8_are_windows_1252():
    binary = pa.array(["Citroën".encode("cp1252"), None], pa.binary())
    said: list[str] = []
    table = pa.table({"maker": pa.Array.from_buffers(pa.string(), 2, binary.buffers())})
    frame = arrow.read_feather("a.feather", feather(table), said.append)
    assert frame["maker"].tolist()[0] == "Citroën"
    assert said == ["a.feather: is not all UTF-8; what is not was read as Windows-1252"]


@pytest.mark.parametrize("read", [arrow.read_feather, arrow.read_parquet])
def test_other_bytes_are_refused(read):
    whole = feather(pa.table({"x": [1, 2]})).getvalue()
    for data in (b"a,b\n1,2\n", whole[:20], whole[:-10]):
        with pytest.raises(UserError, match=r"^a: is not a "):
            read("a", io.BytesIO(data), print)
