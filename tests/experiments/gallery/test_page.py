"""The gallery's page: everything is in it, and its slider draws in a real browser."""

import re
from pathlib import Path

import numpy as np

from mlptune.experiments.gallery.page import page
from mlptune.experiments.gallery.pictures import Map, Picture
from tests.support.browser import in_browser

FRAMES = [np.full((4, 4), value) for value in (0.0, 1.0)]
MADE = {
    "one": Picture("First & <b>", "Text", charts=[("chart", "<svg></svg>")], table=(["a"], [["<i>"]])),
    "two": Picture("Second", "Text", maps=[Map("m", FRAMES, [(0.5, 0.5, 1)])], steps=["epoch 0", "epoch 1"]),
}


def test_texts_are_escaped_and_nothing_is_loaded() -> None:
    made = page(MADE)
    assert "First &amp; &lt;b&gt;" in made
    assert "<td>&lt;i&gt;</td>" in made
    assert all(link.startswith("#") for link in re.findall(r"""(?:src|href)=["']?([^"'> ]*)""", made))


def test_the_slider_moves_the_map(tmp_path: Path) -> None:
    """The middle of the first frame is blue, that of the second is red."""
    probe = """
const slider = document.querySelector("[data-slider]"), canvas = document.querySelector("canvas");
const red = () => canvas.getContext("2d").getImageData(1, 1, 1, 1).data[0];
const found = [red()];
slider.value = 0;
slider.dispatchEvent(new Event("input"));
document.title = [...found, red(), slider.nextElementSibling.textContent].join(" ");
"""
    made = re.sub(r"<meta http-equiv=[^>]*>", "", page(MADE)).replace("</script></body>", f"{probe}</script></body>")
    assert "<title>209 31 epoch 0</title>" in in_browser(made, tmp_path)
