"""A verdict rests on every measured case that the claim leaves open, and says what is missing where there is none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.claims.claim_audit import DOES_NOT_FOLLOW, FOLLOWS, FOLLOWS_LOOSELY
from tokcost.claims.measured_verdict import AUDIT_VERDICTS, CANNOT_BE_KNOWN, HOLDS_AT, audit
from tokcost.evidence import load_table
from tokcost.quantities import QuantityError

COST = "total_token_cost_usd_per_mtok"
#: the verdicts from the kindest to the hardest
ORDER = [FOLLOWS, FOLLOWS_LOOSELY, HOLDS_AT, DOES_NOT_FOLLOW]


def claimed(printed, direction="inverse", quantity=COST, **where):
    """A claim of one ratio, B200 against H200 on DeepSeek-R1 unless `where` says otherwise (column, or role_column)."""
    columns = {"model": "dsr1", "isl": "1024", "osl": "1024", "precision": "fp8", "price_basis": "rental_3yr", "rate_vintage": "2026-09"}
    columns |= {"baseline accelerator": "h200", "candidate accelerator": "b200"} | where
    figures = pd.DataFrame([["c", "A claim", "ratio", "", quantity, printed, direction]])
    figures.columns = ["claim_id", "title", "role", "accelerator", "quantity", "printed", "direction"]
    terms = [
        ("c", name, True, value, *(["", *name.replace("candidate_", "candidate ").split()][-2:]), value) for name, value in columns.items()
    ]
    terms.append(("c", "tokens counted", False, "", "", "", ""))
    return figures, pd.DataFrame(terms, columns=["claim_id", "term", "is_stated", "stated", "role", "column", "value"])


def tried(*args, **where):
    return audit("c", *claimed(*args, **where))


@given(st.floats(0.05, 60), st.floats(1.01, 3))
@settings(max_examples=8, deadline=None)
def test_a_bolder_claim_never_gets_a_kinder_verdict(figure, more):
    modest, bold = (tried(f"{value:.3f}x lower") for value in (figure, figure * more))
    assert ORDER.index(modest.verdict) <= ORDER.index(bold.verdict)
    assert len(modest.supported) >= len(bold.supported)


def test_the_verdict_is_read_off_the_least_and_the_most_that_was_measured():
    (case,) = tried("2x lower").cases.itertuples()
    assert 1 < case.least < case.most
    for figure, verdict in ((case.least * 0.9, FOLLOWS), (case.most * 0.98, HOLDS_AT), (case.most * 1.02, DOES_NOT_FOLLOW)):
        assert tried(f"{figure:.4f}x lower").verdict == verdict
    assert tried(">1x lower").verdict == FOLLOWS


def test_the_ways_to_print_one_gain_get_one_verdict():
    ways = [tried("4.0x lower"), tried("75 % lower", "as_is"), tried("300 % more tokens per dollar"), tried("a quarter", "as_is")]
    assert {way.verdict for way in ways} == {HOLDS_AT}
    assert len({way.cases["most"].iloc[0] for way in ways}) == 1


def test_what_the_claim_leaves_open_is_tried_in_full():
    stated, open_prices = tried("2x lower"), tried("2x lower", price_basis="", rate_vintage="")
    assert len(stated.cases) == 1
    lists = load_table("hourly_rates", accelerator=["h200", "b200"]).groupby(["price_basis", "rate_vintage"])["accelerator"].nunique()
    assert len(open_prices.cases) == (lists == 2).sum()
    assert stated.cases["most"].iloc[0] in set(open_prices.cases["most"])


def test_a_stated_speed_is_the_only_one_tried():
    one, span = tried("2x lower", tok_per_s_per_user="60"), tried("2x lower", tok_per_s_per_user="50-60")
    assert one.cases[["from_speed", "to_speed", "n_speeds"]].iloc[0].tolist() == [60, 60, 1]
    assert one.cases["least"].iloc[0] == one.cases["most"].iloc[0]
    assert 50 <= span.cases["from_speed"].iloc[0] <= span.cases["to_speed"].iloc[0] <= 60


def test_the_shares_multiply_to_a_gain_that_was_measured():
    found = tried("10x lower", precision="", candidate_precision="fp4", **{"candidate accelerator": "gb300"})
    product = float(np.prod(found.shares["ratio"]))
    assert found.verdict == HOLDS_AT and 9.5 <= product <= found.cases["most"].max()
    assert {"chip", "precision"} <= {part for parts in found.shares["part"] for part in parts.split(" + ")}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"candidate accelerator": "lpu"}, "output of lpu at a stated speed per user on DeepSeek-R1"),
        ({"model": "a-model-of-tomorrow"}, "output of h200 and of b200 at a stated speed per user on a-model-of-tomorrow"),
        ({"price_basis": "spot"}, "price of a GPU-hour of h200 and of b200 in one list"),
        ({"quantity": "total_tok_per_joule", "direction": "as_is"}, "tokens per joule (input + output tokens) of h200 and of b200"),
        ({"tok_per_s_per_user": "4000"}, "output of h200 and of b200 on one model, with the same lengths, at one speed"),
    ],
)
def test_what_cannot_be_known_names_the_figure_that_is_missing(where, says):
    found = tried("2x lower", **where)
    assert found.verdict == CANNOT_BE_KNOWN and found.missing[0].startswith(says)
    assert "tokens counted" in found.missing and found.cases.empty and found.shares.empty


def test_a_condition_on_a_column_that_no_run_has_is_refused():
    with pytest.raises(QuantityError, match="selects by `colour`, which runs do not have; give a column of inference.csv"):
        tried("2x lower", colour="blue")


@pytest.fixture(scope="module")
def all_audits():
    return {name: audit(name) for name in load_table("claims")["claim_id"].unique()}


def test_every_claim_of_the_data_gets_a_verdict_and_an_open_one_says_what_is_missing(all_audits):
    for found in all_audits.values():
        assert found.verdict in AUDIT_VERDICTS
        assert found.verdict == FOLLOWS or found.missing
        assert (found.verdict == CANNOT_BE_KNOWN) == found.cases.empty


def test_the_table_of_april_2026_holds_at_the_speed_that_its_figures_reproduce(all_audits):
    found = all_audits["nvidia_2026_04_15_deepseek_r1"]
    assert found.verdict == HOLDS_AT
    assert found.speeds == pytest.approx((116.7, 116.9), abs=0.1)  # the pair of runs whose figures are those of the table
    assert np.prod(found.shares["ratio"]) == pytest.approx(34.1, abs=0.2)  # unrounded; its parts round to anything from 33.6


def test_fifteen_times_the_money_follows_from_print_and_cannot_be_known_from_it(all_audits):
    found = all_audits["nvidia_2025_10_gb200_15x_roi"]
    assert found.figures.loc[found.figures["role"] == "ratio", "verdict"].tolist() == [FOLLOWS]
    assert found.verdict == CANNOT_BE_KNOWN and "selling price per million tokens" in found.missing
