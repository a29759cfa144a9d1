"""What the shell completes beside commands and options: names of sweeps, sweep files, methods, metrics and hyperparameters.

Each press of the key is a process of its own, so as little as possible is imported, and only a store that is a SQLite file is
looked into.
"""

from collections.abc import Iterable
from pathlib import Path


def sweeps(incomplete: str) -> list[str]:
    """The sweeps of the store that a command would look into, that begin so; the newest first."""
    from ...tracking.names import sweep_names

    return _beginning(sweep_names(), incomplete)


def specs(incomplete: str) -> list[str]:
    """The bundled sweeps, and the sweep files beside what is typed, that begin so."""
    bundled = [path.stem for path in (Path(__file__).parents[1] / "sweeps").glob("*.toml")]
    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    files = [str(path) for path in folder.glob("*.toml")] if folder.is_dir() else []
    return _beginning([*sorted(files), *sorted(bundled)], incomplete)


def methods(incomplete: str) -> list[str]:
    """The methods that begin so."""
    from ...search.methods import METHODS

    return _beginning(METHODS, incomplete)


def metrics(incomplete: str) -> list[str]:
    """The metrics that begin so, those of installed packages too."""
    from ...core.metrics import METRICS, OBJECTIVE_CURVES, installed_names

    return _beginning((*OBJECTIVE_CURVES, *METRICS, *installed_names()), incomplete)


def params(incomplete: str) -> list[str]:
    """The hyperparameters that begin so."""
    from ...core.hyperparameters import NAMES

    return _beginning(NAMES, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
