"""The page that maps the lectures to code and tests names only files and tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_and_test_named_exists():
    named = 0
    for entry in re.split(r"^- ", (ROOT / "docs" / "lectures.md").read_text(encoding="utf-8"), flags=re.MULTILINE):
        for code in re.findall(r"`((?:core|search|experiments)/[\w/]+\.py)`", entry):
            assert (ROOT / code).is_file(), code
        source = ""
        for file, test in re.findall(r"`((?:tests/(?:\w+/)+)?test_\w+\.py)?(?:::(\w+))?`", entry):
            if file:
                path = ROOT / (file if "/" in file else f"tests/core/{file}")
                assert path.is_file(), file
                source = path.read_text(encoding="utf-8")
            if test:
                assert f"def {test}" in source, f"{file}::{test}"
                named += 1
    assert named > 100
