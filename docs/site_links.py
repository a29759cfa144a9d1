"""The links of the pages, so that the same files are right on a code host and in the site that `make docs` builds.

On a code host a page may link to any file of the repository. In the site a folder of pages becomes its README, pages of the
root are pages too, and a link to a source file is its text alone. What a link names must exist, in both.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FROM_ROOT = ("CONTRIBUTING.md", "CHANGELOG.md")  # pages of the root that the site has too
log = logging.getLogger("mkdocs.hooks.site_links")

_FENCED = re.compile(r"(^```.*?^```$)", flags=re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def sources() -> list[Path]:
    """The files that are pages of the site."""
    return sorted(DOCS.rglob("*.md")) + [ROOT / name for name in FROM_ROOT]


def targets(page: Path) -> list[Path]:
    """What the page's relative links name, pictures left out."""
    return [
        (page.parent / address).resolve()
        for _, address, _ in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    ]


def for_the_site(text: str, page: Path, missing: Callable[[str], None]) -> str:
    """The page's Markdown with links that are right in the site; `missing` hears of what does not exist."""

    def rewritten(link: re.Match[str]) -> str:
        words, address, anchor = link.groups()
        target = (page.parent / address).resolve()
        if not target.exists():
            missing(f"{page.relative_to(ROOT)} links to '{address}', which does not exist")
            return link[0]
        place = _place(target)
        return (
            words
            if place is None
            else f"[{words}]({os.path.relpath(place, _place(page.parent / page.name).parent)}{anchor or ''})"
        )

    parts = _FENCED.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(rewritten, part) for part in parts)


def _place(target: Path) -> Path | None:
    """Where the site has it, from the site's root; None for what is no page of it."""
    if target.is_dir():
        target = target / "README.md"
    if target.parent == ROOT and target.name in FROM_ROOT:
        return Path(target.name)
    return (
        target.relative_to(DOCS) if target.is_relative_to(DOCS) and target.suffix == ".md" and target.exists() else None
    )


def on_files(files: Any, config: Any) -> Any:
    """MkDocs asks which files there are."""
    from mkdocs.structure.files import File

    for name in FROM_ROOT:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """MkDocs asks for a page's Markdown."""
    return for_the_site(markdown, Path(page.file.abs_src_path), log.warning)
