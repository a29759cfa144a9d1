"""Every name that mlptune writes into MLflow, and the states of launches and trials: what readers of a store can rely on.

`TAGS`, `METRICS`, `ALIASES` and `ARTIFACTS` map each name to the runs that have it and to what it means. Other names that begin
with `mlflow.` are MLflow's own. A launch is one parent run, a trial run is nested in it.
"""

# Tags of experiments, launches and trial runs.
KIND = "mlptune.kind"
SWEEP = "mlptune.sweep"
STATE = "mlptune.state"

# Tags of launches.
LAUNCH = "mlptune.launch"
METHOD = "mlptune.method"
SCHEDULER = "mlptune.scheduler"
TOTAL = "mlptune.trials"
METRIC = "mlptune.metric"
METRIC_CODE = "mlptune.metric_code"
DIRECTION = "mlptune.direction"
COSTS = "mlptune.costs"
COUNTED = "mlptune.counted"
FIXED = "mlptune.fixed"
START = "mlptune.start"
BASE = "mlptune.base"
BUDGET = "mlptune.budget"
STOPPED = "mlptune.stopped"
BY_HAND = "mlptune.by_hand"
SPACE_CHANGES = "mlptune.space_changes"
TRY_REQUEST = "mlptune.try"
STOP_REQUEST = "mlptune.stop"
STOPPED_BY = "mlptune.stopped_by"
DATA = "mlptune.data"
TASK = "mlptune.task"
SEED = "mlptune.seed"
SPEC = "mlptune.spec"
VERSION = "mlptune.version"
MACHINE = "mlptune.machine"
DONE = "mlptune.done"
BEST = "mlptune.best"
TEST_SCORINGS = "mlptune.test_scorings"
ENSEMBLE = "mlptune.ensemble"
HOLDER = "mlptune.holder"
CLAIM = "mlptune.claim"
RELEASED = "mlptune.released"
HEARTBEAT = "mlptune.heartbeat"
# What of a launch only programs read is gathered in two tags: what it was begun with, and what came of it.
SETUP = "mlptune.setup"
RESULT = "mlptune.result"
GATHERED = {
    SETUP: (
        SCHEDULER,
        DIRECTION,
        METRIC_CODE,
        COSTS,
        COUNTED,
        FIXED,
        START,
        BASE,
        BUDGET,
        STOPPED_BY,
        DATA,
        SEED,
        SPEC,
        VERSION,
        MACHINE,
        CLAIM,
    ),
    RESULT: (DONE, BEST, ENSEMBLE, TEST_SCORINGS, STOPPED, RELEASED),
}

# Tags of trial runs.
NUMBER = "mlptune.number"
ATTEMPT = "mlptune.attempt"
RECORD = "mlptune.record"
REBUILD = "mlptune.rebuild"
SEEDS = "mlptune.seeds"
REASON = "mlptune.reason"
COPIED = "mlptune.copied"
RERUNS = "mlptune.reruns"
LEADER = "mlptune.leader"
FRONT = "mlptune.front"
MEMBER = "mlptune.member"

# Tags of logged models and of their registered versions; a logged model has SWEEP too.
MODEL_RUN = "mlptune.run"
MODEL_LOGGED = "mlptune.logged"

# MLflow's own tags that mlptune sets.
PARENT = "mlflow.parentRunId"
RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
EXPERIMENT_KIND = "mlflow.experimentKind"
# Followed by the id of a launch's run.
VIEW = "mlflow.sharedViewState."

