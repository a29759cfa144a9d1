"""Predictions for the rows of a file: every row in order, and a file that is written as a whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from mlptune.experiments.cli.predict import predict_file
from mlptune.experiments.data.tables import read_table
from tests.support.processes import Run

SMALL = ["--set", "search.trials=2", "--set", "search.batch=2", "--set", "model.epochs=2", "--workers", "1"]


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


def test_cells_that_cannot_be_read_are_told(folder: Path, there: Run) -> None:
    rows = "".join(f"{'many' if i < 3 else i / 10},{'green' if i == 9 else 'red'}\n" for i in range(10))
    (folder / "odd.csv").write_text("power,colour\n" + rows)
    ran = there("predict", "cars", "odd.csv", "-o", "odd.out.csv")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stderr.splitlines() == [
        "power: 3 of 10 cells are no numbers (first: 'many'); they count as missing",
        "colour: 1 of 10 cells is of categories that training rows had not (first: 'green')",
    ]
    assert ran.stdout == "wrote 10 predictions to odd.out.csv\n"


def test_the_same_rows_in_any_format_have_the_same_predictions(folder: Path, there: Run) -> None:
    frame = pd.read_csv("cars.csv")
    frame.to_feather("cars.feather")
    frame.to_json("cars.jsonl", orient="records", lines=True, double_precision=15)
    with pd.ExcelWriter("cars.xlsx") as book:
        frame.to_excel(book, sheet_name="cars of 2019", index=False)
        frame.head(3).to_excel(book, sheet_name="few", index=False)
    with closing(sqlite3.connect("cars.db")) as connection:
        frame.to_sql("cars", connection, index=False)
        frame.to_sql("more", connection, index=False)
    query = "sqlite:///cars.db?query=SELECT colour, power FROM cars"
    assert there("predict", "cars", "cars.csv", "-o", "same.csv").exit_code == 0
    expected = Path("same.csv").read_bytes()
    for source in (
        "cars.feather",
        "cars.jsonl",
        "cars.xlsx",
        "cars.xlsx?sheet=cars of 2019",
        "cars.db?table=cars",
        query,
    ):
        ran = there("predict", "cars", source, "-o", "other.csv")
        assert (ran.exit_code, "the first of 2 sheets" in ran.stderr) == (0, source == "cars.xlsx"), ran.stderr
        assert Path("other.csv").read_bytes() == expected, source
    for suffix in (".tsv", ".feather", ".jsonl", ".xlsx"):
        assert there("predict", "cars", query, "-o", f"other{suffix}").exit_code == 0
        found = read_table(f"other{suffix}", folder)
        pd.testing.assert_frame_equal(found.astype({"proba_suv": float, "proba_a,b": float}), pd.read_csv("same.csv"))
    for source, line in (("cars.db", "add ?table=NAME"), ("cars.db?table=car", "no table 'car'; did you mean 'cars'?")):
        ran = there("predict", "cars", source, "-o", "never.csv")
        assert (ran.exit_code, line in ran.stderr, ran.stderr.count("\n")) == (2, True, 1)


def test_what_can_be_read_is_read(folder: Path, there: Run) -> None:
    (folder / "plain.csv").write_text("power,colour\n500,red\n-0.5,blue\n1234,red\n")
    (folder / "written.csv").write_text('power;colour\n$500;red\n"(0,5)";blue\n"1,234";red\n')
    for name in ("plain", "written"):
        ran = there("predict", "cars", f"{name}.csv", "-o", f"{name}.out.csv")
        assert (ran.exit_code, ran.stderr) == (0, "")
    assert (folder / "plain.out.csv").read_text() == (folder / "written.out.csv").read_text()


def test_a_table_without_names_is_predicted_by_place(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(0)
    rows = [(y, x, -x) for x, y in zip(rng.normal(size=60).round(3), rng.choice(["a", "b"], 60), strict=True)]
    pd.DataFrame(rows).to_csv("flowers.csv", index=False, header=False)
    ran = run("sweep", "--data", "flowers.csv", "--target", "x0", *SMALL)
    assert ran.exit_code == 0, ran.stderr
    assert "the first line holds values, so the columns are called x0 to x2" in ran.stderr
    pd.DataFrame(rows)[[1, 2]].to_csv("new.csv", index=False, header=False)
    for name in ("flowers", "new"):
        assert run("predict", "flowers", f"{name}.csv", "-o", f"{name}.out.csv").exit_code == 0
    assert Path("flowers.out.csv").read_text() == Path("new.out.csv").read_text()
    Path("one.csv").write_text(f"{rows[0][1]},{rows[0][2]}\n")
    assert run("predict", "flowers", "one.csv", "-o", "one.out.csv").exit_code == 0
    assert Path("one.out.csv").read_text().splitlines() == Path("new.out.csv").read_text().splitlines()[:2]


def test_a_model_remembers_that_there_is_no_line_of_names(run: Run, tmp_path: Path) -> None:
    lines = [f"{('red', 'blue')[i % 2]},{('big', 'small')[i // 2 % 2]},{('yes', 'no')[i % 3 == 0]}" for i in range(60)]
    Path("all.csv").write_text("\n".join(lines) + "\n")
    ran = run("sweep", "--data", "all.csv", "--target", "x2", "--set", "data.header=false", *SMALL)
    assert ran.exit_code == 0, ran.stderr
    for rows in (lines[7:20], ["x0,x1,x2", *lines[7:20]]):
        Path("some.csv").write_text("\n".join(rows) + "\n")
        ran = run("predict", "all", "some.csv", "-o", "out.csv")
        assert ran.exit_code == 0, ran.stderr
        assert len(pd.read_csv("out.csv")) == 13
