"""The same picture in fewer bytes: what Matplotlib writes for programs that edit, without what changes nothing on a page."""

from __future__ import annotations

import itertools
import re

_GROUP = re.compile(r"<g>|<g [^>]*>|</g>")
_TENTHS = re.compile(r"-?\d+\.\d{2,}")
_USE = re.compile(r'<use (?P<rest>[^>]*?) ?style="(?P<style>[^"]*)" ?/>')


def compact(svg: str) -> str:
    """`svg` with shapes to a tenth of a point, no groups without a meaning, and a style that neighbours share said once.

    >>> compact('<svg><g><g style="fill: red"><path d="M 1.23 2 L 3.456 4 "/></g></g></svg>')
    '<svg><g style="fill:red"><path d="M1.2 2L3.5 4"/></g></svg>'
    """
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: _path(path.group()), svg)
    svg = re.sub(r' (x|y)="([^"]*)"', lambda at: f' {at[1]}="{_TENTHS.sub(_to_tenths, at[2])}"', svg)
    svg = re.sub(r'(?<= style=")[^"]*', lambda style: re.sub(r"([:;]) ", r"\1", style.group()), svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", svg)
    return _said_once(_without_bare_groups(re.sub(r"<g(?: [^>]*)?/>", "", svg)))


def _path(data: str) -> str:
    return re.sub(r" ?([A-Za-z]) ?", r"\1", _TENTHS.sub(_to_tenths, data)).strip()


def _to_tenths(number: re.Match) -> str:
    text = f"{float(number.group()):.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _without_bare_groups(svg: str) -> str:
    parts, is_bare, start = [], [], 0
    for tag in _GROUP.finditer(svg):
        bare = tag.group() == "<g>" if tag.group() != "</g>" else is_bare.pop()
        if tag.group() != "</g>":
            is_bare.append(bare)
        if bare:
            parts.append(svg[start : tag.start()])
            start = tag.end()
    return re.sub(r"\n{2,}", "\n", "".join([*parts, svg[start:]]))


def _said_once(svg: str) -> str:
    """Marks of one style, which Matplotlib writes a line each, in a group that has it."""
    lines: list[str] = []
    for style, group in itertools.groupby(svg.split("\n"), key=lambda line: (found := _USE.fullmatch(line)) and found["style"]):
        marks = list(group)
        if style and len(marks) > 1:
            marks = [f'<g style="{style}">', *(_USE.sub(r"<use \g<rest>/>", mark) for mark in marks), "</g>"]
        lines += marks
    return "\n".join(lines)
