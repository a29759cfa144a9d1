"""The sweep file's tables and keys, with their types."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictStr

from ..formats import is_named

if TYPE_CHECKING:
    from ...search.spaces.space import Space

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}"


Text = Annotated[str, Field(min_length=1, max_length=4096, description="text in quotes")]
Column = Annotated[str, Field(min_length=1, description="the name of a column, in quotes")]
Columns = Annotated[list[StrictStr], Field(description='a list of column names such as ["a", "b"]')]


class Table(BaseModel):
    """Base of all tables: strict types, no unknown keys; each field's description is the rule that an error cites."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class DataConfig(Table):
    """[data]: which rows, which column to predict, and how the rows are split."""

    source: Text
    target: Column | None = Field(default=None, description="the name of a column, in quotes")
    task: Literal["auto", "classification", "regression"] = "auto"
    test_size: float = Field(default=0.2, ge=0, lt=1, description="a share of all rows, at least 0 and below 1")
    test: str | None = Field(default=None, min_length=1, description="the path of a file, in quotes")
    validation: float = Field(
        default=0.2, gt=0, lt=1, description="a share of the rows that are not test, above 0 and below 1"
    )
    folds: int | None = Field(default=None, ge=2, le=100, description="a whole number from 2 to 100")
    seeds: int = Field(default=1, ge=1, le=1000, description="a whole number from 1 to 1000")
    ignore: Columns = []
    numeric: Columns = []
    categorical: Columns = []
    group: Column | None = Field(default=None, description="the name of a column, in quotes")
    time: Column | None = Field(default=None, description="the name of a column, in quotes")
    weight: Column | None = Field(default=None, description="the name of a column, in quotes")


class SearchConfig(Table):
    """[search]: how configurations are proposed, how many, and what may end them early."""

    method: Text = "auto"
    trials: int | None = Field(default=None, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    batch: int | None = Field(default=None, ge=1, le=10_000, description="a whole number from 1 to 10000")
    pruner: str | None = Field(default=None, min_length=1, description="text in quotes")
    timeout: float | None = Field(default=None, gt=0, description="a number of seconds above 0")
    trial_timeout: float | None = Field(default=None, gt=0, description="a number of seconds above 0")
    partial: bool = Field(default=False, description="true or false")
    start: list[dict[str, Any]] | str | None = Field(
        default=None, description="a list of configurations to try first, or the name of a sweep whose best are"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="a table of options of the method")


class ObjectiveConfig(Table):
    """[objective]: what a trial is judged by."""

    metric: Text = "val_score"
    direction: Literal["auto", "maximize", "minimize"] = "auto"
    refit: bool = Field(default=True, description="true or false")


class Spec(Table):
    """A whole sweep file. `space` None means the default space for the data, `{}` trains the one configuration of [model]."""

    name: str = Field(
        pattern=f"^{NAME_PATTERN}$",
        description="1 to 100 letters, digits, dots, underscores, hyphens and spaces, beginning with a letter or digit",
    )
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="a whole number from 0 to 4294967295")
    data: DataConfig
    model: dict[str, Any] = Field(default_factory=dict, description="a table of hyperparameters")
    space: dict[str, Any] | None = Field(
        default=None, description="a table of hyperparameters with their ranges or choices"
    )
    search: SearchConfig = SearchConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _parsed_space: Any = PrivateAttr(default=None)

    @property
    def base(self) -> Path:
        """The folder that relative paths in [data] refer to: the sweep file's, else the current one."""
        return self._base

    @property
    def parsed_space(self) -> "Space | None":
        """[space], parsed and checked; None where the sweep file has none, since the default depends on the data."""
        space: Space | None = self._parsed_space
        return space

    def dump(self) -> dict[str, Any]:
        """Return the spec as plain JSON values: every default stated, no None, and one of each alternative."""
        result = {key: value for key, value in self.model_dump().items() if value is not None}
        for table in ("data", "search", "objective"):
            result[table] = {key: value for key, value in result[table].items() if value is not None}
        if self.data.folds is not None:
            del result["data"]["validation"]
        if self.data.test is not None:
            del result["data"]["test_size"]
        return result

    def absolute(self) -> "Spec":
        """Return the same spec with absolute paths, so that it still means the same files when it is read elsewhere."""
        data = self.data.model_copy(
            update={
                key: str((self.base / value).resolve())
                for key, value in (("source", self.data.source), ("test", self.data.test))
                if value is not None and not is_named(value)
            }
        )
        return self.model_copy(update={"data": data})
