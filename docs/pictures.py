"""Draw docs/pictures anew: the report, the terminal, MLflow's first page of a grid and the gallery, as a person sees them.

`python docs/pictures.py` runs small real sweeps in a temporary folder. It needs Chromium (Debian's package chromium) and Playwright
(`pip install "mlptune[pictures]"`). Each page is drawn at 1280 and at 400 pixels, MLflow's at 1280 alone. Look at what it has drawn
before you commit it.
"""

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console, RenderableType
from rich.text import Text

import mlptune
from mlptune.experiments.cli.live import LiveView
from mlptune.tracking.records import TrialRecord

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (1280, 400)
COLUMNS = 124
SWEEP = ["sweep", "--data", "sklearn:breast_cancer", "--target", "target", "--trials", "32"]
COLOURS = 64  # in a palette: a third of the bytes of full colour, and no eye sees it
# MLflow opens its assistant over a third of the page when a browser sees it for the first time; this is how its cross closes it.
CLOSED_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""
NINE = {
    "name": "nine",
    "data": {"source": "sklearn:digits", "validation": 0.2},
    "model": {"preset": "plain", "hidden": [32], "optimizer": "adamw", "epochs": 20},
    "space": {"learning_rate": [0.005, 0.001, 0.0001], "weight_decay": [0.0, 0.01, 0.1]},
    "search": {"method": "grid"},
    "objective": {"ensemble": 0},
}


class Halfway(LiveView):
    """The live view, which keeps what it showed when half of the trials were done."""

    shown: RenderableType = ""

    def trial_finished(self, trial: TrialRecord) -> None:
        super().trial_finished(trial)
        if self.info and self.count == f"{self.info.total // 2}/{self.info.total}":
            self.shown = self.render()


def mlptune_says(*arguments: str) -> str:
    """What the command writes on standard output."""
    command = [sys.executable, "-m", "mlptune", *arguments]
    environment = {**os.environ, "COLUMNS": str(COLUMNS)}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def draw(address: str, name: str, *, width: int, height: int, wait: float = 1.0) -> None:
    """A screenshot of a page, `wait` seconds after it has loaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script(CLOSED_ASSISTANT)
        page.goto(address)
        page.wait_for_timeout(1000 * wait)
        drawn = page.screenshot()
        browser.close()
    with Image.open(io.BytesIO(drawn)) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(PICTURES / f"{name}.png", optimize=True)


def draw_terminal(name: str, *parts: RenderableType) -> None:
    """What a terminal shows, drawn by rich from the real output, without the font that it would fetch."""
    console = Console(record=True, width=COLUMNS, force_terminal=True, color_system="truecolor", file=io.StringIO())
    for part in parts:
        console.print(part)
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="mlptune"), flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    width, height = (float(size) for size in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "terminal.html"
        page.write_text(f'<body style="margin:0">{svg}', encoding="utf-8")
        draw(page.as_uri(), name, width=1280, height=round(1280 * height / width))


@contextmanager
def served(name: str) -> Iterator[str]:
    """MLflow's UI over the store in this folder; the link that `mlptune ui` prints."""
    command = [sys.executable, "-m", "mlptune", "ui", name, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield next(re.search(r"http\S+", line)[0] for line in server.stdout if "learning curves" in line)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


def terminal() -> None:
    """The sweep of the report, while it runs and when it has ended."""
    with open(os.devnull, "w") as nowhere:
        view = Halfway(Console(file=nowhere, width=COLUMNS, height=24, force_terminal=True))
        mlptune.run_sweep(
            data="sklearn:breast_cancer",
            target="target",
            overrides={"search.trials": 32},
            workers=2,
            observer=view,
        )
    view.close()
    command = Text(" ".join(["$", "mlptune", *SWEEP]), style="bold")
    draw_terminal("terminal-running", command, view.shown)
    ended = mlptune_says(*SWEEP, "--resume")  # says again what the sweep said at its end
    draw_terminal("terminal", command, Text.from_ansi(ended))


def report() -> None:
    mlptune_says("report", "breast_cancer", "-o", "report.html")
    for width, height in zip(WIDTHS, (1100, 1100), strict=True):
        draw(Path("report.html").resolve().as_uri(), f"report-{width}", width=width, height=height)


def gallery() -> None:
    mlptune_says("gallery", "-o", "gallery.html")
    for width, height in zip(WIDTHS, (1100, 1100), strict=True):
        draw(Path("gallery.html").resolve().as_uri(), f"gallery-{width}", width=width, height=height)


def mlflow() -> None:
    mlptune.run_sweep(NINE, verbose=False)
    with served("nine") as link:
        # MLflow's pages are not made for 400 pixels: its menu takes half of them.
        draw(link, "mlflow-1280", width=1280, height=900, wait=20.0)


DRAWN = {"terminal": terminal, "report": report, "mlflow": mlflow, "gallery": gallery}


def main() -> None:
    """Draw all pictures, or those that are named; the report is that of the terminal's sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(DRAWN)}")
    parser.add_argument("--folder", type=Path, help="where the sweeps' store is kept, to draw single pictures again")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("there is no Chromium here (Debian's package chromium)")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.folder or Path(folder)
        place.mkdir(exist_ok=True)
        os.chdir(place)
        for name in arguments.names or DRAWN:
            DRAWN[name]()


if __name__ == "__main__":
    main()
