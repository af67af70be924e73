"""Ticks made and measured once for each place of their axes.

A layout and a drawing ask Matplotlib for the ticks of an axis about fifteen times: for its extent, its label, and the lines around
it. Each time they are found, worded, placed and measured anew, and a figure takes a sixth longer. Matplotlib has no setting for it,
so two methods of the axes of one figure, ours, remember their last answer for a while; nothing is changed for other figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: of an axis: to make its ticks, and to measure their words; a Matplotlib without them is as right, and slower
_ASKED_OFTEN = ("_update_ticks", "_get_ticklabel_bboxes")


@contextmanager
def remembered_ticks(fig: Figure) -> Iterator[None]:
    """While nothing of this figure changes but where its axes stand and what they span: no tick is made or measured twice."""
    asked = [(axis, name) for ax in fig.axes for axis in (ax.xaxis, ax.yaxis) for name in _ASKED_OFTEN if hasattr(axis, name)]
    for axis, name in asked:
        setattr(axis, name, _remembered(axis, getattr(axis, name)))
    try:
        yield
    finally:
        for axis, name in asked:
            delattr(axis, name)


def _remembered(axis: Axis, asked: Callable) -> Callable:
    last: tuple[Any, Any] | None = None

    def answer(*args: Any) -> Any:
        nonlocal last
        here = axis.axes.bbox.bounds, tuple(axis.get_view_interval()), args
        if last is None or last[0] != here:
            last = here, asked(*args)
        return last[1]

    return answer
