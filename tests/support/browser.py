"""A real browser, where there is one."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def in_browser(page: str, folder: Path, *, hurried: bool = True) -> str:
    """What a browser makes of a page, once its scripts have run; `hurried` lets its clock run ahead instead of waiting."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here (Debian's package chromium)")
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    clock = ["--virtual-time-budget=2000"] if hurried else []
    command = [CHROMIUM, *options, *clock, "--dump-dom", file.as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
