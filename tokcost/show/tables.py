"""A tidy table in, a readable one out: labels and units from the vocabulary, numbers rounded to what is known."""

from __future__ import annotations

import html
import math

import pandas as pd

from tokcost import quantities
from tokcost.show.numbers import MISSING, num, percent, say_label, spans
from tokcost.show.rows import with_rows
from tokcost.show.text import plain, visible


class Table:
    """A table that Jupyter displays, with a caption and scoped headers for screen readers.

    `numeric` says of each column whether it holds numbers, `words` names the rows of a table on its side that do not:
    numbers never break over lines, words may. `frame` gives the rows back, with every digit.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        headers: list[tuple[str, str]],
        rows: list[list[str]],
        numeric: list[bool],
        caption: str,
        words: frozenset[int] = frozenset(),
    ):
        self.frame, self.headers, self.numeric, self.caption, self.words = frame, headers, numeric, plain(caption), words
        self.rows = [[visible(cell) for cell in row] for row in rows]

    def _repr_mimebundle_(self, include=None, exclude=None):
        return with_rows({"text/html": self.html(), "text/plain": self.text()}, self.frame)

    def html(self) -> str:
        def align(i, row=None):
            if row in self.words:
                return ' style="text-align:right;white-space:normal"'
            return ' class="number" style="text-align:right"' if self.numeric[i] else ' style="text-align:left"'

        head = "".join(
            f'<th scope="col"{align(i)}>{html.escape(label)}{f"<br><small>{html.escape(unit)}</small>" if unit else ""}</th>'
            for i, (label, unit) in enumerate(self.headers)
        )
        body = "\n".join(
            "<tr>"
            + "".join(
                f'<th scope="row"{align(i)}>{html.escape(cell)}</th>' if i == 0 else f"<td{align(i, n)}>{html.escape(cell)}</td>"
                for i, cell in enumerate(row)
            )
            + "</tr>"
            for n, row in enumerate(self.rows)
        )
        caption = f"<caption><span>{html.escape(self.caption)}</span></caption>"
        return f'<table class="tokcost">{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'

    def text(self) -> str:
        frame = pd.DataFrame(self.rows, columns=[" ".join(filter(None, h)) for h in self.headers])
        return f"{self.caption}\n{frame.to_string(index=False)}"


def label(name: str) -> tuple[str, str]:
    """Label and unit of a column, from the vocabulary where its name is a quantity.

    >>> label("h200_total_tok_per_s_per_gpu")
    ('Throughput (input + output tokens), h200', 'tokens/s per GPU')
    >>> label("price_basis")
    ('Price basis', '')
    """
    quantity = quantities.find(name)
    if quantity is None or (quantity.name == "ratio" and name != "ratio"):
        text = name.removesuffix("_id").replace("_", " ")
        return text[:1].upper() + text[1:], ""
    which = name.removesuffix(quantity.name).strip("_").replace("_", " ")
    return quantity.label + (f", {which}" if which else ""), quantity.unit_label if quantity.unit != "ratio" else ""


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    digits: int = 3,
    labels: dict[str, str] | None = None,
    missing: str = MISSING,
    upright: bool = True,
) -> Table:
    """Show a DataFrame: one row a fact, headers from the vocabulary, `digits` significant digits.

    `upright=False` lays it on its side, one row a column: for a few things with many properties.

    `labels` overrides a header; missing numbers read `missing`, missing text is blank. Fractions show as
    percentages, as people read them.

    `table(...).frame` gives the rows back, with every digit.

    Raises: KeyError for a label of a column that the frame does not have.

    >>> print(table(pd.DataFrame({"accelerator": ["h200"], "utilization_frac": [0.45]}), "Load").text())
    Load
    Accelerator Utilization
           H200         45%
    """
    frame = pd.DataFrame(frame).copy()
    labels = labels or {}
    unknown = set(labels) - set(frame.columns)
    if unknown:
        raise KeyError(f"table(): no column {sorted(unknown)[0]!r} to label{quantities.nearest(sorted(unknown)[0], frame.columns)}")
    numeric, formats = [], []
    for name in frame.columns:
        is_number = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
        numeric.append(is_number)
        formats.append(_formatter(str(name), frame[name], is_number, digits, missing))
    rows = [[form(value) for form, value in zip(formats, row, strict=True)] for row in frame.itertuples(index=False)]
    headers = [(labels[name], "") if name in labels else label(str(name)) for name in frame.columns]
    if not upright:
        first, *others = headers
        names = [row[0] for row in rows]
        sideways = [
            [" ".join(filter(None, [text, unit and f"({unit})"])), *(row[i] for row in rows)] for i, (text, unit) in enumerate(others, 1)
        ]
        words = frozenset(n for n, is_number in enumerate(numeric[1:]) if not is_number)
        return Table(frame, [first, *((name, "") for name in names)], sideways, [False] + [True] * len(names), caption, words)
    return Table(frame, headers, rows, numeric, caption)


def _formatter(name, column, is_number, digits, missing):
    if not is_number and column.map(lambda value: isinstance(value, tuple)).all():
        return spans  # stretches of a scale
    if not is_number:
        return lambda value: ("yes" if value else "no") if isinstance(value, bool) else "" if pd.isna(value) else say_label(name, value)
    if quantities.unit(name) == "frac":
        return lambda value: missing if math.isnan(value) else percent(value, digits)
    if pd.api.types.is_integer_dtype(column) or (column.dropna().mod(1).eq(0).all() and column.abs().max() < 1e6):
        return lambda value: missing if math.isnan(value) else f"{int(value):,}"
    return lambda value: num(value, digits, missing)
