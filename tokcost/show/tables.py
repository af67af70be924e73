"""A tidy table in, a readable one out: labels and units from the vocabulary, numbers rounded to what is known."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from tokcost import quantities
from tokcost.labels import column_label
from tokcost.show.numbers import MISSING, alike, label_and_unit, label_text, num, percent, percents, spans
from tokcost.show.rows import with_rows
from tokcost.show.text import plain, visible
from tokcost.show.untypeset import CLASSES


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
        classes = f"tokcost {CLASSES}" if "$" in caption + head + body else "tokcost"
        return f'<table class="{classes}">{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'

    def text(self) -> str:
        frame = pd.DataFrame(self.rows, columns=[" ".join(filter(None, h)) for h in self.headers])
        return f"{self.caption}\n{frame.to_string(index=False)}"


def label(name: str) -> tuple[str, str]:
    """Label and unit of a column, from the vocabulary where its name is a quantity; the unit without what the label says.

    >>> label("h200_total_tok_per_s_per_gpu")
    ('Throughput (input + output tokens), h200', 'tokens/s per GPU')
    >>> label("price_basis")
    ('Price basis', '')
    """
    quantity = quantities.find(name)
    if quantity is None or (quantity.name == "ratio" and name != "ratio"):
        return column_label(name), ""
    which = name.removesuffix(quantity.name).strip("_").replace("_", " ")
    text, unit = label_and_unit(quantity.name)
    return text + (f", {which}" if which else ""), unit


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    digits: int = 3,
    labels: dict[str, str] | None = None,
    missing: str | dict[str, str] = MISSING,
    upright: bool = True,
    rows_are: Sequence[str] | None = None,
) -> Table:
    """Show a DataFrame: one row a fact, headers from the vocabulary, one number of significant digits a column, at most `digits`.

    `upright=False` lays it on its side, one row a column: for a few things with many properties.
    `rows_are` names the quantity of each row, where columns without a unit in their name hold values of different quantities:
    there each row has one number of digits.

    `labels` overrides a header; missing numbers read `missing`, for all columns or by column, missing text is blank. Fractions
    show as percentages, as people read them. The first column names the rows, and its numbers stand as they are.

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
    numeric = [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes]
    absent = missing if isinstance(missing, dict) else dict.fromkeys(frame.columns, missing)
    columns = [
        _words(str(name), frame[name]) if not is_number
        else (_numbers if place else _names)(str(name), frame[name], digits, absent.get(name, MISSING))
        for place, (name, is_number) in enumerate(zip(frame.columns, numeric, strict=True))
    ]  # fmt: skip
    rows = [list(row) for row in zip(*columns, strict=True)]
    if rows_are is not None:
        numbers = [name for name, is_number in zip(frame.columns, numeric, strict=True) if is_number and not quantities.unit(str(name))]
        for row, quantity, (_, fact) in zip(rows, rows_are, frame.iterrows(), strict=True):
            said = dict(zip(numbers, _numbers(quantity, fact[numbers].astype(float), digits, MISSING), strict=True))
            row[:] = [
                absent.get(name, MISSING) if said.get(name) == MISSING else said.get(name, text)
                for name, text in zip(frame.columns, row, strict=True)
            ]
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


def _words(name: str, column: pd.Series) -> list[str]:
    if column.map(lambda value: isinstance(value, tuple)).all():
        return [spans(value) for value in column]  # stretches of a scale
    return [
        ("yes" if value else "no") if isinstance(value, bool) else "" if pd.isna(value) else label_text(name, value) for value in column
    ]


def _names(name: str, column: pd.Series, digits: int, missing: str) -> list[str]:
    """Numbers that name their row: rungs of a scale, which are given and not measured."""
    if quantities.unit(name) == "frac":
        return [missing if pd.isna(value) else percent(value, digits) for value in column]
    return [num(value, digits, missing) for value in column]


def _numbers(name: str, column: pd.Series, digits: int, missing: str) -> list[str]:
    if quantities.unit(name) == "frac":
        return percents(column, digits, missing)
    if pd.api.types.is_integer_dtype(column):
        return [missing if pd.isna(value) else f"{value:,}" for value in column]
    is_money = (quantities.unit(name) or "").startswith("usd")
    return alike(column, digits, missing, fewest=min(3, digits) if is_money else 1)
