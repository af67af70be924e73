"""A finished figure: a small, deterministic SVG with the sentence that says what it shows."""

from __future__ import annotations

import functools
import hashlib
import inspect
import io
import os
import re
from collections.abc import Callable
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING, Any, ParamSpec

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.text import Text

from tokcost.show import draw, form
from tokcost.show.rows import ASKED, rows_drawn, with_rows
from tokcost.show.sentences import MIME
from tokcost.show.style import DARK, RC
from tokcost.show.svg import compact
from tokcost.show.text import plain, shown
from tokcost.show.ticks import remembered_ticks
from tokcost.show.values import Placed, axes_said, values_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MplFigure

_Arguments = ParamSpec("_Arguments")
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_COORDINATE = re.compile(r"-?\d+\.\d{3,}")


class Figure:
    """What Jupyter displays and a report embeds; `alt` states the figure's finding; a sketch may go without, and a report warns of it.

    `measure` says what its axes count, `values` what stands where in it; `narrow` is the same figure drawn for a
    phone, in a report only; `frame` holds the rows that it is drawn from.
    """

    def __init__(self, svg: str, alt: str, measure: str = "", values: list[Placed] | None = None):
        self.svg = svg
        self.alt = alt
        self.measure = measure
        self.values = values or []
        self.narrow: Figure | None = None
        self.frame: pd.DataFrame | None = None

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle: dict[str, Any] = {"image/svg+xml": self.svg} | ({"text/plain": self.alt} if self.alt else {})
        bundle = with_rows(bundle, self.frame, digits=6)  # more than any picture shows
        if self.narrow is None:
            return bundle
        places = [[*wide, *narrow[1:]] for wide, narrow in zip(self.values, self.narrow.values, strict=True)]
        return {**bundle, MIME: {"kind": "figure", "narrow": self.narrow.svg, "measure": self.measure, "values": places}}


def chart(plot: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """A function that draws a figure, which keeps the rows that it was drawn from; where a report asks, it is drawn for a phone too."""
    signature = inspect.signature(plot)

    @functools.wraps(plot)
    def drawn(*args: _Arguments.args, **options: _Arguments.kwargs) -> Figure:
        figure = plot(*args, **options)
        if ASKED in os.environ:
            with form.narrow():
                figure.narrow = plot(*args, **options)
        figure.frame = rows_drawn(signature.bind(*args, **options).arguments)
        return figure

    return drawn


@contextmanager
def drawing(n_rows: int = 1, n_columns: int = 1, *, height: float, **options: Any):
    """Axes in the house style, closed at the end so that nothing is shown twice: `with drawing(height=3.5) as (fig, ax):`.

    `height` is in inches. Panels beside each other stand below each other in a figure for a phone, each as high.
    """
    if form.is_narrow() and n_rows == 1 and n_columns > 1:
        n_rows, n_columns, height = n_columns, 1, height * n_columns
    with matplotlib.rc_context(RC):
        fig, axes = plt.subplots(n_rows, n_columns, layout="constrained", figsize=(form.width_in(), height), **options)
        try:
            yield fig, axes
        finally:
            plt.close(fig)


def finish(fig: MplFigure, alt: str, title: str = "", below: str = "") -> Figure:
    """The figure as SVG, under a heading: text stays text to its last digit, shapes to a tenth of a point, no dates, no random ids.

    A colour that the dark page does not know is an error: it would vanish there.
    """
    draw.heading(fig, title, below)
    for text in fig.findobj(Text):
        if "&" in text.get_text():
            text.set_text(unescape(text.get_text()))  # an SVG's text is text: see `tokcost.show.text.literal`
    measure, values = axes_said(fig), values_of(fig)
    form.fold(fig)
    with matplotlib.rc_context(RC):
        svg = shown(_Canvas(fig).written())
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<[^>]*>", lambda tag: " ".join(_COORDINATE.sub(_to_hundredths, tag.group()).split()), svg)
    svg = _same_ids_everywhere(svg)
    svg = re.sub(r" ?font-family: [^;\"]*;", "", svg)  # once at the root instead of with every word
    svg = re.sub(r"'DejaVu Sans'(?:, [^;\"]*)?", _FONTS, svg)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # shapes that others refer to are no groups
    svg = svg.replace("<svg ", f'<svg style="font-family: {_FONTS}" ', 1)
    svg = compact(re.sub(r"\n\s*", "\n", svg))
    foreign = sorted(set(re.findall(r"#[0-9a-fA-F]{6}\b", svg)) - set(DARK))
    if foreign:
        raise ValueError(f"colour {foreign[0]} is not in tokcost.show.style.DARK: add it with its counterpart for dark pages")
    return Figure(svg, plain(alt), measure, [value.placed() for value in values])


class _Canvas(FigureCanvasSVG):
    """Lays a figure out once and writes it, both by one renderer: Matplotlib remembers the widths of words by renderer.

    `savefig` makes a new renderer to find the places of everything and another to draw, and each measures every word anew.
    """

    def __init__(self, fig: MplFigure):
        super().__init__(fig)  # becomes the canvas of the figure
        fig.dpi = self.fixed_dpi
        self._buffer = io.StringIO()
        width, height = fig.get_size_inches() * self.fixed_dpi
        self._renderer = RendererSVG(width, height, self._buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})

    def get_renderer(self) -> RendererSVG:
        """By which a layout measures."""
        return self._renderer

    def written(self) -> str:
        """The SVG as Matplotlib writes it."""
        with remembered_ticks(self.figure):
            if (engine := self.figure.get_layout_engine()) is not None:
                engine.execute(self.figure)
                self.figure.set_layout_engine(None)
            self.figure.draw(self._renderer)
        self._renderer.finalize()
        return self._buffer.getvalue()


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
