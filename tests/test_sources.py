"""What the headlines of the base case rest on: each row behind them a tenth lower, one at a time, and the grade of its source."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from tokcost import evidence, formulas, serving
from tokcost.hour import reference_deployment, reference_inputs

BASE: dict[str, Any] = evidence.base_case()
PAIR = (BASE["baseline_accelerator"], BASE["candidate_accelerator"])
STEP = 0.1
Headline = Callable[[dict[tuple[str, str], float]], float]


def shares(headline: Headline, rows: pd.DataFrame) -> pd.Series:
    """How much of a headline each row carries: 0.5 where a change of a tenth moves it by a twentieth."""
    values = {key: float(value) for key, value in rows["value"].items()}
    here = headline(values)
    moved = {key: headline(values | {key: value * (1 - STEP)}) / here - 1 for key, value in values.items()}
    return pd.Series(moved).abs() / STEP


def rows_behind() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows behind the published-price headlines of 00 and 01, and behind the built-up hours of 04, keyed by (whose, what)."""
    published, built = {}, {}
    for name in PAIR:
        fastest = serving.frontier(evidence.measured(model=BASE["model"], isl=BASE["isl"], osl=BASE["osl"]), accelerator=name)
        run = fastest.run_at(tok_per_s_per_user=BASE["tok_per_s_per_user"])
        assert run is not None
        measured = {(name, "run"): (run["total_tok_per_s_per_gpu"], run["source_id"], run["locator"])}
        rate = evidence.rate(accelerator=name, price_basis=BASE["price_basis"], rate_vintage=BASE["rate_vintage"])
        published |= measured | {(name, "rate"): (rate.value, rate.source_id, rate.locator)}
        built |= measured
        systems = set(evidence.load_table("systems")["quantity"])
        for row in reference_inputs(name, BASE["operator"]).query("value != 0 and quantity != 'n_gpus'").itertuples():
            built[name if row.quantity in systems else BASE["operator"], row.quantity] = (row.value, row.source_id, row.locator)
    return tuple(pd.DataFrame.from_dict(found, orient="index", columns=["value", "source_id", "locator"]) for found in (published, built))


def hour(values, name: str) -> float:
    """The price of an hour: the published one where the values hold it, else the built-up one."""
    if (name, "rate") in values:
        return values[name, "rate"]
    inputs = {quantity: value for (whose, quantity), value in values.items() if whose in (name, BASE["operator"]) and quantity != "run"}
    return float(reference_deployment(name, BASE["operator"]).without_ranges(**inputs).owned_rate_usd_per_gpu_h)


def cost(values, name: str) -> float:
    return float(formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=hour(values, name), total_tok_per_s_per_gpu=values[name, "run"]))


HEADLINES: dict[str, Headline] = {
    "cost of the baseline": lambda values: cost(values, PAIR[0]),
    "cost of the candidate": lambda values: cost(values, PAIR[1]),
    "cost ratio": lambda values: cost(values, PAIR[0]) / cost(values, PAIR[1]),
}


@pytest.fixture(scope="module", params=["published", "built up"])
def carried(request) -> pd.DataFrame:
    """One column a headline: the share of it that each row carries, with the grade of the row's source."""
    rows = rows_behind()[request.param == "built up"]
    grades = evidence.load_table("sources").set_index("source_id")["grade"]
    found = pd.DataFrame({name: shares(headline, rows) for name, headline in HEADLINES.items()})
    return found.assign(grade=rows["source_id"].map(grades), source_id=rows["source_id"], locator=rows["locator"])


@pytest.mark.parametrize("headline", HEADLINES)
def test_no_headline_rests_on_scraped_rows_by_more_than_a_tenth(carried, headline):
    scraped = carried.loc[carried["grade"] == "scraped", headline]
    assert scraped.sum() <= 0.1, scraped[scraped > 0].to_dict()


@pytest.mark.parametrize("headline", HEADLINES)
def test_a_row_that_moves_a_headline_by_a_fiftieth_has_a_document_and_a_place_in_it(carried, headline):
    """A row of which a tenth moves the headline by 2 % is an original or a report of one, and says where in it, not only at which site."""
    moves = carried[carried[headline] * STEP >= 0.02]
    assert len(moves)
    assert set(moves["grade"]) <= {"primary", "secondary"}
    assert not moves["locator"].str.fullmatch(r"https?://[^/]+/?").any()


def test_a_price_carries_its_whole_headline():
    """Of a quotient each part carries all: the published cost is price over throughput."""
    published, _ = rows_behind()
    of_candidate = shares(HEADLINES["cost of the candidate"], published)
    assert of_candidate[PAIR[1], "rate"] == pytest.approx(1.0)
    assert of_candidate[PAIR[1], "run"] == pytest.approx(1 / 0.9, rel=1e-9)
    assert of_candidate[PAIR[0], "rate"] == 0
