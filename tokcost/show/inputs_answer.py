"""The two ends of a run: the inputs, checked at its top, and the answer, given at its end and shown beside them."""

from __future__ import annotations

import sys

from tokcost import quantities
from tokcost.labels import column_label
from tokcost.parameters.run_cell import current_settings
from tokcost.parameters.settings import Setting
from tokcost.show.numbers import inline, say_label
from tokcost.show.sentences import Shown, literal_dollars, stable
from tokcost.show.text import plain

#: Jupyter's name of the place below the inputs that the answer is written into
PLACE = "tokcost-inputs"
_AWAITED = "*The answer will stand here when the notebook has run to its end.*"


class Inputs(Shown):
    """What `inputs()` displays: a line, and below it the answer as soon as there is one."""

    newest: Inputs | None = None

    def __init__(self, line: str):
        super().__init__(literal_dollars(f"{line}\n\n{_AWAITED}"))
        self.line = line
        Inputs.newest = self

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True, display_id=PLACE)

    def give(self, answer: str) -> None:
        """Show the answer below the line, where a notebook displays it."""
        if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
            from IPython.display import update_display

            update_display(Shown(literal_dollars(f"{self.line}\n\n{answer}"))._repr_mimebundle_(), raw=True, display_id=PLACE)


def inputs() -> Inputs:
    """Check the parameter cell above as the command line would, and show the answer here when the run ends.

    For the cell right below the parameter cell. It reads that cell and what papermill injected below it; a number that came
    as text (`papermill -r`) becomes a number, in the notebook too. A line says how many inputs there are and which of them
    are not as the notebook was delivered.

    Raises: InputError for an unknown name, a wrong type, a value out of range, or values that do not go together.

    >>> In = ["utilization_frac: float = 0.4  # share of the paid hour that delivers tokens, 0.05 to 1"]
    >>> utilization_frac = 0.4
    >>> tc.inputs().line
    '1 input, in range.'
    """
    names = sys._getframe(1).f_globals
    found = current_settings(names.get("In", []), names)
    names.update({s.parameter.name: s.value for s in found})
    count = "1 input" if len(found) == 1 else f"{len(found)} inputs"
    changed = ", ".join(_said(setting) for setting in found if setting.changed)
    return Inputs(f"{count}, in range{f'; changed: {changed}' if changed else ''}.")


def _said(setting: Setting) -> str:
    """A parameter and its value as people say them, to the last digit that was typed."""
    name, value = setting.parameter.name, setting.value
    label = inline(quantities.phrase(name)) if quantities.find(name) else inline(column_label(name))
    if isinstance(value, (bool, str)):
        return f"{label} {say_label(name, str(value))}"
    unit = quantities.unit(name) or ""
    if unit == "frac":
        return f"{label} {value * 100:.12g}%"
    if unit.startswith("usd"):
        return f"{label} ${value:,.2f}" if round(value, 2) == value else f"{label} ${value:,.12g}"
    return f"{label} {value:,.12g} {setting.parameter.unit}".rstrip()


def answer(text: str, *, decision: str = "", detail: str = "", interval: str | None = None, **inputs: object) -> Shown:
    """The notebook's answer in a sentence with one number and its range, and the few inputs that decide it.

    `decision` says what to do for whom, and unless what; `detail` is for those who read on: the other numbers. The report
    lifts them to its top, in this order; in JupyterLab they stand below `inputs()` too.

    Raises: QuantityError for an input whose name is not in the vocabulary.

    >>> answer("It costs $4.35.", interval="$4.11 to $4.62", rate_usd_per_gpu_h=1.41).data["inputs"][0]["value"]
    1.41
    """
    listed = []
    for name, value in inputs.items():
        quantity = quantities.find(name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if quantity is None and name not in quantities.LABELS and not any(name.endswith(f"_{label}") for label in quantities.LABELS):
            raise quantities.QuantityError(f"answer() got an unknown input `{name}`{quantities.nearest(name, quantities.QUANTITIES)}")
        label = quantity.label if quantity else column_label(name)
        listed.append(
            {
                "name": name,
                "label": label,
                "value": stable(value) if number else plain(str(value)),
                "unit": quantity.unit_label if quantity else "",
            }
        )
    parts = [f"**Answer.** {text}", decision and f"**Decide.** {decision}", detail, interval and f"*Range: {interval}.*"]
    markdown = "\n\n".join(filter(None, parts))
    data = {
        "kind": "answer",
        "text": literal_dollars(text),
        "decision": literal_dollars(decision),
        "detail": literal_dollars(detail),
        "interval": literal_dollars(interval) if interval else None,
        "inputs": listed,
    }
    if Inputs.newest is not None:
        Inputs.newest.give(markdown)
    return Shown(literal_dollars(markdown), data)
