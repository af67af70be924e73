"""Each source of doubt holds the truth as often as it says, and weaker evidence is never surer."""

import numpy as np
import pandas as pd
import pytest

from tokcost import doubt, evidence, formulas, load
from tokcost.doubt import spreads
from tokcost.evidence import Fact
from tokcost.quantities import LABELS, QuantityError
from tokcost.serving import frontier
from tokcost.serving.reading import BETWEEN, MEASURED, NEXT_RUN, NOT_REACHED, Bracket, Reading


def reading(value, fall_ratio, basis=BETWEEN):
    low, high = (value, value) if basis == MEASURED else (value / fall_ratio**0.5, value * fall_ratio**0.5)
    if basis == NEXT_RUN:
        low, high = value, value * fall_ratio
    return Reading(value, low, high, Bracket(20.0, 60.0, fall_ratio, 12, basis))


def price(value, *, low=None, high=None, kind="modelled", **keys):
    return Fact(value, low, high, "rate_usd_per_gpu_h", "s", "l", "2026-09", kind, "", keys)


RUN = pd.Series({"deployment": "aggregated", "n_gpus": 8.0, "total_tok_per_s_per_gpu": 1000.0})
LISTED = {"price_basis": "owning_hyperscaler", "rate_vintage": "2026-09"}


def cost(speed, rate, utilization_frac=1.0):
    return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=speed * utilization_frac)


def width(found) -> float:
    return found.high / found.low


# -- the tables -----------------------------------------------------------------------------------------------------


def test_the_observed_spreads_follow_from_the_tables_that_they_name():
    kept = evidence.load_table(spreads.TABLE)
    again = spreads.observed()
    pd.testing.assert_frame_equal(kept[list(again)], again, check_dtype=False, rtol=1e-3)


def test_every_kind_of_evidence_has_a_width_and_an_assumption_the_widest():
    widths = evidence.load_table("evidence_widths").set_index("evidence_kind")["spread_ratio"]
    assert set(widths.index) == set(LABELS["kind"])
    assert widths["measured"] == widths.min() and widths["assumption"] == widths.max()


def test_widths_that_are_derived_are_those_of_the_data():
    widths = evidence.load_table("evidence_widths").set_index("evidence_kind")["spread_ratio"]
    prices = evidence.load_table("rental_prices")
    alike = prices.groupby(["accelerator", "price_basis", "month"])["value"]
    logs = np.log(prices["value"] / alike.transform("median"))[alike.transform("size") > 3]
    for kind in ("list_price", "market_price"):
        low, high = logs[prices["kind"] == kind].quantile([0.05, 0.95])
        assert widths[kind] == pytest.approx(np.exp((high - low) / 2), rel=0.05)
    measured = spreads.factor(spreads.REPEAT, "aggregated").ppf([0.05, 0.95])
    assert widths["measured"] == pytest.approx(np.sqrt(measured[1] / measured[0]), abs=0.01)
    rates = evidence.load_table("hourly_rates")
    owned = np.log(rates[rates["price_basis"].str.startswith("owning")].pivot(
        index=["price_basis", "accelerator"], columns="rate_vintage", values="value").sort_index(axis=1))  # fmt: skip
    moved = owned["2026-07"].sub(owned["2026-03"]).abs().dropna()
    assert widths["modelled"] == pytest.approx(np.exp(moved.quantile(0.9)), abs=0.03)


# -- coverage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sources", [("repeat",), ("reading",), ("price",), ("load",), ("repeat", "reading", "price", "load")], ids="+".join
)
def test_ninety_per_cent_intervals_hold_simulated_truths_nine_times_in_ten(sources):
    """Truths drawn by plain random numbers, away from the code under test: every source by itself, and their sum."""
    rng, n = np.random.default_rng(3), 20_000
    at = reading(1000.0, 4.0) if "reading" in sources else reading(1000.0, 1.0, MEASURED)
    speed, rate, share = np.full(n, 1000.0), np.full(n, 2.0), np.full(n, 0.6)
    if "reading" in sources:
        speed = (speed * spreads.factor(BETWEEN, "3 to 5").rvs(n, random_state=rng)).clip(at.low, at.high)
    speed = speed * spreads.factor("repeat runs", "aggregated").rvs(n, random_state=rng)
    if "price" in sources:
        rate = rate * spreads.factor(spreads.PRICES_TOGETHER, "owning_hyperscaler").rvs(n, random_state=rng)
        rate = rate * spreads.factor(spreads.ONE_PRICE, "owning_hyperscaler").rvs(n, random_state=rng)
    busy = doubt.pert(0.3, 0.6, 0.8)
    if "load" in sources:
        share = busy.rvs(n, random_state=rng)
    found = doubt.headline(
        cost,
        readings={"speed": at},
        prices={"rate": price(2.0, **LISTED) if "price" in sources else 2.0},
        others={"utilization_frac": busy if "load" in sources else 0.6},
        runs={"speed": RUN},
    )
    truth = cost(speed, rate, share)
    assert np.mean((found.low <= truth) & (truth <= found.high)) == pytest.approx(0.9, abs=0.02)
    assert sum(found.shares.values()) == pytest.approx(1)


