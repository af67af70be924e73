"""An audit compares ranges: what rounds to a printed figure, and what follows from printed figures."""

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tokcost import evidence, formulas
from tokcost.claims.claim_audit import DOES_NOT_FOLLOW, FOLLOWS, FOLLOWS_LOOSELY, NOT_STATED, VERDICTS
from tokcost.claims.claim_audit import audit_figures as audit
from tokcost.claims.flops_per_dollar import flops_candidates, flops_ratios
from tokcost.claims.printed import printed, printed_range
from tokcost.claims.reproduction import reproducing_points, speeds_where_ratio_holds
from tokcost.paths import DATA
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import frontier

ARTICLE = "nvidia_2026_04_15_deepseek_r1"
RATE, THROUGHPUT, COST = "rate_usd_per_gpu_h", "total_tok_per_s_per_gpu", "total_token_cost_usd_per_mtok"
COLUMNS = ["claim_id", "title", "role", "accelerator", "quantity", "printed", "direction"]


def invented(claim_id="chip_b", **figures):
    """A claim from (baseline, candidate, ratio) texts by quantity; an empty text leaves the row out."""
    rows = []
    for quantity, texts in figures.items():
        for role, text in zip(("baseline", "candidate", "ratio"), texts, strict=True):
            accelerator = {"baseline": "mi300x", "candidate": "mi355x", "ratio": ""}[role]
            direction = "" if role != "ratio" else "inverse" if quantity == COST else "as_is"
            if text:
                rows.append([claim_id, "An invented claim", role, accelerator, quantity, text, direction])
    return pd.DataFrame(rows, columns=COLUMNS)


def verdicts(table):
    return {(row.role, row.quantity, row.derived_from): row.verdict for row in table.itertuples()}


# -- what is printed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "strict", "loose"),
    [
        ("6K", (5500, 6500), (5500, 6500)),
        ("2.8M", (2.75e6, 2.85e6), (2.75e6, 2.85e6)),
        ("35x lower", (34.5, 35.5), (34.5, 35.5)),
        ("4.20", (4.195, 4.205), (4.195, 4.205)),
        ("$0.12", (0.115, 0.125), (0.115, 0.125)),
        ("50x", (49.5, 50.5), (45, 55)),
        ("90", (89.5, 90.5), (85, 95)),
        ("6,000", (5999.5, 6000.5), (5500, 6500)),
        ("60K", (59_500, 60_500), (55_000, 65_000)),
        ("1.50×", (1.495, 1.505), (1.495, 1.505)),
        ("2 million", (1.5e6, 2.5e6), (1.5e6, 2.5e6)),
        ("up to 12x lower", (11.5, 12.5), (11.5, 12.5)),
        (">10x", (10, np.inf), (9.5, np.inf)),
        ("more than 4 times", (4, np.inf), (3.5, np.inf)),
        ("35-50x", (34.5, 50.5), (34.5, 55)),
        ("50 % lower", (0.495, 0.505), (0.45, 0.55)),
        ("up to 40 % more tokens per dollar", (1.395, 1.405), (1.35, 1.45)),
        ("25 to 40 % lower", (0.595, 0.755), (0.55, 0.755)),
        ("80% of", (0.795, 0.805), (0.75, 0.85)),
        ("2x per watt", (1.5, 2.5), (1.5, 2.5)),
        ("one-tenth", (1 / 10.5, 1 / 9.5), (1 / 10.5, 1 / 9.5)),
    ],
)
def test_a_printed_figure_stands_for_all_that_rounds_to_it(text, strict, loose):
    assert printed_range(text) == pytest.approx(strict)
    assert printed_range(text, is_loose=True) == pytest.approx(loose)


@pytest.mark.parametrize("text", ["", "a lot", "6Q", "35x 40x", "-5", "0", "$0.00", "1,22", "nan", "50-35x", "40 %", "100 % lower"])
def test_what_is_no_figure_is_refused_by_name(text):
    with pytest.raises(QuantityError, match=f"`{text}`".replace("$", r"\$")):
        printed(text)


@given(st.floats(1e-3, 1e9), st.integers(0, 4))
def test_a_number_lies_in_the_range_of_its_own_rounding(value, decimals):
    text = f"{value:,.{decimals}f}"
    assume(float(text.replace(",", "")) > 0)
    figure = printed(text)
    for low, high in (figure.strict, figure.loose):
        assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
    assert figure.loose[0] <= figure.strict[0] and figure.strict[1] <= figure.loose[1]


