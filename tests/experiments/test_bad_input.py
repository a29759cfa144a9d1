"""What people get wrong, typed as they would type it: a line or two that name place and rule, exit status 2, nothing written."""

import bz2
import gzip
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import mlptune
from mlptune.experiments.cli import commands
from mlptune.experiments.model import TunedModel

TABLE = "power,colour,kind\n" + "".join(
    f"{i % 7},{'red' if i % 3 else 'blue'},{'suv' if i % 2 else 'van'}\n" for i in range(60)
)
DIGITS = '[data]\nsource = "sklearn:digits"\n'
LONG = "x" * 10_000


def _zip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


class _Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, most of them broken."""
    folder = tmp_path_factory.mktemp("bad")
    texts = {
        "cars.csv": TABLE,
        "empty.csv": "",
        "header.csv": "a,b\n",
        "ragged.csv": "a,b\n1,2\n1,2,3\n",
        "one_class.csv": "a,y\n" + "1,x\n" * 30,
        "twice.csv": "a,a,y\n1,2,x\n",
        "no target.csv": "a,y\n" + "1,\n" * 30,
        "tiny.csv": "a,y\n1,x\n2,z\n",
        "all the same.csv": "a,y\n" + "".join(f"3,{i % 2}\n" for i in range(40)),
        "notes.pdf": "x",
        "page.csv": "<!DOCTYPE html><html><body>404</body></html>\n",
        "folds.toml": '[data]\nsource = "cars.csv"\ntarget = "kind"\nfolds = 90\n',
        "group.toml": '[data]\nsource = "cars.csv"\ntarget = "kind"\ngroup = "owner"\n',
        "weight.toml": '[data]\nsource = "cars.csv"\ntarget = "kind"\nweight = "colour"\n',
        "numeric.toml": '[data]\nsource = "cars.csv"\ntarget = "kind"\nnumeric = ["colour"]\n',
        "regress.toml": '[data]\nsource = "cars.csv"\ntarget = "kind"\ntask = "regression"\n',
        "lost.toml": '[data]\nsource = "nowhere/cars.csv"\ntarget = "kind"\n',
        "torn.toml": "[data\n",
        "twice.toml": DIGITS + DIGITS,
        "deep.toml": "a = " + "[" * 5000,
        "markup.toml": 'name = "<script>alert(1)</script>"\n' + DIGITS,
        "long.toml": f'name = "{LONG}"\n' + DIGITS,
        "bell.toml": 'name = "a\\u0007b"\n' + DIGITS,
        "bidi.toml": 'name = "a\\u202eb"\n' + DIGITS,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "latin.toml").write_bytes("name = 'é'".encode("latin-1"))
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 10)
    (folder / "torn.csv.gz").write_bytes(
        gzip.compress(TABLE.encode() + np.random.default_rng(0).bytes(4000).hex().encode())[:300]
    )
    (folder / "torn.csv.bz2").write_bytes(bz2.compress(TABLE.encode())[:60])
    (folder / "pickled.npz").write_bytes(pickle.dumps(_Trap()))
    np.savez(folder / "objects.npz", X=np.array([_Trap()]), y=np.zeros(1))
    np.savez(folder / "lengths.npz", X=np.zeros((4, 2)), y=np.zeros(5))
    (folder / "fake.parquet").write_bytes(b"PAR1xxxx")
    _zip(folder / "two.csv.zip", **{"a.csv": b"a\n1\n", "b.csv": b"a\n1\n"})
    return folder


@pytest.fixture(scope="module")
def store(drawer: Path) -> str:
    """A store with one finished sweep, `cars`."""
    uri = f"sqlite:///{drawer / 'kept' / 'mlflow.db'}"
    (drawer / "kept").mkdir()
    mlptune.run_sweep(
        {
            "name": "cars",
            "data": {"source": str(drawer / "cars.csv"), "target": "kind"},
            "model": {"epochs": 2},
            "space": {},
        },
        workers=1,
        tracking_uri=uri,
    )
    return uri


def wrong(drawer: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> str:
    """What the command says on the error stream, having failed as it should."""
    monkeypatch.chdir(drawer)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = sorted(drawer.iterdir())
    result = CliRunner().invoke(commands.app, arguments, prog_name="mlptune")
    assert result.exit_code == 2, (result.exit_code, result.output, result.exception)
    assert sorted(drawer.iterdir()) == before, "something was written"
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    first = next(i for i, line in enumerate(lines) if line.startswith(("mlptune: ", "Error: ")))
    said = lines[first:]
    assert 1 <= len(said) <= 2, result.stderr
    assert all(len(line) <= 620 and line.isprintable() for line in said), result.stderr
    return result.stderr


def table(file: str, target: str = "y") -> list[str]:
    """The command that reads a table and does nothing else."""
    return ["init", "--data", file, "--target", target, "-o", "never.toml"]


def sweep(file: str, target: str = "y") -> list[str]:
    return ["sweep", "--data", file, "--target", target, "--workers", "1"]


def setting(*pairs: str) -> list[str]:
    return ["sweep", "digits", *(part for pair in pairs for part in ("--set", pair))]


INPUTS: list[tuple[list[str], str]] = [
    # Tables.
    (sweep("nothere.csv"), "nothere.csv: there is no such file"),
    (table("empty.csv"), "empty.csv: the file is empty"),
    (table("header.csv"), "header.csv: the table has column names and no rows"),
    (table("ragged.csv"), "ragged.csv: is not a table: the first line names 2 fields, line 3 has 3"),
    (table("binary.csv"), "binary.csv: is not a text table: it is binary data"),
    (table("twice.csv"), "twice.csv: the column name 'a' occurs 2 times"),
    (table("torn.csv.gz"), "torn.csv.gz: "),
    (table("torn.csv.bz2"), "torn.csv.bz2: "),
    (sweep("pickled.npz"), "pickled.npz: is not an .npz file of plain arrays"),
    (table("objects.npz"), "objects.npz: is not an .npz file of plain arrays"),
    (table("lengths.npz"), "lengths.npz: "),
    (table("fake.parquet"), "fake.parquet: is not a Parquet table"),
    (table("two.csv.zip"), "two.csv.zip: "),
    (table("notes.pdf"), "notes.pdf: a table ends in .csv, .tsv, .parquet, .npz, .feather, .arrow, "),
    (table("notes.pdf"), ".sqlite3, .db, each also with .gz, .bz2, .xz, .zst, .zip"),
    (table("."), "is a folder, a table file is needed"),
    (table("page.csv"), "page.csv: "),
    (sweep("one_class.csv"), "[data] target: column 'y' has one class only, 'x'"),
    (table("no target.csv"), "[data] target: column 'y' has no values"),
    (sweep("tiny.csv"), "data: 2 rows are too few for the parts asked for, 3 are needed"),
    (sweep("all the same.csv"), "data: "),
    (["sweep", "--data", "cars.csv"], "target: name the column to predict (on the command line: --target); there are 'power'"),
    (table("cars.csv", "knd"), "[data] target: the table has no column 'knd'; did you mean 'kind'?"),
    (table("cars.csv", ""), "target"),
    (table("http://example.com/cars.csv", "kind"), "http://example.com/cars.csv"),
    # Sweep files.
    (["sweep", "cars.csv"], "cars.csv is a table, not a sweep file; give it with --data, and its target column with --target"),
    (["sweep", "nope.csv"], "no such file: nope.csv; it would be a table, not a sweep file: give it with --data"),
    (["sweep", "torn.toml"], "torn.toml: not valid TOML, line 1, column 6"),
    (["sweep", "twice.toml"], "twice.toml: not valid TOML"),
    (["sweep", "deep.toml"], "deep.toml: not valid TOML"),
    (["sweep", "latin.toml"], "latin.toml: not UTF-8 text (byte 8); a sweep file is a TOML file"),
    (["sweep", "markup.toml"], "markup.toml: name: must be 1 to 100 letters, digits"),
    (["sweep", "long.toml"], "long.toml: name: must be 1 to 100 letters, digits"),
    (["sweep", "bell.toml"], "bell.toml: name: must be 1 to 100 letters, digits"),
    (["sweep", "bidi.toml"], "bidi.toml: name: must be 1 to 100 letters, digits"),
    (["sweep", "lost.toml"], "cars.csv: there is no such file"),
    (["sweep", "folds.toml"], "data: 60 rows are too few for the parts asked for, 91 are needed"),
    (["sweep", "group.toml"], "[data] group: the table has no column 'owner'"),
    (["sweep", "weight.toml"], "[data] weight: "),
    (["sweep", "numeric.toml"], "[data] numeric: "),
    (["sweep", "regress.toml"], "[data] target: "),
    (["sweep", "nothere"], "no such sweep file: nothere; bundled sweeps: diabetes, digits"),
    (["sweep", "digts"], "no such sweep file: digts; bundled sweeps: diabetes, digits; did you mean 'digits'?"),
    (["sweep", "../../etc/passwd"], "passwd"),
    (["sweep", "a\x07\x1b[31mb"], "no such sweep file: "),
    (["sweep", LONG], "no"),
    (["sweep", ""], 'no such sweep file: ""'),
    (["sweep", "digits", "--data", "cars.csv"], "give a sweep file or --data, not both"),
    (["sweep", "cars.csv", "--target", "y"], "cars.csv is a table, not a sweep file; give it with --data"),
    (["sweep", "--target", "y"], "give a sweep file, the name of a bundled sweep, or --data FILE --target COLUMN"),
    # Settings.
    (setting("search.trials"), "--set search.trials: write key=value, for instance search.trials=16"),
    (setting("=3"), "--set"),
    (setting("trials=3"), "--set trials: unknown key; did you mean 'search.trials'?"),
    (setting("search.trials=0"), "[search] trials: must be a whole number from 1 to 1000000, not 0"),
    (setting("search.trials=1e3"), "[search] trials: must be a whole number from 1 to 1000000, not 1000.0"),
    (setting("search.method=bayes"), "[search] method: 'bayes' is unknown; did you mean 'bayesian'?"),
    (setting("search.method=hyperband", "search.pruner=asha"), "[search] pruner: 'asha' cannot be combined with method"),
    (setting("search.pruner=medain"), "[search] pruner: 'medain' is unknown; did you mean 'median'?"),
    (setting("search.timeout=-1"), "[search] timeout: must be a number of seconds above 0, not -1"),
    (setting("search.options.gamma=3"), "unknown option 'gamma'"),
    (setting("search.method=hyperband", "search.options.reduction_factor=3"),
     "unknown option 'reduction_factor'; known: at_once, eta, min_epochs"),
    (setting("search.method=bohb", "search.options.n_ei_candidate=3"), "did you mean 'n_ei_candidates'?"),
    (setting("search.method=pbt", "space={l2=[0.1]}"),
     "during training; l2 may, but with one value only; search something that may"),
    (["sweep", "digits", "--resume", "--tracking-uri", "sqlite:///cars.csv"], "cars.csv is not a SQLite database"),
    ([*setting("search.start=cars"), "--tracking-uri", "sqlite:///cars.csv"], "cars.csv is not a SQLite database"),
    (setting("search.method=random", "search.options.seed=7"), "options: 'seed' is not an option: the sweep sets it"),
    (setting("search.method=asha", "search.options.max_epochs=5"), "options: 'max_epochs' is not an option"),
    (setting("search.method=tpe", "search.options.n_startup_trials=abc"), "n_startup_trials must be a whole number"),
    (setting("search.method=tpe", "search.options.n_ei_candidates=0"), "n_ei_candidates: 0 is not an integer of at least 1"),
    (setting("search.method=tpe", "search.options.multivariate=abc"), "sampler tpe: multivariate must be true or false, not 'abc'"),
    (setting("search.method=genetic", "search.options.mutation=inf"), "mutation: inf is not a number above 0"),
    (setting("search.method=auto", "search.options.structural=5"), "structural"),
    (setting("search.method=auto", "search.options.structural=hidden"), "structural: 'hidden' is not a list of names"),
    (setting("search.method=nas", "search.options.population=4", "search.options.sample=5"), "sample: 5 is more than the"),
    (setting("search.method=pbt", "search.options.population=-1"), "population: -1"),
    (setting("search.method=GridSampler"), "method: GridSampler: it wants the points themselves and ends a study of its own"),
    (setting("search.pruner=PercentilePruner"), "pruner PercentilePruner: missing a required argument: 'percentile'"),
    (setting("search.pruner=median", "search.options.interval_steps=0"), "interval"),
    (setting("search.pruner=extrapolation", "search.options.foo=1"), "unknown option 'foo'"),
    (setting("search.method=grid", "search.trials=3"), "the grid has 48 points, more than 3 trials"),
    (setting("model.learning_rate=fast"), '[model] learning_rate: must be a number above 0, not "fast"'),
    (setting("model.learning_rate=nan"), "[model] learning_rate: must be a number above 0, not nan"),
    (setting("model.hidden=64"), "[model] hidden: must be a list of whole numbers, each at least 1, not 64"),
    (setting("model.lr=0.1"), "--set model.lr: unknown key; did you mean 'model.learning_rate'?"),
    (setting("model.epochs=0"), "[model] epochs: must be a whole number at least 1, not 0"),
    (setting("model.hidden=[32]", "model.activation_1=tanh", "model.activation_2=tanh"),
     "[model] activation_2: never used, hidden has 1"),
    (setting("model.layers=1", "model.units_1=8", "model.units_2=8"), "[model] units_2: never used, layers = 1"),
    (setting("space.layers={low=1,high=3}", "space.units_1=[4]", "space.units_2=[4]", "space.units_3=[4]", "model.skip=false",
             "model.skip_4=true"), "[model] skip_4: never used, layers goes up to 3"),
    (setting("model.changes=[[3,{l2=0.1}],[51,{l2=0.2}]]", "model.epochs=50"),
     "[model] changes: epoch 51 is never trained, the last one is 50"),
    (setting("space.dropout=[0.1,1.5]"), "[space] dropout: must be a number at least 0 and below 1, not 1.5"),
    (setting("space.l2={low=1,high=0}"), "[space] l2: low = 1.0 is above high = 0.0"),
    (setting("space.l2={low=0,high=1,log=true}"), "[space] l2: "),
    (setting("space.activation=[]"), "[space] activation: "),
    (setting("objective.metric=rmse"), "[objective] metric: 'rmse' is not a metric for classification"),
    (setting("objective.direction=up"), "[objective] direction: must be one of auto, maximize, minimize"),
    (setting("data.test_size=1"), "[data] test_size: must be a share of all rows, at least 0 and below 1"),
    (setting("data.seeds=0"), "[data] seeds: "),
    (setting("seed=-1"), "seed: must be a whole number from 0 to 4294967295, not -1"),
    (setting("name=../x"), 'not "../x"'),
    # Arguments.
    (["sweep", "digits", "--workers", "0"], "--workers"),
    (["sweep", "digits", "--workers", "two"], "--workers"),
    (["sweep", "digits", "--workers", "1000000"], "--workers: at most "),
    (["init", "--data", "cars.csv", "--target", "kind", "-o", LONG + ".toml"], "xxx...: the name is too long for a file"),
    (["predict", "cars", "cars.csv", "-o", LONG + ".csv"], "xxx...: the name is too long for a file"),
    (["sweep", "digits", "--tracking-uri", "sqlite:///."], "is a folder; write the file that it is to be: sqlite:///"),
    (["list", "--tracking-uri", "sqlite:///."], "is a folder; write the file that it is to be: sqlite:///"),
    (["list", "--tracking-uri", "file:///tmp/x"], "--tracking-uri: 'file:///tmp/x' is a folder; MLflow wants a database"),
    (["sweep", "digits", "--tracking-uri", "mysql://joe:secret@host/db"], "--tracking-uri: "),
    (["sweep", "digits", "--tracking-uri", "sqlite:///"], "names no file; write sqlite:///mlflow.db"),
    (["sweep", "digits", "--tracking-uri", "store.db"], "a SQLite store is written sqlite:///store.db"),
    (["sweep", "digits", "--tracking-uri", "sqlite:///cars.csv"], "cars.csv is not a SQLite database"),
    (["sweep", "digits", "--tracking-uri", "sqlite:///no/such/x.db"], "there is no folder "),
    (["list", "--tracking-uri", "sqlite:///no/such/x.db"], "there is no store at "),
    (["list", "--tracking-uri", "sqlite:///nothing.db"], "there is no store at "),
    (["show", "digits"], "there is no store at "),
    (["best", "digits", "--json", "--format", "toml"], "--json: cannot be combined with --format toml"),
    (["show", "digits", "--json", "--top", "3"], "--top: cannot be combined with --json"),
    (["predict", "cars", "cars.csv", "-o", "out.xyz"], "-o out.xyz: predictions are written as .csv, .tsv, .parquet, .feather, "),
    (["init", "--data", "cars.csv", "--target", "knd"], "did you mean 'kind'?"),
    (["ui", "--port", "99999"], "--port"),
    (["ui", "--tracking-uri", "sqlite:///nothing.db"], "there is no store at "),
    (["swep", "digits"], "No such command 'swep'. Did you mean 'sweep'?"),
    (["sweep", "--traget", "x"], "--traget"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "line"), INPUTS, ids=[" ".join(a)[:60].encode("unicode_escape").decode() for a, _ in INPUTS]
)
def test_bad_input_gets_one_clear_line(
    drawer: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    said = wrong(drawer, monkeypatch, arguments)
    assert line in said
    assert "secret" not in said
    assert "Traceback" not in said


MISSES = [
    (["show", "digits"], "there is no sweep 'digits'"),
    (["best", "car"], "there is no sweep 'car'; did you mean 'cars'?"),
    (["show", "cars", "--run", "0123"], "0123"),
    (["show", "../cars"], "there is no sweep '../cars'"),
    (["show", "x' OR '1'='1"], "there is no sweep "),
    (["show", LONG], "there is no sweep "),
    (["predict", "cars.csv", "cars", "-o", "out.csv"], "the sweep's name comes before the table's"),
    (["predict", "cars", "nothere.csv", "-o", "out.csv"], "nothere.csv: there is no such file"),
    (["predict", "cars", "tiny.csv", "-o", "out.csv"], "'power'"),
    (["predict", "cars", "cars.csv", "-o", "no/such/out.csv"], "no/such"),
]


@pytest.mark.parametrize(("arguments", "line"), MISSES, ids=[" ".join(a)[:60] for a, _ in MISSES])
def test_what_a_store_does_not_hold_is_told_in_one_line(
    drawer: Path, store: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    assert line in wrong(drawer, monkeypatch, [*arguments, "--tracking-uri", store])


def _bomb(folder: Path) -> None:
    """An archive of some kB that would unpack to more than is allowed (the test allows less than the product does)."""
    with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("theta_0.npy", bytes(2**22))


def _entry(folder: Path, **changes: object) -> None:
    description = json.loads((folder / "model.json").read_text())
    description["parts"][0]["structure"] |= changes
    (folder / "model.json").write_text(json.dumps(description))


DAMAGES = {
    "a bomb": _bomb,
    "a pickle": lambda folder: (folder / "arrays.npz").write_bytes(pickle.dumps(_Trap())),
    "an array of objects": lambda folder: np.savez(folder / "arrays.npz", theta_0=np.array([_Trap()]), running_0=np.zeros((1, 0))),
    "no JSON": lambda folder: (folder / "model.json").write_text("{"),
    "an unknown class": lambda folder: _entry(folder, __class__="os.system"),
    "an unknown activation": lambda folder: _entry(folder, activation="__import__('os')"),
    "a giant": lambda folder: _entry(folder, hidden=[2**40]),
    "text for a number": lambda folder: _entry(folder, n_inputs="5"),
    "a path": lambda folder: (folder / "arrays.npz").unlink() or (folder / "arrays.npz").symlink_to("/etc/hostname"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_model_that_was_tampered_with_is_refused_in_one_line(
    drawer: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copytree(drawer / "kept", tmp_path / "kept")
    models = list((tmp_path / "kept").rglob("model.json"))
    assert models
    for model in models:
        DAMAGES[name](model.parent)
    monkeypatch.setattr("mlptune.experiments.model.LARGEST_ARRAYS", 2**21)
    with pytest.raises(ValueError, match=r".") as refused:
        TunedModel.load(models[0].parent)
    assert "\n" not in str(refused.value)


def test_hostile_names_in_a_table_are_harmless(
    drawer: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns and classes are people's: markup, control characters and paths go through a sweep and its predictions as text."""
    monkeypatch.chdir(tmp_path)
    columns = ["<img src=x onerror=alert(1)>", "../../up", "a\x1b[31mb", "=cmd()", "x" * 3000]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 5)), columns=columns)
    frame["</script>"] = np.where(rng.normal(size=60) > 0, "<b>", "../../../etc/passwd")
    frame.to_csv("rows.csv", index=False)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    shutil.copy(drawer / "kept" / "mlflow.db", tmp_path / "mlflow.db")
    invoke = CliRunner().invoke
    arguments = ["sweep", "--data", "rows.csv", "--target", "</script>", "--workers", "1", "--tracking-uri", uri]
    ran = invoke(commands.app, [*arguments, "--set", "search.trials=1", "--set", "model.epochs=2"], prog_name="mlptune")
    assert ran.exit_code == 0, ran.output
    told = invoke(
        commands.app, ["predict", "rows", "rows.csv", "-o", "out.csv", "--tracking-uri", uri], prog_name="mlptune"
    )
    assert told.exit_code == 0, told.output
    assert "\x1b" not in ran.output + told.output
    assert set(pd.read_csv("out.csv")["prediction"]) <= {"<b>", "../../../etc/passwd"}
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "out.csv", "mlflow.db", "mlruns"}
