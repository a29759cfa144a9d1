"""What we use of other libraries that they do not promise to keep: all of it, where, and that it is still as we need it.

An upgrade that moves or changes one of these fails here, and says what breaks, before anything else does.
"""

import ast
import importlib
import inspect
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution

ROOT = Path(__file__).parents[1]
ROOMS = ("core", "search", "tracking", "experiments")

# Functions and methods: (where it is used, "module:qualified name", the arguments that we pass).
CALLED = [
    ("core: sample weights", "sklearn.utils.validation:_check_sample_weight", "sample_weight X ensure_non_negative"),
    ("search: all samplers that read a study", "optuna.study:Study._get_trials", "deepcopy states use_cache"),
    ("search: samplers of one objective", "optuna.samplers:BaseSampler._raise_error_if_multi_objective", "study"),
    ("search: grid", "optuna.distributions:FloatDistribution._contains", "param_value_in_internal_repr"),
    ("search: tpe", "optuna.samplers._tpe.sampler:_split_trials", "study trials n_below"),
    ("search: tpe", "optuna.samplers._tpe.sampler:default_gamma", "x"),
    ("search: tpe", "optuna.samplers._tpe.sampler:default_gamma_multiobjective", "x"),
    ("search: tpe, which overrides it", "optuna.samplers:TPESampler._sample", "study trial search_space"),
    ("search: tpe, which overrides it", "optuna.samplers:TPESampler._get_internal_repr", "trials search_space study"),
    ("search: tpe", "optuna.samplers:TPESampler._get_params", "trial study"),
    ("search: tpe", "optuna.samplers:TPESampler._build_parzen_estimator", "study search_space trials handle_below"),
    ("search: tpe", "optuna.samplers:TPESampler._compute_acquisition_func", "samples mpe_below mpe_above"),
    ("search: tpe", "optuna.samplers:TPESampler._compare", "samples acquisition_func_vals"),
    ("search: tpe", "optuna.search_space.group_decomposed:_SearchSpaceGroup.add_distributions", "distributions"),
    ("search: parzen, a subclass", "optuna.samplers._tpe.parzen_estimator:_ParzenEstimator.log_pdf", "samples_dict"),
    ("search: importances", "optuna.importance._ped_anova.evaluator:PedAnovaImportanceEvaluator.evaluate", "study"),
    ("tracking: a store's newest schema", "mlflow.store.db.utils:_get_latest_schema_revision", ""),
    ("tracking: a new store", "mlflow.store.db.utils:_initialize_tables", "engine"),
    ("tracking: an older store", "mlflow.store.db.utils:_upgrade_db", "engine"),
    ("tracking: rows written in bulk", "mlflow.tracking._tracking_service.utils:_get_store", "store_uri"),
    ("tracking: rows written in bulk", "mlflow.utils.validation:_validate_metric", "key value timestamp step"),
    ("tracking: rows written in bulk", "mlflow.utils.validation:_validate_param", "key value"),
    ("tracking: rows written in bulk", "mlflow.utils.validation:_validate_tag", "key value"),
    ("experiments: a process that must end at once", "os:_exit", "status"),
]  # fmt: skip


def tpe() -> Any:
    return optuna.samplers.TPESampler(seed=0)


def parzen_estimator() -> Any:
    from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator

    space = {"x": FloatDistribution(0, 1)}
    return _ParzenEstimator({"x": np.array([0.2, 0.5])}, space, tpe()._parzen_estimator_parameters)


def kernels(name: str) -> Any:
    """The kernels of a parameter in a Parzen estimator: `Categorical`, or numbers of some kind."""
    from optuna.samplers._tpe import probability_distributions

    return getattr(probability_distributions, f"_Batched{name}Distributions")


def fitted_regressor() -> Any:
    from skopt.learning import GaussianProcessRegressor

    X = np.linspace(0, 1, 6)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianProcessRegressor(normalize_y=True, random_state=0).fit(X, np.sin(3 * X[:, 0]))


def skopt_optimizer() -> Any:
    from skopt import Optimizer

    return Optimizer([(0.0, 1.0)])


def mlflow_client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient("sqlite:///:memory:")


def executor(kind: Any) -> Any:
    made = kind(max_workers=1)
    made.shutdown()
    return made


