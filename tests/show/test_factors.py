"""A ratio drawn as steps: they lead from one to the whole, and what was not measured is written, not drawn."""

import pandas as pd
from drawn import texts

from tokcost.show.factors import plot_factors

STEPS = pd.DataFrame({"factor": ["chip", "precision", "price"], "ratio": [6.0, 2.0, 0.5], "low": [3.0, 1.5, 0.5], "high": [9.0, 4.0, 0.5]})


def drawn(frame, **options):
    return plot_factors(frame, label="factor", ratio="ratio", x="cost_ratio", alt="The steps multiply to 6×.", **options)


def test_each_factor_and_their_product_are_written():
    shown = texts(drawn(STEPS, low="low", high="high", title="Steps"))
    assert {"chip", "precision", "price", "Together", "6×", "2×", "0.5×", "Steps"} <= set(shown)
    assert shown.count("6×") == 2, "the first factor, and all of them together"


def test_the_figure_is_the_same_every_time_and_carries_its_alt_text():
    first, second = drawn(STEPS), drawn(STEPS)
    assert first.svg == second.svg
    assert first.alt == "The steps multiply to 6×."


def test_a_loss_has_another_colour_than_a_gain():
    gain, loss = (drawn(STEPS.assign(ratio=[2.0, 2.0, last])).svg for last in (2.0, 0.5))
    assert "#b35900" in loss and "#b35900" not in gain


def test_a_step_that_was_not_measured_leaves_the_whole_open():
    shown = texts(drawn(STEPS.assign(ratio=[6.0, float("nan"), 0.5])))
    assert shown.count("not measured") == 3, "the step, the one after it, and the whole"
    assert "6×" in shown
