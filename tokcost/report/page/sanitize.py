"""HTML from a notebook, by an allow-list: text, tables, lists, links, pictures inside the page. Nothing else comes through.

The page's security policy forbids scripts and requests once more; this also keeps what a notebook shows from posing as
the page around it: no first heading, no class or id of the page's own parts, no style that moves or hides anything.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection

import nh3
import tinycss2
from tinycss2.ast import QualifiedRule

INLINE = set("a abbr b bdi br cite code del dfn em i img ins kbd mark q s samp small span strong sub sup time u var wbr".split())
TAGS = INLINE | set(
    "blockquote caption col colgroup dd details div dl dt figcaption figure h2 h3 h4 h5 h6 hr li ol p pre rp rt ruby summary "
    "table tbody td tfoot th thead tr ul".split()
)
#: these go with what stands in them; of others the text stays
_WHOLE = set("applet embed frame frameset iframe math noembed noframes noscript object script style svg template title".split())
_ATTRIBUTES = {
    "*": {"class", "id", "style", "title", "lang", "role", "tabindex", "aria-label"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "time": {"datetime"},
}
#: properties that colour and align and can neither move, cover nor hide anything else
_PROPERTIES = {"background-color", "color", "font-style", "font-weight", "text-align", "text-decoration", "vertical-align", "white-space"}
_CLASSES = re.compile(
    r"scroll|figure|plain|formula|footnotes|number|tokcost|dataframe|"
    r"data|blank|index_name|(?:col|row)_heading|(?:row|col|level)\d+"
)
_VALUES = {
    "href": re.compile(r"(?:https?:|mailto:|#|[\w%.,+() -]+(?:#|\Z))[^\0]*", re.I),
    "src": re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[\w+/=\s]*", re.I),
    "role": re.compile(r"region|group"),
    "tabindex": re.compile(r"0"),
    "width": re.compile(r"\d{1,3}"),
    "height": re.compile(r"\d{1,3}"),
}
_STYLER_ID = re.compile(r"T_\w+")
#: `#T_1f3a2_row0_col1`, `#T_1f3a2 td`, `#T_1f3a2 th.col_heading`: the table itself and what is in it
_STYLER_SELECTOR = re.compile(r"#(T_\w+)(?:\s+[a-z]*(?:\.[\w-]+)?)*")
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.S | re.I)
_OPENS = re.compile(r"<(/?)[a-zA-Z]")
DEEPEST = 20_000
_NAMED = re.compile(r"<\s*([a-zA-Z][\w:-]*)")
_HANDLER = re.compile(r"<[^>]*[\s/\"']on\w+\s*=", re.I)


def sanitize(html: str, warn=lambda sentence: None, *, ids: Collection[str] = (), tags: Collection[str] = TAGS) -> str:
    """`html` with the allowed `tags` alone, every element closed; `warn` takes a sentence about each kind that is left out.

    `ids` are those that the page has given out; others are dropped, for a link must not be led astray.

    >>> sanitize('<b onclick="f()">b</b><script>f()</script><img alt="a" src="https://example.org/a.png">', print)
    left out of the page: <script>, code in attributes; a report holds text, tables, links and pictures, and runs nothing
    https://example.org/a.png is left out: a report loads nothing; show a picture as ![what it shows](file-beside-the-notebook.png)
    '<b>b</b><img alt="a">'
    """
    if _depth(html) > DEEPEST:  # the parser's time grows with the square of it
        warn(f"HTML with more than {DEEPEST:,} elements that are not closed again is left out")
        return ""
    sources: dict[str, None] = {}

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "class":
            return " ".join(word for word in value.split() if _CLASSES.fullmatch(word)) or None
        if name == "id":
            return value if value in ids or _STYLER_ID.fullmatch(value) else None
        if name == "style":
            return value if _is_local(value) else None
        if name in _VALUES and not _VALUES[name].fullmatch(value.strip()):
            if (tag, name) == ("img", "src"):
                sources[value] = None
            return None
        return value

    cleaned = nh3.clean(
        html,
        tags=set(tags),
        clean_content_tags=_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        filter_style_properties=_PROPERTIES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )
    gone = [f"<{name}>" for name in dict.fromkeys(name.lower() for name in _NAMED.findall(_STYLE.sub("", html))) if name not in TAGS]
    gone += ["code in attributes"] * bool(_HANDLER.search(html))
    if gone:
        warn(f"left out of the page: {', '.join(gone[:6])}; a report holds text, tables, links and pictures, and runs nothing")
    for source in sources:
        warn(f"{source} is left out: a report loads nothing; show a picture as ![what it shows](file-beside-the-notebook.png)")
    return cleaned


def _depth(html: str) -> int:
    """How many elements are open at once, at most; those that need no end counted too."""
    steps = (-1 if end else 1 for end in _OPENS.findall(html))
    return max(itertools.accumulate(steps), default=0)


def text_of(html: str) -> str:
    """What `html` says, as HTML text without any element."""
    return nh3.clean(html, tags=set(), clean_content_tags=_WHOLE)


def table_styles(html: str, warn) -> str:
    """The `<style>` of the tables that pandas styles: rules for the cells of such a table, of properties that only colour and align."""
    kept, n_dropped = [], 0
    for css in _STYLE.findall(html):
        for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
            is_rule = isinstance(rule, QualifiedRule)
            declarations = _declarations(rule) if is_rule else ""
            selectors = [part.strip() for part in tinycss2.serialize(rule.prelude).split(",")] if is_rule else []
            if declarations and all(_STYLER_SELECTOR.fullmatch(selector) for selector in selectors):
                kept.append(f"{','.join(selectors)}{{{declarations}}}")
            else:
                n_dropped += 1
    if n_dropped:
        warn(f"{n_dropped} rules of a <style> are left out: a report keeps colours and alignment of pandas' own styled tables")
    return f"<style>{''.join(kept)}</style>" if kept else ""


def _declarations(rule) -> str:
    found = tinycss2.parse_declaration_list(rule.content, skip_comments=True, skip_whitespace=True)
    pairs = [(d.lower_name, tinycss2.serialize(d.value).strip()) for d in found if d.type == "declaration"]
    return ";".join(f"{name}:{value}" for name, value in pairs if name in _PROPERTIES and value and _is_local(value))


def _is_local(css: str) -> bool:
    """Whether a declaration asks for nothing and hides nothing from this check."""
    return not re.search(r"[\\<>@]|/\*|\burl\b|image|expression", css, re.I)
