"""The rival of the whole-command benchmark: what a careful person writes with Optuna, scikit-learn and MLflow.

Two processes share a study in a journal file; each trains scikit-learn's MLPClassifier epoch by epoch and logs three curves of a
trial in one batch. Usage: optuna_sklearn.py random|tpe TRIALS EPOCHS [worker STUDY_FILE COUNT]
"""

import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

METHOD, TRIALS, EPOCHS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PROCESSES = 2
URI = f"sqlite:///{Path('rival.db').absolute()}"
EXPERIMENT = "digits"


def study(journal: str):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    import mlptune

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # The random sampler gives both sides the same configurations; TPE is Optuna's own on both sides.
    sampler = mlptune.search.sampler("random", seed=0) if METHOD == "random" else optuna.samplers.TPESampler(seed=0)
    return optuna.create_study(
        study_name=EXPERIMENT,
        storage=JournalStorage(JournalFileBackend(journal)),
        sampler=sampler,
        direction="maximize",
        load_if_exists=True,
    )


def work(journal: str, count: int) -> None:
    import warnings

    import numpy as np
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")
    rows = np.load("rows.npz")
    X, y, X_val, y_val = rows["X"], rows["y"], rows["X_val"], rows["y_val"]
    client = MlflowClient(URI)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id

    def objective(trial) -> float:
        import json

        params = {
            "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
            "hidden": trial.suggest_categorical("hidden", ["[64]", "[64,64]", "[128,64]"]),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
            "l2": trial.suggest_float("l2", 1e-6, 1e-2, log=True),
        }
        model = MLPClassifier(
            tuple(json.loads(params["hidden"])),
            learning_rate_init=params["learning_rate"],
            batch_size=params["batch_size"],
            alpha=params["l2"],
            random_state=0,
        )
        metrics, started = [], int(time.time() * 1000)
        for epoch in range(1, EPOCHS + 1):
            model.partial_fit(X, y, classes=np.unique(y))
            p = model.predict_proba(X_val)
            score = float(np.mean(p.argmax(axis=1) == y_val))
            for key, value in {"train_loss": model.loss_, "val_loss": log_loss(y_val, p), "val_score": score}.items():
                metrics.append(Metric(key, value, started, epoch))
        run = client.create_run(experiment)
        client.log_batch(run.info.run_id, metrics, [Param(key, str(value)) for key, value in params.items()])
        client.set_terminated(run.info.run_id)
        return score

    study(journal).optimize(objective, n_trials=count)


def main() -> None:
    if len(sys.argv) > 4:
        work(sys.argv[5], int(sys.argv[6]))
        return
    from mlflow import MlflowClient

    MlflowClient(URI).create_experiment(EXPERIMENT, artifact_location=Path("artifacts").absolute().as_uri())
    study("study.log")
    share = [TRIALS // PROCESSES + (i < TRIALS % PROCESSES) for i in range(PROCESSES)]
    command = [sys.executable, __file__, METHOD, str(TRIALS), str(EPOCHS), "worker", "study.log"]
    processes = [subprocess.Popen([*command, str(count)]) for count in share]
    codes = [process.wait() for process in processes]
    if any(codes):
        sys.exit("a worker of the rival failed")
    print(f"best {study('study.log').best_value:.4f}")


if __name__ == "__main__":
    main()