TAGS = {
    KIND: ("experiment, launch, trial", "`sweep`, `launch` or `trial`."),
    SWEEP: ("launch, trial, logged model", "The sweep's name."),
    STATE: (
        "launch, trial",
        "Of a launch `running`, `finished`, `failed` or `interrupted`; of a trial `running`, `complete`, `pruned`, `failed` or, "
        "for an attempt that does not count any more, `superseded`.",
    ),
    LAUNCH: ("launch", "Which launch of its sweep it is, counted from 1; launches of 0.1.0 have none."),
    METHOD: ("launch", "The search method."),
    SCHEDULER: ("launch", "What decides how long trials train, which a method may choose by the budget."),
    TOTAL: ("launch", "How many trials the sweep counts."),
    METRIC: ("launch", "The objective: the curve by which trials are compared."),
    METRIC_CODE: ("launch", "Where the metric is a function of the user's, its name and a hash of its source."),
    DIRECTION: ("launch", "`maximize` or `minimize`."),
    COSTS: ("launch", "Where counted costs matter to the sweep: the sizes that they are counted from, as JSON."),
    COUNTED: ("launch", "The counted costs that are minimised beside the objective, as a JSON list."),
    FIXED: ("launch", "The hyperparameters that all trials share, and `class_weight` where there is one, as JSON."),
    START: ("launch", "The configurations taken from another sweep that are tried first, as a JSON list."),
    BASE: ("launch", "The folder that relative paths in the sweep file refer to."),
    BUDGET: (
        "launch",
        "What the search may use, as the launch was last begun or continued: trials, minutes, timeout, target, patience, as JSON.",
    ),
    STOPPED: (
        "launch",
        'Why the search ended before its budget, as JSON: `by` "target" or "patience", and a `text`; else empty.',
    ),
    BY_HAND: (
        "launch",
        "The trials by hand, as a JSON list: `number`, `params`, and the `request` that each came from.",
    ),
    SPACE_CHANGES: (
        "launch",
        'How the ranges of the space changed, as a JSON list: the `number` of the first trial of a change, `by` whom ("widen" or '
        '"edit"), and by hyperparameter the new `ranges` and those `before`.',
    ),
    TRY_REQUEST: (
        "launch",
        "With a dot and an id behind it: a configuration that somebody wants tried, as JSON; it becomes a trial by hand.",
    ),
    STOP_REQUEST: ("launch", "The number of the claim whose process is asked to stop."),
    STOPPED_BY: ("launch", "Whether its process ends at a `signal`, or only sees a `request`."),
    DATA: ("launch", "The fingerprint of the data and of its split."),
    TASK: ("launch", "The prediction task that was found in the data."),
    SEED: ("launch", "The sweep's seed."),
    SPEC: ("launch", "The sweep file with all defaults, as JSON."),
    VERSION: ("launch", "The version of mlptune that wrote the launch last."),
    MACHINE: ("launch", "The kind of machine, on which the last bits of results depend."),
    DONE: ("launch", "How many trials ended in each state, as JSON; written when the launch ends."),
    BEST: ("launch", "The best trial, as JSON."),
    TEST_SCORINGS: (
        "launch",
        "How often models of the sweep had been scored on the test part when this one was, this time included.",
    ),
    ENSEMBLE: ("launch", "The trials that the model is made of and their weights, as a JSON list."),
    HOLDER: ("launch", "The process that runs the launch, for users to read."),
    CLAIM: (
        "launch",
        "The same as JSON, for the first process. Each later one is a param with the claim's number behind the name.",
    ),
    RELEASED: ("launch", "The number of the claim that was given back when its process ended."),
    HEARTBEAT: ("launch", "Changes every few seconds while the process that runs the launch is alive."),
    SETUP: ("launch", "What the launch was begun with, for programs: a JSON object of texts."),
    RESULT: ("launch", "What came of it: the same, written when the launch ends."),
    NUMBER: ("trial", "The trial's number, from 0."),
    ATTEMPT: ("trial", "How often the trial was begun: 1, or more after resuming."),
    RECORD: ("trial", "Value, parameters and epochs exactly, as JSON."),
    REBUILD: ("trial", "What the sampler and the pruner need to know of the trial, as JSON."),
    SEEDS: ("trial", "The seeds of the trial's networks, as JSON."),
    REASON: ("trial", "Why the trial was stopped or failed."),
    COPIED: ("trial", "Which trials it has copied, and at which epochs."),
    RERUNS: ("trial", "How many of its jobs were run again because a worker died, hung or failed."),
    LEADER: ("trial", "`true` on the best trial of a finished launch."),
    FRONT: ("trial", "`true` on the trials of the Pareto front of a finished launch with several metrics."),
    MEMBER: ("trial", "The trial's weight in the model, on trials that are in it."),
    MODEL_RUN: ("logged model, model version", "The launch's run."),
    MODEL_LOGGED: ("logged model, model version", "When the model was logged, in milliseconds since 1970."),
    PARENT: ("trial", "The launch's run."),
    RUN_NAME: (
        "launch, trial",
        "`launch` with its number; `#` with a trial's number and its hyperparameters, shortened.",
    ),
    NOTE: (
        "experiment, launch, trial",
        "A description in Markdown: of a launch its scores, its best trials and the diagnosis, of a trial what it has copied.",
    ),
    USER: ("launch, trial", "The user who runs the sweep."),
    SOURCE_NAME: ("launch, trial", "`mlptune`."),
    SOURCE_TYPE: ("launch, trial", "`LOCAL`."),
    EXPERIMENT_KIND: ("experiment", "Makes MLflow's interface open on runs and charts."),
    VIEW: (
        "experiment",
        "With the id of a launch's run behind it: a saved view of MLflow's interface, the launch's trials beside their curves. "
        "`mlptune ui` opens it.",
    ),
}

VALUE = "value"
SPREAD = "spread"
FOLD_SPREAD, SEED_SPREAD = "fold_spread", "seed_spread"
BEST_VALUE = "best_value"
ENSEMBLE_VALUE = "ensemble_value"
TEST_SCORE = "test_score"
EXPECTED_SCORE, EXPECTED_LOW, EXPECTED_HIGH = "expected_score", "expected_low", "expected_high"
DECISION_THRESHOLD = "decision_threshold"
CURVES = ("train_loss", "val_loss", "train_score", "val_score")
# Of these the saved view has charts, besides the objective.
CHARTED = ("val_loss", "val_score", "train_loss")

