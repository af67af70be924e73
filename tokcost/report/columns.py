"""A table on a terminal or in a log."""

from __future__ import annotations

import shutil
import sys
import textwrap


def print_table(title: str, headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns that line up; on a terminal the last column wraps under itself."""
    widths = [max(len(row[i]) for row in [headers, *rows]) for i in range(len(headers))]
    indent = sum(widths[:-1]) + 2 * len(widths)
    room = max(24, shutil.get_terminal_size().columns - indent) if sys.stdout.isatty() else 10_000
    print(f"\n{title}")
    for row in [headers, *rows]:
        lead = "".join(f"  {cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False))
        print(f"{lead}  {textwrap.fill(row[-1], room, subsequent_indent=' ' * indent) if row[-1] else ''}".rstrip())
