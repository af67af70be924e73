"""A ratio is a curve over interactivity, and moves with lengths, precision, price lists and power figures."""

import math

import numpy as np
import pytest

from tokcost import evidence
from tokcost.analysis.ratios import ratio_curves, ratios_by_power, ratios_by_rate
from tokcost.claims.reproduction import largest_drop, reproducing_points, speeds_where_ratio_holds
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import cost_at, frontier

SPEEDS = [35, 50, 75, 100, 116.7, 150]
CASES = [(1024, 1024, "fp8", "fp4"), (1024, 1024, "fp8", "fp8"), (8192, 1024, "fp8", "fp4"), (8192, 1024, "fp8", "fp8")]
NAMES = ["1k/1k, FP4 against FP8", "1k/1k, FP8 on both", "8k/1k, FP4 against FP8", "8k/1k, FP8 on both"]
PAIR = {"baseline": "h200", "candidate": "gb300"}


@pytest.fixture(scope="module")
def rows():
    return evidence.measured(campaign="inferencex_dsr1_2026_04")


@pytest.fixture(scope="module")
def rates():
    return {name: evidence.rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-03") for name in ("h200", "gb300")}


@pytest.fixture(scope="module")
def point(rows, rates):
    kw = {name: evidence.provisioned_power(accelerator=name, power_vintage="2026-03") for name in rates}
    return reproducing_points("nvidia_2026_04_15_deepseek_r1", rows, rates=rates, provisioned_kw=kw).iloc[0]


# -- the ratio at the rates that were in force when the claim was published ------------------------------------------


@pytest.mark.parametrize(
    ("case", "printed"),
    [
        (0, ["8", "10", "24", "34", "34", "39"]),
        (1, ["3.2", "3.7", "9.8", "10", "7.6", "5"]),
        (2, ["5", "5", "9", "12", "14", "18"]),
        (3, ["2.5", "2.8", "5.2", "7.0", "8.9", "8.8"]),
    ],
    ids=NAMES,
)
def test_the_cost_ratio_by_speed_is_the_published_one_to_its_last_digit(rows, rates, case, printed):
    ratios = ratio_curves(rows, **PAIR, cases=[CASES[case]], of="cost", facts=rates, tok_per_s_per_user=SPEEDS, max_fall_ratio=math.inf)
    decimals = [len(text.partition(".")[2]) for text in printed]
    assert [f"{ratio:.{places}f}" for ratio, places in zip(ratios["ratio"], decimals, strict=True)] == printed
    assert set(ratios["series"]) == {NAMES[case]}


@pytest.mark.parametrize(
    ("system", "printed"),
    [(("h200", "fp8"), [0.383, 0.528, 1.57, 3.14, 4.20, 10.3]), (("gb300", "fp4"), [0.046, 0.051, 0.065, 0.092, 0.123, 0.263])],
)
def test_the_cost_by_speed_is_the_published_one_within_a_percent(rows, rates, system, printed):
    best = frontier(rows, accelerator=system[0], precision=system[1], isl=1024, osl=1024)
    assert cost_at(best, rates[system[0]], tok_per_s_per_user=SPEEDS) == pytest.approx(printed, rel=0.012)


def test_the_cost_ratio_is_the_throughput_ratio_over_the_rate_ratio_at_every_speed(rows, rates):
    cost = ratio_curves(rows, **PAIR, cases=CASES, of="cost", facts=rates)
    throughput = ratio_curves(rows, **PAIR, cases=CASES, of="throughput", facts=rates)
    np.testing.assert_allclose(cost["ratio"], throughput["ratio"] / (2.652 / 1.41))


def test_a_ratio_is_given_only_where_both_systems_were_measured(rows, rates):
    curve = ratio_curves(rows, **PAIR, cases=CASES[:1], of="cost", facts=rates)
    known = curve.dropna()["tok_per_s_per_user"]
    assert known.min() == pytest.approx(20.335, abs=1e-3) and known.max() == pytest.approx(173.918, abs=1e-3)
    assert curve["tok_per_s_per_user"].max() > 300 and curve["ratio"].isna().any()


def test_rates_of_two_bases_are_not_put_into_one_ratio(rows, rates):
    mixed = {**rates, "gb300": evidence.rate(accelerator="gb300", price_basis="rental_3yr", rate_vintage="2026-03")}
    with pytest.raises(QuantityError, match="price_basis is rental_3yr .* owning_hyperscaler.*one basis"):
        ratio_curves(rows, **PAIR, cases=CASES[:1], of="cost", facts=mixed)


def test_lengths_that_were_not_measured_are_refused(rows, rates):
    with pytest.raises(QuantityError, match="isl `2048`"):
        ratio_curves(rows, **PAIR, cases=[(2048, 1024, "fp8", "fp4")], of="cost", facts=rates)


# -- price lists and power figures -----------------------------------------------------------------------------------


def test_the_two_runs_under_other_price_lists(point):
    throughput = point["candidate_total_tok_per_s_per_gpu"] / point["baseline_total_tok_per_s_per_gpu"]
    ratio = ratios_by_rate(**PAIR, throughput_ratio=throughput).set_index(["price_basis", "rate_vintage"])["ratio"]
    assert ratio["owning_hyperscaler", "2026-03"] == pytest.approx(34.1, abs=0.05)
    assert ratio["owning_hyperscaler", "2026-07"] == pytest.approx(33.8, abs=0.05)
    assert round(ratio["rental_3yr", "2026-09"]) == 37
    assert ("owning_neocloud", "2026-09") not in ratio.index  # the source dropped that column


def test_the_two_runs_per_megawatt_under_two_vintages(point):
    throughput = {f"{role}_total_tok_per_s_per_gpu": point[f"{role}_total_tok_per_s_per_gpu"] for role in PAIR}
    table = ratios_by_power(**PAIR, **throughput).set_index("power_vintage")
    per_mw = table.loc["2026-03", ["baseline_total_tok_per_s_per_mw", "candidate_total_tok_per_s_per_mw"]]
    assert per_mw.round().tolist() == [53_846, 2_842_982]
    assert table["ratio"].round(1).to_dict() == {"2026-03": 52.8, "2026-07": 41.4}


# -- where it holds -------------------------------------------------------------------------------------------------


def test_where_35_and_where_5(rows, rates):
    curves = dict(list(ratio_curves(rows, **PAIR, cases=CASES, of="cost", facts=rates).groupby("series")))
    flat, falling = speeds_where_ratio_holds(curves[NAMES[0]], "35x").within
    assert flat == pytest.approx((102, 111), abs=1) and falling == pytest.approx((154, 155), abs=1)
    assert all(speeds_where_ratio_holds(curves[name], "35x").within == () for name in NAMES[1:])
    slower, faster = speeds_where_ratio_holds(curves[NAMES[2]], "5x").within
    assert slower[0] < 35 < slower[1] and faster[0] < 50 < faster[1] < 55


def test_the_edge_of_the_older_system_is_the_published_point(rows):
    last, first = largest_drop(frontier(rows, accelerator="h200", precision="fp8", isl=1024, osl=1024))
    assert (round(last["tok_per_s_per_user"], 1), last["framework"], last["n_gpus"]) == (116.7, "dynamo-trt", 96)
    assert (round(first["tok_per_s_per_user"], 1), first["framework"], first["n_gpus"]) == (117.3, "dynamo-sglang", 80)


def test_a_curve_of_one_run_has_no_edge(rows):
    one = rows.query("accelerator == 'h200' and isl == 1024").head(1)
    with pytest.raises(QuantityError, match="is one run"):
        largest_drop(frontier(one))


@pytest.mark.parametrize(
    ("basis", "vintage", "at_least_before", "highest_before", "highest_past"),
    [("owning_hyperscaler", "2026-03", (102, 111), 34.77, 74), ("rental_3yr", "2026-09", (93.4, 116.7), 37.9, 81)],
)
def test_35_on_either_side_of_the_edge(rows, basis, vintage, at_least_before, highest_before, highest_past):
    rates = {name: evidence.rate(accelerator=name, price_basis=basis, rate_vintage=vintage) for name in ("h200", "gb300")}
    curve = ratio_curves(rows, **PAIR, cases=CASES[:1], of="cost", facts=rates)
    is_before = curve["tok_per_s_per_user"] <= 116.72
    before, past = speeds_where_ratio_holds(curve[is_before], "35x"), speeds_where_ratio_holds(curve[~is_before], "35x")
    assert before.at_least[0] == pytest.approx(at_least_before, abs=1.1) and before.max_ratio == pytest.approx(highest_before, abs=0.05)
    assert past.max_ratio == pytest.approx(highest_past, abs=0.9) and past.at_least[0][0] < 118 and past.at_least[0][1] > 153


def test_the_two_runs_behind_the_claim(point):
    sides = [point.filter(regex=f"^{role}_").rename(lambda name: name.partition("_")[2]) for role in PAIR]
    assert [round(side["total_token_cost_usd_per_mtok"], 4) for side in sides] == [4.2045, 0.1234]
    assert [side["n_gpus"] for side in sides] == [96, 38] and (point["isl"], point["osl"]) == (1024, 1024)