# -- any claim of the shape -------------------------------------------------------------------------------------------


def test_an_invented_claim_in_another_data_directory_is_audited_without_a_line_of_code(tmp_path, monkeypatch):
    source = "s1,A blog,Someone,https://example.org/blog,2026-10-01,facts only,,"
    (tmp_path / "sources.csv").write_text(f"source_id,title,publisher,locator,date,grade,licence,attribution,note\n{source}\n")
    table = invented(**{RATE: ("1.10", "2.20", "2x"), THROUGHPUT: ("500", "4K", "8x"), COST: ("0.61", "0.15", "6x")})
    extra = {"source_id": "s1", "locator": "table 1", "date": "2026-10-01", "kind": "vendor_claim", "note": ""}
    table.assign(**extra).to_csv(tmp_path / "claims.csv", index=False)
    shutil.copy(DATA / "labels.csv", tmp_path)
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(tmp_path))
    said = verdicts(audit("chip_b"))
    assert said["baseline", COST, f"{RATE} and {THROUGHPUT}"] == FOLLOWS
    assert said["ratio", THROUGHPUT, "the two printed figures"] == FOLLOWS
    assert said["ratio", COST, "the two printed figures"] == DOES_NOT_FOLLOW  # 0.61 / 0.15 is 3.9 to 4.2
    assert said["ratio", COST, f"{RATE} and {THROUGHPUT}"] == DOES_NOT_FOLLOW


def test_one_wrong_figure_is_named_by_every_way_that_leads_to_it():
    table = audit("chip_b", invented(**{RATE: ("1.10", "", ""), THROUGHPUT: ("512", "", ""), COST: ("1.25", "", "")}))
    assert verdicts(table) == {
        ("baseline", COST, f"{RATE} and {THROUGHPUT}"): DOES_NOT_FOLLOW,
        ("baseline", THROUGHPUT, f"{RATE} and {COST}"): DOES_NOT_FOLLOW,
    }
    assert (
        table["why"][0] == "rate_usd_per_gpu_h and total_tok_per_s_per_gpu give 0.5968 (0.5935 to 0.6001), 1.25 stands for 1.245 to 1.255"
    )


def test_a_ratio_without_its_parts_and_parts_without_a_ratio_are_not_stated():
    said = verdicts(audit("chip_b", invented(**{RATE: ("1.10", "2.20", ""), THROUGHPUT: ("500", "", "8x")})))
    assert said["ratio", THROUGHPUT, "nothing printed"] == NOT_STATED
    assert said["ratio", RATE, "the two printed figures"] == NOT_STATED


systems = st.tuples(st.floats(0.5, 10), st.floats(0.5, 10), st.floats(20, 2e4), st.floats(20, 2e4))


def as_printed(system, digits, ratio_digits, ratio_off=1.0):
    """A claim made from true numbers, each rounded to so many significant digits; the ratios times `ratio_off`."""
    rate_a, rate_b, out_a, out_b = system
    cost_a, cost_b = (
        formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=r, total_tok_per_s_per_gpu=o)
        for r, o in ((rate_a, out_a), (rate_b, out_b))
    )

    def text(value, digits=digits):
        rounded = f"{value:.{digits - 1}e}"
        return f"{float(rounded):.{max(0, digits - 1 - int(rounded.partition('e')[2]))}f}"

    return invented(
        **{
            RATE: (text(rate_a), text(rate_b), text(rate_b / rate_a * ratio_off, ratio_digits)),
            THROUGHPUT: (text(out_a), text(out_b), text(out_b / out_a * ratio_off, ratio_digits)),
            COST: (text(cost_a), text(cost_b), text(cost_a / cost_b * ratio_off, ratio_digits)),
        }
    )


@given(systems, st.integers(1, 5), st.integers(1, 4))
def test_a_claim_made_from_true_numbers_by_rounding_always_follows(system, digits, ratio_digits):
    table = audit("chip_b", as_printed(system, digits, ratio_digits))
    assert set(table["verdict"]) <= {FOLLOWS, FOLLOWS_LOOSELY}, table[["why", "verdict"]].to_dict("records")


