"""One measured output at every provider: the price by its date, what is paid on top, and no price where none is public."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcost as tc
from tokcost.decide import hour_costs, hour_offers, side_by_side, token_offers
from tokcost.evidence import load_table
from tokcost.quantities import QuantityError

COST = "total_token_cost_usd_per_mtok"
OFFERS = pd.DataFrame({"provider": ["A", "B"], "price_basis": ["on_demand", "spot"], "rate_usd_per_gpu_h": [3.6, 1.8]})
JOB = {"model": "dsr1", "total_tok_per_s_per_gpu": 2000.0, "utilization_frac": 0.5}


def costs(**change):
    return hour_costs(OFFERS, **JOB | change)[COST].tolist()


def test_an_hour_is_worked_out_by_hand():
    # 3.6 USD an hour / (2,000 x 0.5 x 3,600) tokens = 1 USD a million
    assert costs() == pytest.approx([1.0, 0.5])
    # with 10 % support and 80 % of the hours: 1.1 / 0.8
    assert costs(support_frac={"A": 0.1}, availability_frac={"A": 0.8}) == pytest.approx([1.375, 0.5])
    # 73 GB-months at 0.10 add 0.01 an hour; an interruption every two hours that loses one doubles spot
    extras = {"A": {"storage_gb_per_gpu": 73.0, "storage_usd_per_gb_month": 0.1}, "B": {"interruptions_per_gpu_h": 0.5, "lost_h": 1.0}}
    assert costs(extras=extras) == pytest.approx([3.61 / 3.6, 0.5 * 2])


@given(st.floats(0.05, 1), st.floats(0, 1.5), st.floats(0.05, 1), st.floats(1.01, 2))
@settings(max_examples=20, deadline=None)
def test_dearer_hours_cost_more_and_hours_that_work_more_cost_less(kept, support, utilization, more):
    here = costs(availability_frac=kept, support_frac=support, utilization_frac=utilization)
    for worse in ({"availability_frac": kept / more}, {"support_frac": support * more + 0.01}, {"utilization_frac": utilization / more}):
        if worse.get("availability_frac", 1) >= 0.05 and worse.get("support_frac", 0) <= 2:
            dearer = costs(**{"availability_frac": kept, "support_frac": support, "utilization_frac": utilization} | worse)
            assert all(high > low for high, low in zip(dearer, here, strict=True))


def test_a_price_is_as_old_as_its_last_sight_at_the_date_of_the_report():
    at = {on: hour_offers("h200", on=on, providers=["Nebius"]).set_index("price_basis").loc["on_demand"] for on in ("2026-11", "2027-11")}
    newest = load_table("rental_prices", accelerator="h200", provider="Nebius", price_basis="on_demand")["month"].max()
    assert {one["month"] for one in at.values()} == {newest}
    assert at["2027-11"]["age_months"] == at["2026-11"]["age_months"] + 12 and at["2027-11"]["is_stale"]
    assert at["2027-11"]["note"] == "nobody looked since"


def test_a_price_of_tomorrow_does_not_count_today():
    then = hour_offers("h200", on="2025-12", providers=["Nebius"])
    assert (then["month"] <= "2025-12").all()


def test_what_is_not_public_is_said_and_gets_no_figure():
    table = hour_costs(hour_offers("h200", on="2026-11", providers=["Nscale", "Nebius"]), **JOB).set_index("provider")
    assert table.loc["Nscale", "note"] == "no public price of a GPU-hour" and pd.isna(table.loc["Nscale", COST])
    assert hour_offers("gb300", on="2026-11", providers=["Together AI"])["note"].tolist() == ["no GB300 price in the data"]


def test_nscale_sells_by_the_token_and_only_the_checkpoint_that_it_lists():
    sold = token_offers("gptoss120b", isl=3000, osl=1000, on="2026-11", providers=["Nscale"])
    assert sold[COST].tolist() == pytest.approx([0.75 * 0.10 + 0.25 * 0.40])
    missing = token_offers("dsr1", isl=3000, osl=1000, on="2026-11", providers=["Nscale", "Nebius"]).set_index("provider")
    assert missing.loc["Nscale", "note"] == "does not list this checkpoint" and pd.isna(missing.loc["Nscale", COST])
    assert missing.loc["Nebius", COST] == pytest.approx(0.75 * 0.8 + 0.25 * 2.4)


def test_the_latest_price_of_each_provider_comes_out_of_the_history():
    history = load_table("api_price_history", model="gptoss120b", provider="DeepInfra").sort_values("last_seen")
    then, now = (history.iloc[place] for place in (0, -1))
    assert then["output_price_usd_per_mtok"] != now["output_price_usd_per_mtok"]
    for row in (then, now):
        sold = token_offers("gptoss120b", isl=1, osl=0, on=row["last_seen"], providers=["DeepInfra"])
        assert sold[COST].tolist() == [row["input_price_usd_per_mtok"]] and sold["last_seen"].tolist() == [row["last_seen"]]
    assert token_offers("gptoss120b", isl=1, osl=1)["provider"].is_unique
    unchecked = token_offers("gptoss120b", isl=1, osl=1, providers=["Nscale"])["note"].iloc[0]
    assert unchecked == "the same since 2025-11, and nobody may have looked"


def test_coreweave_sells_tokens_under_another_name():
    sold = token_offers("dsr1", isl=1024, osl=1024, on="2026-11", providers=["CoreWeave"])
    assert sold["checkpoint"].tolist() == ["DeepSeek-R1-0528"] and sold[COST].tolist() == pytest.approx([(1.35 + 5.4) / 2])


def test_two_models_compare_by_the_task_and_not_by_the_token():
    rented = hour_costs(OFFERS, **JOB)
    sold = token_offers("gptoss120b", isl=1024, osl=1024, on="2026-11", providers=["Nscale"])
    with pytest.raises(QuantityError, match="of DeepSeek-R1 and gpt-oss-120B do not compare.*or state `tok_per_task`"):
        side_by_side(rented, sold)
    with pytest.raises(QuantityError, match="does not say how many tokens a task takes with gptoss120b"):
        side_by_side(rented, sold, tok_per_task={"dsr1": 1000})
    tasks = side_by_side(rented, sold, tok_per_task={"dsr1": 1000, "gptoss120b": 4000})
    assert tasks["task_cost_usd"].tolist() == pytest.approx([0.0005, 0.001, 0.001])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: costs(extras={"A": {"egres_usd_per_gb": 1}}),
            "`egres_usd_per_gb` is nothing that a rented hour pays on top; did you mean",
        ),
        (lambda: costs(availability_frac=80), "`availability_frac` must be in"),
        (
            lambda: token_offers("llama8b", isl=1, osl=1, on="2026-11"),
            "no price per million tokens of `llama8b` by 2026-11; there are prices",
        ),
    ],
)
def test_what_cannot_be_answered_says_why(call, says):
    with pytest.raises(QuantityError, match=says):
        call()


def test_a_chip_without_runs_enters_with_its_band_and_says_what_it_rests_on():
    rows = tc.serving.estimate("dsr1", "b300", "fp8", batch=[1, 4, 16, 64], isl=922, osl=922, tensor_parallel=8)
    guess = tc.serving.estimate_at(rows, tok_per_s_per_user=70)
    table = hour_costs(OFFERS, **JOB | {"total_tok_per_s_per_gpu": guess})
    assert (table[f"low_{COST}"] < table[COST]).all() and (table[COST] < table[f"high_{COST}"]).all()
    assert set(table["basis"]) == {guess.bracket.basis} and table["basis"].str.startswith("calibrated").all()
    # the low end of the output is the high end of the cost: 3.6 USD / (low x 0.5 x 3,600 s)
    assert table[f"high_{COST}"].iloc[0] == pytest.approx(1e6 * 3.6 / (guess.low * 0.5 * 3600))
    assert set(hour_costs(OFFERS, **JOB)) - set(OFFERS) == {"model", "hour_usd_per_gpu_h", COST}  # a run has no band of its own
