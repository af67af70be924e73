"""A page never runs anything, never asks anybody for anything, and is never posed as by what it shows; what is missing is said."""

import pandas as pd
import pytest

from tokcost.report.page.html import _Outputs
from tokcost.report.page.markdown import Prose
from tokcost.report.page.sanitize import INLINE, sanitize, table_styles


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src='https://example.org/x.js'></SCRIPT >",
        "<script>never closed",
        "<iframe src='https://example.org'>not shown</iframe>",
        "<object data='https://example.org/x.swf'><p>not shown</p></object>",
        "<embed src='https://example.org/x'>",
        "<link rel='stylesheet' href='https://example.org/x.css'>",
        "<base href='https://example.org/'>",
        "<meta http-equiv='refresh' content='0;url=https://example.org'>",
        "<svg/onload=alert(1)></svg>",
        "<form action='https://example.org'></form>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    ],
)
def test_what_runs_or_loads_as_a_whole_is_taken_out_and_said(html):
    said = []
    assert sanitize(f"<p>before</p>{html}", said.append) == "<p>before</p>"
    assert len(said) == 1 and said[0].startswith("left out of the page: <") and "runs nothing" in said[0]


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="a" src="https://example.org/a.png">',
        "<img alt='a' SRC=https://example.org/a.png>",
        '<img alt="1 > 0" src="//example.org/a.png"/>',
        '<img alt="a" src="figures/a.png">',
        '<img alt="a" src="data:text/html;base64,AAAA">',
    ],
)
def test_a_picture_from_elsewhere_is_taken_out_and_named(html):
    said = []
    left = sanitize(html, said.append)
    assert "src" not in left and "alt" in left
    assert len(said) == 1 and "is left out: a report loads nothing" in said[0]


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ('<p style="background:url(https://example.org/a.png)">x</p>', "<p>x</p>"),
        ('<p style="color:red;position:fixed;top:0;width:9999px">x</p>', '<p style="color:red">x</p>'),
        ("<p style='color:\\72 ed'>x</p>", "<p>x</p>"),
        ('<table background="https://example.org/a.png"></table>', "<table></table>"),
        ('<img srcset="https://example.org/a.png 2x" alt="a">', '<img alt="a">'),
        ("<a href='javascript:f()'>x</a>", "<a>x</a>"),
        ("<a href='jav&#x61;script:f()'>x</a>", "<a>x</a>"),
        ("<a href=' \tjava\nscript:f()'>x</a>", "<a>x</a>"),
        ("<a href='data:text/html,<script>f()</script>'>x</a>", "<a>x</a>"),
        ("<p>open <b>not closed", "<p>open <b>not closed</b></p>"),
        ("</div></main></body>x", "x"),
        ("<!-- open", ""),
        ("<plaintext>x</p>", "x&lt;/p&gt;"),
        ('<h1 class="answer" id="summary">x</h1>', "x"),
        ('<p class="answer check number" id="about" role="banner">x</p>', '<p class="number">x</p>'),
        ("<me<meta>ta http-equiv=refresh>", "ta http-equiv=refresh&gt;"),
    ],
)
def test_what_would_load_move_or_pose_is_gone_and_every_element_is_closed(html, left):
    assert sanitize(html) == left
    assert sanitize(left) == left, "a second time there is nothing to take out"


def test_html_without_end_is_given_up():
    said = []
    assert sanitize("<div>" * 100_000, said.append) == "" and len(said) == 1 and "not closed again" in said[0]


def test_a_handler_is_said():
    said = []
    assert sanitize('<b onclick="f()">x</b>', said.append) == "<b>x</b>" and "code in attributes" in said[0]


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="a" src="data:image/png;base64,AAAA" width="30">',
        '<a href="https://example.org/a?b=1#c" title="x">to</a> <a href="#here">here</a> <a href="01-cost.html">there</a>',
        "<code>&lt;script src=https://example.org&gt;</code> 1 &lt; 2 and data = src",
        '<details open=""><summary>more</summary></details>',
        '<table><tbody><tr><td style="text-align:right" colspan="2">x</td></tr></tbody></table>',
    ],
)
def test_everything_else_stays_as_it_is(html):
    said = []
    assert sanitize(html, said.append) == html and said == []


def test_a_line_holds_nothing_that_is_more_than_a_line():
    assert sanitize("a <b>b</b><table><tr><td>c</table><h2>d</h2>", tags=INLINE) == "a <b>b</b>cd"


OTHER_STYLES = [
    "body{color:red}", "#T_a ~ p{color:red}", "p,#T_a{color:red}", "@import 'x'", "#T_a{position:fixed}", "body:has(#T_a){color:red}",
    "#T_a{color:red} *{color:red", "#T_a{background-color:\\75rl(x)}", "@media all{#T_a{color:red}}", "#T_a{color:</style><script>}",
]  # fmt: skip


def test_colours_of_a_styled_table_are_kept_and_no_other_style():
    table = pd.DataFrame({"a": [1, 2]}).style.highlight_max(color="gold").to_html()
    said = []
    kept = table_styles(table, said.append)
    assert "{background-color:gold}" in kept and said == []
    assert all(name in sanitize(table) for name in kept.partition("#")[2].partition("{")[0].split(",#"))
    for css in OTHER_STYLES:
        html = table_styles(f"<style>{css}</style>", said.append)
        assert html in ("", "<style>#T_a{color:red}</style>"), css
    assert len(said) == len(OTHER_STYLES)


def test_prose_and_outputs_are_both_cleaned():
    said = []
    prose = Prose(warn=said.append)
    html = prose.html('Text <img src="https://example.org/a.png"> and <script>f()</script>.\n\n<iframe src="x"></iframe>\n\n`<script>`')
    assert "example.org" not in html and "<script" not in html and "<iframe" not in html and "<code>&lt;script&gt;</code>" in html
    assert len(said) == 2
    shown = _Outputs(prose, said.append, []).cleaned(
        '<script>f()</script><table><tr><td><img src="https://example.org/a.png"></td></tr></table>'
    )
    assert "<script" not in shown and "example.org" not in shown and "<table>" in shown
    assert len(said) == 4


def test_tables_within_tables_scroll_as_one_and_leave_nothing_open():
    html = _Outputs(Prose(), print, []).cleaned(
        "<table><caption>A &lt;b&gt;</caption><tr><td><table><tr><td>x</table></table>after<table></table>"
    )
    assert html.count('<div class="scroll"') == html.count("</div>") == 2 and 'aria-label="A &lt;b&gt;"' in html
    assert html.index("</table></div>after") > html.index("x</td>")
