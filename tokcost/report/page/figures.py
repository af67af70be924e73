"""Figures inside the page: an SVG that follows the reader's light or dark preference, as an `<img>` with its alt text."""

from __future__ import annotations

import base64
import json
import re
from html import escape

from tokcost.report.page import pictures
from tokcost.report.page.contents import MIME
from tokcost.show.text import visible

#: where the narrow form of a figure is shown
PHONE = "screen and (max-width:36rem)"
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_PAINTS = ("fill", "stroke", "stop-color")
_PAINTED = re.compile(rf'\b({"|".join(_PAINTS)})="(#[0-9a-f]{{6}})"', re.I)


def palette() -> dict[str, str]:
    """Colour on a light page -> colour on a dark page, as the notebooks' figures are drawn."""
    from tokcost.show.style import DARK

    return DARK


def themed(svg: str, dark: dict[str, str]) -> str:
    """`svg` with the colours of `dark` as variables that the reader's preference sets; other colours stay.

    The figure brings its own paper, so that a browser that ignores the preference inside images still shows it legibly.

    >>> 'var(--c000000)' in themed('<svg><path style="fill: #000000"/></svg>', {"#000000": "#ffffff"})
    True
    """
    paper = {"#ffffff": dark.get("#ffffff", "#11161c")}
    known = {light.lower(): shade for light, shade in {**dark, **paper}.items()}
    used = sorted({colour.lower() for colour in _HEX.findall(svg)} & set(known) | set(paper))

    def variable(match):
        colour = match.group().lower()
        return f"var(--c{colour[1:]})" if colour in known else match.group()

    body = re.sub(r'(?<=style=")[^"]*|(?<=<style type="text/css">)[^<]*|(?<=<style>)[^<]*', lambda m: _HEX.sub(variable, m.group()), svg)
    # A colour given as an attribute cannot hold a variable; a rule for the attribute can.
    painted = {(paint.lower(), colour.lower()) for paint, colour in _PAINTED.findall(svg)}
    attributes = "".join(
        f'[{paint}="{colour}" i]{{{paint}:var(--c{colour[1:]})}}' for colour in used for paint in _PAINTS if (paint, colour) in painted
    )
    light = "".join(f"--c{c[1:]}:{c};" for c in used)
    shades = "".join(f"--c{c[1:]}:{known[c]};" for c in used)
    night = f"@media screen and (prefers-color-scheme:dark){{svg{{{shades}}}}}"
    style = f"<style>svg{{{light}background:var(--cffffff)}}{night}{attributes}</style>"
    opening = re.search(r"<svg\b[^>]*>", body)
    if opening is None:
        return svg
    return body[opening.start() : opening.end()] + style + body[opening.end() :]


def figure(data: dict, dark: dict[str, str], warn, *, number: int, take: str = "") -> str:
    """The HTML of an output that is a picture; alt text is the output's own plain text.

    A figure that was drawn for a phone as well shows that form there, and tells its values where a reader points; another
    keeps a legible size on a phone and scrolls, also with the keyboard. `take` is a link to its rows.
    """
    alt = visible("".join(data.get("text/plain", "")))
    if not alt or re.fullmatch(r"<.*>", alt):
        warn("a figure has no alt text: readers who cannot see it learn nothing from it")
        alt = ""
    more, narrow, kinds = data.get(MIME, {}), "", ["wide"]
    try:
        if "image/svg+xml" in data:
            source = _as_data("".join(data["image/svg+xml"]), dark)
            if more:
                narrow, kinds = f'<source media="{PHONE}" srcset="{_as_data(more["narrow"], dark)}">', []
        else:
            mime = next(m for m in ("image/png", "image/jpeg") if m in data)
            source, kinds = pictures.as_data(base64.b64decode("".join(data[mime]))), ["wide", "card"]
    except ValueError as reason:
        warn(f"a picture that a cell made is left out: {reason}")
        return f"<p><em>{escape(alt)}</em></p>"
    attributes = [f'class="{" ".join(kinds)}"'] if kinds else []
    if more.get("values"):
        attributes.append(f"data-values='{escape(json.dumps(more['values'], separators=(',', ':')))}'")
    said = [f"<b>Figure {number}.</b>", (measure := escape(visible(more.get("measure", "")))) and f"{measure}.", take]
    caption = f"<figcaption>{' '.join(filter(None, said))}</figcaption>"
    picture = f'<picture>{narrow}<img alt="{escape(alt)}" src="{source}"></picture>'
    return f'<figure id="figure-{number}" aria-label="Figure {number}" tabindex="0" {" ".join(attributes)}>{picture}{caption}</figure>'


def _as_data(svg: str, dark: dict[str, str]) -> str:
    """A picture as the address of its own content."""
    return "data:image/svg+xml;base64," + base64.b64encode(themed(pictures.safe_svg(svg), dark).encode()).decode("ascii")
