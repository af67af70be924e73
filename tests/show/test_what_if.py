"""What a reader moves in the page gives what the formula gives, digit for digit."""

import itertools
import json

import pytest

from tokcost.formulas import total_token_cost_usd_per_mtok
from tokcost.show.numbers import num, percent, usd

NOTEBOOK = "01-what-does-a-million-tokens-cost"
PRICE = 6.0

#: typed into the three fields, then what the page says
TYPE = """(given) => given.map((values) => {
  const fields = document.querySelectorAll(".what-if input[type=number]");
  fields.forEach((field, i) => { field.value = values[i]; field.dispatchEvent(new Event("input")); });
  return document.querySelector(".what-if .answer").innerText;
})"""


@pytest.fixture(scope="module")
def page(tmp_path_factory, chromium_browser, tokcost):
    output = tmp_path_factory.mktemp("what-if")
    assert tokcost("report", NOTEBOOK, "--output", output, "-p", f"price_usd_per_mtok={PRICE}", cwd=output).status == 0
    context = chromium_browser.new_context(viewport={"width": 390, "height": 900})
    tab = context.new_page()
    tab.goto((output / f"{NOTEBOOK}.html").as_uri())
    yield tab
    context.close()


def test_the_page_works_out_the_cost_and_the_break_even_that_python_does(page):
    grid = list(itertools.product([0.2, 1.41, 2.125, 4.35, 11.0], [12, 90, 137.5, 333, 719], [13, 45, 72.5, 99.9, 100]))
    for (rate, speed, per_cent), said in zip(grid, page.evaluate(TYPE, grid), strict=True):
        frac = per_cent / 100
        cost, full = (total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=speed * u) for u in (frac, 1))
        assert said.startswith(f"A million tokens cost {usd(cost)}. Sold at {usd(PRICE)}, they pay "), (rate, speed, per_cent)
        if full <= PRICE:
            assert said.endswith(f"from {percent(full / PRICE, 3)} utilization on.")
        else:
            assert said.endswith(f"takes {num(speed * full / PRICE)} tokens/s per GPU.")


def test_it_can_be_moved_by_keyboard_and_goes_back(page):
    back = page.get_by_role("button", name="Back to the report's values")
    back.click()
    first = page.locator(".what-if .answer").inner_text()
    slider = page.get_by_label("Price of a GPU-hour, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".what-if .answer").inner_text() != first
    back.focus()
    page.keyboard.press("Enter")
    assert page.locator(".what-if .answer").inner_text() == first


def test_what_cannot_be_is_marked_and_changes_nothing(page):
    before = page.locator(".what-if .answer").inner_text()
    field = page.get_by_label("Utilization", exact=False).first
    for nonsense in ("0", "140", "-3", ""):
        field.fill(nonsense)
        assert field.get_attribute("aria-invalid") is not None
        assert page.locator(".what-if .answer").inner_text() == before


@pytest.mark.parametrize("inputs", [{}, {"rate_usd_per_gpu_h": "'><script>"}, [1]])
def test_a_stored_result_whose_inputs_are_no_numbers_is_damaged_and_makes_no_panel(tmp_path, inputs):
    from tokcost.report.page.index import overview

    times = {"started": "2026-11-27T10:00:00+00:00", "seconds": 1}
    empty = {"schema": 1, "question": "Q?", "answer": None, "results": [], "checks": [], "parameters": {}, "times": times}
    (tmp_path / "a.html").write_text("")
    (tmp_path / "a.result.json").write_text(json.dumps(empty | {"what_if": {"inputs": inputs, "span": 8, "text": "t"}}))
    said = []
    assert "data-what-if" not in overview(tmp_path, said.append).partition("<script>")[0]
    assert len(said) == 1 and "damaged" in said[0]
