"""`predict` as users type it."""

from pathlib import Path

import numpy as np
import pandas as pd

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


def test_a_column_that_cannot_be_read_at_all_is_refused_unless_forced(folder: Path, there: Run) -> None:
    (folder / "many.csv").write_text("power,colour\n" + "many,green\n" * 20)
    ran = there("predict", "cars", "many.csv", "-o", "many.out.csv")
    assert (ran.exit_code, (folder / "many.out.csv").exists()) == (2, False)
    assert (
        "many.csv: power: 20 of 20 cells are no numbers (first: 'many'); they count as missing; likewise colour; "
        "--force predicts all the same"
    ) in ran.stderr
    ran = there("predict", "cars", "many.csv", "-o", "many.out.csv", "--force")
    assert ran.exit_code == 0
    assert ran.stderr.startswith("power: 20 of 20 cells are no numbers (first: 'many')")
    assert len(pd.read_csv(folder / "many.out.csv")) == 20
