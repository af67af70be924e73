"""The files of a report as they are sent: pages that lead to no file that is not with them, workbooks, PDFs."""

from __future__ import annotations

import re
from collections.abc import Callable

from tokcost.report.errors import ReportFailed
from tokcost.schedule.make import Outcome
from tokcost.schedule.pictures import pdf
from tokcost.schedule.task import Delivery

_WAYS = re.compile(r'<nav class="moves".*?</nav>', re.S)
_ELSEWHERE = re.compile(r'<a\b[^>]*\bhref="(?!https?:|mailto:|data:|#)[^"]*"[^>]*>(.*?)</a>', re.S)


def files(delivery: Delivery, outcomes: list[Outcome], trouble: Callable[[str], None]) -> dict[str, bytes]:
    """Name -> content of what is sent of the reports that were made; `trouble` takes what could not be."""
    found: dict[str, bytes] = {}
    for one in outcomes:
        if one.result is None:
            continue
        page = alone(one.page.read_text(encoding="utf-8"))
        found[one.page.name] = page.encode()
        for ending in ("result.json", *(["xlsx"] if delivery.xlsx else [])):
            found[f"{one.name}.{ending}"] = (one.page.parent / f"{one.name}.{ending}").read_bytes()
        if delivery.pdf:
            try:
                found[f"{one.name}.pdf"] = pdf(page)
            except ReportFailed as failure:
                trouble(f"No PDF of {one.name}: {failure}")
    return found


def alone(page: str) -> str:
    """A page without its ways to others: who gets it by mail has no index beside it, and a PDF would tell where it was made.

    >>> alone('<nav class="moves"><a href="index.html">All</a></nav><a href="glossary.html#gpu">GPU</a> <a href="#x">x</a>')
    'GPU <a href="#x">x</a>'
    """
    return _ELSEWHERE.sub(r"\1", _WAYS.sub("", page))
