"""What tests of figures share: the words in a figure, and that it is drawn alike each time, in house colours, and closed."""

import re
from collections.abc import Callable

from tokcost.show import style


def texts(figure) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)


def is_sound(draw: Callable) -> bool:
    """The same bytes twice, small, in house colours, and no figure of matplotlib left open."""
    import matplotlib.pyplot as plt

    first, second = draw(), draw()
    colours = set(re.findall(r"#[0-9a-fA-F]{6}\b", first.svg))
    return first.svg == second.svg and len(first.svg) < 60_000 and colours <= set(style.DARK) and plt.get_fignums() == []
