"""The gallery's page: each picture with its charts and, where there is something to watch, a slider. It needs no network."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from .pictures import PICTURES, Map, Picture

SENTENCE = 40  # characters from which a cell of a table may wrap
STYLE = """
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; max-width: 860px; margin: 10px 0; }
.maps figure { position: relative; }
.maps canvas { width: 100%; height: auto; image-rendering: pixelated; border-radius: 6px; display: block; }
.slider { display: flex; gap: 12px; align-items: center; max-width: 520px; }
.slider input { flex: 1; accent-color: var(--best); }
.slider output { min-width: 90px; font-variant-numeric: tabular-nums; }
.charts figure { max-width: 620px; }
.plain { stroke-width: 2; }
.c0 { stroke: #d1480f; } .c1 { stroke: #1f6fb2; } .c2 { stroke: #1d7a46; } .c3 { stroke: #8a4fbe; } .c4 { stroke: #b58900; }
.c5 { stroke: #5d6b7a; }
"""


def gallery_html(say: Callable[[str], None] = lambda line: None) -> str:
    """Train all pictures and return their page; `say` is given the title of each before it is trained."""
    made: dict[str, Picture] = {}
    for number, (name, make) in enumerate(PICTURES.items(), 1):
        say(f"[{number}/{len(PICTURES)}] {name.replace('_', ' ')}")
        made[name] = make()
    return page(made)


def page(pictures: Mapping[str, Picture]) -> str:
    """The page of pictures that are trained already."""
    folder = files(__package__)
    script = folder.joinpath("page.js").read_text(encoding="utf-8")
    shared = folder.parent.joinpath("report", "page.css")  # type: ignore[attr-defined]
    style = shared.read_text(encoding="utf-8") + STYLE
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    links = "".join(f'<li><a href="#{name}">{escape(picture.title)}</a></li>' for name, picture in pictures.items())
    sections = "".join(_section(name, picture) for name, picture in pictures.items())
    maps = json.dumps(
        {name: [_map_data(m) for m in picture.maps] for name, picture in pictures.items() if picture.maps}
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Neural networks in pictures</title>'
        f"<style>{style}</style></head><body><h1>Neural networks in pictures</h1>"
        '<p class="lead">Each picture was trained a moment ago on this machine, its networks of one shape together as one stack. '
        f"The same command gives the same pictures.</p><ul>{links}</ul>{sections}"
        f'<script type="application/json" id="maps">{maps}</script><script>{script}</script></body></html>'
    )


def _section(name: str, picture: Picture) -> str:
    charts = "".join(f"<figure><h3>{escape(title)}</h3>{svg}</figure>" for title, svg in picture.charts)
    maps = "".join(
        f'<figure><h3>{escape(m.title)}</h3><canvas data-picture="{name}" data-map="{i}" role="img" '
        f'aria-label="{escape(m.title, quote=True)}"></canvas></figure>'
        for i, m in enumerate(picture.maps)
    )
    slider = ""
    if len(picture.steps) > 1:
        steps = escape(json.dumps(list(picture.steps)), quote=True)
        last = len(picture.steps) - 1
        slider = (
            f'<div class="slider"><input type="range" min="0" max="{last}" value="{last}" data-slider="{name}" '
            f'data-steps="{steps}" aria-label="step"><output>{escape(picture.steps[-1])}</output></div>'
        )
    table = ""
    if picture.table is not None:
        head, rows = picture.table
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        table = (
            f'<div class="wide"><table><tr>{"".join(f"<th>{escape(c)}</th>" for c in head)}</tr>{body}</table></div>'
        )
    maps = f'<div class="maps">{maps}</div>' if maps else ""
    charts = f'<div class="charts">{charts}</div>' if charts else ""
    about = f"<h2>{escape(picture.title)}</h2><p>{escape(picture.text)}</p>"
    return f'<section id="{name}">{about}{slider}{maps}{charts}{table}</section>'


def _cell(text: str) -> str:
    """A cell of a table; sentences may wrap."""
    kind = ' class="text"' if len(text) > SENTENCE else ""
    return f"<td{kind}>{escape(text)}</td>"


def _map_data(m: Map) -> dict[str, Any]:
    """Its frames as bytes, 0 to 255, in base64."""
    frames = [np.clip(np.nan_to_num(frame) * 255, 0, 255).astype(np.uint8) for frame in m.frames]
    return {
        "side": len(frames[0]),
        "size": m.size,
        "frames": [base64.b64encode(frame.tobytes()).decode() for frame in frames],
        "points": [list(point) for point in m.points],
    }