@given(systems, st.floats(1.2, 50), st.booleans())
def test_a_ratio_that_is_off_by_more_than_rounding_never_follows(system, off, upwards):
    claims = as_printed(system, 4, 4, off if upwards else 1 / off)
    assume(not any(figure.strict != figure.loose for figure in map(printed, claims["printed"])))
    table = audit("chip_b", claims)
    assert set(table.loc[table["role"] == "ratio", "verdict"]) == {DOES_NOT_FOLLOW}
    assert DOES_NOT_FOLLOW not in set(table.loc[table["role"] != "ratio", "verdict"])


@given(systems)
def test_the_loose_reading_holds_all_that_the_strict_one_does(system):
    table = audit("chip_b", as_printed(system, 2, 1))
    for name in ("printed", "derived"):
        assert (table[f"{name}_loose_low"] <= table[f"{name}_low"]).all() and (table[f"{name}_high"] <= table[f"{name}_loose_high"]).all()
    assert (table["derived"].between(table["derived_low"], table["derived_high"])).all()
    assert set(table["verdict"]) <= set(VERDICTS)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (invented(**{RATE: ("1.10", "2.20", "2x")}).assign(claim_id="chip_c"), "no claim `chip_b` in claims.csv; did you mean `chip_c`"),
        (pd.concat([invented(**{RATE: ("1.10", "2.20", "2x")})] * 2), "prints rate_usd_per_gpu_h of its baseline twice"),
        (invented(**{"rate_usd_per_gpu": ("1.10", "2.20", "2x")}), "unknown quantity `rate_usd_per_gpu`"),
        (invented(**{RATE: ("cheap", "2.20", "2x")}), "`cheap` does not read as a printed figure"),
    ],
)
def test_a_claim_that_cannot_be_read_is_answered_in_one_sentence(claims, says):
    with pytest.raises(QuantityError, match=says):
        audit("chip_b", claims)


# -- where it comes from, where it holds ------------------------------------------------------------------------------


def measured_rows():
    base = {"model": "m", "isl": 1024, "osl": 1024, "precision": "fp8", "n_gpus": 8}
    slow = pd.DataFrame(
        {**base, "accelerator": "mi300x", "tok_per_s_per_user": [20.0, 50.0, 50.2], "total_tok_per_s_per_gpu": [800.0, 503.0, 600.0]}
    )
    fast = pd.DataFrame({**base, "accelerator": "mi355x", "tok_per_s_per_user": [50.1, 20.1], "total_tok_per_s_per_gpu": [4100.0, 9000.0]})
    return pd.concat([slow, fast], ignore_index=True).assign(concurrency=[64, 16, 16, 64, 16])


def test_the_pair_of_rows_that_gives_the_printed_figures_comes_first_and_says_how_many_do_as_well():
    claims = invented(**{RATE: ("1.10", "2.20", "2x"), THROUGHPUT: ("500", "4K", "8x"), COST: ("0.61", "0.15", "4x")})
    pairs = reproducing_points("chip_b", measured_rows(), rates={"mi300x": 1.10, "mi355x": 2.20}, claims=claims)
    assert len(pairs) == 3  # 50.0 and 50.2 with 50.1, 20 with 20.1
    best = pairs.iloc[0]
    assert (best["baseline_total_tok_per_s_per_gpu"], best["candidate_total_tok_per_s_per_gpu"]) == (503, 4100)
    assert (best["n_figures"], best["n_reproduced"], best["n_reproduced_strictly"], best["n_ratios_reproduced"], best["n_as_good"]) == (
        4,
        4,
        3,
        2,
        1,
    )
    assert best["baseline_users_per_gpu"] == 2
    assert pairs["misses"].iloc[0] == "" and "baseline_total_tok_per_s_per_gpu" in pairs["misses"].iloc[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rates": {"mi300x": 1.1}}, "rates has no `mi355x`, the candidate of claim chip_b"),
        ({"within_frac": 1e-6}, "no two measured rows of mi300x and mi355x lie within"),
        ({"rows": measured_rows().query("accelerator == 'mi300x'")}, "no measured row of `mi355x`, the candidate"),
    ],
)
def test_no_pair_is_said_and_never_made_up(change, says):
    claims = invented(**{RATE: ("1.10", "2.20", "2x"), THROUGHPUT: ("500", "4K", "8x")})
    call = {"rows": measured_rows(), "rates": {"mi300x": 1.10, "mi355x": 2.20}, "claims": claims} | change
    with pytest.raises(QuantityError, match=says):
        reproducing_points("chip_b", call.pop("rows"), **call)


