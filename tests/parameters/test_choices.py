"""Choices that are the values of a column of a data table."""

from tokcost.parameters import choices


def test_what_a_condition_asks_is_looked_up_once_and_not_for_each_row(monkeypatch):
    """Every report lists its choices: looked up for each row, that took more time than most of its figures."""
    asked = []
    meant = choices.meant
    monkeypatch.setattr(choices, "meant", lambda name, text: asked.append(name) or meant(name, text))
    found, table = choices.choices_of("accelerator in inference.csv where model = base case and osl = 1024")
    assert asked == ["model", "osl"] and table == "inference"
    assert {"h200", "gb300"} <= set(found)
