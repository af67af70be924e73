"""Predict before you see: an answer is recorded and diagnosed, and only then the right one can be opened below it."""

from __future__ import annotations

import os
from typing import SupportsFloat

from tokcost.show.rows import ASKED
from tokcost.show.sentences import Shown, literal_dollars, stable
from tokcost.show.untypeset import CLASSES, as_html
from tokcost.teaching import answers
from tokcost.teaching.diagnosis import OFF, OPEN, Diagnosis, diagnose
from tokcost.teaching.exercise_table import Exercise, find


class Feedback:
    """What an answer is told; where one was given, the right one folded below it. It needs no JavaScript."""

    def __init__(self, exercise: Exercise, found: Diagnosis, note: str = ""):
        self.exercise, self.found, self.note = exercise, found, note

    @property
    def sentence(self) -> str:
        return " ".join(filter(None, [self.found.sentence, self.note]))

    @property
    def reveal(self) -> str:
        """The right answer and its reason; empty before an answer was given."""
        return "" if self.found.verdict == OPEN else f"**{self.exercise.said(self.exercise.right)}** {self.exercise.why}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        said, answer = (literal_dollars(text) for text in (self.sentence, self.reveal))
        folded = f'<details class="{CLASSES}"><summary>Show the answer</summary>{as_html(answer)}</details>' if answer else ""
        plain = "\n".join(filter(None, [self.sentence, self.reveal.replace("**", "")]))
        return {"text/html": as_html(f"**{self.exercise.name}** {said}") + folded, "text/plain": plain}


def predict(exercise: str, answer: object, /, **parameters: object) -> Feedback:
    """Hand in an answer: your guess before you see the result, the parameter that you set, or what you worked out.

    It is written to the score sheet of this folder and diagnosed; the right answer can then be opened below. An `answer` of
    None is an exercise not done yet: a notebook that runs by itself goes on. `parameters` are those of the notebook that the
    exercise asks you to change.

    Raises: InputError for an exercise that does not exist.

    >>> tc.predict("01-1", None).sentence
    'No answer yet: write the cost of a million tokens in USD in place of `None` and run this cell.'
    """
    asked = find(exercise)
    found = diagnose(asked, answer, parameters)
    is_own = asked.as_delivered and found.verdict == OFF  # whoever tries a parameter of their own has not answered
    is_kept = found.verdict != OPEN and not is_own and ASKED not in os.environ  # a report hands nothing in
    return Feedback(asked, found, answers.record(asked.name, answer, found) if is_kept else "")


def worked(exercise: str, value: SupportsFloat | str, detail: str = "") -> Shown:
    """The worked answer of a solution cell: what the cell computed, in the unit of the exercise, and why it is so.

    A test holds `value` against the answer that the table of exercises takes for right.

    Raises: InputError for an exercise that does not exist.

    >>> tc.teaching.worked("01-1", 0.12269).markdown[:48]
    '**\\\\$0.123 per million tokens** The hour costs ne'
    """
    asked = find(exercise)
    answer = value if isinstance(value, str) else float(value)
    text = f"**{asked.said(answer)}** {detail}{' ' if detail else ''}{asked.why}"
    data = {"kind": "worked", "exercise": asked.name, "value": answer if isinstance(answer, str) else stable(answer)}
    return Shown(literal_dollars(text), data)
