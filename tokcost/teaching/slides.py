"""Slides in one file: the text of `teaching/slides.md`, with figures and sentences out of the notebooks as they are stored."""

from __future__ import annotations

import base64
import functools
import re
from html import escape
from typing import Any

import nbformat

from tokcost.errors import InputError
from tokcost.paths import NOTEBOOKS, TEACHING

#: between two slides, and before what the speaker says
_BREAK, _NOTES = re.compile(r"^---\n", re.M), re.compile(r"^Say:\n", re.M)


def slides_html() -> str:
    """The slides as a page that stands alone: no network, one slide a page in print, with the notes below it.

    Raises: InputError where the text asks for what no notebook says.
    """
    import mistune
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEACHING), undefined=StrictUndefined, autoescape=False)
    text = environment.get_template("slides.md").render(figure=figure, said=said, answer=answer)
    markdown = mistune.create_markdown(escape=False, plugins=["table"])
    slides = []
    for part in _BREAK.split(text):
        shown, *notes = _NOTES.split(part, maxsplit=1)
        slides.append({"shown": markdown(shown), "notes": markdown("".join(notes))})
    title = re.search(r"^# (.+)$", text, re.M)
    return environment.get_template("slides.html.j2").render(slides=slides, title=title[1] if title else "Slides")


def figure(number: str, begins: str) -> str:
    """The figure of a notebook whose alt text begins so, as a picture.

    Raises: InputError where the notebook has no such figure.
    """
    for cell in _notebook(number).cells:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            alt = "".join(data.get("text/plain", ""))
            if "image/svg+xml" in data and alt.startswith(begins):
                picture = base64.b64encode("".join(data["image/svg+xml"]).encode("utf-8")).decode("ascii")
                img = f'<img src="data:image/svg+xml;base64,{picture}" alt="{escape(" ".join(alt.split()))}">'
                return f'<div class="figure" tabindex="0">{img}</div>'
    raise InputError(f"slides.md: notebook {number} has no figure whose alt text begins with `{begins}`; look at its stored outputs")


def said(number: str, begins: str) -> str:
    """The sentence of a notebook that begins so, with today's numbers."""
    for text in _sentences(number):
        if text.startswith(begins):
            return text
    raise InputError(f"slides.md: notebook {number} says nothing that begins with `{begins}`; look at its stored outputs")


def answer(number: str) -> str:
    """The answer of a notebook: its first line."""
    return said(number, "**Answer.**").splitlines()[0].removeprefix("**Answer.** ")


def _sentences(number: str) -> list[str]:
    outputs = (output for cell in _notebook(number).cells for output in cell.get("outputs", []))
    return ["".join(output.data["text/markdown"]).replace(r"\$", "$") for output in outputs if "text/markdown" in output.get("data", {})]


@functools.cache
def _notebook(number: str) -> Any:
    (path,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    return nbformat.read(path, as_version=4)
