"""The sweep file's tables and keys, with their types."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictStr

from ..formats import Address, is_path
from .names import CLASS_WEIGHT

if TYPE_CHECKING:
    from ...search.spaces.space import Space

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}"


Text = Annotated[str, Field(min_length=1, max_length=4096, description="text in quotes")]
Column = Annotated[str, Field(min_length=1, description="the name of a column, in quotes")]
Limit = Annotated[float, Field(gt=0, description="a number above 0")]
Columns = Annotated[list[StrictStr], Field(description='a list of column names such as ["a", "b"]')]


class Table(BaseModel):
    """Base of all tables: strict types, no unknown keys; each field's description is the rule that an error cites."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class DataConfig(Table):
    """[data]: which rows, which column to predict, and how the rows are split."""

    source: Text
    """A table's file (its ending says the [format](../data.md#formats); compressed ones too), its path relative to the sweep file:
    "cars.csv", "cars.xlsx?sheet=2019", "sqlite:///shop.db?query=SELECT ...". Or a data set that comes with scikit-learn:
    "sklearn:digits". "memory" is a table that was handed to `mlptune.run_sweep` in Python, which has to be given again each time.
    """
    target: Column | None = Field(
        default=None, description="the name of one column, in quotes (several are a sweep each)"
    )
    """The column to predict. Unless given: the one that is called `target`."""
    task: Literal["auto", "classification", "regression"] = "auto"
    """What the target is; `auto` decides by its values."""
    test_size: float = Field(default=0.2, ge=0, lt=1, description="a share of all rows, at least 0 and below 1")
    """How much is sealed: only the best configuration meets these rows, once."""
    test: str | None = Field(default=None, min_length=1, description="the path of a file, in quotes")
    """A file of its own for the test part, instead of `test_size`."""
    validation: float | None = Field(
        default=None, gt=0, lt=1, description="a share of the rows that are not test, above 0 and below 1"
    )
    """How much trials are compared on, while they train on what is left. Unless this or `folds` is given: 5 folds up to 10000 rows
    that are not test (where time does not order them and there are groups enough), else a part of 0.2.
    """
    folds: int | None = Field(default=None, ge=2, le=100, description="a whole number from 2 to 100")
    """Cross-validation instead of one validation part: each trial trains one network for each fold and seed."""
    seeds: int = Field(default=1, ge=1, le=1000, description="a whole number from 1 to 1000")
    """Networks for each configuration, from different initial weights; a trial's value is their mean."""
    ignore: Columns = []
    """Columns that are not used."""
    numeric: Columns = []
    """Columns that are numbers, whatever they look like."""
    categorical: Columns = []
    """Columns that are categories, whatever they look like."""
    decimal: Literal[".", ","] | None = Field(default=None, description='"." or ","')
    """What the mark is in numbers such as 1,234 and 1.234, which may be read in two ways. Unless given: what other cells show."""
    missing: Columns | None = Field(default=None, description='a list of words such as ["n.v.", "-999"]')
    """What stands for a missing cell in every column, the target too, beside what is missing in any table (empty, NA, null):
    words, numbers and dates. Unless given: recognised in columns of numbers.
    """
    dates: Literal["use", "drop", "dmy", "mdy"] = "use"
    """Whether columns of dates and times of day are inputs (elapsed time, year, month, weekday, hour) or left out (`drop`). With
    `dmy` or `mdy` they are inputs, and in dates such as 01/03/2024 the day or the month comes first; else that is recognised.
    """
    levels: int | None = Field(default=None, ge=1, le=100_000, description="a whole number from 1 to 100000")
    """How many categories of a column are told apart, if they have two rows; the others count as one. Unless given: 10000, of
    those with five training rows (in tables below 1000 rows half a percent of them, and at least two).
    """
    one_hot: int = Field(default=32, ge=0, le=100_000, description="a whole number from 0 to 100000")
    """Up to how many categories a column is one-hot, a 0/1 input for each; of more a network learns an embedding."""
    header: bool | None = Field(default=None, description="true or false")
    """Whether the first line of a CSV file names the columns; without names they are x0, x1, ... Unless given: recognised."""
    duplicates: Literal["together", "apart"] = "together"
    """Whether rows that are equal in every column, the target too, stay in the same part, where no `group` or `time` decides."""
    group: Column | None = Field(default=None, description="the name of a column, in quotes")
    """Rows with the same value of this column stay in the same part."""
    time: Column | None = Field(default=None, description="the name of a column, in quotes")
    """The latest rows by this column are the test part, the latest of the rest the validation part."""
    weight: Column | None = Field(default=None, description="the name of a column, in quotes")
    """How much each row counts, in training and in every score."""


