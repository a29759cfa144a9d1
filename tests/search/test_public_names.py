"""What `mlptune.search` offers: quick to import, and each name once."""

import subprocess
import sys

import pytest

import mlptune.search

NAMES = "METHODS Continue Copy Decision Pause Progress Scheduler Space Stop configuration default_space pruner sampler scheduler"


def test_the_public_names():
    code = "import mlptune.search as s; print(*sorted(n for n in vars(s) if not n.startswith('_')))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {"Any", "methods", "plugins", "pruners", "samplers", "schedulers", "spaces"}
    assert set(ran.stdout.split()) - modules == set(NAMES.split())


def test_importing_it_does_not_import_optuna():
    code = "import sys, mlptune.search; sys.exit(any(m in sys.modules for m in ('optuna', 'skopt', 'numpy', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", list(mlptune.search._MOVED))
def test_a_name_that_has_moved_says_where_to(name):
    with pytest.warns(DeprecationWarning, match=rf"mlptune.search.{name} is now mlptune.search..*\.{name}; .* goes in"):
        moved = getattr(mlptune.search, name)
    assert moved.__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'smapler'"):
        _ = mlptune.search.smapler
