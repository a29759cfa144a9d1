"""Tables, keys and types of a sweep file: what is wrong gets one line that names the place, the rule and the value."""

from pathlib import Path

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.errors import UserError

DATA = '[data]\nsource = "sklearn:digits"\n'
NAME_RULE = (
    "name: must be 1 to 100 letters, digits, dots, underscores, hyphens and spaces, beginning with a letter or digit, "
)

WRONG = [
    ("", "data: missing; a sweep needs a [data] table with a source"),
    ("[data]", "[data] source: missing; a sweep needs its source"),
    ("data = 3", "data: must be a table, not 3"),
    (DATA + "[search]\ntrails = 3", "[search] trails: unknown key; did you mean 'trials'?"),
    (DATA + "decimal = 'x'", '[data] decimal: must be "." or ",", not "x"'),
    ("[search]\ntrails = 3", "[search] trails: unknown key; did you mean 'trials'? (and 1 more)"),
    ("nam = 'a'\n" + DATA, "nam: unknown key; did you mean 'name'?"),
    ("base = '/'\n" + DATA, "base: unknown key"),
    ("seed = -1\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not -1"),
    ("seed = 1.0\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not 1.0"),
    ("seed = true\n" + DATA, "seed: must be a whole number from 0 to 4294967295, not true"),
    ("seed = 0x8000000000000000\n" + DATA, "seed: whole numbers must fit 64 bits"),
    ("seed = 1979-05-27\n" + DATA, "seed: must be text, a number, true or false, a list or a table, not a date"),
    ('name = "../etc"\n' + DATA, NAME_RULE + 'not "../etc"'),
    ('name = "a\\n"\n' + DATA, NAME_RULE + 'not "a\\n"'),
    ("[data]\nsource = 3", "[data] source: must be text in quotes, not 3"),
    (
        '[data]\nsource = "x"\ntarget = ["a", "b"]',
        '[data] target: must be the name of one column, in quotes (several are a sweep each), not ["a", "b"]',
    ),
    (DATA + "test_size = 1.0", "[data] test_size: must be a share of all rows, at least 0 and below 1, not 1.0"),
    (DATA + "test_size = nan", "[data] test_size: must be a share of all rows, at least 0 and below 1, not nan"),
    (
        DATA + "validation = 0",
        "[data] validation: must be a share of the rows that are not test, above 0 and below 1, not 0",
    ),
    (DATA + "folds = 1", "[data] folds: must be a whole number from 2 to 100, not 1"),
    (DATA + "folds = 3\nvalidation = 0.2", "[data] folds: cannot be combined with validation; leave one of them out"),
    (DATA + "test = 'a.csv'\ntest_size = 0.1", "[data] test: cannot be combined with test_size; leave one of them out"),
    (
        DATA + "task = 'clasification'",
        "[data] task: must be one of auto, classification, regression, not \"clasification\"; did you mean 'classification'?",
    ),
    (DATA + "ignore = 'a'", '[data] ignore: must be a list of column names such as ["a", "b"], not "a"'),
    (DATA + "ignore = ['a', 3]", '[data] ignore: must be a list of column names such as ["a", "b"], not 3'),
    (DATA + "[search]\ntrials = 0", "[search] trials: must be a whole number from 1 to 1000000, not 0"),
    (DATA + "[search]\ntrials = '8'", '[search] trials: must be a whole number from 1 to 1000000, not "8"'),
    (DATA + "[search]\ntimeout = 0", "[search] timeout: must be a number of seconds above 0, not 0"),
    (DATA + "[search]\ntrial_timeout = -1", "[search] trial_timeout: must be a number of seconds above 0, not -1"),
    (DATA + "[search]\ntimeout = inf", "[search] timeout: must be a number of seconds above 0, not inf"),
    (DATA + "[search]\npartial = 1", "[search] partial: must be true or false, not 1"),
    (DATA + "space = 3", "[data] space: unknown key"),
    ("space = 3\n" + DATA, "space: must be a table of hyperparameters with their ranges or choices, not 3"),
    (
        DATA + "[objective]\ndirection = 'up'",
        '[objective] direction: must be one of auto, maximize, minimize, not "up"',
    ),
]


@pytest.mark.parametrize(("text", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_spec(tmp_path / "my.toml")
    assert str(caught.value) == f"my.toml: {line}"
