"""A ratio is a curve over interactivity, and moves with lengths, precision, price lists and power figures."""

import numpy as np
import pandas as pd
import pytest

from tokcost import evidence
from tokcost.analysis.ratios import by_speed, cost_curves, ratio_curves, ratios_by_power, ratios_by_rate
from tokcost.claims.claim_audit import audit
from tokcost.claims.reproduction import reproducing_points, speeds_where_ratio_holds
from tokcost.claims.verdicts import audit_ranges, largest_drop, ratio_coverage, side_by_side
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import frontier

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
    ratios = ratio_curves(rows, **PAIR, cases=[CASES[case]], of="cost", facts=rates, tok_per_s_per_user=SPEEDS)
    decimals = [len(text.partition(".")[2]) for text in printed]
    assert [f"{ratio:.{places}f}" for ratio, places in zip(ratios["ratio"], decimals, strict=True)] == printed
    assert set(ratios["series"]) == {NAMES[case]}


@pytest.mark.parametrize(
    ("system", "printed"),
    [(("h200", "fp8"), [0.383, 0.528, 1.57, 3.14, 4.20, 10.3]), (("gb300", "fp4"), [0.046, 0.051, 0.065, 0.092, 0.123, 0.263])],
)
def test_the_cost_by_speed_is_the_published_one_within_a_percent(rows, rates, system, printed):
    curve = cost_curves(rows, [system], isl=1024, osl=1024, rates=rates)
    cost = np.interp(SPEEDS, curve["tok_per_s_per_user"], curve["total_token_cost_usd_per_mtok"])
    assert cost == pytest.approx(printed, rel=0.012)


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
    with pytest.raises(QuantityError, match="price_basis is rental_3yr for the candidate and owning_hyperscaler for the baseline"):
        ratio_curves(rows, **PAIR, cases=CASES[:1], of="cost", facts=mixed)


def test_lengths_that_were_not_measured_are_refused(rows, rates):
    with pytest.raises(QuantityError, match="isl `2048`"):
        ratio_curves(rows, **PAIR, cases=[(2048, 1024, "fp8", "fp4")], of="cost", facts=rates)


def test_a_table_by_speed_keeps_the_order_and_every_number(rows, rates):
    ratios = ratio_curves(rows, **PAIR, cases=CASES, of="cost", facts=rates, tok_per_s_per_user=SPEEDS)
    table = by_speed(ratios)
    assert table["series"].tolist() == NAMES
    np.testing.assert_array_equal(table.drop(columns="series").to_numpy().ravel(), ratios["ratio"])


# -- price lists and power figures -----------------------------------------------------------------------------------


def test_the_two_runs_under_other_price_lists(point):
    throughput = point["candidate_total_tok_per_s_per_gpu"] / point["baseline_total_tok_per_s_per_gpu"]
    ratio = ratios_by_rate(**PAIR, throughput_ratio=throughput).set_index(["price_basis", "rate_vintage"])["ratio"]
    assert len(ratio) == 8  # three bases and three vintages, but the last has no neocloud column
    assert ratio["owning_hyperscaler", "2026-03"] == pytest.approx(34.1, abs=0.05)
    assert ratio["owning_hyperscaler", "2026-07"] == pytest.approx(33.8, abs=0.05)
    assert round(ratio["rental_3yr", "2026-09"]) == 37


def test_the_two_runs_per_megawatt_under_two_vintages(point):
    throughput = {f"{role}_total_tok_per_s_per_gpu": point[f"{role}_total_tok_per_s_per_gpu"] for role in PAIR}
    table = ratios_by_power(**PAIR, **throughput).set_index("power_vintage")
    per_mw = table.loc["2026-03", ["baseline_total_tok_per_s_per_mw", "candidate_total_tok_per_s_per_mw"]]
    assert per_mw.round().tolist() == [53_846, 2_842_982]
    assert table["ratio"].round(1).to_dict() == {"2026-03": 52.8, "2026-07": 41.4}


# -- verdicts --------------------------------------------------------------------------------------------------------


def test_where_35_and_where_5(rows, rates):
    held = ratio_coverage(ratio_curves(rows, **PAIR, cases=CASES, of="cost", facts=rates), ["35x", "5x"]).set_index("series")
    (flat, falling) = held.loc[NAMES[0], "rounds to 35x"]
    assert flat == pytest.approx((102, 111), abs=1) and falling == pytest.approx((154, 155), abs=1)
    assert (held.loc[NAMES[1:], "rounds to 35x"].map(len) == 0).all()
    slower, faster = held.loc[NAMES[2], "rounds to 5x"]
    assert slower[0] < 35 < slower[1] and faster[0] < 50 < faster[1] < 55
    assert (held["min_ratio"] < held["max_ratio"]).all()


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


def test_two_runs_side_by_side_are_two_rows_that_share_their_lengths(point):
    runs = side_by_side(point)
    assert runs["role"].tolist() == ["baseline", "candidate"]
    assert runs["isl"].tolist() == runs["osl"].tolist() == [1024, 1024]
    assert runs["total_token_cost_usd_per_mtok"].round(4).tolist() == [4.2045, 0.1234]
    assert runs["n_gpus"].tolist() == [96, 38]


def test_a_rebuilt_ratio_says_what_it_was_rebuilt_from():
    labels = audit_ranges(audit("nvidia_2026_04_15_deepseek_r1"))["label"].tolist()
    assert "Throughput\nratio: 65x, from price and cost" in labels
    assert "Cost per million tokens\nratio: 35x lower, from price and speed" in labels
    assert "Price of a GPU-hour\nratio: 2x" in labels


def test_a_rebuilt_figure_is_shown_relative_to_the_printed_one():
    table = pd.DataFrame(
        {
            "role": ["baseline"], "accelerator": ["h200"], "quantity": ["total_tok_per_s_per_gpu"], "derived_from": ["price and cost"],
            "printed": ["90"], "printed_low": [89.5], "printed_high": [90.5], "derived": [99.0], "derived_low": [90.0],
            "derived_high": [108.0], "verdict": ["follows"],
        }
    )  # fmt: skip
    (shown,) = audit_ranges(table).to_dict("records")
    assert (shown["low"], shown["ratio"], shown["high"]) == pytest.approx((1.0, 1.1, 1.2))
    assert shown["printed_low"] < 1 < shown["printed_high"] and "H200: 90" in shown["label"]