def test_where_a_ratio_holds_is_said_in_stretches_of_speed():
    curve = pd.DataFrame({"tok_per_s_per_user": [10, 20, 30, 40, 50, 60], "ratio": [5, 35, 36, 34.6, 8, np.nan]})
    held = speeds_where_ratio_holds(curve, "35x lower")
    assert held.within == ((20, 20), (40, 40)) and held.at_least == ((20, 40),)
    assert (held.min_ratio, held.max_ratio) == (5, 36)
    assert speeds_where_ratio_holds(curve, "90x").at_least == ()
    with pytest.raises(QuantityError, match="has no value"):
        speeds_where_ratio_holds(curve.tail(1), "35x")


# -- the published claim of data/claims.csv ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def article():
    return audit(ARTICLE).set_index(["role", "quantity", "derived_from"])


def test_4_20_follows_from_1_41_and_90_only_if_90_is_rounded_to_tens(article):
    row = article.loc[("baseline", COST, f"{RATE} and {THROUGHPUT}")]
    assert row["verdict"] == FOLLOWS_LOOSELY
    assert round(row["derived"], 2) == 4.35
    assert row["derived_low"] > row["printed_high"]
    implied = article.loc[("baseline", THROUGHPUT, f"{RATE} and {COST}")]
    assert round(implied["derived"], 1) == 93.3


@pytest.mark.parametrize(
    ("quantity", "derived", "low", "high"),
    [(RATE, 1.88, 1.87, 1.89), (THROUGHPUT, 66.7, 60.8, 72.6), ("total_tok_per_s_per_mw", 51.9, 50.5, 53.3), (COST, 35.0, 33.6, 36.6)],
)
def test_every_printed_ratio_follows_from_its_two_printed_figures(article, quantity, derived, low, high):
    row = article.loc[("ratio", quantity, "the two printed figures")]
    assert row["verdict"] == FOLLOWS
    assert (row["derived"], row["derived_low"], row["derived_high"]) == pytest.approx((derived, low, high), rel=0.005)


def test_35x_follows_from_prices_and_throughputs_too_within_a_wide_range(article):
    row = article.loc[("ratio", COST, f"{RATE} and {THROUGHPUT}")]
    assert row["verdict"] == FOLLOWS and round(row["derived"], 1) == 35.5
    assert row["derived_low"] < 33 and row["derived_high"] > 38


def test_the_power_behind_tokens_per_mw_is_not_stated_but_implied(article):
    kw = article.xs("provisioned_kw_per_gpu", level="quantity")
    assert set(kw["verdict"]) == {NOT_STATED}
    assert kw["derived"].round(2).tolist() == [1.67, 2.14]
    for (_, low, high), provisioned in zip(kw[["derived_low", "derived_high"]].itertuples(), (1.73, 2.10), strict=True):
        assert (low <= provisioned <= high) == (provisioned == 2.10)  # 1.73 needs the 93.3 tokens/s that 4.20 implies, not 90


def test_flops_per_dollar_came_from_sparse_fp8_on_one_side_and_dense_fp4_on_the_other():
    table = flops_candidates(ARTICLE)
    fits = table[table["verdict"] == FOLLOWS]
    assert fits[["accelerator", "precision", "sparsity"]].values.tolist() == [["h200", "fp8", "sparse"], ["gb300", "fp4", "dense"]]
    gb300 = fits.set_index("accelerator").loc["gb300"]
    assert round(gb300["derived"], 2) == 5.66  # rounds to 5.7: the printed 5.6 is met by the far end of 2.65 alone


def test_a_claim_without_a_flops_line_still_shows_what_its_prices_would_buy():
    table = evidence.load_table("claims", claim_id=ARTICLE)
    without = table[table["quantity"] != "peak_pflop_per_s_per_usd_per_h"]
    rated = flops_candidates(ARTICLE, claims=without)
    assert set(rated["verdict"]) == {NOT_STATED} and rated["off_frac"].isna().all() and set(rated["printed"]) == {""}
    assert set(rated["derived"]) == set(flops_candidates(ARTICLE)["derived"])
    with pytest.raises(QuantityError, match="does not print rate_usd_per_gpu_h of its baseline; hand the price in: rates="):
        flops_candidates(ARTICLE, claims=without[without["quantity"] != "rate_usd_per_gpu_h"])