class SearchConfig(Table):
    """[search]: how configurations are proposed, how many, and what may end them early."""

    method: Text = "auto"
    """How configurations are proposed and how epochs are shared out among them: see [methods](methods.md)."""
    trials: int | None = Field(default=None, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    """How many configurations are tried, counted as the method says. Unless given: 64, all points of a grid, or with `minutes` as
    many as fit.
    """
    batch: int | None = Field(default=None, ge=1, le=10_000, description="a whole number from 1 to 10000")
    """How many are proposed at a time from the same history. Unless given: 8."""
    pruner: str | None = Field(default=None, min_length=1, description="text in quotes")
    """What stops trials early, where the method has no scheduler of its own: see [pruners](methods.md#pruners). Unless
    given: none.
    """
    race: bool = Field(default=False, description="true or false")
    """Whether trials race over the folds: all of a batch train on the first, the better half of them on the second, the better half
    of those on the rest, and what is behind is pruned. It needs `[data] folds` and no pruner.
    """
    minutes: float | None = Field(default=None, gt=0, description="a number of minutes above 0")
    """A budget in time for the whole sweep, its model included: as many trials are tried as fit, and what still trains when it ends
    counts with its best epoch so far. Unless given: no limit.
    """
    finalists: int = Field(default=0, ge=0, le=1000, description="a whole number from 0 to 1000")
    """How many of the best trials are trained again from three fresh seeds, half of the complete ones at most, before the one of
    the best mean over all its networks is named the best. 0: the trial of the best value is.
    """
    timeout: float | None = Field(default=None, gt=0, description="a number of seconds above 0")
    """No new batch begins after this time; the running one is finished. Unless given: no limit."""
    target: float | None = Field(default=None, description="a number")
    """The value with which the search is good enough: it ends after the batch in which a complete trial reaches it. Unless given:
    none.
    """
    patience: int | None = Field(default=None, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    """After how many trials without a gain beyond [the noise](../in-charge.md#stop-rules) the search ends; `trials` stays the most.
    Unless given: never.
    """
    epochs_total: int | None = Field(default=None, ge=1, le=1_000_000_000, description="a whole number above 0")
    """A budget in epochs: the search ends after the batch with which its trials have trained so many, as many trials as fit unless
    `trials` is given too. Unless given: none.
    """
    widen: bool = Field(default=False, description="true or false")
    """Whether a bound of the space that keeps winning is moved, [once](../in-charge.md#a-space-that-moves)."""
    trial_timeout: float | None = Field(default=None, gt=0, description="a number of seconds above 0")
    """How long one trial may train; one that takes longer is recorded as failed. Unless given: no limit."""
    partial: bool = Field(default=False, description="true or false")
    """Whether a grid of more points than `trials` may be cut to its first ones."""
    start: list[dict[str, Any]] | str | None = Field(
        default=None, description="a list of configurations to try first, or the name of a sweep whose best are"
    )
    """Configurations to try first; of another sweep these are its best five. What they leave open the sampler adds. Unless given:
    in the default space, by `auto`, [a portfolio](../defaults.md#what-is-searched); `[]`: none.
    """
    options: dict[str, Any] = Field(default_factory=dict, description="a table of options of the method")
    """Options of the method: see [methods](methods.md)."""


class ObjectiveConfig(Table):
    """[objective]: what a trial is judged by."""

    metric: Text = "val_score"
    """The curve whose value at the best epoch is the trial's value: see [metrics](metrics.md)."""
    metrics: list[StrictStr] | None = Field(
        default=None, min_length=1, description='a list such as ["val_score", "operations"]'
    )
    """Several metrics instead of one: the first is a `metric`, each further one a [counted cost](../pareto.md), which is minimised.
    Unless given: `metric` alone.
    """
    limit: dict[str, Limit] | None = Field(
        default=None,
        min_length=1,
        description="a table of counted costs and numbers above 0 such as { parameters = 10000 }",
    )
    """What the model of one configuration may cost at most, by [counted cost](../pareto.md): what costs more is never trained.
    Unless given: no limit.
    """
    direction: Literal["auto", "maximize", "minimize"] = "auto"
    """Whether more is better, of the first metric; `auto` is what the metric's table says."""
    ensemble: int = Field(default=16, ge=0, le=1000, description="a whole number from 0 to 1000")
    """How many picks of finished trials the model is made of at most, selected greedily on their validation predictions (a trial
    may be picked more than once). 0: the best trial alone, as always with several `metrics` or a `limit`.
    """
    refit: bool = Field(default=True, description="true or false")
    """Whether what is handed back is trained on all rows that are not test, up to its best epoch: the best trial alone where
    `ensemble = 0`; with one validation part, and no budget in minutes, each member of the ensemble beside its own networks.
    """

    @property
    def counted(self) -> tuple[str, ...]:
        """The counted costs that are minimised beside the metric."""
        return tuple((self.metrics or ())[1:])

    @property
    def counts(self) -> bool:
        """Whether counted costs matter to the search."""
        return bool(self.counted or self.limit)


class Spec(Table):
    """A whole sweep file. `space` None means the default space for the data, `{}` trains the one configuration of [model]."""

    name: str = Field(
        pattern=f"^{NAME_PATTERN}$",
        description="1 to 100 letters, digits, dots, underscores, hyphens and spaces, beginning with a letter or digit",
    )
    """The sweep's name: MLflow's experiment and registered model have it too."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="a whole number from 0 to 4294967295")
    """All that is random follows from it: the same seed gives the same sweep."""
    data: DataConfig
    """Which rows there are, and what is to be predicted."""
    model: dict[str, Any] = Field(default_factory=dict, description="a table of hyperparameters")
    """The hyperparameters that all trials share: see [hyperparameters](hyperparameters.md); and
    [`class_weight`](#model-and-space).
    """
    space: dict[str, Any] | None = Field(
        default=None, description="a table of hyperparameters with their ranges or choices"
    )
    """The hyperparameters that are searched, each with a range or a list of choices."""
    search: SearchConfig = SearchConfig()
    """How the space is searched."""
    objective: ObjectiveConfig = ObjectiveConfig()
    """What trials are judged by."""
    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _parsed_space: Any = PrivateAttr(default=None)
    # Whether the method chooses how long trials train; of a sweep that is continued, as it was begun. None: the file decides.
    _chooses_lengths: bool | None = PrivateAttr(default=None)

    @property
    def base(self) -> Path:
        """The folder that relative paths in [data] refer to: the sweep file's, else the current one."""
        return self._base

    @property
    def parsed_space(self) -> "Space | None":
        """[space], parsed and checked; None where the sweep file has none, since the default depends on the data."""
        space: Space | None = self._parsed_space
        return space

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """[model] without `class_weight`: what belongs to the network."""
        return {name: value for name, value in self.model.items() if name != CLASS_WEIGHT}

    @property
    def class_weight(self) -> Any:
        """[model] class_weight: "balanced", or a table of labels and their weights; None where it is not given."""
        return self.model.get(CLASS_WEIGHT)

    def dump(self) -> dict[str, Any]:
        """Return the spec as plain JSON values: every default stated, no None, and one of each alternative."""
        result = {key: value for key, value in self.model_dump().items() if value is not None}
        for table in ("data", "search", "objective"):
            result[table] = {key: value for key, value in result[table].items() if value is not None}
        if self.data.folds is not None:
            result["data"].pop("validation", None)
        if self.data.test is not None:
            del result["data"]["test_size"]
        return result

    def absolute(self) -> "Spec":
        """Return the same spec with absolute paths, so that it still means the same files when it is read elsewhere."""
        data = self.data.model_copy(
            update={
                key: _absolute(value, self.base)
                for key, value in (("source", self.data.source), ("test", self.data.test))
                if value is not None and is_path(value)
            }
        )
        return self.model_copy(update={"data": data})


def _absolute(source: str, base: Path) -> str:
    address = Address.parse(source)
    return address.at(str((base / address.path).resolve()))
