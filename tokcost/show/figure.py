"""A finished figure: a small, deterministic SVG with the sentence that says what it shows."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING, Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.text import Text

from tokcost.show.rows import with_rows
from tokcost.show.style import DARK, RC
from tokcost.show.text import plain, shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MplFigure

_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_COORDINATE = re.compile(r"-?\d+\.\d{3,}")


class Figure:
    """What Jupyter displays and a report embeds; `alt` states the figure's finding, `frame` holds the rows that it is drawn from."""

    def __init__(self, svg: str, alt: str):
        self.svg = svg
        self.alt = alt
        self.frame: pd.DataFrame | None = None

    def _repr_mimebundle_(self, include=None, exclude=None):
        return with_rows({"image/svg+xml": self.svg, "text/plain": self.alt}, self.frame)


@contextmanager
def drawing(n_rows: int = 1, n_columns: int = 1, **options: Any):
    """Axes in the house style, closed at the end so that nothing is shown twice: `with drawing() as (fig, ax):`."""
    with matplotlib.rc_context(RC):
        fig, axes = plt.subplots(n_rows, n_columns, layout="constrained", **options)
        try:
            yield fig, axes
        finally:
            plt.close(fig)


def finish(fig: MplFigure, alt: str) -> Figure:
    """The figure as SVG: text stays text to its last digit, coordinates to a hundredth of a point, no dates, no random ids.

    A colour that the dark page does not know is an error: it would vanish there.
    """
    if not alt.strip():
        raise ValueError("a figure needs alt text that states its finding")
    for text in fig.findobj(Text):
        if "&" in text.get_text():
            text.set_text(unescape(text.get_text()))  # an SVG's text is text: see `tokcost.show.text.literal`
    buffer = io.StringIO()
    with matplotlib.rc_context(RC):
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = shown(buffer.getvalue())
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<[^>]*>", lambda tag: " ".join(_COORDINATE.sub(_to_hundredths, tag.group()).split()), svg)
    svg = _same_ids_everywhere(svg)
    svg = re.sub(r" ?font-family: [^;\"]*;", "", svg)  # once at the root instead of with every word
    svg = re.sub(r"'DejaVu Sans'(?:, [^;\"]*)?", _FONTS, svg)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # shapes that others refer to are no groups
    svg = svg.replace("<svg ", f'<svg style="font-family: {_FONTS}" ', 1)
    svg = re.sub(r"\n\s*", "\n", svg)
    foreign = sorted(set(re.findall(r"#[0-9a-fA-F]{6}\b", svg)) - set(DARK))
    if foreign:
        raise ValueError(f"colour {foreign[0]} is not in tokcost.show.style.DARK: add it with its counterpart for dark pages")
    return Figure(svg, plain(alt))


def _same_ids_everywhere(svg: str) -> str:
    """Shapes that others refer to, renamed after the rounded picture and their place in it.

    Matplotlib names them after unrounded floats, whose last bit varies by processor. A page may hold several figures inline,
    so a place alone would clip one figure by another's frame.
    """
    shared = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    places = {name: str(n) for n, name in enumerate((name for name in re.findall(r'\bid="([^"]+)"', svg) if name in shared), start=1)}

    def renamed(prefix: str) -> str:
        return re.sub(r'(\bid="|url\(#|href="#)([^")]+)', lambda m: m[1] + (prefix + places[m[2]] if m[2] in places else m[2]), svg)

    return renamed(f"s{hashlib.sha256(renamed('s').encode()).hexdigest()[:8]}_")


def _to_hundredths(number: re.Match) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")
