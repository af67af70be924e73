"""A word from outside is read as it is, whatever it holds: in Markdown, in HTML, in a figure, in a log."""

import html
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.report.page.markdown import Prose
from tokcost.show.charts import plot_bars
from tokcost.show.inputs_answer import answer
from tokcost.show.numbers import say_label
from tokcost.show.sentences import check, result, say, sources
from tokcost.show.tables import table
from tokcost.show.text import literal, plain, visible

ATTACKS = [
    "![logo](/etc/passwd)", "[x](http://[)", "*a* _b_ **c** __d__ `e` ~~f~~", "<script>f()</script>", "<!-- ", "<style>*{display:none}",
    "# Fake title", "x*\n\n# Fake\n\n**Answer.** Nothing", "- item", "1. item", "> quote", "```\ncode", "| a |\n|---|", "$x$ and $$y$$",
    r"\(a\) \[b\] \$5", "&lt;b&gt; &#42; &copy", "---", "===", ": definition", "[^1]: note", "<me<meta>ta http-equiv=refresh>",
    "http://a/?b=1&copy=2",
]  # fmt: skip


def said(html_text: str) -> str:
    assert not re.search(r"<(?!/?p>)", html_text), html_text
    return html.unescape(re.sub(r"</?p>", "", html_text)).strip()


@pytest.mark.parametrize("word", ATTACKS)
def test_a_word_reads_as_it_is_at_the_begin_in_the_middle_and_in_a_line(word):
    shown = visible(word)
    assert said(Prose().html(literal(word))) == shown
    assert said(Prose().html(say(f"The model {literal(word)} is fast.").markdown)) == f"The model {shown} is fast."
    assert said(Prose().line(f"The model {literal(word)}.")) == f"The model {shown}."
    assert said(Prose().html(f"*{literal(word)}*").replace("<em>", "").replace("</em>", "")) == shown


@pytest.mark.parametrize("word", ATTACKS)
def test_what_jupyterlab_is_shown_of_a_sentence_with_dollars_is_the_same_text_and_no_formula(word):
    bundle = say(f"For $4 and $5 the model {literal(word)} is fast.")._repr_mimebundle_()
    inside = re.fullmatch(r'<div class="mathjax_ignore tex2jax_ignore">(.*)</div>', bundle["text/html"])
    assert said(inside[1]) == f"For $4 and $5 the model {visible(word)} is fast."


def test_a_sentence_without_dollars_needs_no_second_form_and_a_table_with_some_is_no_formula():
    assert "text/html" not in say("Half of it.")._repr_mimebundle_()
    frame = pd.DataFrame({"what": ["$1 to $2"]})
    assert table(frame, "Prices").html().startswith('<table class="tokcost mathjax_ignore tex2jax_ignore">')
    assert table(frame.replace("$1 to $2", "1"), "Prices").html().startswith('<table class="tokcost">')


@pytest.mark.parametrize("word", ATTACKS)
def test_a_name_that_a_data_table_gives_to_a_label_reads_as_it_is(word, monkeypatch):
    monkeypatch.setattr("tokcost.show.numbers.label_of", lambda name, value: word)
    monkeypatch.setattr("tokcost.show.sentences.label_of", lambda name, value: word)
    assert said(Prose().line(f"On {say_label('accelerator', 'x100')} it is fast.")) == f"On {visible(word)} it is fast."
    found = result("x100_total_token_cost_usd_per_mtok", 1.0)
    assert visible(word) in said(Prose().line(found.markdown).replace("<strong>", "").replace("</strong>", ""))
    assert found.data is not None and found.data["label"].endswith(f", {visible(word)}")


@given(st.text(max_size=60))
def test_any_word_reads_as_it_is(word):
    assert said(Prose().html(f"a {literal(word)} b")).split() == ["a", *visible(word).split(), "b"]
    assert plain(literal(word)) == visible(word)


def test_what_would_not_be_seen_is_marked_and_lines_become_one():
    assert visible("a\x1b[31mb\u202ec\ud800d\n\ne\x00") == "a\ufffd[31mb\ufffdc\ufffdd e\ufffd"


def test_the_ways_to_show_something_keep_a_word_as_it_is():
    word = "a_*b* <i> $1 & [c](d)"
    shown = plot_bars_of(word)
    assert shown.alt == f"Bars of {word}." and html.escape(word, quote=False) in shown.svg
    assert table({"model": [word]}, f"Of {literal(word)}").html().count(html.escape(word)) == 2
    assert check(f"on {literal(word)}", 1, 1).data["claim"] == f"on {word}"
    assert result("cost_ratio", 2.0, label=literal(word)).data["label"] == word
    assert said(Prose().line(result("cost_ratio", 2.0, note=literal(word)).data["note"])) == word
    assert answer("x", model=word).data["inputs"][0]["value"] == word
    source = {"publisher": word, "title": word, "date": "2026", "locator": word, "grade": "primary", "licence": word, "attribution": word}
    text = Prose().html(sources({"tables": [], "sources": [source]}).markdown)
    assert text.count(html.escape(word, quote=False)) == 5


def plot_bars_of(word):
    return plot_bars(
        pd.DataFrame({"model": [word], "ratio": [1.0]}), label="model", value="ratio", title=literal(word), alt=f"Bars of {literal(word)}."
    )