# Attributes: (where they are used, something that has them, their names).
HELD = [
    ("search: rl, bayesian; experiments: recording", optuna.create_study, "_storage _study_id"),
    ("search: rl, bayesian; experiments: recording", lambda: optuna.create_study().ask(), "_trial_id"),
    ("search: rl, bayesian", lambda: optuna.create_study()._storage, "set_trial_system_attr"),
    ("search: tpe", tpe, "_rng _random_sampler _n_ei_candidates _n_startup_trials _constant_liar _group "
     "_search_space_group _parzen_estimator_cls"),
    ("search: tpe, reseeded", lambda: tpe()._rng, "rng"),
    ("search: tpe", lambda: tpe()._random_sampler, "_rng"),
    ("search: parzen", parzen_estimator, "_mixture_distribution _search_space"),
    ("search: parzen", lambda: kernels("Categorical"), "weights"),
    ("search: parzen", lambda: kernels("TruncNorm"), "mu sigma adapted_low adapted_high step is_log"),
    ("search: parzen", lambda: kernels("TruncLogNorm"), "mu sigma adapted_low adapted_high step is_log"),
    ("search: parzen", lambda: kernels("DiscreteTruncNorm"), "mu sigma adapted_low adapted_high step is_log"),
    ("search: parzen", lambda: kernels("DiscreteTruncLogNorm"), "mu sigma adapted_low adapted_high step is_log"),
    ("search: pruning", optuna.pruners.MedianPruner, "_n_warmup_steps _interval_steps"),
    ("search: pruning", optuna.pruners.SuccessiveHalvingPruner, "_min_resource _reduction_factor _min_early_stopping_rate"),
    ("search: pruning", optuna.pruners.HyperbandPruner, "_min_resource _reduction_factor"),
    ("search: bayesian", fitted_regressor, "_y_train_mean _y_train_std K_inv_ L_ alpha_ noise_ kernel_ X_train_"),
    ("search: bayesian", skopt_optimizer, "base_estimator_ models Xi rng"),
    ("tracking: curves of many runs at once", mlflow_client, "_tracking_client"),
    ("experiments: how many jobs an executor runs at once", lambda: executor(ThreadPoolExecutor), "_max_workers"),
    ("experiments: how many jobs an executor runs at once", lambda: executor(ProcessPoolExecutor), "_max_workers"),
]  # fmt: skip

# Modules and classes that are only imported or compared with.
IMPORTED = [
    ("search: reseeded", "optuna.samplers._lazy_random_state:LazyRandomState"),
    ("search: parzen", "optuna.samplers._tpe.parzen_estimator:_ParzenEstimator"),
    ("search: parzen", "optuna.samplers._tpe.probability_distributions:_BatchedCategoricalDistributions"),
    ("search: parzen", "optuna.samplers._tpe.probability_distributions:_BatchedDistributions"),
    ("search: tpe", "optuna.search_space.group_decomposed:_SearchSpaceGroup"),
    ("search: surrogate of scikit-optimize", "skopt.learning.gaussian_process.kernels:HammingKernel"),
]


def found(home: str) -> Any:
    module, _, qualified = home.partition(":")
    value: Any = importlib.import_module(module)
    for name in qualified.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(("where", "home", "arguments"), CALLED)
def test_what_we_call_takes_the_arguments_that_we_pass(where: str, home: str, arguments: str) -> None:
    try:
        parameters = dict(inspect.signature(found(home)).parameters)
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{where}: {home} is gone ({error})")
    parameters.pop("self", None)
    passed = arguments.split()
    assert set(passed) <= set(parameters), f"{where}: {home} has changed"
    needed = {
        n for n, p in parameters.items() if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    assert needed <= set(passed), f"{where}: {home} needs more"


@pytest.mark.parametrize(("where", "make", "names"), HELD)
def test_what_we_read_is_there(where: str, make: Any, names: str) -> None:
    owner = make()
    assert [name for name in names.split() if not hasattr(owner, name)] == [], f"{where}: {owner!r} has changed"


@pytest.mark.parametrize(("where", "home"), IMPORTED)
def test_what_we_import_is_there(where: str, home: str) -> None:
    assert found(home) is not None, where


def test_a_mixture_is_weights_and_kernels() -> None:
    weights, kernel = parzen_estimator()._mixture_distribution
    assert weights.shape == (3,)
    assert len(kernel) == 1


def test_the_dask_executor_holds_its_client() -> None:
    from distributed import cfexecutor as executors

    assert "self._client = client" in inspect.getsource(executors.ClientExecutor.__init__)


def test_no_private_name_is_missing_from_the_list() -> None:
    """A name that begins with one underscore, is read in a room and is defined in none, is another library's."""
    defined, used = set(), {}
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    defined.add(name)
                case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                    defined.add(name)
                case ast.Attribute(attr=name):
                    used[name] = file
                case ast.ImportFrom(level=0, module=module, names=names):
                    used |= dict.fromkeys([*str(module).split("."), *(alias.name for alias in names)], file)
    foreign = {name for name in used if name.startswith("_") and not name.startswith("__")} - defined
    homes = [home for _, home, _ in CALLED] + [home for _, home in IMPORTED]
    listed = {part for home in homes for part in home.replace(":", ".").split(".")}
    listed |= {name for _, _, names in HELD for name in names.split()}
    assert {name: str(used[name]) for name in foreign - listed} == {}
