"""A page never runs anything and never asks anybody for anything, whatever HTML a notebook holds; what is missing is said."""

import pytest

from tokcost.report.html import _Outputs
from tokcost.report.inert import inert
from tokcost.report.markdown import Prose


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
    ],
)
def test_what_runs_or_loads_as_a_whole_is_taken_out_and_said(html):
    said = []
    assert inert(f"<p>before</p>{html}", said.append) == "<p>before</p>"
    assert len(said) == 1 and "nothing runs in a report" in said[0]


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="a" src="https://example.org/a.png">',
        "<img alt='a' SRC=https://example.org/a.png>",
        '<img alt="1 > 0" src="//example.org/a.png"/>',
        '<img alt="a" src="figures/a.png">',
        '<img srcset="https://example.org/a.png 2x" alt="a">',
        '<video poster="https://example.org/a.png"></video>',
        '<svg><image href="https://example.org/a.png"/><use xlink:href="https://example.org/a.svg#b"/></svg>',
        '<p style="background:url(https://example.org/a.png)">x</p>',
        "<style>@import 'https://example.org/a.css'; p{background:url('//example.org/b')}</style>",
        '<table background="https://example.org/a.png"></table>',
        '<form action="https://example.org"></form>',
    ],
)
def test_what_would_be_asked_for_is_taken_out_and_named(html):
    said = []
    left = inert(html, said.append)
    assert "example.org" not in left and "figures" not in left
    assert said and all("a report loads nothing" in sentence for sentence in said)
    assert inert(left, said.append) == left, "a second time there is nothing to take out"


@pytest.mark.parametrize("html", ['<b onclick="f()">x</b>', "<a href='javascript:f()'>x</a>", "<b ONLOAD=f()>x</b>"])
def test_a_script_in_an_attribute_is_one_too(html):
    said = []
    assert inert(html, said.append) in ("<b>x</b>", "<a>x</a>") and len(said) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="a" src="data:image/png;base64,AAAA" width="30">',
        '<a href="https://example.org/a?b=1#c" title=\'x\'>to</a> <a href="#here">here</a>',
        "<code>&lt;script src=https://example.org&gt;</code> 1 &lt; 2 and data = src",
        '<svg><use href="#a"/></svg><p style="fill:url(#b);color:red">x</p>',
        "<details open><summary>more</summary></details>",
        '<td data-value="https://example.org">x</td>',
    ],
)
def test_everything_else_stays_as_it_is(html):
    said = []
    assert inert(html, said.append) == html and said == []


def test_prose_and_outputs_are_both_made_inert():
    said = []
    prose = Prose(warn=said.append)
    html = prose.html('Text <img src="https://example.org/a.png"> and <script>f()</script>.\n\n<iframe src="x"></iframe>\n\n`<script>`')
    assert "example.org" not in html and "<script" not in html and "<iframe" not in html and "<code>&lt;script&gt;</code>" in html
    assert len(said) == 2
    shown = _Outputs(prose, said.append).trusted(
        '<script>f()</script><table><tr><td><img src="https://example.org/a.png"></td></tr></table>'
    )
    assert "<script" not in shown and "example.org" not in shown and "<table>" in shown
    assert len(said) == 4
