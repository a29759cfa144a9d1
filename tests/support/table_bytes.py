"""Tables as the bytes of files, in formats that a library writes."""

import io
import sqlite3
from contextlib import closing

import pandas as pd


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def feather(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_feather(buffer)
    return buffer.getvalue()


def xlsx(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False)
    return buffer.getvalue()


def sqlite(frame: pd.DataFrame) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        frame.to_sql("cars", connection, index=False)
        return connection.serialize()
