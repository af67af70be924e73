"""What the catalog gives: numbers with their sources, errors that name the next valid key, a record of what was used."""

import copy
import hashlib
import pickle

import numpy as np
import pytest

import tokcost as tc
from tokcost.evidence import DataError, reset_used, used_tables
from tokcost.evidence.catalog import data_dir


def rate(accelerator, basis="owning_hyperscaler", vintage="2026-03"):
    return tc.rate(accelerator=accelerator, price_basis=basis, rate_vintage=vintage)


@pytest.mark.parametrize(
    ("accelerator", "basis", "vintage", "usd"),
    [
        ("h200", "owning_hyperscaler", "2026-03", 1.41),
        ("gb300", "owning_hyperscaler", "2026-03", 2.652),
        ("h200", "rental_3yr", "2026-03", 1.60),
        ("gb300", "rental_3yr", "2026-03", 3.96),
        ("h200", "owning_hyperscaler", "2026-07", 1.22),
        ("gb300", "owning_hyperscaler", "2026-07", 2.31),
        ("h200", "rental_3yr", "2026-09", 2.9),
        ("gb300", "rental_3yr", "2026-09", 5.0),
    ],
)
def test_rates_are_those_of_the_constants(accelerator, basis, vintage, usd):
    assert float(rate(accelerator, basis, vintage)) == usd


def test_power_is_that_of_the_constants():
    power = {(a, v): float(tc.provisioned_power(accelerator=a, power_vintage=v)) for a in ("h200", "gb300") for v in ("2026-03", "2026-07")}
    assert power == {("h200", "2026-03"): 1.73, ("gb300", "2026-03"): 2.10, ("h200", "2026-07"): 1.37, ("gb300", "2026-07"): 2.12}


def test_a_fact_counts_as_its_number_and_names_its_labels():
    fact = rate("gb300")
    assert float(fact) == fact.value == np.asarray(fact, dtype=float) == 2.652
    assert (fact.accelerator, fact.price_basis, fact.rate_vintage) == ("gb300", "owning_hyperscaler", "2026-03")
    assert (fact.low, fact.high, fact.kind) == (None, None, "modelled")
    assert "provisional" in fact.note and fact.source_id and fact.locator and fact.date
    assert copy.deepcopy(fact) == pickle.loads(pickle.dumps(fact)) == fact
    with pytest.raises(AttributeError, match="no `price_bases`; did you mean `price_basis`"):
        fact.price_bases  # noqa: B018
    with pytest.raises(AttributeError):
        fact.value = 1


def test_the_rate_of_a_fact_reproduces_the_cost_of_the_two_measured_rows():
    """4.2045 and 0.1234 USD per million tokens, the two rows behind the published 35x."""
    rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024, speculative="mtp", framework="dynamo-trt", concurrency=[44, 1229])
    cost = {
        row.accelerator: tc.total_token_cost_usd_per_mtok(
            rate_usd_per_gpu_h=float(rate(row.accelerator)), total_tok_per_s_per_gpu=row.total_tok_per_s_per_gpu
        )
        for row in rows[rows["tok_per_s_per_user"].between(116, 117)].itertuples()
    }
    assert cost == pytest.approx({"h200": 4.2045, "gb300": 0.12339}, rel=1e-4)


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda: rate("gb30"), "accelerator `gb30`; did you mean `gb300`"),
        (lambda: rate("h200", "rental"), "price_basis `rental`; did you mean `rental_3yr`|known: owning_hyperscaler"),
        (
            lambda: rate("h200", "owning_neocloud", "2026-09"),
            "owning_neocloud` has rate_vintage `2026-09`; there is rate_vintage 2026-03, 2026-07",
        ),
        (lambda: tc.fact("hourly_rates", accelerator="h200"), r"has \d+ rows for accelerator `h200`; add price_basis and rate_vintage"),
        (lambda: tc.fact("hourly_rates", gpu="h200"), "has no key `gpu`; known: accelerator"),
        (
            lambda: tc.fact("accelerators", accelerator="h100", quantity="peak_fp4_dense_tflop_per_s"),
            "with accelerator `h100` has quantity `peak_fp4_dense_tflop_per_s`; there is quantity",
        ),
        (lambda: tc.fact("inference", campaign="x"), "not a table of single facts; use load"),
        (lambda: tc.load_table("hourly_rate"), "there is no table `hourly_rate`; did you mean `hourly_rates`"),
        (lambda: tc.measured(accelerator="gb30"), "data/inference.csv has accelerator `gb30`.*did you mean `gb300`"),
        (lambda: tc.measured(gpu="gb300"), "has no column `gpu`"),
        (
            lambda: tc.measured(accelerator="gb300", precision="bf16"),
            "data/inference.csv with accelerator `gb300` has precision `bf16`; there is precision fp4, fp8",
        ),
    ],
)
def test_a_key_that_is_not_there_is_answered_with_what_is(ask, answer):
    with pytest.raises(DataError, match=answer):
        ask()


