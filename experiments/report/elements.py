"""The elements that the report is built of: sections, figures, tables; every text is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape


def table(names: Sequence[str], rows: Iterable[tuple[int | None, Sequence[str]]], text: Sequence[str] = ()) -> str:
    """A table; rows that belong to a trial come with its number, and columns named in `text` may wrap."""
    css = [' class="text"' if name in text else "" for name in names]
    head = "".join(f"<th>{escape(name).replace('_', '_<wbr>')}</th>" for name in names)  # on paper it may break there
    body = "".join(
        f"<tr{'' if number is None else f' data-trial={number}'}>"
        f"{''.join(f'<td{style}>{escape(cell)}</td>' for style, cell in zip(css, cells, strict=True))}</tr>"
        for number, cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def section(title: str, body: str, note: str = "") -> str:
    """A section of the page with a remark below its title; nothing where its body, which is HTML, is empty."""
    about = f'<p class="quiet">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{about}{body}</section>" if body else ""


def side_by_side(figures: Sequence[str], *, small: bool = False) -> str:
    """Figures beside each other, as many as the screen has room for."""
    found = "".join(figures)
    return f'<div class="charts{" small" if small else ""}">{found}</div>' if found else ""


def figure(title: str, svg: str, note: str = "") -> str:
    """A picture with its title and a remark below it."""
    head, foot = (
        (f"<h3>{escape(title)}</h3>" if title else ""),
        (f"<figcaption>{escape(note)}</figcaption>" if note else ""),
    )
    return f"<figure>{head}{svg}{foot}</figure>"


def sentence(text: str) -> str:
    """A text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