def test_at_the_unrounded_rate_no_rated_figure_of_gb300_rounds_to_5_6():
    rates = {name: evidence.rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-03") for name in ("h200", "gb300")}
    nearest = flops_candidates(ARTICLE, rates=rates).groupby("role").first()
    assert nearest["verdict"].to_dict() == {"baseline": FOLLOWS, "candidate": DOES_NOT_FOLLOW}
    assert nearest.loc["candidate", "off_frac"] == pytest.approx(0.01, abs=0.002)


def test_flops_per_dollar_alike_on_both_sides_is_1_34_and_best_dense_is_4_0():
    ratios = flops_ratios(ARTICLE).set_index(["baseline", "candidate"])
    assert ratios.loc[("fp8 dense", "fp8 dense"), "ratio"].round(2) == 1.34
    assert ratios.loc[("fp8 dense", "fp4 dense"), "ratio"].round(1) == 4.0
    follows = ratios[ratios["verdict"] == FOLLOWS]
    assert follows.index.tolist() == [("fp8 sparse", "fp4 dense")] and not follows["is_like_for_like"].any()


def test_two_measured_rows_and_no_others_give_every_figure_of_the_table():
    labels = {"price_basis": "owning_hyperscaler", "rate_vintage": "2026-03"}
    rates = {name: evidence.rate(accelerator=name, **labels) for name in ("h200", "gb300")}
    power = {name: evidence.provisioned_power(accelerator=name, power_vintage="2026-03") for name in ("h200", "gb300")}
    pairs = reproducing_points(ARTICLE, evidence.measured(campaign="inferencex_dsr1_2026_04"), rates=rates, provisioned_kw=power)
    best = pairs.iloc[0]
    assert best["n_reproduced"] == best["n_figures"] == 6 and best["n_as_good"] == 1
    assert pairs["n_reproduced"].iloc[1] <= 4 and len(pairs) > 50
    printed_there = {
        "baseline_tok_per_s_per_user": 116.72,
        "candidate_tok_per_s_per_user": 116.86,
        "baseline_total_tok_per_s_per_gpu": 93.153,
        "candidate_total_tok_per_s_per_gpu": 5970.26,
        "baseline_total_token_cost_usd_per_mtok": 4.2045,
        "candidate_total_token_cost_usd_per_mtok": 0.1234,
        "baseline_total_tok_per_s_per_mw": 53_846,
        "candidate_total_tok_per_s_per_mw": 2_842_982,
    }
    assert {name: best[name] for name in printed_there} == pytest.approx(printed_there, rel=5e-4)
    assert best["n_ratios_reproduced"] == 0  # unrounded they are 64.1, 52.8 and 34.1: the ratios were taken from rounded figures
    assert best["candidate_label_basis"] == "inferred"


def test_where_35x_holds_on_the_curve():
    rows = evidence.measured(campaign="inferencex_dsr1_2026_04")
    speed = np.arange(25, 174, 0.5)
    curves = {}
    for isl in (1024, 8192):
        h200, gb300 = (frontier(rows, accelerator=a, precision=p, isl=isl) for a, p in (("h200", "fp8"), ("gb300", "fp4")))
        ratio = gb300.at(tok_per_s_per_user=speed) / h200.at(tok_per_s_per_user=speed) * 1.41 / 2.652
        curves[isl] = speeds_where_ratio_holds(pd.DataFrame({"tok_per_s_per_user": speed, "ratio": ratio}), "35x lower")
    assert curves[1024].min_ratio < 9 and curves[1024].at_least[0][0] > 90
    assert curves[8192].at_least == () and curves[8192].max_ratio < 34.5


def test_a_ratio_beside_two_prices_says_how_much_output_it_takes():
    """Intel prints 2.3 times the performance per dollar, one board at 30,678 USD and eight at 125,000."""
    row = audit("intel_2024_06_gaudi3").set_index("derived_from").loc["the printed ratio and the two prices"]
    assert row["derived"] == pytest.approx(2.3 * (125_000 / 8) / 30_678) and row["verdict"] == NOT_STATED
    assert row["derived_low"] == pytest.approx(2.25 * 15_625 / 30_678, rel=1e-4)  # the eight boards are eight, and 2.3 is 2.25 to 2.35
    halved = invented(**{COST: ("", "", "2x lower"), "accelerator_price_usd": ("10,000", "20,000", "")})
    assert audit("chip_b", halved).set_index("derived_from").loc["the printed ratio and the two prices", "derived"] == pytest.approx(4)