def test_a_table_given_out_can_be_changed_without_harm():
    rows = tc.load_table("hourly_rates")
    rows["value"] = 0.0
    assert float(rate("h200")) == 1.41


def test_measured_rows_keep_the_filters():
    rows = tc.measured(campaign="inferencex_api_2026_06", accelerator=["b200", "gb200"], precision="fp4")
    assert set(rows["accelerator"]) == {"b200", "gb200"} and set(rows["precision"]) == {"fp4"}
    assert rows.index.tolist() == list(range(len(rows)))


def test_numbers_are_numbers_and_texts_are_texts():
    rows = tc.load_table("inference")
    assert rows["isl"].dtype == rows["concurrency"].dtype == np.dtype("int64")
    assert rows["n_gpus"].dtype == rows["median_ttft_s"].dtype == np.dtype("float64")
    assert rows["is_throughput_derived"].dtype == np.dtype(bool)
    assert rows["note"].notna().all() and rows["run_date"].map(type).eq(str).all()


def test_the_wide_table_has_one_row_an_accelerator():
    wide = tc.accelerators()
    assert wide.index.is_unique and wide.index[0] == "h100"
    assert wide.loc["h200", "peak_fp8_sparse_tflop_per_s"] == 2 * wide.loc["h200", "peak_fp8_dense_tflop_per_s"] == 3958
    assert np.isnan(wide.loc["h200", "peak_fp4_dense_tflop_per_s"])


def cited() -> set[str]:
    return {source["source_id"] for source in tc.provenance()["sources"]}


def test_provenance_holds_what_was_used_and_no_more():
    reset_used()
    tc.accelerators()
    one = rate("h200")
    assert used_tables() == ["accelerators", "hourly_rates"]
    found = tc.provenance()
    assert [table["file"] for table in found["tables"]] == ["data/accelerators.csv", "data/hourly_rates.csv"]
    for table in found["tables"]:
        assert table["sha256"] == hashlib.sha256((data_dir() / f"{table['table']}.csv").read_bytes()).hexdigest()
    assert cited() == {*tc.load_table("accelerators")["source_id"], one.source_id}
    assert [table["rows"] for table in found["tables"]] == [len(tc.load_table(table["table"])) for table in found["tables"]]
    told = ["source_id", "title", "publisher", "locator", "date", "grade", "licence", "attribution"]
    assert all(list(source) == told for source in found["sources"])
    reset_used()
    assert used_tables() == [] and tc.provenance() == {"tables": [], "sources": [], "measured_to": "", "prices_of": ""}


@pytest.mark.parametrize(
    "ask",
    [
        lambda: tc.measured(campaign="inferencex_dsr1_2026_04"),
        lambda: tc.load_table("hourly_rates", accelerator=["h200", "gb300"], rate_vintage="2026-03"),
        lambda: tc.load_table("accelerators", accelerator="h200"),
    ],
)
def test_only_the_sources_of_the_rows_returned_are_cited(ask):
    reset_used()
    given = ask()
    table = used_tables()[0]
    assert cited() == set(given["source_id"]) < set(tc.load_table(table)["source_id"])
    assert cited() == set(tc.load_table(table)["source_id"])


