"""Where the numbers come from, as the foot of a page lists it: by publisher, each licence and each attribution once."""

from __future__ import annotations

import itertools
from html import escape

from tokcost import quantities


def by_publisher(sources: list[dict]) -> list[tuple[str, list[dict]]]:
    """The sources of each publisher, publishers in alphabetical order, each source with its locator as HTML
    and its grade in words.

    >>> [(name, len(group)) for name, group in by_publisher([{"publisher": p, "locator": ""} for p in ("NVIDIA", "AWS", "NVIDIA")])]
    [('AWS', 1), ('NVIDIA', 2)]
    """

    def publisher(source: dict) -> str:
        return source["publisher"]

    ordered = sorted(sources, key=lambda source: (publisher(source).casefold(), publisher(source)))
    shown = [{**s, "locator": locator(s["locator"]), "grade": quantities.GRADES.get(s.get("grade", ""), "")} for s in ordered]
    return [(name, list(group)) for name, group in itertools.groupby(shown, key=publisher)]


def licences(sources: list[dict]) -> list[tuple[str, list[str], list[str]]]:
    """Each licence once, the most frequent first: its words, the titles under it, the attributions that it asks for.

    >>> licences([{"licence": "CC-BY-4.0", "title": "A", "attribution": "By A."}, {"licence": "CC-BY-4.0", "title": "B"}])
    [('CC-BY-4.0', ['A', 'B'], ['By A.'])]
    """
    under: dict[str, list[dict]] = {}
    for source in sources:
        if source.get("licence"):
            under.setdefault(source["licence"], []).append(source)
    return [
        (licence, [s["title"] for s in group], list(dict.fromkeys(s["attribution"] for s in group if s.get("attribution"))))
        for licence, group in sorted(under.items(), key=lambda item: -len(item[1]))
    ]


def locator(text: str) -> str:
    """Where in a source, as HTML: addresses are links, the words between them are set apart, a run at a time.

    >>> locator("https://example.org/a (row 3, h200)")
    '<a href="https://example.org/a">https://example.org/a</a> <span class="locator">(row 3, h200)</span>'
    """
    parts = []
    for is_address, words in itertools.groupby(text.split(), key=lambda word: word.startswith(("https://", "http://"))):
        shown = [escape(word) for word in words]
        parts += [f'<a href="{word}">{word}</a>' for word in shown] if is_address else [f'<span class="locator">{" ".join(shown)}</span>']
    return " ".join(parts)
