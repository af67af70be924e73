"""The index: reports without a group first, then the groups in the order of the alphabet, and one search over all of them."""

import json

import pytest

from tokcost.report.page.index import overview

TIMES = {"started": "2026-11-27T10:00:00+00:00", "seconds": 1}
ANSWER = {"text": "It costs $4.", "decision": "Rent it.", "inputs": []}
GROUPS = {"e-first": "", "d-own": "Your <own>", "c-decide": "Decide", "b-decide": "Decide", "a-old": None}


@pytest.fixture
def index(tmp_path):
    for name, group in GROUPS.items():
        content = {"schema": 1, "answer": ANSWER, "results": [], "checks": [], "parameters": {}, "times": TIMES}
        content["question"] = f"What of {name}?"
        (tmp_path / f"{name}.result.json").write_text(json.dumps(content | ({} if group is None else {"group": group})))
        (tmp_path / f"{name}.html").write_text("")
    path = tmp_path / "index.html"
    path.write_text(overview(tmp_path))
    return path


def test_reports_stand_in_their_groups_and_the_answer_before_the_decision(chromium_browser, index):
    from axe_playwright_python.sync_playwright import Axe

    tab = chromium_browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto(index.as_uri())
    names = "a-old", "e-first", "b-decide", "c-decide", "d-own"
    assert tab.locator("main :is(h2, h3)").all_inner_texts() == [
        *(f"What of {name}?" for name in names[:2]),
        "Decide",
        *(f"What of {name}?" for name in names[2:4]),
        "Your <own>",
        "What of d-own?",
    ]
    assert tab.get_by_text("It costs $4.").first.is_visible() and not tab.get_by_text("Rent it.").first.is_visible()
    assert Axe().run(tab).response["violations"] == []
    tab.get_by_role("searchbox").fill("decide")
    assert tab.locator("ol.reports > li:visible").count() == 2
    assert tab.locator("h2.group:visible").all_inner_texts() == ["Decide"]
    tab.close()