def test_single_facts_and_named_accelerators_cite_their_own_sources_only():
    reset_used()
    power = tc.provisioned_power(accelerator="h200", power_vintage="2026-03")
    assert cited() == {power.source_id}
    reset_used()
    assert tc.accelerators(["gb300", "h200"]).index.tolist() == ["h200", "gb300"]
    assert (
        cited()
        == set(tc.load_table("accelerators", accelerator=["h200", "gb300"])["source_id"])
        < set(tc.load_table("accelerators")["source_id"])
    )
    with pytest.raises(DataError, match="has accelerator `gb30`.*did you mean `gb300`"):
        tc.accelerators(["gb30"])


def test_a_question_that_fails_cites_nothing():
    reset_used()
    with pytest.raises(DataError):
        rate("gb30")
    assert tc.provenance() == {"tables": [], "sources": [], "measured_to": "", "prices_of": ""}


def test_a_report_can_show_the_provenance():
    reset_used()
    rate("h200")
    shown = tc.sources(tc.provenance())
    text = shown._repr_mimebundle_()["text/markdown"]
    assert "InferenceX dashboard constants" in text and f"`data/hourly_rates.csv` ({len(tc.load_table('hourly_rates'))} rows)" in text


def test_another_data_directory_takes_over(data):
    path = data / "hourly_rates.csv"
    before = float(rate("gb300"))
    path.write_text(path.read_text().replace("rate_usd_per_gpu_h,2.652,,,", "rate_usd_per_gpu_h,3.10,2.652,3.10,", 1))
    disputed = rate("gb300")
    assert (disputed.value, disputed.low, disputed.high) == (3.10, 2.652, 3.10)
    assert before == 2.652


def test_a_data_directory_that_is_not_there_is_an_error_with_the_fix(monkeypatch, tmp_path):
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no data directory .*nowhere; set TOKCOST_DATA_DIR"):
        tc.load_table("hourly_rates")


def ratios():
    """Cost ratio H200 / GB300 of the two measured rows, for every basis and vintage."""
    rates = (
        tc.load_table("hourly_rates")
        .pivot(index=["price_basis", "rate_vintage"], columns="accelerator", values="value")
        .dropna(subset=["gb300"])
    )
    cost = {
        name: tc.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rates[name], total_tok_per_s_per_gpu=throughput)
        for name, throughput in {"h200": 93.15316446, "gb300": 5970.261463}.items()
    }
    return cost["h200"] / cost["gb300"]


def test_a_disputed_rate_moves_the_ratio_by_its_own_factor_and_nothing_else(data):
    """The example of data/DISPUTE.md: 3.10 for 2.652 leaves 2.652 / 3.10 of every ratio that uses it."""
    before = ratios()
    path = data / "hourly_rates.csv"
    path.write_text(path.read_text().replace("rate_usd_per_gpu_h,2.652,,,", "rate_usd_per_gpu_h,3.10,2.652,3.10,", 1))
    after = ratios()
    moved = ("owning_hyperscaler", "2026-03")
    assert before[moved] == pytest.approx(34.08, abs=0.01)
    assert after[moved] / before[moved] == pytest.approx(2.652 / 3.10)
    assert (after.drop(moved) == before.drop(moved)).all() and len(after) == len(before)


def test_a_report_says_up_to_when_its_runs_were_measured():
    """The last run used; a capture whose rows state no date answers with its own; prices alone were not measured."""
    tc.evidence.reset_used()
    tc.evidence.rate(accelerator="h200", price_basis="owning_hyperscaler", rate_vintage="2026-03")
    assert tc.evidence.provenance()["measured_to"] == ""
    tc.evidence.measured(campaign="inferencex_dsr1_2026_04")
    assert tc.evidence.provenance()["measured_to"] == "2026-04"
    rows = tc.evidence.measured(model="dsr1", accelerator="h200")
    assert tc.evidence.provenance()["measured_to"] == rows["run_date"].max()


def test_the_provenance_names_the_first_and_the_last_price_list_used():
    reset_used()
    tc.rate(accelerator="h200", price_basis="rental_3yr", rate_vintage="2026-07")
    assert tc.evidence.provenance()["prices_of"] == "2026-07"
    tc.evidence.load_table("hourly_rates", accelerator="h200", rate_vintage=["2026-03", "2026-09"])
    assert tc.evidence.provenance()["prices_of"] == "2026-03 to 2026-09"
