"""The sliders of an explorer, of ipywidgets: loaded only where they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokcost import quantities
from tokcost.show.text import literal
from tokcost.teaching.explorer import LOG_FROM

if TYPE_CHECKING:
    from tokcost.teaching.explorer import Explorer


def panel(explorer: Explorer) -> Any:
    """A slider for each range, the figure, and the parameter cell to copy; all follow every move."""
    import ipywidgets as widgets

    sliders = {name: _slider(widgets, name, explorer.values[name], *ends) for name, ends in explorer.ranges.items()}
    picture, cell = widgets.HTML(), widgets.Textarea(layout={"width": "46em", "height": "6em"}, description="")
    cell_label = widgets.HTML("<small>For the parameter cell of a notebook: copy these lines.</small>")

    def redraw(change: object = None) -> None:
        explorer.values.update({name: slider.value for name, slider in sliders.items()})
        try:
            figure = explorer.figure()
            picture.value = f'<div role="img" aria-label="{literal(figure.alt)}">{figure.svg}</div>'
        except quantities.QuantityError as error:
            picture.value = f"<p>{literal(error)}</p>"
        cell.value = explorer.parameters()

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    redraw()
    return widgets.VBox([*sliders.values(), picture, cell_label, cell])


def _slider(widgets: Any, name: str, value: float, low: float, high: float) -> Any:
    from math import log10

    quantity = quantities.of(name)
    look = {"description": quantity.label, "style": {"description_width": "18em"}, "layout": {"width": "46em"}, "readout_format": ".4g"}
    look["tooltip"] = f"{quantity.meaning}; {quantity.unit_label}"
    if low > 0 and high / low >= LOG_FROM:
        return widgets.FloatLogSlider(value=value, min=log10(low), max=log10(high), step=log10(high / low) / 200, **look)
    return widgets.FloatSlider(value=value, min=low, max=high, step=(high - low) / 200, **look)
