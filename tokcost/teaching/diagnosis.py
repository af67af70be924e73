"""What an answer says about how it was found: right, a slip with a name, or off; and what cannot be an answer at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokcost import quantities
from tokcost.parameters.hints import fix, said
from tokcost.show.numbers import num
from tokcost.show.text import literal
from tokcost.teaching.exercise_table import Exercise

RIGHT, SLIP, OFF = "right", "slip", "off"
#: no answer yet, or none that could be judged: nothing is recorded, and the right one stays hidden
OPEN = "open"


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one answer, in a word and in a sentence."""

    verdict: str
    sentence: str


def diagnose(exercise: Exercise, answer: object, parameters: Mapping[str, Any] | None = None) -> Diagnosis:
    """Judge an answer, with the `parameters` of the notebook that the exercise asks to change.

    >>> from tokcost.teaching.exercise_table import find
    >>> diagnose(find("01-1"), 441.67).sentence
    '3,600 times too large: the seconds of an hour are missing. A GPU is paid by the hour and delivers by the second.'
    >>> diagnose(find("01-1"), "cheap").sentence
    "An answer is one number, got 'cheap'."
    """
    for name, wanted in exercise.needs.items():
        value = (parameters or {}).get(name)
        if value is None:
            return Diagnosis(OPEN, f"Hand over the parameter as well: `{name}={name}`.")
        if str(value) != wanted and not _same_number(value, wanted):
            how = f"set it to {wanted} in the parameter cell at the top and run the notebook again"
            return Diagnosis(OPEN, f"`{name}` is {literal(value)}: {how}.")
    if exercise.as_delivered and _same_number(answer, exercise.as_delivered):
        how = "set it in the parameter cell at the top and run the notebook again"
        return Diagnosis(OPEN, f"No answer yet: {exercise.asked} is {exercise.as_delivered}, as delivered; {how}.")
    if answer is None:
        wanted = " or ".join(f'`"{choice}"`' for choice in exercise.choices) or exercise.asked
        return Diagnosis(OPEN, f"No answer yet: write {wanted} in place of `None` and run this cell.")
    if exercise.choices:
        return _chosen(exercise, answer)
    return _measured(exercise, answer)


def _same_number(value: object, wanted: str) -> bool:
    try:
        return math.isclose(float(value), float(wanted))  # pyright: ignore[reportArgumentType] # what is no number is refused
    except (TypeError, ValueError, OverflowError):
        return False


def _chosen(exercise: Exercise, answer: object) -> Diagnosis:
    text = str(answer).strip().lower()
    if text not in exercise.choices:
        return Diagnosis(OPEN, f"Answer with one of: {', '.join(exercise.choices)}, in quotes; got {literal(said(answer))}.")
    return Diagnosis(RIGHT, "Right.") if text == exercise.right else Diagnosis(OFF, f"No. {exercise.hint}")


def _measured(exercise: Exercise, answer: object) -> Diagnosis:
    number = _number(answer)
    if number is None:
        return Diagnosis(OPEN, f"An answer is one number, got {literal(said(answer))}{fix(float, answer)}.")
    right = float(exercise.right)
    if not math.isfinite(number) or not _can_be(number, exercise.quantity):
        return Diagnosis(OPEN, f"{num(number, missing='That')} cannot be {exercise.asked}. {exercise.hint}")
    if _near(number, right, exercise.tolerance):
        exact = "Right." if _near(number, right, 0.005) else f"Right: near enough to {exercise.said(right)}."
        return Diagnosis(RIGHT, exact)
    for slip in exercise.slips:
        made = slip.of(right)
        if made and _near(number, made, min(exercise.tolerance, 0.1)):
            return Diagnosis(SLIP, f"{_times_off(slip.factor)}{slip.diagnosis}")
    return Diagnosis(OFF, f"{_times_off(number / right)}{exercise.hint}" if right else exercise.hint)


def _can_be(number: float, quantity: str) -> bool:
    """Whether the sign is one that the quantity can have; how large it is, is for the diagnosis."""
    low = quantities.of(quantity).low if quantity else 0
    return number > 0 or (number == 0 and low <= 0) or low < 0


def _near(number: float, right: float, tolerance: float) -> bool:
    return abs(number - right) <= tolerance * abs(right) + 1e-12


def _number(answer: object) -> float | None:
    """A number, or something that says which it is: numpy's own, a reading of a curve; not text, nor true and false."""
    if isinstance(answer, (str, bytes, bool)) or str(getattr(answer, "dtype", "")) == "bool":
        return None
    try:
        return float(answer)  # pyright: ignore[reportArgumentType]
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf
    except (TypeError, ValueError):
        return None


def _times_off(factor: float | None) -> str:
    if factor and factor < 0:
        return "The sign is the other one. "
    if not factor or not math.isfinite(1 / factor) or math.isinf(factor):
        return ""
    return f"{num(factor if factor > 1 else 1 / factor)} times too {'large' if factor > 1 else 'small'}: "
