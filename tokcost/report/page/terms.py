"""The first use of each term of a page: marked as a definition that a pointer, a key or a finger brings up, without a script."""

from __future__ import annotations

import functools
import re
from html import escape

from tokcost.glossary import Term, terms

_TAGS = re.compile(r"""(<(?:[^<>"']|"[^"]*"|'[^']*')*>)""")
_NAME = re.compile(r"</?([a-zA-Z][\w-]*)")
_BODY = re.compile(r"(<main\b[^>]*>)(.*)(</main>)", re.S)
#: text that a reader reads, and what in it is something else already: a link, code, a heading, a formula
_READ, _TAKEN = {"p", "li", "dt"}, {"a", "code", "pre", "button", "summary", "math", "figure", "h2", "h3", "h4", "h5", "h6", "table"}
_VOID = {"br", "hr", "img", "wbr", "col"}


def marked(page: str, glossary: str = "") -> str:
    """`page` with a definition at the first use of each term in its main part; `glossary` is the address of the page of all terms.

    >>> shown = marked('<main><h2>TTFT</h2><p>TTFT is <code>TTFT</code>, and TTFT.</p></main>')
    >>> shown.count("<dfn>"), "<p><dfn><button" in shown, shown.count('popover id="term:ttft"')
    (1, True, 1)
    """
    found = _BODY.search(page)
    if not found:
        return page
    used: dict[str, Term] = {}
    open_, parts = [], _TAGS.split(found[2])
    for place, part in enumerate(parts):
        if place % 2:
            name = _NAME.match(part)
            if name and part.startswith("</"):
                while open_ and open_.pop() != name[1].lower():
                    pass
            elif name and name[1].lower() not in _VOID and not part.endswith("/>"):
                open_.append(name[1].lower())
        elif _READ.intersection(open_) and not _TAKEN.intersection(open_):
            parts[place] = _any_form().sub(lambda word: _first(word, used), part)
    notes = "".join(_note(term, glossary) for term in used.values())
    return page[: found.end(2) - len(found[2])] + "".join(parts) + notes + page[found.end(2) :]


def place(term: Term) -> str:
    """The id of a term, which no heading can have."""
    return "term:" + re.sub(r"\W+", "-", term.name.casefold())


@functools.cache
def _forms_of() -> dict[str, Term]:
    return {form: term for term in terms().values() for form in (term.name, *term.also)}


@functools.cache
def _any_form() -> re.Pattern:
    """Every form of every term as a word of its own, the longest first; a form in lower case also begins a sentence."""

    def either(form: str) -> str:
        return re.escape(form) if form != form.lower() else f"(?i:{re.escape(form)})"

    longest_first = sorted(_forms_of(), key=len, reverse=True)
    return re.compile(r"(?<![\w&#/-])(?:" + "|".join(map(either, longest_first)) + r")(?![\w/-])")


def _first(word: re.Match, used: dict[str, Term]) -> str:
    term = _forms_of().get(word[0]) or _forms_of()[word[0].lower()]
    if term.name in used:
        return word[0]
    used[term.name] = term
    meaning = escape(term.definition)
    return f'<dfn><button type="button" popovertarget="{place(term)}" title="{meaning}">{word[0]}</button></dfn>'


def _note(term: Term, glossary: str) -> str:
    more = f' <a href="{glossary}#{place(term)}">Glossary</a>' if glossary else ""
    return f'<div class="meaning" popover id="{place(term)}"><p><b>{escape(term.name)}</b> {escape(term.definition)}{more}</p></div>\n'
