r"""Markdown as a report shows it: formulas as MathML, dollars as dollars, links that still lead somewhere.

>>> Prose().html("It costs $4.35, not $15,667.").strip()
'<p>It costs $4.35, not $15,667.</p>'
>>> "<math" in Prose().html(r"so $c = r / t$")
True
"""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mistune
from latex2mathml.converter import convert
from mistune.util import striptags

from tokcost.parameters.hints import cut
from tokcost.report.page import pictures
from tokcost.report.page.sanitize import INLINE, TAGS, sanitize, text_of
from tokcost.show.text import plain, shown

# A formula opens with `$` before something that can start one and closes with `$` after something that can end one;
# no digit follows (that is the next amount), no letter or digit precedes (US$).
_INLINE = (
    r"\$\$(?P<display_tex>(?:[^$\\]|\\.)+?)\$\$"
    r"|(?<![\w$\\])\$(?=[\w\\({\[|+\-.])(?P<inline_tex>(?:[^$\\\n]|\\.|\n(?!\n))*?(?:[^$\\\s(/,;:\u2013-]|\\.))\$(?![\w$])"
)
_PARENTHESES = r"\\\((?P<paren_tex>.+?)\\\)|\\\[(?P<bracket_tex>[\s\S]+?)\\\]"
_BLOCK = r"^ {0,3}\$\$[ \t]*\n?(?P<block_tex>(?:[^$\\]|\\[\s\S])+?)\n?[ \t]*\$\$[ \t]*(?:\n|$)"
#: stands for a formula while the HTML around it is cleaned; a source cannot hold it
_HELD = re.compile("\ue000([0-9]+)\ue001")
_BLOCK_BRACKETS = r"^ {0,3}\\\[[ \t]*\n?(?P<block_bracket_tex>[\s\S]+?)\n?[ \t]*\\\][ \t]*(?:\n|$)"


#: characters of a formula that fits on a phone
SHORT_FORMULA = 40
#: the page's own places, which no cell may take
PAGE_IDS = frozenset({"summary", "contents", "main", "about"})


def slug(text: str, taken: set[str]) -> str:
    """An id for a heading, different from all `taken`.

    >>> slug("What does it <em>cost</em>?", {"what-does-it-cost"})
    'what-does-it-cost-2'
    """
    base = re.sub(r"[^\w]+", "-", striptags(text).lower()).strip("-") or "section"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


