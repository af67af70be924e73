"""Dollars as dollars: JupyterLab sets what stands between two of them as mathematics, even where they are escaped."""

from __future__ import annotations

#: what MathJax passes over, in its present and its former version
CLASSES = "mathjax_ignore tex2jax_ignore"


def as_html(markdown: str) -> str:
    r"""Markdown of a sentence as HTML in which no formula is looked for; markup that is not Markdown's is shown as text.

    >>> as_html(r"From **\$1** to \$2 <b>")
    '<div class="mathjax_ignore tex2jax_ignore"><p>From <strong>$1</strong> to $2 &lt;b&gt;</p></div>'
    """
    import mistune
    from mistune.util import safe_entity

    class Renderer(mistune.HTMLRenderer):
        def text(self, text: str) -> str:
            return safe_entity(text)  # a character reference is one character, as in every other place

    return f'<div class="{CLASSES}">{str(mistune.Markdown(Renderer(escape=True))(markdown)).strip()}</div>'
