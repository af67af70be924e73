"""Text from outside as text: a name out of a file, a path, a label, a note is shown as it is and never read as markup."""

from __future__ import annotations

import re
from html import unescape

#: what no page and no log shows as itself: controls, halves of characters, marks that turn the direction of what follows
_UNSHOWN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
#: within a line; to Markdown an underscore between letters is none, nor is an ampersand alone
_MARKUP = re.compile(r"[\\`*\[\]$|~<>]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_])")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
#: at the begin of a line: list, heading, rule, definition
_OPENING = re.compile(r"\A(?:[-+=#:]+(?=\s|\Z)|\d+(?=[.)](?:\s|\Z)))")


def literal(value: object) -> str:
    """`value` as text within a sentence: what Markdown and HTML would take for markup becomes a character reference.

    For every word of a sentence, caption, title or alt text that comes from a file, a path, a data table or a parameter.

    >>> literal("org/*my*_model_<b>x [a](b)")
    'org/&#42;my&#42;&#95;model&#95;&lt;b&gt;x &#91;a&#93;(b)'
    >>> literal("meta-llama/Llama-3.1-8B"), literal("two\\n\\n# lines")
    ('meta-llama/Llama-3.1-8B', 'two # lines')
    """
    text = _MARKUP.sub(lambda found: _reference(found.group()), visible(value))
    return _OPENING.sub(lambda found: "".join(map(_reference, found.group())), text)


def plain(sentence: str) -> str:
    """A sentence for a place that knows no markup (alt text, title, log): `literal` taken back, one line, nothing unseen.

    >>> plain(literal("a_<b>$"))
    'a_<b>$'
    """
    return visible(unescape(sentence))


def visible(value: object) -> str:
    """`value` in one line, with a mark in the place of each character that would not be seen."""
    return " ".join(shown(str(value)).split())


def shown(text: str) -> str:
    """`text`, lines and all, with a mark in the place of each character that would not be seen."""
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)


def _reference(character: str) -> str:
    return _NAMED.get(character, f"&#{ord(character)};")
