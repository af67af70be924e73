"""Figures follow the reader's light or dark preference; every colour of the house style has its counterpart."""

import base64
import re

import pytest

from tokcost.report.page import figures, html

DARK = {"#0b5cad": "#6cb2ff", "#ffffff": "#11161c"}
SVG = (
    '<?xml version="1.0"?><svg viewBox="0 0 1 1"><path style="fill: #0B5CAD"/>'
    '<path fill="#0b5cad" stroke="#123456"/><text>#0b5cad</text></svg>'
)


def test_known_colours_become_variables_with_a_dark_value():
    themed = figures.themed(SVG, DARK)
    assert 'style="fill: var(--c0b5cad)"' in themed
    assert '[fill="#0b5cad" i]{fill:var(--c0b5cad)}' in themed
    assert re.search(r"prefers-color-scheme:dark\)\{svg\{[^}]*--c0b5cad:#6cb2ff", themed)


def test_other_colours_and_words_in_the_figure_stay():
    themed = figures.themed(SVG, DARK)
    assert 'stroke="#123456"' in themed and "<text>#0b5cad</text>" in themed


def test_a_figure_brings_its_own_paper_so_that_dark_ink_never_meets_a_dark_page():
    assert "background:var(--cffffff)" in figures.themed(SVG, DARK)


def test_alt_text_is_the_plain_text_of_the_output():
    said = []
    shown = figures.figure({"image/svg+xml": SVG, "text/plain": 'A line that "rises"'}, DARK, said.append, number=1)
    assert 'alt="A line that &quot;rises&quot;"' in shown and said == []
    data = re.search(r"base64,([^\"]+)", shown)[1]
    assert base64.b64decode(data).startswith(b"<svg")


@pytest.mark.parametrize("alt", ["", "<Figure size 640x480 with 1 Axes>"])
def test_a_figure_without_alt_text_is_said(alt):
    said = []
    shown = figures.figure({"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), "text/plain": alt}, DARK, said.append, number=1)
    assert 'alt=""' in shown and len(said) == 1
    assert 'class="wide card"' in shown


@pytest.mark.parametrize("data", [{"image/png": 'x" onerror="f()'}, {"image/png": "cG5n"}, {"image/svg+xml": "<svg><open></svg>"}])
def test_what_is_no_picture_is_not_shown_as_one_and_said(data):
    said = []
    assert figures.figure({**data, "text/plain": "A <line>"}, DARK, said.append, number=1) == "<p><em>A &lt;line&gt;</em></p>"
    assert len(said) == 1 and "a picture that a cell made is left out" in said[0]


def test_page_and_figures_share_their_colours():
    """Paper, ink and rules of the page are those of the figures, in both schemes: a figure has no visible edge."""
    light, dark = (dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", block)) for block in re.findall(r":root\{([^}]*)\}", html.css())[:2])
    assert {"ink", "muted", "rule", "paper", "accent", "card"} <= set(light) == set(dict(light) | dark)
    for name in light:
        assert figures.palette()[light[name]] == dark[name], name


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_the_contrast_that_wcag_asks_for_in_both_schemes():
    for block in re.findall(r":root\{([^}]*)\}", html.css())[:2]:
        colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", block))
        for text in ("ink", "muted", "accent", "good", "bad", "word", "value"):
            for ground in ("paper", "card"):
                bright, dim = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground)
