"""Why a headline moved between two runs: contributions of its inputs that add up, and our own method apart from the world.

A result that is a ratio of products moves by the product of its inputs' factors; what they leave over is one more factor.
Each factor's contribution is its effect averaged over all orders of change (Shapley), so that none depends on an order and
all add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tokcost import quantities
from tokcost.report.memory.store import Entry, Result

METHOD = "Our own method"
TOGETHER = "Our method and the world, not told apart"
NOT_RECORDED = "Something that the history does not record"
#: results keep ten digits: a smaller factor is their rounding
ROUNDING = 1e-8


@dataclass(frozen=True)
class Step:
    """One reason, and by how much it moved the headline; `before` and `after` are the input's own values, where it is one."""

    label: str
    contribution: float
    name: str = ""
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True)
class Bridge:
    """The way from one run's headline to another's."""

    before: Entry
    after: Entry
    old: Result
    new: Result
    steps: tuple[Step, ...]
    through: Entry | None = None

    @property
    def change(self) -> float:
        assert self.old.value is not None and self.new.value is not None
        return self.new.value - self.old.value

    @property
    def changed_parameters(self) -> dict[str, tuple[object, object]]:
        return changed_parameters(self.before, self.after)

    @property
    def changed_tables(self) -> dict[str, tuple[str | None, str | None]]:
        """File -> SHA-256 before and after, None where a run did not use it."""
        files = sorted(self.before.tables.keys() | self.after.tables.keys())
        pairs = {file: (self.before.tables.get(file), self.after.tables.get(file)) for file in files}
        return {file: pair for file, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def changed_method(self) -> list[str]:
        return changed_method(self.before, self.after)

    @property
    def is_mixed(self) -> bool:
        return any(step.label == TOGETHER for step in self.steps)


def shares(start: float, factors: list[float]) -> list[float]:
    """What each factor adds to `start`, averaged over all orders; together `start` times their product, less `start`.

    >>> shares(10.0, [2.0, 0.5])
    [7.5, -7.5]
    >>> round(sum(shares(10.0, [1.5, 1.2, 0.7])), 9), round(10.0 * 1.5 * 1.2 * 0.7 - 10.0, 9)
    (2.6, 2.6)
    """
    n = len(factors)
    found = []
    for index, factor in enumerate(factors):
        sums = [1.0]  # of the products of k of the other factors
        for other in factors[:index] + factors[index + 1 :]:
            sums = [a + b * other for a, b in zip([*sums, 0.0], [0.0, *sums], strict=True)]
        weights = (math.factorial(k) * math.factorial(n - 1 - k) / math.factorial(n) for k in range(n))
        found.append(start * (factor - 1) * sum(weight * value for weight, value in zip(weights, sums, strict=True)))
    return found


def comparable(before: Entry, after: Entry) -> bool:
    """Whether two runs answer one question: the same headline of the same report, asked for the same thing.

    Inputs of the headline may differ, and so may the date of prices and figures (`..._vintage`): they are how the world moves.
    """
    old, new = before.headline, after.headline
    if old is None or new is None or None in (old.value, new.value):
        return False
    if (before.report, before.notebook, old.name, old.unit) != (after.report, after.notebook, new.name, new.unit):
        return False
    inputs = {**old.numerator, **old.denominator, **new.numerator, **new.denominator}
    return all(name in inputs or name.endswith("_vintage") for name in changed_parameters(before, after))


def last_comparable(earlier: Iterable[Entry], now: Entry) -> Entry | None:
    return next((entry for entry in reversed(list(earlier)) if comparable(entry, now)), None)


def bridge(before: Entry, after: Entry, earlier: Iterable[Entry] = ()) -> Bridge | None:
    """Why the headline moved from one run to the other, or None where one of them has no such value.

    Where method and world changed together, a run among `earlier` that has the one of `before` and the other of `after`
    tells them apart.
    """
    old, new = before.headline, after.headline
    if old is None or new is None or old.value is None or new.value is None or (old.name, old.unit) != (new.name, new.unit):
        return None
    whole = Bridge(before, after, old, new, _steps(before, after, old, new))
    if not whole.is_mixed:
        return whole
    for middle in earlier:
        if _is_between(before, middle, after) and middle.headline and middle.headline.value is not None:
            first, second = bridge(before, middle), bridge(middle, after)
            if first and second and not first.is_mixed and not second.is_mixed:
                return replace(whole, steps=first.steps + second.steps, through=middle)
    return whole


def _is_between(before: Entry, middle: Entry, after: Entry) -> bool:
    def world(entry):
        return entry.data_sha256, entry.parameters

    ends = ((before, after), (after, before))
    return any(middle.method_sha256 == one.method_sha256 and world(middle) == world(other) for one, other in ends)


def changed_parameters(before: Entry, after: Entry) -> dict[str, tuple[object, object]]:
    """Name -> value before and after, None where a run had no such parameter."""
    names = sorted(before.parameters.keys() | after.parameters.keys())
    pairs = {name: (before.parameters.get(name), after.parameters.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def changed_method(before: Entry, after: Entry) -> list[str]:
    """What of the method differs, in words."""
    found = []
    if before.package_sha256 != after.package_sha256:
        found.append("the code of the package")
    if before.notebook_sha256 != after.notebook_sha256:
        found.append("the code of the notebook")
    for name in sorted(before.libraries.keys() | after.libraries.keys()):
        old, new = before.libraries.get(name, "absent"), after.libraries.get(name, "absent")
        found += [f"{name} {old} to {new}"] if old != new else []
    return found


def _steps(before: Entry, after: Entry, old: Result, new: Result) -> tuple[Step, ...]:
    assert old.value is not None and new.value is not None
    if math.isclose(old.value, new.value, rel_tol=ROUNDING):
        return ()
    moved = _moved_inputs(old, new) if old.value else {}
    set_by_hand = {name for name in moved if _is_parameter(name, before, old) and _is_parameter(name, after, new)}
    other_parameters = changed_parameters(before, after).keys() - set_by_hand
    is_data, is_method = before.data_sha256 != after.data_sha256, bool(changed_method(before, after))
    is_world = is_data or bool(other_parameters)
    if is_method:  # it may have moved every input that was worked out: only what somebody set is known to be the world
        moved = {name: factor for name, factor in moved.items() if name in set_by_hand}
    rest = new.value / old.value / math.prod(moved.values()) if old.value else math.nan
    if is_method:
        label = TOGETHER if is_world else METHOD
    else:
        names = ["Data rows"] * is_data + [f"Parameter {name}" for name in sorted(other_parameters)]
        label = " and ".join(names) or NOT_RECORDED
    if not old.value:
        return (Step(label, new.value),)
    if moved and abs(rest - 1) < ROUNDING:
        largest = max(moved, key=lambda name: abs(math.log(moved[name])))
        moved[largest] *= rest
    else:
        moved[""] = rest
    amounts = shares(old.value, list(moved.values()))
    return tuple(
        Step(quantities.phrase(name), amount, name, _input(old, name), _input(new, name)) if name else Step(label, amount)
        for name, amount in zip(moved, amounts, strict=True)
    )


def _moved_inputs(old: Result, new: Result) -> dict[str, float]:
    """Input of the ratio -> the factor by which it moved the result; none where the two runs are not ratios of the same inputs."""
    if old.numerator.keys() != new.numerator.keys() or old.denominator.keys() != new.denominator.keys():
        return {}
    inputs = [*old.numerator.values(), *old.denominator.values(), *new.numerator.values(), *new.denominator.values()]
    if not all(value > 0 for value in inputs):
        return {}
    factors = {name: new.numerator[name] / value for name, value in old.numerator.items()}
    factors |= {name: value / new.denominator[name] for name, value in old.denominator.items()}
    return {name: factor for name, factor in factors.items() if abs(factor - 1) > ROUNDING}


def _is_parameter(name: str, entry: Entry, result: Result) -> bool:
    """Whether an input was set by a parameter of the same name."""
    given = entry.parameters.get(name)
    return isinstance(given, (int, float)) and math.isclose(given, _input(result, name), rel_tol=ROUNDING)


def _input(result: Result, name: str) -> float:
    return result.numerator[name] if name in result.numerator else result.denominator[name]
