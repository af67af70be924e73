"""Pictures for a page: files beside the notebook, known by their content, and SVG without anything that runs or loads."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

LARGEST_PICTURE_BYTES = 5_000_000

#: how a file of each kind begins
_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.S),
}
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DRAWS = set(
    "svg g a defs desc title style path rect circle ellipse line polyline polygon text tspan textPath use symbol image marker mask "
    "clipPath pattern linearGradient radialGradient stop switch filter feGaussianBlur feOffset feBlend feMerge feMergeNode feFlood "
    "feComposite feColorMatrix feDropShadow".split()
)
_LOCAL = re.compile(r"#[^\s]*|data:image/(?:png|jpeg|gif|webp);base64,[\w+/=\s]*", re.I)
_ASKS = re.compile(r"@import|\\|url\(\s*[\"']?\s*(?!#|[\"'\s])", re.I)


class NoPicture(ValueError):
    """Why a picture is not shown, as the end of a sentence."""


def beside(folder: Path | None, name: str) -> str:
    """The picture file `name` in the `folder` of a notebook, or below, as a data URI."""
    try:
        if folder is None or urlsplit(name).scheme or urlsplit(name).netloc:
            raise NoPicture("a report loads nothing; put the file beside the notebook")
        path, home = (folder / name).resolve(strict=True), folder.resolve()
        status = path.stat()
        if not path.is_relative_to(home):
            raise NoPicture("the file is not in the folder of the notebook; put it there")
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_PICTURE_BYTES:
            raise NoPicture(f"it is no file of at most {LARGEST_PICTURE_BYTES:,} bytes; make it smaller")
        content = path.read_bytes()
    except NoPicture:
        raise
    except (OSError, ValueError, RuntimeError):  # not there, no name of a file, links in a circle
        raise NoPicture("there is no such file beside the notebook") from None
    return as_data(content)


def as_data(content: bytes) -> str:
    """A picture as a data URI; its content says what it is."""
    for kind, signature in _SIGNATURES.items():
        if signature.match(content):
            return f"data:{kind};base64," + base64.b64encode(content).decode("ascii")
    svg = safe_svg(content.decode("utf-8", "replace"))
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def safe_svg(text: str) -> str:
    """An SVG with only what draws: no script, no handler, no address outside the picture.

    >>> safe_svg('<svg xmlns="http://www.w3.org/2000/svg" onload="f()"><script>f()</script><path d="M0 0"/></svg>')
    '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0" /></svg>'
    """
    if "<!ENTITY" in text or "<!entity" in text:
        raise NoPicture("an SVG that defines entities is not shown")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise NoPicture("its content is no PNG, JPEG, GIF, WebP or SVG") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise NoPicture("its content is no PNG, JPEG, GIF, WebP or SVG")
    stack = [root]
    while stack:
        element = stack.pop()
        for child in list(element):
            if not isinstance(child.tag, str) or child.tag.removeprefix(f"{{{_SVG}}}") not in _DRAWS:
                element.remove(child)
            else:
                stack.append(child)
        for name, value in list(element.items()):
            bare = name.rpartition("}")[2].lower()
            if bare.startswith("on") or (bare in ("href", "src") and not _LOCAL.fullmatch(value.strip())) or _ASKS.search(value):
                del element.attrib[name]
        if element.tag.endswith("style") and element.text and _ASKS.search(element.text):
            element.text = ""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    try:
        return ElementTree.tostring(root, encoding="unicode")
    except RecursionError:
        raise NoPicture("its parts are nested too deep") from None
