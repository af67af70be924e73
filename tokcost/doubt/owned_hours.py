"""Owned hours of several systems whose parts are in doubt: what the operator pays is one input of all, what a system costs its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tokcost import hour
from tokcost.doubt.distributions import Inputs, is_known
from tokcost.doubt.evidence_kinds import from_row
from tokcost.doubt.headlines import Headline, headline
from tokcost.doubt.sampling import draw
from tokcost.hour import Deployment
from tokcost.hour.reference import PRICE_BASIS, values_in_use
from tokcost.quantities import QuantityError, nearest


@dataclass(frozen=True)
class OwnedHours:
    """Hours of systems by name, of one operator: a function of `inputs`, whose values in use are `given`.

    An input of the operator has its own name, one of a system that of the system before it: `gb300_system_price_usd`.

    >>> hours = OwnedHours({"gb300": tc.reference_deployment("gb300", "hyperscaler")}, "hyperscaler")
    >>> round(hours["gb300"], 2), round(hours(gb300_system_price_usd=4e6)["gb300"], 2)
    (3.06, 2.76)
    >>> hours.headline("gb300").made_of
    'half of it is system price, two fifths life'
    """

    deployments: Mapping[str, Deployment]
    operator: str

    @cached_property
    def _rows(self) -> dict[str, dict[str, Any]]:
        """Of each system: key of an input -> its row."""
        found = {}
        for name, node in self.deployments.items():
            rows = values_in_use(node, self.operator).itertuples()
            found[name] = {f"{name.lower()}_{row.quantity}" if row.of == "chip" else str(row.quantity): row for row in rows}
        return found

    @cached_property
    def inputs(self) -> Inputs:
        """The inputs that are in doubt, by the range or the kind of evidence of their rows (`from_rows`)."""
        rows = {key: row for of_one in self._rows.values() for key, row in of_one.items()}
        found = {key: from_row(row) for key, row in rows.items()}
        return {key: one for key, one in found.items() if not is_known(one)}

    @cached_property
    def given(self) -> dict[str, float]:
        """Their values in use."""
        return {key: float(row.value) for rows in self._rows.values() for key, row in rows.items() if key in self.inputs}

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        """USD per owned GPU-hour of each system, with some inputs otherwise."""
        return {name: self._hour(name, inputs) for name in self.deployments}

    def __getitem__(self, name: str) -> float:
        """The hour of one system as it stands."""
        self._require(name)
        return float(self._hour(name, {}))

    def _require(self, name: str) -> None:
        if name not in self.deployments:
            raise QuantityError(f"there is no hour of `{name}`{nearest(name, self.deployments)}")

    @cached_property
    def _kept(self) -> dict[tuple, float]:
        """Hours of numbers: a source of doubt that touches one system leaves the others what they were."""
        return {}

    def _hour(self, name: str, inputs: Mapping[str, Any]) -> Any:
        own = {row.quantity: inputs[key] for key, row in self._rows[name].items() if key in inputs}
        if any(np.ndim(one) for one in own.values()):
            return self._sum(name, own)
        at = (name, *own.items())
        if at not in self._kept:
            self._kept[at] = self._sum(name, own)
        return self._kept[at]

    def _sum(self, name: str, own: dict[str, Any]) -> Any:
        return sum(self.deployments[name].without_ranges(**own).components().values())

    def headline(self, name: str) -> Headline:
        """The hour of one system with its interval.

        Raises: QuantityError for a system that is not among them.
        """
        self._require(name)
        mine = {key: self.inputs[key] for key in self._rows[name] if key in self.inputs}
        return headline(lambda **inputs: self._hour(name, inputs), others=mine, given={key: self.given[key] for key in mine})


def reference_intervals() -> dict[tuple[str, str], tuple[float, float]]:
    """What holds the hour of each reference deployment nine times in ten, by accelerator and price basis, in USD.

    >>> [round(end, 1) for end in reference_intervals()["gb300", "owning_hyperscaler"]]
    [2.6, 3.8]
    """
    found, deployments = {}, hour.reference_deployments()
    for operator, basis in PRICE_BASIS.items():
        hours = OwnedHours({name: node for (name, of), node in deployments.items() if of == basis}, operator)
        drawn = draw(hours, hours.inputs, n_draws=2**13, n_replicates=4)  # as a headline's
        found |= {(name, basis): drawn.interval(name)[::2] for name in hours.deployments}
    return found
