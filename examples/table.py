"""Tune a model on a table of your own, and use it: `python examples/table.py`.

The table is made up here, with a category, missing values and a column that is of no use. The sweep is recorded in ./mlflow.db.
"""

from pathlib import Path

import numpy as np
import pandas as pd

import mlptune


def make_table(n_rows: int, seed: int) -> pd.DataFrame:
    """Prices of used cars, as a smooth function of age and distance with some noise."""
    random = np.random.default_rng(seed)
    age = random.uniform(0, 15, n_rows)
    distance = random.gamma(2.0, 5000.0, n_rows) * (1 + age)
    fuel = random.choice(["petrol", "diesel", "electric"], n_rows)
    price = 30_000 * np.exp(-age / 8) * np.exp(-distance / 400_000) * np.where(fuel == "electric", 1.2, 1.0)
    price = price.round() + random.normal(0, 500, n_rows).round()
    distance[random.random(n_rows) < 0.05] = np.nan
    serial = [f"car {number:05d}" for number in range(n_rows)]
    return pd.DataFrame({"serial": serial, "age": age, "distance": distance, "fuel": fuel, "price": price})


def main() -> None:
    """Write the table, run a small sweep over it and predict rows that it has not seen."""
    Path("cars.csv").write_text(make_table(600, seed=0).to_csv(index=False), encoding="utf-8")
    result = mlptune.run_sweep(
        {
            "name": "cars",
            "data": {"source": "cars.csv", "target": "price"},
            "model": {"epochs": 30, "early_stopping": 5},
            "space": {
                "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
                "hidden": [[32], [64, 32]],
                "l2": {"low": 1e-6, "high": 1e-2, "log": True},
            },
            "search": {"trials": 12},
        },
        workers=1,
    )
    print(result.trials[["number", "state", "value", "epochs"]].to_string(index=False))
    print(f"best configuration: {result.best_config}")
    print(f"R2 on the test part: {result.best['test_score']:.3f}")

    model = mlptune.load_model("cars")  # takes raw rows, as the file has them
    fresh = make_table(5, seed=1)
    print(fresh.assign(prediction=model.predict(fresh).round()).to_string(index=False))


if __name__ == "__main__":
    main()