METRICS = {
    "train_loss": (
        "trial",
        "The training loss of each epoch, the mean over the trial's networks; the step is the epoch. A network that has ended "
        "early counts on with its last values, so that no curve steps there.",
    ),
    "val_loss": ("trial", "The validation loss of each epoch."),
    "train_score": ("trial", "The training score of each epoch: accuracy or R²."),
    "val_score": ("trial", "The validation score of each epoch."),
    "val_METRIC": ("trial", "Another validation metric of each epoch, where the objective names one."),
    VALUE: ("trial", "The trial's objective at its best epoch; of a pruned trial its last one."),
    "best_val_score": (
        "launch, trial",
        "The same as `value` of a complete trial and `best_value` of a launch, by the metric's name: at the best epoch, while "
        "`val_score` ends at the last one.",
    ),
    "best_val_METRIC": ("launch, trial", "The same where the objective is another metric."),
    SPREAD: ("trial", "The standard deviation of the objective over the trial's networks: its folds and seeds."),
    FOLD_SPREAD: (
        "trial",
        "The part of `spread` that is between folds: the standard deviation of their means over the seeds. Only where a trial has "
        "several folds and several seeds.",
    ),
    SEED_SPREAD: (
        "trial",
        "The part that is between the seeds of a fold, over all folds; the squares of the two add up to that of `spread`.",
    ),
    **{
        name: ("trial", f"Counted, where it is a metric or limited: {what}, of the trial's model.")
        for name, what in (
            ("operations", "multiply-adds of a prediction for one row"),
            ("parameters", "weights, biases and embeddings"),
            ("bytes", "bytes of these"),
        )
    },
    BEST_VALUE: ("launch", "The objective of the best trial."),
    ENSEMBLE_VALUE: (
        "launch",
        "What the ensemble of the trials so far scores on the rows that it is selected on; the step is the number of trials.",
    ),
    TEST_SCORE: ("launch", "The score of the final model on the test part."),
    EXPECTED_SCORE: ("launch", "What the model is expected to score on new rows, without the optimism of choosing it."),
    EXPECTED_LOW: ("launch", "The lower end of the interval that holds the expected score with 95 %."),
    EXPECTED_HIGH: ("launch", "Its upper end."),
    DECISION_THRESHOLD: (
        "launch",
        "The probability of the second of two classes above which the model predicts it, where the metric asks for one.",
    ),
}

CHAMPION = "champion"

ALIASES = {CHAMPION: ("registered model", "The version of the launch that has finished last.")}

SWEEP_FILE = "sweep.toml"
SPEC_FILE = "spec.json"
BEST_CONFIG_FILE = "best_config.json"
ENSEMBLE_FILE = "ensemble.json"
FINALISTS_FILE = "finalists.json"
EVIDENCE_FILE = "evidence.json"
REPORT_FILE = "report.html"
PREDICTIONS = "predictions"
LONG_TAGS = "tags"

ARTIFACTS = {
    SWEEP_FILE: ("launch", "The sweep file as it was written."),
    SPEC_FILE: ("launch", "The sweep file with all defaults and absolute paths, as JSON."),
    BEST_CONFIG_FILE: ("launch", "The complete best configuration."),
    ENSEMBLE_FILE: ("launch", "The members of the model with their weights, values and hyperparameters, as a table."),
    FINALISTS_FILE: (
        "launch",
        "The trials from which the best was named with their values, those from fresh seeds and the mean, as a table.",
    ),
    REPORT_FILE: ("launch", "The report: one page that needs no network."),
    EVIDENCE_FILE: ("launch", "What the report's pictures and the diagnosis rest on besides the trials, as JSON."),
    f"{PREDICTIONS}/": ("launch", "For each of the best trials its predictions for the validation rows, by fold."),
    f"{LONG_TAGS}/": ("launch, trial", "Texts that are too long for a tag."),
}

# The state of an attempt that does not count any more.
SUPERSEDED = "superseded"
# The MLflow status of a run that has ended. Its interface gives each a mark of its own, so that pruned trials differ from
# complete and from failed ones at a glance.
TRIAL_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
LAUNCH_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


def best_param(name: str) -> str:
    """The param of a launch with its best trial's value of a hyperparameter."""
    return f"best_{name}"


def best_metric(metric: str) -> str:
    """The metric with an objective's value at the best epoch."""
    return f"best_{metric}"


def predictions_file(number: int) -> str:
    """The artifact of a launch with the predictions of a trial."""
    return f"{PREDICTIONS}/trial_{number:05d}.npz"
