"""What notebooks 06, 07 and 08 say follows from their numbers, at inputs far from their own."""

import pytest

from tokcost.evidence import load_table

LOAD, SPEED, GAIN = "07-what-utilisation-does", "06-how-fast-for-whom", "08-where-does-the-gain-come-from"


@pytest.fixture
def said(displayed):
    """All sentences of a notebook in one text, and its results by name."""

    def run(stem: str, **parameters) -> tuple[str, dict]:
        shown = [one for one in displayed(stem, **parameters) if hasattr(one, "markdown")]
        data = [one.data for one in shown if one.data]
        return "\n".join(one.markdown for one in shown), {one["name"]: one for one in data if one["kind"] == "result"}

    return run


def test_bursts_that_are_ignored_break_the_promise_and_cost_more_to_keep(said):
    """The same week at a CV of 1, 2 and 3: a larger fleet each time; the fleet for Poisson starts ever fewer in time."""
    late, paid = [], []
    for arrival_cv in (1.0, 2.0, 3.0):
        _, results = said(LOAD, arrival_cv=arrival_cv)
        late.append(results["poisson_fleet_in_time_frac"]["value"])
        paid.append(results["allocation_token_cost_usd_per_mtok"]["value"])
    assert late[0] > 0.99 > 0.95 > late[1] > 0.8 > late[2]
    assert paid == sorted(set(paid))


@pytest.mark.parametrize(("price_basis", "whose"), [("owning_hyperscaler", "owned by a hyperscaler"), ("rental_3yr", "3-year rental")])
def test_released_hours_that_are_paid_save_nothing(said, price_basis, whose):
    """An owned GPU, or one rented for three years, is paid when it is released: only what it earns elsewhere is saved."""
    text, results = said(LOAD, price_basis=price_basis)
    fixed, scaled = (results[f"{which}allocation_token_cost_usd_per_mtok"] for which in ("", "scaled_"))
    assert scaled["value"] == scaled["high"] == fixed["value"] > scaled["low"]
    assert f"saves 0% at this price basis ({whose})" in text


def test_batch_work_in_the_valleys_costs_between_all_waiting_and_none(said):
    _, results = said(LOAD, profile="azure_2024_conv", cached_input_frac=0.5)
    cost = {which: results[f"{which}allocation_token_cost_usd_per_mtok"]["value"] for which in ("", "filled_", "batch_")}
    assert cost["batch_"] <= cost["filled_"] < cost[""]


def test_a_cache_makes_a_token_cheaper_and_never_the_fleet_larger(said):
    without, half = ({"cached_input_frac": share} for share in (0.0, 0.5))
    costs = [said(LOAD, **given)[1]["allocation_token_cost_usd_per_mtok"] for given in (without, half)]
    assert costs[1]["value"] < costs[0]["value"]


def test_a_run_that_contradicts_itself_is_passed_over_and_named(said):
    """H100 at 30 tokens/s per user, one prompt token to an answer token: 182 tokens/s per GPU, and latencies that say otherwise."""
    text, _ = said(LOAD, accelerator="h100", tok_per_s_per_user=30.0, profile="servegen_deepseek_r1")
    assert "contradict each other by more than a quarter: 182 tokens/s per GPU" in text


def test_a_speed_before_the_frontier_begins_is_served_by_its_first_run_and_no_slower_one_is_in_its_range(said):
    _, results = said(SPEED, isl=8192, tok_per_s_per_user=10.0, candidate_accelerator="b200", ttft_limit_s=100.0)
    cost = results["candidate_total_token_cost_usd_per_mtok"]
    assert cost["low"] < cost["value"] < cost["high"] and "reading between runs" not in cost["shares"]


def test_runs_that_state_no_start_are_counted_and_what_they_change_is_told(said):
    """The fastest GB300 runs of April 2026 state no time to first token, so they cannot show that they start in time."""
    text, results = said(SPEED, tok_per_s_per_user=100.0)
    assert "GB300 $0.107 instead of $4.34" in text.replace("\\$", "$")
    limited, cost = (results[f"{which}_total_token_cost_usd_per_mtok"]["value"] for which in ("limited", "candidate"))
    assert limited is None or limited > cost


@pytest.mark.parametrize("parameters", [{}, {"tok_per_s_per_user": 40.0, "isl": 8192}, {"tok_per_s_per_user": 90.0}])
def test_what_no_run_tells_apart_is_one_product(displayed, parameters):
    """No H200 computes in FP4, no GB300 ran undivided: neither chip, FP4 nor disaggregation has a number of its own, each has a range."""
    shown = displayed(GAIN, **parameters)
    tables = {one.caption.partition(":")[0]: one for one in shown if hasattr(one, "rows")}
    parts = next(table.rows for caption, table in tables.items() if caption.startswith("Parts of the cost ratio"))
    assert [row[0] for row in parts] == ["chip and its rack + FP4 + disaggregation", "speculative decoding", "price of the hour"]
    single = {row[0]: row[-1] for row in tables["Each change by itself"].rows}
    assert "ratio" not in [label for label, _ in tables["Each change by itself"].headers]
    assert single == {
        "chip and its rack": "FP8, disaggregated",
        "FP4": "GB300, disaggregated",
        "disaggregation": "H200, FP8",
        "speculative decoding": "",
    }


def test_the_ratio_begins_at_a_named_run(said):
    """Which run, which software, which date: the plain H200 with the most throughput among those at least as fast."""
    text, results = said(GAIN)
    runs = load_table("inference", accelerator="h200", model="dsr1", isl=1024, osl=1024, precision="fp8", speculative="none")
    fast = runs[(runs["deployment"] == "aggregated") & (runs["tok_per_s_per_user"] >= 70)]
    best = fast.loc[fast["total_tok_per_s_per_gpu"].idxmax()]
    named = f"{best['framework']}, image {best['image']}, {best['run_date']}, {best['concurrency']} requests at once"
    assert f"begins at H200, FP8, aggregated, no MTP: {named}, " in text
    assert f"the plain H200 is {best['framework']}, {best['run_date']}; " in text
    cost = results["cost_ratio"]
    assert cost["low"] <= cost["value"] <= cost["high"]