def test_runs_left_out_fall_inside_intervals_that_have_not_seen_their_configuration():
    """Nine of ten in each group of falls, give or take what the size of the group allows: each fifth of the configurations by the rest."""
    errors = spreads.left_out_runs()
    group, fold = errors["fall_ratio"].map(spreads.fall_group), errors["curve"] % 5
    held = pd.Series(False, index=errors.index)
    for own in (((fold == k) & (group == name)) for k in range(5) for name in group.unique()):
        rest = errors.loc[(fold != fold[own].iloc[0]) & (group == group[own].iloc[0]), "read_ratio"]
        held[own] = errors.loc[own, "read_ratio"].between(*rest.quantile([0.05, 0.95]))
    for name, inside in held.groupby(group):
        assert inside.mean() == pytest.approx(0.9, abs=max(0.02, 2 * np.sqrt(0.09 / len(inside)))), name
    assert held.mean() == pytest.approx(0.9, abs=0.02)


def test_traffic_of_unknown_rhythm_is_a_source_of_doubt_of_its_own():
    """The utilization of a fleet under each recorded rhythm, all as likely: from even to very uneven."""
    run = evidence.measured(model="dsr1", accelerator="h200", isl=1024, osl=1024).dropna(subset=["n_gpus", "median_ttft_s"])
    point = load.operating_point(frontier(run), tok_per_s_per_user=40)
    plans = {}
    for name in ("flat", "servegen_m_large", "azure_2024_conv", "azure_2024_code"):
        week = load.recorded_profile(name, offered_request_per_s=40.0, isl=1024, osl=1024)
        plans[name] = load.plan(week, point, rate_usd_per_gpu_h=2.0, service_level_frac=0.99, wait_limit_s=1.0)
    busy = [plan.utilization_frac for plan in plans.values()]
    at = {"readings": {"speed": reading(1000.0, 1.0, MEASURED)}, "prices": {"rate": 2.0}}
    found = doubt.headline(cost, **at, others={"utilization_frac": doubt.empirical(busy)})
    assert found.made_of.startswith("nearly all of it is utilization")
    assert found.low < cost(1000.0, 2.0, max(busy)) * 1.01 and found.high > cost(1000.0, 2.0, min(busy)) * 0.99


# -- weaker evidence is less sure -----------------------------------------------------------------------------------


def test_the_interval_of_a_reading_widens_with_the_fall_around_it_and_is_narrowest_at_a_run():
    found = [width(doubt.headline(cost, readings={"speed": reading(1000.0, 1.0, MEASURED)}, prices={"rate": 2.0}))]
    for fall in (1.5, 2.5, 4.0):
        found.append(width(doubt.headline(cost, readings={"speed": reading(1000.0, fall)}, prices={"rate": 2.0})))
    for fall in (7.0, 20.0):
        found.append(width(doubt.headline(cost, readings={"speed": reading(1000.0, fall, NEXT_RUN)}, prices={"rate": 2.0})))
    assert found == sorted(found) and len(set(found)) == len(found)


def test_the_interval_of_a_price_widens_with_the_kind_of_its_evidence():
    widths = evidence.load_table("evidence_widths").set_index("evidence_kind")["spread_ratio"].sort_values()
    at = reading(1000.0, 1.0, MEASURED)
    found = [width(doubt.headline(cost, readings={"speed": at}, prices={"rate": price(2.0, kind=kind)})) for kind in widths.index]
    assert all(second >= first for first, second in zip(found, found[1:], strict=False))
    assert found[-1] > 2 * found[0]


def test_a_run_that_does_not_say_what_was_run_is_less_sure():
    at = {"readings": {"speed": reading(1000.0, 1.0, MEASURED)}, "prices": {"rate": 2.0}}
    runs = [RUN, pd.Series({**RUN, "deployment": "disaggregated"}), pd.Series({**RUN, "deployment": "disaggregated", "n_gpus": np.nan})]
    widths = [width(doubt.headline(cost, **at, runs={"speed": run})) for run in runs]
    assert widths == sorted(widths) and widths[2] > 1.5 * widths[0]


