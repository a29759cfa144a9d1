"""Predictions for the rows of a file: every row in order, and a file that is written as a whole or not at all."""

from pathlib import Path

import numpy as np
import pandas as pd

from mlptune.experiments.cli.predict import predict_file
from tests.support.processes import Run


def test_predict_takes_the_raw_file_and_keeps_rows_and_order(folder: Path, there: Run) -> None:
    ran = there("predict", "cars", "cars.csv", "-o", "out.csv")
    assert ran.exit_code == 0, ran.stderr
    out, rows = pd.read_csv(folder / "out.csv"), pd.read_csv(folder / "cars.csv")
    assert list(out.columns) == ["prediction", "proba_a,b", "proba_suv"]
    assert len(out) == len(rows)
    np.testing.assert_allclose(out["proba_a,b"] + out["proba_suv"], 1.0)
    assert (out["prediction"] == rows["kind"]).mean() > 0.8
    rows.drop(columns="kind")[["colour", "power"]].iloc[::-1].to_parquet(folder / "turned.parquet")
    assert there("predict", "cars", "turned.parquet", "-o", "turned.out.parquet").exit_code == 0
    turned = pd.read_parquet(folder / "turned.out.parquet")
    pd.testing.assert_frame_equal(turned.iloc[::-1].reset_index(drop=True), out)
    assert not list(folder.glob(".*.tmp"))


def test_an_earlier_file_stays_whole_until_the_new_one_is(folder: Path, there: Run) -> None:
    out = folder / "earlier.csv"
    out.write_text("mine")
    (folder / "lacking.csv").write_text("colour\nred\n")
    ran = there("predict", "cars", "lacking.csv", "-o", "earlier.csv")
    assert (ran.exit_code, out.read_text()) == (2, "mine")
    assert there("predict", "cars", "cars.csv", "-o", "earlier.csv").exit_code == 0
    assert len(pd.read_csv(out)) == 120
    assert not list(folder.glob(".*.tmp"))


def test_rows_with_missing_values_are_predicted_and_counted(folder: Path, there: Run) -> None:
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    (folder / "three.csv").write_text("power,colour\n1,red\n-1,blue\n,\n")
    assert predict_file("cars", folder / "three.csv", folder / "3.csv", run=None, tracking_uri=uri) == 3
    assert pd.read_csv(folder / "3.csv")["prediction"].notna().all()
