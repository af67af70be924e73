"""Joules per token of servers: what a file of the leaderboard becomes, what the rows must hold, and that a second meter agrees."""

import json
import re

import pytest
from click.testing import CliRunner

from tokcost.analysis import joules_per_token
from tokcost.cli import main
from tokcost.evidence import load_table

JOULE = "output_token_energy_joule_per_tok"


@pytest.fixture
def leaderboard(tmp_path):
    """A folder as the leaderboard's page serves it: a model that writes, and one that makes pictures."""
    way = {"gpu_model": "B200", "num_gpus": 2, "max_num_seqs": 64, "avg_batch_size": 63.5, "avg_output_len": 500.25}
    way |= {"output_throughput_tokens_per_sec": 4000.0, "avg_power_watts": 1200.0, "energy_per_token_joules": 0.3, "median_itl_ms": 15.5}
    way |= {"parallelization": {"tensor_parallel": 2, "expert_parallel": 1, "data_parallel": 1, "notes": ""}}
    model = {"model_id": "example/New-9B", "task": "lm-arena-chat", "weight_precision": "mxfp4"}
    model |= {"total_params_billions": 9.0, "activated_params_billions": 2.5}
    draws = model | {"task": "text-to-image", "configurations": [{"gpu_model": "B200", "energy_per_image_joules": 900.0}]}

    def write(**change):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / "writes.json").write_text(json.dumps(model | {"configurations": [way | change]}))
        (tmp_path / "models" / "draws.json").write_text(json.dumps(draws))
        return tmp_path / "models"

    return write


def add(path, *more):
    given = ["--as", "token_energy", "--source", "mlenergy_leaderboard_v3", "--set", "date=2026-11-02", "--no-headlines"]
    return CliRunner().invoke(main, ["data", "add", str(path), *given, *more])


def test_a_model_of_the_leaderboard_is_added_by_gpu_and_what_makes_pictures_is_not(data, leaderboard):
    done = add(leaderboard())
    assert done.exit_code == 0 and done.output.startswith("1 row for token_energy.csv"), done.output
    (row,) = load_table("token_energy", model="example/New-9B").to_dict("records")
    assert (row["accelerator"], row["precision"], row["n_gpus"], row["concurrency"], row["tensor_parallel"]) == ("b200", "fp4", 2, 64, 2)
    assert (row["output_tok_per_s_per_gpu"], row["average_w_per_gpu"], row[JOULE], row["median_itl_s"]) == (2000, 600, 0.3, 0.0155)
    assert (row["published_total_parameters"], row["published_active_parameters"]) == (9e9, 2.5e9)
    assert row["locator"] == "writes.json#configurations/0"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"energy_per_token_joules": 0.6}, "row 1: column 'output_token_energy_joule_per_tok': 0.6 is not 0.3, which watts over tokens"),
        ({"gpu_model": "Z99"}, "unknown accelerator 'Z99'.*; a new one needs --label accelerator=Z99=LABEL"),
        ({"parallelization": None}, "is no file of a model of the ML.ENERGY leaderboard"),
    ],
)
def test_what_cannot_be_true_or_read_is_refused(data, leaderboard, change, says):
    before = (data / "token_energy.csv").read_bytes()
    done = add(leaderboard(**change))
    assert done.exit_code == 2 and re.search(says, done.output), done.output
    assert (data / "token_energy.csv").read_bytes() == before


def test_rows_are_of_models_that_write_from_files_whose_publisher_states_the_licence():
    """The page serves models that make pictures and films too; they have no token. Neither repository holds a licence file."""
    rows = load_table("token_energy")
    assert not rows["task"].str.startswith("text-to-").any() and (rows["output_tok"] > 1).all()
    (source,) = load_table("sources", source_id="mlenergy_leaderboard_v3").to_dict("records")
    assert re.search(r"Apache-2.0, as its publisher states it: .*DATASET_CARD.md, .*App.tsx\); seen 2026-11-27", source["licence"])
    assert "neither repository holds a licence file" in source["note"] and "Apache License 2.0; modified" in source["attribution"]


def test_no_board_draws_more_than_its_rating():
    rated = load_table("accelerators", quantity="rated_power_w").set_index("accelerator")["value"]
    rows = load_table("token_energy")
    assert (rows["average_w_per_gpu"] <= rows["accelerator"].map(rated)).all()


def test_two_meters_of_one_model_on_one_chip_agree_within_a_tenth():
    """Llama 8B in bf16 on an H100, our counter against ML.ENERGY's, at each number of sequences that both measured."""
    runs = joules_per_token().query("accelerator == 'h100'").set_index("concurrency")
    ours = runs[(runs["source_id"] == "own_gpu_sweep_2026_11") & (runs["how"] == "fused_kernels")][JOULE]
    theirs = runs[runs["source_id"] == "mlenergy_leaderboard_v3"]
    theirs = theirs[(theirs["model"] == "meta-llama/Llama-3.1-8B-Instruct") & (theirs["how"] == "lm-arena-chat")][JOULE]
    both = (ours / theirs).dropna()
    assert len(both) >= 5 and both.between(0.9, 1.1).all()


def test_watts_of_boards_under_load_become_joules_per_output_token():
    """InferenceX: MI355X drew so many watts and wrote so many tokens a second; a row without throughput says nothing of tokens."""
    metered = load_table("power_measurements", boundary="chip").dropna(subset=["output_tok_per_s_per_gpu", "concurrency"])
    runs = joules_per_token()
    found = runs[runs["source_id"].isin(metered["source_id"])]
    assert len(found) == len(metered) and runs[JOULE].notna().all()
    assert found[JOULE].to_numpy() == pytest.approx((metered["average_w_per_gpu"] / metered["output_tok_per_s_per_gpu"]).to_numpy())