def test_a_headline_of_measured_runs_is_theirs_and_inside_its_interval():
    run = pd.Series({**RUN, "total_tok_per_s_per_gpu": 400.0})
    found = doubt.headline(cost, readings={"speed": reading(1000.0, 1.5)}, prices={"rate": 2.0}, runs={"speed": run})
    assert found.value == pytest.approx(cost(400.0, 2.0))
    assert found.low < cost(1000.0, 2.0) < found.high == found.value


def test_what_two_prices_of_one_list_share_cancels_in_their_ratio():
    at = {"readings": {"one": reading(1000.0, 1.0, MEASURED), "two": reading(100.0, 1.0, MEASURED)}}

    def ratio(one, two, first, second):
        return first / one / (second / two)

    def shares(second):
        return doubt.headline(ratio, **at, prices={"first": price(2.0, **LISTED), "second": price(3.0, **second)}).shares["the price list"]

    assert shares(LISTED) < shares(LISTED | {"rate_vintage": "2026-07"})


# -- what is said ---------------------------------------------------------------------------------------------------


def test_the_make_up_is_said_in_words():
    found = doubt.headline(cost, readings={"speed": reading(1000.0, 1.0, MEASURED)}, prices={"rate": price(2.0, kind="assumption")})
    assert found.made_of == "nearly all of it is the price list"
    assert doubt.Headline(1, 1, 1, {}).made_of == ""
    found = doubt.headline(
        cost, readings={"speed": reading(1000.0, 1.0, MEASURED)}, prices={"rate": 2.0}, others={"utilization_frac": doubt.uniform(0.2, 0.9)}
    )
    assert found.made_of == "nearly all of it is utilization"


def test_what_is_not_reached_has_no_interval():
    gone = Reading(np.nan, np.nan, np.nan, Bracket(np.nan, np.nan, np.nan, 5, NOT_REACHED))
    found = doubt.headline(cost, readings={"speed": gone}, prices={"rate": 2.0})
    assert np.isnan([found.value, found.low, found.high]).all() and found.made_of == ""


def test_a_share_of_an_assumption_stays_a_share_and_a_stated_range_is_kept():
    for value in (0.05, 0.5, 0.95, 1.0):
        low, high = doubt.from_value("utilization_frac", value, kind="assumption").support()
        assert 0 < low < high <= 1
    assert doubt.from_value("pue", 1.1, kind="estimate").support()[0] >= 1
    assert doubt.from_value("rate_usd_per_gpu_h", 2.0, low=1.0, high=4.0, kind="measured").support() == (1.0, 4.0)
    assert doubt.from_value("tax_frac", 0.0, kind="estimate") == 0.0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: doubt.factor("repeat run", "any"), "did you mean `repeat runs`"),
        (lambda: doubt.factor("repeat runs", "agregated"), "did you mean `aggregated`"),
        (lambda: doubt.from_value("pue", 1.2, kind="guess"), "evidence_widths.csv has no kind `guess`"),
        (lambda: doubt.from_value("pue", 1.2, low=1.3, high=1.5, kind="measured"), "must rise"),
        (lambda: doubt.headline(lambda a, b: a - 9 * b, readings={"a": reading(1.0, 2.0)}, prices={"b": 2.0}), "must be above 0"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(call, sentence):
    with pytest.raises(QuantityError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_an_estimate_brings_its_own_band_and_no_repeats_and_is_named():
    from tokcost.serving import estimate, estimate_at

    rows = estimate("llama70b", "h200", "fp8", batch=np.geomspace(1, 80, 30), isl=1024, osl=1024, tensor_parallel=4)
    reading = estimate_at(rows, tok_per_s_per_user=float(rows["tok_per_s_per_user"].median()))
    found = doubt.headline(lambda speed, price: price / speed, readings={"speed": reading}, prices={"price": 2.0})
    assert found.shares == {"the estimate": 1.0}
    low, high = spreads.estimate_factor("calibrated, dense model", reading.bracket.steepness).ppf([0.05, 0.95])
    assert (found.value / found.high, found.value / found.low) == pytest.approx((low, high), rel=0.02)
    anchored = spreads.estimate_factor("anchored, half to twice its load", reading.bracket.steepness).ppf([0.05, 0.95])
    assert high / low > anchored[1] / anchored[0] > 1.5


def test_headlines_drawn_together_are_those_drawn_alone():
    load = doubt.pert(0.3, 0.6, 0.8)
    taken = {"readings": {"speed": reading(1000.0, 4.0)}, "prices": {"rate": price(2.0, **LISTED)}, "others": {"utilization_frac": load}}

    def both(**figures):
        return {"cost": cost(**figures), "made": 1 / cost(**figures), "unasked": None}

    together = doubt.headlines_together(both, ["cost", "made"], **taken)
    assert together["cost"] == doubt.headline(cost, **taken)
    assert together["made"].low == pytest.approx(1 / together["cost"].high)
