"""Ctrl-C while the commands are being imported ends the program at once, without a traceback."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlptune.experiments.cli.early_interrupt import exit_on_interrupt, restore_interrupt

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("module", "last"),
    [
        ("typer", "interrupted"),
        ("mlptune.experiments.cli.commands.sweeping", "interrupted"),
        ("loky", "  mlptune sweep digits --resume"),
    ],
)
def test_ctrl_c_while_the_command_is_loaded(module: str, last: str, tmp_path: Path) -> None:
    program = f"""
import signal, sys
class Presses:
    def find_spec(self, name, *_):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Presses())
signal.signal(signal.SIGINT, signal.default_int_handler)
from mlptune.experiments.cli import main
main()
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, "sweep", "digits"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 130, ran.stderr
    assert ran.stderr.splitlines()[-1] == last
    assert "Traceback" not in ran.stderr


def test_it_ends_the_program_also_where_python_drops_exceptions() -> None:
    program = """
from mlptune.experiments.cli.early_interrupt import exit_on_interrupt
from tests.support.processes import SwallowedCtrlC
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
with exit_on_interrupt():
    SwallowedCtrlC()
print("still here")
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "interrupted\n")


@pytest.mark.usefixtures("plain_handlers")
def test_ctrl_c_is_an_exception_again_for_a_command_and_afterwards() -> None:
    with exit_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        restore_interrupt()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(ImportError), exit_on_interrupt():
        raise ImportError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("plain_handlers")
def test_a_program_with_a_handler_of_its_own_keeps_it() -> None:
    def own(*_: object) -> None: ...

    signal.signal(signal.SIGINT, own)
    with exit_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is own
        restore_interrupt()
        assert signal.getsignal(signal.SIGINT) is own
    assert signal.getsignal(signal.SIGINT) is own
