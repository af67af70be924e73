"""Prose in a report: formulas are formulas, money is money, links lead somewhere."""

import base64
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.report.page import pictures
from tokcost.report.page.markdown import Prose


def formulas(html: str) -> int:
    return html.count("<math")


@pytest.mark.parametrize(
    "source",
    [
        r"\$4.35 and \$5",
        "$4.35 and $5.20.",
        "from $4-$5, $4.35/$M",
        "**$5** and **$6**, in $ or ($)",
        "US$5 and US$6",
        "$1.41 per hour, 90 tokens, $4.35",
        "| a | b |\n|---|---|\n| $4 | $5 |",
        "`$x$` and $5",
        "$0.12–$0.13 and a$b$c",
    ],
)
def test_money_is_not_a_formula(source):
    html = Prose().html(source)
    assert formulas(html) == 0
    assert html.count("$") == source.count("$")


@pytest.mark.parametrize(
    "source",
    [
        "$x$", "so $c = r/t$.", r"$10^6$", "($y$)", "$x$-axis", "$3600$ s", r"$\frac{a}{b}$", r"\(a+b\)", r"\[a+b\]",
        "$$\nc = 1\n$$", "$$c = 1$$", "text $$a$$ text",
        "| a |\n|---|\n| $x_1$ |", "- item $z$", "a[^1]\n\n[^1]: foot $y$", "pay $5, then $r_t$",
    ],
)  # fmt: skip
def test_a_formula_becomes_mathml_and_leaves_no_dollar_of_its_own(source):
    html = Prose().html(source)
    assert formulas(html) == 1
    assert html.count("$") == source.count("$5")


@given(
    st.lists(st.decimals(min_value=0, max_value=10**6, places=2), min_size=2, max_size=5),
    st.sampled_from([" and ", ", ", " to ", "; ", "/", "–"]),
)
def test_no_list_of_amounts_is_ever_a_formula(amounts, between):
    assert formulas(Prose().html("It costs " + between.join(f"${a}" for a in amounts) + " today.")) == 0


@pytest.mark.parametrize("tex", [r"\left(a", "a^", r"\nosuchcommand{a}"])
def test_a_formula_that_cannot_be_shown_stands_as_typed_and_is_said(tex):
    said = []
    html = Prose(warn=said.append).html(f"so ${tex}$")
    assert f"<code>{tex}</code>" in html and len(said) == 1


def test_money_inside_a_formula_is_shown_as_money():
    assert ">$1.41<" in Prose().html(r"$c = \frac{\text{\$1.41}}{90}$")


def test_a_link_to_a_sibling_notebook_leads_to_its_report_or_is_plain_text():
    prose = Prose({"01-cost.ipynb": "01-cost.html"})
    html = prose.html("[a](01-cost.ipynb) [b](02-x.ipynb) [c](https://example.org) [d](../data/README.md) [e](#here)")
    assert re.findall(r'href="([^"]*)"', html) == ["01-cost.html", "https://example.org", "#here"]
    assert " b " in html and " d " in html


def test_ids_are_unique_over_all_cells_and_the_question_is_the_only_first_heading():
    prose = Prose()
    html = "".join(prose.html("# Part\n\n## Part\n\ntext[^1]\n\n[^1]: note") for _ in range(2))
    ids = re.findall(r'id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) == 8
    assert "<h1" not in html


PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_beside_the_notebook_is_put_inside_and_one_from_the_network_is_not(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    said = []
    html = Prose(folder=tmp_path, warn=said.append).html("![local](a.png) ![remote](https://example.org/b.png)")
    assert base64.b64encode(PNG).decode() in html and "example.org" not in html
    assert len(said) == 1 and "https://example.org/b.png" in said[0]


def test_only_a_picture_in_the_notebooks_own_folder_is_shown(tmp_path):
    home = tmp_path / "notebooks"
    home.mkdir()
    (tmp_path / "outside.png").write_bytes(PNG)
    (tmp_path / "secret.txt").write_text("word")
    (home / "secret.png").write_text("password")
    (home / "link.png").symlink_to(tmp_path / "outside.png")
    (home / "round.png").symlink_to(home / "round.png")
    (home / "large.png").write_bytes(PNG + bytes(pictures.LARGEST_PICTURE_BYTES))
    os.mkfifo(home / "pipe.png")
    (home / "folder.png").mkdir()
    names = "../outside.png ../secret.txt secret.png link.png round.png large.png pipe.png folder.png a%00b"
    for name in [
        *names.split(),
        "/proc/self/environ",
        "file:///etc/passwd",
        str(tmp_path / "outside.png"),
        "//example.org/a.png",
        "http://[",
    ]:
        said = []
        html = Prose(folder=home, warn=said.append).html(rf"![*words* \<b>](<{name}>)")
        assert html == "<p><em>words &lt;b&gt;</em></p>\n" and len(said) == 1, name
    assert "<img" not in Prose().html("![index](a.png)"), "a page of no notebook has no folder"


def test_a_picture_that_draws_by_text_is_cleaned_too(tmp_path):
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="f()"><script>f()</script>'
        '<a xlink:href="https://example.org"><rect width="9" height="9" style="fill:url(https://example.org/b)"/></a>'
        '<foreignObject><p>x</p></foreignObject><use href="#a"/><style>@import "https://example.org";</style></svg>'
    )
    html = Prose(folder=tmp_path).html("![a](a.svg)")
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()
    assert "example" not in svg and "script" not in svg and "onload" not in svg and "foreign" not in svg
    assert "<rect" in svg and 'href="#a"' in svg
    (tmp_path / "b.svg").write_text('<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>')
    assert "<img" not in Prose(folder=tmp_path).html("![a](b.svg)")


def test_a_wide_table_scrolls_by_itself_also_with_the_keyboard():
    html = Prose().html("| a |\n|---|\n| b |")
    assert 'role="region"' in html and 'tabindex="0"' in html and "aria-label" in html


def test_text_is_escaped_once():
    assert "<p>1 &lt; 2 &amp; 3&nbsp;x</p>" in Prose().html("1 < 2 & 3&nbsp;x")