class Prose:
    """The Markdown of one report: ids are unique over all its cells, headings are collected for the contents list.

    `links` maps the file name of a notebook to the report that shows it; other relative links become plain text,
    for a report stands alone. `warn` takes a sentence about what could not be shown.
    """

    def __init__(self, links: dict[str, str] | None = None, folder: Path | None = None, warn=lambda sentence: None):
        self.links, self.folder, self.warn = links or {}, folder, warn
        self.headings: list[tuple[int, str, str]] = []
        self.taken = set(PAGE_IDS)
        self.parts = 0
        self.held: list[str] = []
        self.renderer = _Renderer(self)
        plugins: list = ["table", "strikethrough", "footnotes", "def_list", _math]
        self.markdown = mistune.create_markdown(renderer=self.renderer, plugins=plugins)

    def html(self, source: str) -> str:
        """A cell's Markdown as HTML."""
        self.parts += 1
        return self._clean(str(self.markdown(_readable(source))), TAGS)

    def line(self, source: str) -> str:
        """A sentence of Markdown as HTML: emphasis, code, links and formulas, but no heading, list or paragraph of its own."""
        tokens = self.markdown.inline(_readable(source).strip(), {"ref_links": {}})
        return self._clean(self.renderer.render_tokens(tokens, self.markdown.block.state_cls()), INLINE)

    def _clean(self, html: str, tags) -> str:
        return self._released(sanitize(html, self.warn, ids=self.taken - PAGE_IDS, tags=tags))

    def _held(self, own: str) -> str:
        """A sign for `own` HTML, which needs no cleaning and would not come through it."""
        self.held.append(own)
        return f"\ue000{len(self.held) - 1}\ue001"

    def _released(self, html: str) -> str:
        return _HELD.sub(lambda sign: self.held[int(sign[1])], html)

    def heading(self, level: int, html: str) -> str:
        """Note a heading for the list of contents; its id."""
        name = slug(plain(text_of(_HELD.sub("", html))), self.taken)
        self.taken.add(name)
        self.headings.append((level, self._released(text_of(html)), name))
        return name

    def permalink(self, name: str, html: str) -> str:
        """The link that a reader copies to send somebody to a heading."""
        words = escape(plain(text_of(_HELD.sub("", html))))
        return self._held(f' <a class="permalink" href="#{name}" aria-label="Link to: {words}">#</a>')

    def formula(self, tex: str, display: str) -> str:
        tex = tex.strip()
        try:
            mathml = re.sub(r"\\([$%&#_])", r"\1", convert(tex, display=display))
            if "\\" in mathml:
                raise ValueError("unknown command")
            return self._held(mathml)
        except Exception as error:  # latex2mathml has no error class of its own for this
            why = cut(str(error) or type(error).__name__, 60)
            self.warn(f"the formula `{cut(tex, 60)}` cannot be shown as MathML ({why}); it stands as typed")
            return f"<code>{escape(tex)}</code>"


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, prose: Prose):
        super().__init__(escape=False)
        self.prose = prose

    def text(self, text):
        return escape(unescape(text), quote=False)

    def heading(self, text, level, **attrs):
        level = max(2, level)  # the question is the only first-level heading
        return f'<h{level} id="{(name := self.prose.heading(level, text))}">{text}{self.prose.permalink(name, text)}</h{level}>\n'

    def link(self, text, url, title=None):
        try:
            parts = urlsplit(url)
        except ValueError:  # such as http://[
            return text
        if parts.scheme or url.startswith("#"):
            return super().link(text, url, title)
        report = self.prose.links.get(Path(unquote(parts.path)).name)
        return f'<a href="{escape(report)}">{text}</a>' if report and not parts.netloc else text

    def image(self, text, url, title=None):
        alt = escape(plain(striptags(text)))
        try:
            source = url if url.startswith("data:") else pictures.beside(self.prose.folder, unquote(url))
        except pictures.NoPicture as reason:
            self.prose.warn(f"the picture {url} is left out: {reason}")
            return f"<em>{alt}</em>"
        return f'<span class="figure"><img src="{escape(source)}" alt="{alt}"></span>'

    def table(self, text):
        return scrollable(f"<table>\n{text}</table>", "Table") + "\n"

    def block_math(self, text):
        formula = " ".join(self.prose.formula(part, "block") for part in sides(text))
        return f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{formula}</div>\n'

    def inline_math(self, text):
        return self.prose.formula(text, "inline")

    def inline_display_math(self, text):
        return self.prose.formula(text, "block")

    def footnote_ref(self, key, index):
        n = f"{self.prose.parts}-{index}"
        self.prose.taken |= {f"fn-{n}", f"fnref-{n}"}
        return f'<sup id="fnref-{n}"><a href="#fn-{n}" aria-label="Footnote {index}">{index}</a></sup>'

    def footnote_item(self, text, key, index):
        n = f"{self.prose.parts}-{index}"
        back = f' <a href="#fnref-{n}" aria-label="Back to the text">↩</a>'
        return f'<li id="fn-{n}">{text.rstrip().removesuffix("</p>")}{back}</p></li>\n'

    def footnotes(self, text):
        return f'<div class="footnotes"><ol>\n{text}</ol></div>\n'


def sides(tex: str) -> list[str]:
    r"""The two sides of a long equation, for a line may break between them: a browser breaks no formula.

    >>> sides(r"cost = \frac{\text{price of a GPU-hour}}{\text{tokens}}"), sides("c = r")
    (['cost\\;=', '\\frac{\\text{price of a GPU-hour}}{\\text{tokens}}'], ['c = r'])
    """
    left, _, right = (part.strip() for part in tex.partition("="))
    is_between = left.count("{") == left.count("}") and not re.search(r"\\(?:begin|left|[(\[])|&", tex)
    return [rf"{left}\;=", right] if len(tex) > SHORT_FORMULA and is_between and left and right else [tex]


def _readable(source: str) -> str:
    return shown(source).replace("\ue000", "\ufffd").replace("\ue001", "\ufffd")


def scrollable(table: str, label: str) -> str:
    """A wide table that scrolls by itself, also with the keyboard, so that the page does not."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{table}</div>'


def _math(markdown) -> None:
    """The mistune plugin for formulas; ours, because amounts of money must not become one."""

    def math(kind: str, group: str, display_group: str = ""):
        def taken(parser, match, state):
            display = display_group and match.group(display_group)
            state.append_token({"type": "inline_display_math" if display else kind, "raw": display or match.group(group)})
            return match.end()

        return taken

    markdown.block.register("block_math", _BLOCK, math("block_math", "block_tex"), before="list")
    markdown.block.register("block_math_brackets", _BLOCK_BRACKETS, math("block_math", "block_bracket_tex"), before="list")
    markdown.inline.register("money_safe_math", _INLINE, math("inline_math", "inline_tex", "display_tex"), before="codespan")
    markdown.inline.register("math_parentheses", _PARENTHESES, math("inline_math", "paren_tex", "bracket_tex"), before="escape")
