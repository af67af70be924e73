"""HTML from a notebook, made inert: nothing in it runs, and nothing in it is asked for from anywhere.

The page's security policy already forbids both; this takes out what would leave a hole in the page, and says so.
"""

from __future__ import annotations

import re

_RUNS = re.compile(r"<(script|iframe|object|applet|noscript)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
_ASKS = re.compile(r"</?(?:script|iframe|frame|frameset|object|applet|embed|link|meta|base|portal)\b[^>]*>", re.I)
_TAG = re.compile(r"""<([a-zA-Z][\w:-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(r"""\s+([^\s=>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style\s*>|\Z)", re.S | re.I)
_IMPORT = re.compile(r"@import\b[^;]*;?", re.I)
_URL = re.compile(r"""url\(\s*(["']?)(?!["']?(?:data:|\#))[^)]*\)""", re.I)

#: attributes by which a page loads something; on a link, href only leads somewhere
_SOURCES = {"src", "srcset", "poster", "data", "background", "action", "formaction", "ping", "xlink:href", "href"}


def inert(html: str, warn) -> str:
    """`html` without scripts, frames, and sources that are not inside the page; `warn` takes a sentence about each kind.

    >>> inert('<b onclick="f()">b</b><script>f()</script><img alt="a" src="https://example.org/a.png">', print)
    a script, frame or object is left out: nothing runs in a report, and what it would have shown is missing
    https://example.org/a.png is left out: a report loads nothing; show a picture as ![what it shows](file-beside-the-notebook.png)
    '<b>b</b><img alt="a">'
    """
    without = _ASKS.sub("", _RUNS.sub("", html))
    removed = without != html
    dropped: list[str] = []

    def attribute(tag: str, match) -> str:
        nonlocal removed
        name, value = match[1].lower(), (match[2] or "").strip("\"'").strip()
        if name.startswith("on") or re.match(r"(?:java|vb)script:", re.sub(r"\s", "", value), re.I):
            removed = True
            return ""
        is_link = tag in ("a", "area") and name in ("href", "xlink:href")
        if name in _SOURCES and not is_link and not value.startswith(("data:", "#")):
            dropped.append(value)
            return ""
        return _styled(match[0], dropped) if name == "style" else match[0]

    def opened(match) -> str:
        tag = match[1].lower()
        return f"<{match[1]}{_ATTRIBUTE.sub(lambda found: attribute(tag, found), match[2])}>"

    without = _TAG.sub(opened, without)
    without = _STYLE.sub(lambda m: m[1] + _styled(m[2], dropped) + m[3], without)
    if removed:
        warn("a script, frame or object is left out: nothing runs in a report, and what it would have shown is missing")
    for source in dict.fromkeys(dropped):
        warn(f"{source} is left out: a report loads nothing; show a picture as ![what it shows](file-beside-the-notebook.png)")
    return without


def _styled(css: str, dropped: list[str]) -> str:
    def gone(match) -> str:
        dropped.append(match[0])
        return "none" if match[0][:3].lower() == "url" else ""

    return _URL.sub(gone, _IMPORT.sub(gone, css))
