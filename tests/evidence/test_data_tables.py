"""The committed tables: valid, sourced, complete, and in step with the vocabulary and their README."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tokcost.evidence import check_all, load_table
from tokcost.evidence.schema import TABLES
from tokcost.evidence.soundness import IN_FLIGHT_SHARE, broken_rules, in_flight_share
from tokcost.quantities import LABELS, QUANTITIES

DATA = Path(__file__).parents[2] / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")
IX = (
    "Data from InferenceX by SemiAnalysis (https://github.com/SemiAnalysisAI/InferenceX), "
    "Apache License 2.0, Copyright 2026 SemiAnalysis LLC"
)


def test_data_is_in_order():
    assert check_all() == []


def test_every_row_kept_and_every_row_left_out_make_up_the_captures():
    kept, out = load_table("inference"), load_table("excluded_rows")
    captured = load_table("captures").set_index("campaign")["n_rows"]
    for campaign, n_rows in captured.items():
        n_kept = int((kept["campaign"] == campaign).sum())
        n_out = int(((out["table"] == "inference") & (out["source_id"] == campaign)).sum())
        assert n_kept + n_out == n_rows


def test_the_two_rows_behind_the_published_ratio_are_exact():
    rows = load_table("inference").query(
        "campaign == 'inferencex_dsr1_2026_04' and isl == 1024 and tok_per_s_per_user > 116 and tok_per_s_per_user < 117"
    )
    rows = rows[rows["speculative"] == "mtp"].set_index("accelerator")
    assert rows.loc["h200", ["total_tok_per_s_per_gpu", "tok_per_s_per_user"]].tolist() == [93.15316446, 116.7194354]
    assert rows.loc["gb300", ["total_tok_per_s_per_gpu", "tok_per_s_per_user"]].tolist() == [5970.261463, 116.8602991]
    assert rows.loc["h200", ["n_gpus", "n_prefill_gpus", "n_decode_gpus"]].tolist() == [96, 8, 88]
    assert rows.loc["gb300", ["n_gpus", "n_prefill_gpus", "n_decode_gpus"]].tolist() == [38, 6, 32]
    assert rows.loc[["h200", "gb300"], "label_basis"].tolist() == ["matched", "inferred"]


def test_overlapping_captures_agree_on_what_they_share():
    """66 DeepSeek-R1 points stand in an API capture too, with the same labels."""
    rows = load_table("inference").query("model == 'dsr1'")
    points = rows[rows["campaign"] == "inferencex_dsr1_2026_04"]
    others = rows[rows["campaign"] != "inferencex_dsr1_2026_04"]
    pairs = points.merge(others, on=["accelerator", "precision", "isl", "osl", "concurrency"], suffixes=("", "_api"))
    same = np.isclose(pairs["total_tok_per_s_per_gpu"], pairs["total_tok_per_s_per_gpu_api"], rtol=1e-5) & np.isclose(
        pairs["tok_per_s_per_user"], pairs["tok_per_s_per_user_api"], rtol=1e-5
    )
    pairs = pairs[same]
    assert pairs["locator"].nunique() == 66
    for column in ("framework", "speculative", "deployment"):
        assert (pairs[column] == pairs[f"{column}_api"]).all()
    stated = pairs[pairs["n_gpus"].notna()]
    assert len(stated) > 30 and (stated["n_gpus"] == stated["n_gpus_api"]).all()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"output_tok_per_s_per_gpu": 101.0}, "output tokens are part of the total"),
        ({"output_tok_per_s_per_gpu": 51.5}, "input + output tokens agree with ISL and OSL"),
        ({"tok_per_s_per_user": 51.0}, "interactivity is 1 / median TPOT"),
        ({"n_gpus": 16, "n_prefill_gpus": 8, "n_decode_gpus": 8}, "Little's law"),
        ({"median_ttft_s": 400.0}, "Little's law"),
        ({"concurrency": 4}, "users together cannot receive less than the GPUs write"),
        ({"n_prefill_gpus": 6}, "prefill and decode GPUs add up to all GPUs"),
        ({"deployment": "aggregated"}, "only disaggregated deployments have prefill and decode GPUs"),
        (
            {"deployment": "aggregated", "n_prefill_gpus": np.nan, "n_decode_gpus": np.nan, "tensor_parallel": 3},
            "a multiple of its tensor parallelism",
        ),
    ],
)
def test_an_impossible_measurement_breaks_the_rule_that_it_offends(change, rule):
    sound = {"isl": 1024, "osl": 1024, "concurrency": 8, "n_gpus": 8, "tensor_parallel": np.nan, "deployment": "disaggregated"}
    sound |= {"n_prefill_gpus": 4, "n_decode_gpus": 4, "total_tok_per_s_per_gpu": 95.0, "output_tok_per_s_per_gpu": 47.5}
    sound |= {"median_ttft_s": 0.2, "median_tpot_s": 0.02, "tok_per_s_per_user": 50.0}
    assert broken_rules(pd.DataFrame([sound])) == []
    assert any(rule in broken for _, broken in broken_rules(pd.DataFrame([sound | change])))


def test_measured_requests_are_in_flight():
    share = in_flight_share(load_table("inference")).dropna()
    assert len(share) > 3000 and share.between(*IN_FLIGHT_SHARE).all()
    assert 0.9 < share.median() < 1


def test_derived_throughput_follows_from_latency():
    rows = load_table("inference").query("campaign == 'aiconfigurator_nvidia'")
    assert rows["is_throughput_derived"].all()
    assert np.allclose(in_flight_share(rows), 1 / 1.025, rtol=1e-4)


def test_rows_of_doubtful_accuracy_say_so():
    rows = load_table("inference").query("model == 'dsr1' and accelerator == 'gb300' and precision == 'fp8' and speculative == 'mtp'")
    assert len(rows) > 10 and rows["note"].str.contains("gsm8k about 0.90").all()


def test_unlabelled_speculation_stays_unlabelled_and_is_not_deepseek():
    rows = load_table("inference").query("speculative == 'unlabelled'")
    assert len(rows)
    assert set(rows["campaign"]) == {"aiconfigurator_inferencex", "aiconfigurator_nvidia"} and "dsr1" not in set(rows["model"])


def test_every_accelerator_of_the_vocabulary_has_a_fact_and_every_measured_one_a_rate():
    assert set(LABELS["accelerator"]) == set(load_table("accelerators")["accelerator"])
    assert set(load_table("inference")["accelerator"]) <= set(load_table("hourly_rates")["accelerator"]) & set(
        load_table("provisioned_power")["accelerator"]
    )


@pytest.mark.parametrize("label", ["price_basis", "rate_vintage", "power_vintage", "precision", "speculative", "deployment"])
def test_labels_that_data_use_are_in_the_vocabulary(label):
    used = {value for name, table in TABLES.items() if label in table.columns for value in load_table(name)[label]}
    assert used <= set(LABELS[label])


def test_sparse_headlines_are_twice_the_dense_rate():
    wide = load_table("accelerators").pivot(index="accelerator", columns="quantity", values="value")
    for precision in ("fp8", "fp4"):
        ratio = (wide[f"peak_{precision}_sparse_tflop_per_s"] / wide[f"peak_{precision}_dense_tflop_per_s"]).dropna()
        assert len(ratio) >= 2 and ratio.to_numpy() == pytest.approx(2, rel=1e-3)


def test_contested_figures_carry_a_range_and_a_note():
    rows = load_table("accelerators").set_index(["accelerator", "quantity"])
    for key in [
        ("b300", "rated_power_w"),
        ("b300", "peak_fp4_dense_tflop_per_s"),
        ("mi355x", "peak_fp8_dense_tflop_per_s"),
        ("mi355x", "peak_fp4_dense_tflop_per_s"),
    ]:
        assert rows.loc[key, "low"] < rows.loc[key, "high"] and rows.loc[key, "note"]


def test_provisional_rates_are_marked():
    rates = load_table("hourly_rates").query("rate_vintage == '2026-03'")
    provisional = rates[rates["note"].str.contains("provisional")]
    assert set(provisional["accelerator"]) == {"b300", "gb300"} and len(provisional) == 6
    by = rates.set_index(["accelerator", "price_basis"])["value"]
    assert by["gb300", "owning_hyperscaler"] == pytest.approx(1.2 * by["gb200", "owning_hyperscaler"])


def test_the_published_claim_is_whole():
    claim = (
        load_table("claims").query("claim_id == 'nvidia_2026_04_15_deepseek_r1'").pivot(index="quantity", columns="role", values="printed")
    )
    assert claim[["baseline", "candidate", "ratio"]].T.to_dict("list") == {
        "rate_usd_per_gpu_h": ["1.41", "2.65", "2x"],
        "peak_pflop_per_s_per_usd_per_h": ["2.8", "5.6", "2x"],
        "total_tok_per_s_per_gpu": ["90", "6K", "65x"],
        "total_tok_per_s_per_mw": ["54K", "2.8M", "50x"],
        "total_token_cost_usd_per_mtok": ["4.20", "0.12", "35x lower"],
    }
    terms = load_table("claim_terms", claim_id="nvidia_2026_04_15_deepseek_r1")
    unstated = terms.query("not is_stated")["term"].tolist()
    assert any("interactivity" in term for term in unstated) and any("ISL" in term for term in unstated) and len(unstated) == 8


def test_every_source_has_a_licence_and_those_that_ask_an_attribution():
    sources = load_table("sources").set_index("source_id")
    assert (sources["licence"] != "").all()
    measured = sources.loc[sorted(set(load_table("inference")["source_id"]))]
    inferencex = measured[measured["publisher"].str.contains("SemiAnalysis")]
    assert len(inferencex) and inferencex["attribution"].str.startswith(IX).all()
    assert (
        sources.loc["epoch_hardware", "attribution"].startswith("Epoch AI") and "CC BY 4.0" in sources.loc["epoch_hardware", "attribution"]
    )
    assert IX in README and sources.loc["epoch_hardware", "attribution"] in README


#: names, words and settings of this suite itself, and what was left out, which has no date
OWN_WORDS = {"labels", "terms", "base_case", "sources", "excluded_rows", "excluded_hour_rows"}


@pytest.mark.parametrize("table", [table for table in TABLES if table not in OWN_WORDS])
def test_every_row_says_whose_figure_it_is_where_it_stands_and_of_when(table):
    rows, columns = load_table(table), TABLES[table].columns
    if table == "inference":  # a run whose day nobody stated is of the day of its capture
        rows = rows.merge(load_table("captures")[["campaign", "date"]], on="campaign", how="left")
    when = ["date" if "date" in rows else next(name for name in columns if name in ("published_date", "month", "first_seen"))]
    assert columns["source_id"].kind == "source"
    for name in ("source_id", "locator", *when):
        assert (rows[name].fillna("") != "").all(), name


#: sets with the name and the columns of evidence: without a licence, or made up
NOT_EVIDENCE = r"skypilot-catalog|gpu-price-index|H0GUN3/ARL|overview-rows\.json|collectivex|synthetic://|bmk_agentic_golden"


@pytest.mark.parametrize("table", [table for table in TABLES if "locator" in TABLES[table].columns and table not in OWN_WORDS])
def test_nothing_is_of_a_set_without_a_licence_or_of_an_invented_one(table):
    rows = load_table(table).merge(load_table("sources")[["source_id", "locator"]], on="source_id", suffixes=("", "_of_source"))
    assert not (rows["locator"] + " " + rows["locator_of_source"]).str.contains(NOT_EVIDENCE).any()


@pytest.mark.parametrize("table", TABLES)
def test_the_readme_names_every_table(table):
    assert f"`{table}`" in README


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_written_as_an_editor_and_git_like_it(table):
    raw = (DATA / f"{table}.csv").read_bytes()
    assert raw.endswith(b"\n") and b"\r" not in raw
    assert len(raw) < 900_000


def test_measurements_are_written_without_digits_that_no_measurement_has():
    assert not re.search(r"\d\.\d{11,}", (DATA / "inference.csv").read_text())


@pytest.mark.parametrize("name", [name for table in TABLES.values() for name, column in table.columns.items() if column.kind == "number"])
def test_number_columns_are_words_of_the_vocabulary(name):
    from tokcost.quantities import find

    assert find(name) is not None


def test_the_vocabulary_names_end_in_their_unit():
    for name, quantity in QUANTITIES.items():
        assert quantity.low < quantity.high
        assert quantity.unit in ("count", "ratio") or name.endswith(quantity.unit)


def test_no_fact_names_a_machine():
    for path in [*DATA.glob("*.csv"), *DATA.glob("*.md")]:
        assert not re.search(r"shared/|/tmp/|/home/|/root/", path.read_text(encoding="utf-8")), path.name
