"""`report` and `diagnose`: what a sweep's curves and scores say."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ...._text import escape_control_characters
from ..app import Json, Name, Run, Uri, app, reading, tell, write


@app.command(no_args_is_help=True, short_help="Write a page with curves, charts and a diagnosis.")
def report(
    name: Name,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where to; else the sweep's name with .html.")
    ] = None,
    run: Run = None,
    tracking_uri: Uri = None,
) -> None:
    """Write a sweep's report: one page with curves, charts and a diagnosis, which needs no network.

    \b
    mlptune report cars                                 writes cars.html
    mlptune report cars -o reports/cars.html
    mlptune report cars --run 3f2a                      another launch

    A sweep that still runs has one too, of what there is so far. MLflow has it as the launch's artifact report.html.
    """
    path = out or Path(f"{name}.html")
    with reading(tracking_uri):
        from ...queries import report as report_of

        report_of(name, path, run=run, tracking_uri=tracking_uri, say=tell)
    write(f"wrote {escape_control_characters(shlex.quote(str(path)))}")


@app.command(no_args_is_help=True, short_help="Say in words what a sweep's curves show.")
def diagnose(name: Name, run: Run = None, tracking_uri: Uri = None, json: Json = False) -> None:
    """Say in words what a sweep's curves show, with the figures behind it and what to do next.

    \b
    mlptune diagnose cars
    mlptune diagnose cars --json | jq '.[].advice'
    mlptune diagnose cars --run 3f2a                    another launch
    """
    with reading(tracking_uri):
        from ...queries import diagnose as found_in

        findings = found_in(name, run=run, tracking_uri=tracking_uri, say=tell)
    from ..present import findings_text, strict_json, terminal_width

    if json:
        write(strict_json([vars(finding) for finding in findings]))
    else:
        write(findings_text(findings, terminal_width()))
