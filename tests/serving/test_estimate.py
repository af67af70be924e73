"""The estimate of throughput: each term by hand, what it refuses, what an anchor does, chips and models that nobody fitted."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import tokcost as tc
from tokcost import evidence
from tokcost.quantities import QuantityError
from tokcost.serving import step_time as st
from tokcost.serving.anchoring import corrections
from tokcost.serving.architectures import BYTES_PER_PARAMETER, architecture
from tokcost.serving.bands import steepness
from tokcost.serving.calibration import chip, constants
from tokcost.serving.estimation import LONGEST_TOK, band, estimate, estimate_at, estimated_curve

#: rated speed reached in full and nothing launched: what is left is size over speed
IDEAL = st.Constants(
    **{name: 0.0 if name.endswith("_s") else 1.0 for name in st.CONSTANTS if not name.startswith(("first", "draft"))},
    first_token_prefills=1.0,
    first_token_prefills_per_root_batch=0.0,
    draft_tok_per_step=1.5,
)
LLAMA = architecture("llama8b", "bf16")
H100 = chip("h100", "bf16")


def one_gpu(batch, isl=1024.0, osl=1024.0):
    return st.Load(batch, isl, osl, 1, 1)


@pytest.mark.parametrize("model", evidence.load_table("model_architectures")["model"])
def test_the_sizes_of_layers_add_up_to_the_parameters_that_makers_publish(model):
    row = evidence.load_table("model_architectures", model=model).iloc[0]
    sizes = architecture(model, "bf16")
    assert sizes.total_parameters == pytest.approx(row["published_total_parameters"], rel=0.03)
    assert sizes.active_parameters == pytest.approx(row["published_active_parameters"], rel=0.065)


def test_the_weights_of_a_step_by_hand():
    """Llama-3.1-8B without its input embeddings: 8.03 billion less 128,256 x 4,096 parameters, 2 bytes each, at 3.35 TB/s."""
    terms = st.step_terms(LLAMA, H100, one_gpu(1.0), IDEAL)
    assert float(terms["weights_s"]) == pytest.approx((8.03e9 - 128256 * 4096) * 2 / 3.35e12, rel=1e-3)


def test_the_cache_of_a_step_by_hand():
    """2 (keys, values) x 8 heads x 128 x 2 bytes x 32 layers = 131,072 bytes a token; 64 users halfway through 1,024 answer tokens."""
    terms = st.step_terms(LLAMA, H100, one_gpu(64.0), IDEAL)
    assert float(terms["kv_s"]) == pytest.approx(64 * 1536 * 131072 / 3.35e12)


def test_the_arithmetic_of_a_step_by_hand():
    """Two operations a parameter and token; attention 4 x 32 heads x 128 a token looked back on and layer."""
    terms = st.step_terms(LLAMA, H100, one_gpu(64.0), IDEAL)
    matrices, attention = 2 * 64 * (8.03e9 - 128256 * 4096), 64 * 1536 * 4 * 32 * 128 * 32
    assert float(terms["compute_s"]) == pytest.approx((matrices + attention) / 989.4e12, rel=1e-3)


def test_the_experts_that_a_step_reads_by_hand():
    """One token reads 8 of 256 experts; 64 tokens miss one with the chance (1 - 8/256)^64 = 0.131."""
    model, alone = architecture("dsr1", "fp8"), st.Load(1.0, 1024.0, 1024.0, 8, 8)
    h200 = chip("h200", "fp8")
    only_experts = replace(IDEAL, weight_bandwidth_frac=np.inf)
    assert model.expert_bytes == pytest.approx(58 * 256 * 3 * 7168 * 2048)
    one = float(st.step_terms(model, h200, alone, only_experts)["weights_s"])
    many = float(st.step_terms(model, h200, replace(alone, batch=64.0), only_experts)["weights_s"])
    assert one == pytest.approx(model.expert_bytes * 8 / 256 / 8 / 4.8e12)
    assert many / one == pytest.approx((1 - 0.131) * 32, rel=1e-3)


def test_the_communication_of_a_step_by_hand():
    """160 all-reduces of 64 x 8,192 values of 2 bytes over 4 GPUs: each sends and takes 2 x 3/4 of it at 450 GB/s."""
    llama, h200 = architecture("llama70b", "fp8"), chip("h200", "fp8")
    terms = st.step_terms(llama, h200, st.Load(64.0, 1024.0, 1024.0, 4, 4), replace(IDEAL, all_reduce_s=1e-5))
    assert float(terms["communication_s"]) == pytest.approx(160 * (1e-5 + 1.5 * 64 * 8192 * 2 / 450e9))
    assert float(st.step_terms(llama, h200, one_gpu(64.0), IDEAL)["communication_s"]) == 0


def test_the_launch_overhead_of_a_step_by_hand():
    """61 layers, 58 of them with experts."""
    terms = st.step_terms(
        architecture("dsr1", "fp8"),
        chip("h200", "fp8"),
        st.Load(1.0, 1024.0, 1024.0, 8, 8),
        replace(IDEAL, fixed_step_s=1e-3, layer_s=5e-5, expert_layer_s=3e-5),
    )
    assert float(terms["overhead_s"]) == pytest.approx(1e-3 + 61 * 5e-5 + 58 * 3e-5)


def test_prefill_by_hand():
    """2 x 7.5 billion x 1,024 operations and attention over half of the prompt, against reading the weights once: at right angles.

    Beside steps that decode others, only the operations are added: these steps read the weights anyway.
    """
    compute = (2 * (8.03e9 - 128256 * 4096) * 1024 + 1024 * 512 * 4 * 32 * 128 * 32) / 989.4e12
    weights = (8.03e9 - 128256 * 4096) * 2 / 3.35e12
    assert float(st.request_prefill_s(LLAMA, H100, one_gpu(1.0), IDEAL)) == pytest.approx(np.hypot(compute, weights), rel=1e-3)
    served = st.served(LLAMA, H100, one_gpu(9.0), IDEAL)
    assert float(served["prefill_s"]) == pytest.approx(8 * compute / 1024, rel=1e-3)


def test_a_window_ends_what_is_cached_and_looked_back_on():
    """gpt-oss: 18 of 36 layers keep 128 tokens. 2 x 8 x 64 x 2 bytes = 2 KiB a token and layer."""
    oss = architecture("gptoss120b", "fp4")
    assert float(st.cache_bytes(oss, 10_000)) == 2048 * 18 * (10_000 + 128)


def test_a_latent_cache_is_not_split_by_heads_and_few_heads_are_copied():
    assert st.cache_share_frac(architecture("dsr1", "fp8"), 8) == 1
    assert st.cache_share_frac(architecture("llama70b", "fp8"), 8) == 1 / 8
    assert st.cache_share_frac(architecture("qwen3-235b", "fp8"), 8) == 1 / 4


def test_fp4_checkpoints_keep_the_attention_that_they_keep():
    assert architecture("dsr1", "fp4").attention_bytes == 2 * architecture("dsr1", "fp8").attention_bytes
    assert architecture("llama70b", "fp4").attention_bytes == BYTES_PER_PARAMETER["fp4"] * architecture("llama70b", "fp8").attention_bytes


def test_the_terms_add_up_to_the_time_of_a_token_and_throughput_accounts_for_all_requests():
    rows = estimate("dsr1", "h200", "fp8", batch=[1, 16, 64], isl=1024, osl=1024, tensor_parallel=8)
    assert np.allclose(rows[list(st.TERMS)].sum(axis=1), 1 / rows["tok_per_s_per_user"])
    in_flight = rows["output_tok_per_s_per_gpu"] * 8 / rows["tok_per_s_per_user"]
    assert (in_flight <= rows["batch"] * 1.001).all() and (in_flight > 0.7 * rows["batch"]).all()
    assert np.allclose(rows["total_tok_per_s_per_gpu"], 2 * rows["output_tok_per_s_per_gpu"])


def test_more_users_make_more_tokens_and_each_sees_fewer():
    rows = estimate("llama70b", "b200", "fp4", batch=np.geomspace(1, 200, 40), isl=1024, osl=1024, tensor_parallel=4)
    assert (np.diff(rows["output_tok_per_s_per_gpu"]) > 0).all() and (np.diff(rows["tok_per_s_per_user"]) < 0).all()
    assert (rows["low_output_tok_per_s_per_gpu"] < rows["output_tok_per_s_per_gpu"]).all()
    assert (rows["output_tok_per_s_per_gpu"] < rows["high_output_tok_per_s_per_gpu"]).all()


def test_two_cards_with_one_flops_figure_differ_as_their_bandwidth_lets_them():
    """H100 and H200 are rated at the same arithmetic; where weights bind, they differ by up to 4.8 / 3.35."""
    both = {name: estimate("llama70b", name, "fp8", batch=16, isl=1024, osl=1024, tensor_parallel=2).iloc[0] for name in ("h100", "h200")}
    assert both["h100"]["binds"] == "reading weights"
    ratio = both["h200"]["output_tok_per_s_per_gpu"] / both["h100"]["output_tok_per_s_per_gpu"]
    assert 1.15 < ratio < 4.8 / 3.35
    assert both["h100"]["weights_s"] / both["h200"]["weights_s"] == pytest.approx(4.8 / 3.35)


def test_what_does_not_fit_is_refused_and_a_batch_that_does_not_fit_is_no_number():
    with pytest.raises(QuantityError, match="does not fit: .* GiB of weights for each of 8 `h100` .* split it over more GPUs"):
        estimate("dsr1", "h100", "fp8", batch=1, isl=1024, osl=1024, tensor_parallel=8)
    rows = estimate("llama70b", "h100", "fp8", batch=[8, 10_000], isl=1024, osl=1024, tensor_parallel=2)
    assert rows["binds"].tolist()[1] == "memory" and np.isnan(rows["output_tok_per_s_per_gpu"].iloc[1])
    assert 8 < rows["largest_batch"].iloc[0] < 10_000


def _run(concurrency, speed, output):
    return {"concurrency": concurrency, "tok_per_s_per_user": speed, "output_tok_per_s_per_gpu": output}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "llama8"}, "no row of data/model_architectures.csv has model `llama8`; did you mean `llama8b`"),
        ({"accelerator": "h20x"}, "no row of data/accelerator_makers.csv has accelerator `h20x`; did you mean `h20`"),
        ({"accelerator": "trainium3"}, "no estimate for `trainium3`: data/accelerators.csv has no memory_gb"),
        ({"precision": "int8"}, "unknown precision `int8`"),
        ({"speculative": "mtp"}, "`llama70b` has no layer for speculative decoding .* estimate it with `none`"),
        ({"speculative": "unlabelled"}, "`speculative` must be none or mtp"),
        ({"level": 80}, "`level` must lie between 0 and 1, got 80"),
        ({"tensor_parallel": 16}, "up to 8 GPUs, got `tensor_parallel` 16; .* how their pools split the model.*take a measured run"),
        ({"tensor_parallel": 4, "expert_parallel": 3}, "`expert_parallel` must divide the 4 GPUs"),
        ({"accelerator": "h20", "tensor_parallel": 4}, "no scale_up_gb_per_s of `h20`: it can be estimated with one GPU only"),
        ({"anchor": {"concurrency": 8}}, "the anchor must state `tok_per_s_per_user`"),
        ({"anchor": "run 7"}, "`anchor` must be a measured run .* or a table of several, got str"),
        ({"anchor": []}, "`anchor` has no run; leave it out"),
        ({"anchor": [_run(8, 50, 200), _run(8, 40, 160)]}, "two anchors have 8 requests in flight; give their median, or one"),
        (
            {"anchor": [_run(8, 50, 200) | {"framework": "vllm"}, _run(64, 20, 640) | {"framework": "sglang"}]},
            "anchors must be runs of one software, these have framework sglang and vllm; keep those of one",
        ),
        ({"isl": 100_000}, "nothing says how far off .* `isl` 100,000 .*8 times the longest that was measured, 8,192.* give an anchor"),
        ({"anchor": _run(64, 50, 5000)}, "contradicts itself: its GPUs write .* and its users receive 3200"),
        ({"anchor": _run(10**6, 50, 500)}, "contradicts itself: its GPUs write 1000 tokens/s and its users receive 5e\\+07"),
        ({"batch": [[1, 2]]}, "`batch` must be one number or a row of them"),
        ({"isl": [1, 2]}, "`isl` must be one number, got"),
        ({"level": "most"}, "`level` must lie between 0 and 1, got most"),
        ({"tensor_parallel": 3}, "`tensor_parallel` 3 does not divide the .* attention heads"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_fix(change, said):
    asked = {"model": "llama70b", "accelerator": "h200", "precision": "fp8", "tensor_parallel": 2, "batch": 8, "isl": 1024, "osl": 1024}
    with pytest.raises(QuantityError, match=said):
        estimate(**asked | change)


def anchor_row():
    rows = tc.serving.calibration_rows(model="llama70b", accelerator="h200", precision="fp8", isl=1024, osl=1024)
    rows = rows[(rows["tensor_parallel"] == 4) & (rows["framework"] == "trtllm")].sort_values("concurrency")
    return rows.iloc[len(rows) // 2]


def test_an_anchored_curve_goes_through_its_anchor_and_says_so():
    run = anchor_row()
    asked = {"isl": 0.9 * 1024, "osl": 0.9 * 1024, "tensor_parallel": 4, "anchor": run}
    at = estimate("llama70b", "h200", "fp8", batch=run["concurrency"], **asked).iloc[0]
    assert at["basis"] == "anchored, half to twice its load"
    assert at["output_tok_per_s_per_gpu"] == pytest.approx(run["output_tok_per_s_per_gpu"])
    assert at["tok_per_s_per_user"] == pytest.approx(run["tok_per_s_per_user"])


def test_an_anchor_of_something_else_is_refused():
    run = anchor_row()
    with pytest.raises(QuantityError, match="the anchor has isl `1024`, asked is `8192.0` .*0.9 of the nominal ones"):
        estimate("llama70b", "h200", "fp8", batch=8, isl=8192, osl=1024, tensor_parallel=4, anchor=run)
    with pytest.raises(QuantityError, match="the anchor has accelerator `h200`, asked is `b200`"):
        estimate("llama70b", "b200", "fp8", batch=8, isl=922, osl=922, tensor_parallel=4, anchor=run)


def test_a_curve_with_several_anchors_goes_through_each_and_says_what_lies_between():
    """Two runs of one's own, as a list or as a table: 1.5 times the estimate at 4 requests, and as it says at 64."""
    asked = {"isl": 1024, "osl": 1024, "tensor_parallel": 4}
    plain = estimate("llama70b", "h200", "fp8", batch=[4, 16, 64, 96], **asked)
    output, speed = "output_tok_per_s_per_gpu", "tok_per_s_per_user"
    runs = plain.iloc[[0, 2]].rename(columns={"batch": "concurrency"})[["concurrency", speed, output]].reset_index(drop=True)
    runs.loc[0, [speed, output]] *= 1.5
    found = estimate("llama70b", "h200", "fp8", batch=[4, 16, 64, 96], anchor=runs, **asked)
    as_list = estimate("llama70b", "h200", "fp8", batch=[4, 16, 64, 96], anchor=runs.to_dict("records"), **asked)
    pd.testing.assert_frame_equal(found, as_list)
    more = (found[output] / plain[output]).to_numpy()
    assert more[[0, 2, 3]] == pytest.approx([1.5, 1, 1]) and 1.1 < more[1] < 1.5
    between, near = "anchored, between two anchors", "anchored, half to twice its load"
    assert found["basis"].tolist() == [between, between, between, near]
    assert estimated_curve(found)["is_hole"].all()


def test_what_anchors_correct_is_the_best_guess_from_them():
    """By hand: errors at loads two doublings apart share a half, so half-way each shares the root of it with both anchors."""
    kept, loads = 0.5**0.5, np.array([4.0, 16.0])
    one = corrections(kept, np.array([4.0, 8.0, 16.0]), loads[:1], np.array([0.3]))
    assert one == pytest.approx([0.3, 0.3 * kept, 0.15])
    two = corrections(kept, np.array([4.0, 8.0, 16.0, 32.0]), loads, np.array([0.3, 0.0]))
    weight = kept / (1 - 0.5**2)  # of the inverse of [[1, 1/2], [1/2, 1]]: (1, -1/2) / (1 - 1/4)
    assert two == pytest.approx([0.3, 0.3 * weight * (1 - 0.5), 0, 0], abs=1e-12)


def test_an_anchor_of_that_length_answers_where_an_estimate_alone_would_be_a_guess():
    asked = {"batch": 8, "isl": 100_000, "osl": 1024, "tensor_parallel": 8}
    found = estimate("llama70b", "b200", "fp8", anchor=_run(8, 30, 25), **asked)
    assert found["basis"].tolist() == ["anchored, half to twice its load"]
    longest = tc.serving.calibration_rows()[["isl", "osl"]].max().max()
    assert longest >= LONGEST_TOK


def test_bases_are_never_mixed_on_a_curve():
    own = {"batch": [4, 16, 64], "isl": 1024, "osl": 1024, "tensor_parallel": 4}
    nvidia, amd = estimate("llama70b", "h200", "fp8", **own), estimate("llama70b", "mi300x", "fp8", **own)
    assert amd["basis"].unique().tolist() == ["textbook"]
    with pytest.raises(QuantityError, match="a curve rests on one basis, these estimates on calibrated, dense model and textbook"):
        estimated_curve(pd.concat([nvidia, amd]))
    curve = estimated_curve(nvidia)
    assert curve["is_hole"].all() and (curve["low"] < curve["high"]).all()
    assert np.isnan(estimate_at(nvidia, tok_per_s_per_user=4000))


def test_a_chip_and_a_model_that_nobody_fitted_are_rows(tmp_path, monkeypatch):
    """A workstation card and a model of 14 billion parameters, added as rows: an answer with a band, or a refusal."""
    rated = {"peak_bf16_dense_tflop_per_s": 500, "peak_fp8_dense_tflop_per_s": 1000}
    rated |= {"memory_gb": 96, "memory_bandwidth_gb_per_s": 1792}
    data = tmp_path / "data"
    shutil.copytree(evidence.catalog.data_dir(), data)
    with (data / "accelerators.csv").open("a") as chips:
        for quantity, value in rated.items():
            chips.write(f"rtx6000pro,{quantity},{value},,,epoch_hardware,made up,2026,vendor_claim,\n")
    table = pd.read_csv(data / "model_architectures.csv")
    small = table[table["model"] == "qwen3-32b"].assign(
        model="mine-14b", n_layers=40, n_dense_layers=40, n_heads=40, ffn_size=17408, published_total_parameters=14_800_000_000
    )
    pd.concat([table, small]).to_csv(data / "model_architectures.csv", index=False, lineterminator="\n")
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(data))
    found = estimate("mine-14b", "rtx6000pro", "fp8", batch=[1, 16], isl=1024, osl=1024)
    assert found["basis"].unique().tolist() == ["calibrated, dense model"]
    weights = 14.2e9 - 151936 * 5120 + 151936 * 5120 * 2  # all but the head in FP8, without the embeddings
    assert 0.6 < found["tok_per_s_per_user"].iloc[0] / (1792e9 / weights) < 1
    with pytest.raises(QuantityError, match="no scale_up_gb_per_s of `rtx6000pro`"):
        estimate("mine-14b", "rtx6000pro", "fp8", batch=1, isl=1024, osl=1024, tensor_parallel=2)
    with pytest.raises(QuantityError, match="does not fit"):
        estimate("llama405b", "rtx6000pro", "fp8", batch=1, isl=1024, osl=1024)


def test_a_band_at_a_speed_is_wider_where_the_curve_is_steeper():
    """By hand: where output falls by 3 % for a percent of speed, errors count by the root of 1 + 3, so that both ends are squared."""
    assert steepness(np.array(-0.03), np.array(0.01)) == pytest.approx(2)
    rows = estimate("llama70b", "h200", "fp8", batch=np.geomspace(1, 64, 25), isl=1024, osl=1024, tensor_parallel=4)
    log = np.log(rows[["output_tok_per_s_per_gpu", "tok_per_s_per_user"]].to_numpy())
    slope = np.gradient(log[:, 0]) / np.gradient(log[:, 1])
    assert np.allclose(rows["steepness"][1:-1], np.sqrt(1 - slope)[1:-1], rtol=0.02)
    curve, (low, high) = estimated_curve(rows), band("calibrated, dense model", "at a speed", 0.8)
    assert np.allclose(curve["low"] / curve["total_tok_per_s_per_gpu"], low ** curve["steepness"])
    assert np.allclose(curve["high"] / curve["total_tok_per_s_per_gpu"], high ** curve["steepness"])
    assert (np.diff(curve["high"] / curve["low"])[5:] > 0).all()  # the faster, the wider


def test_where_no_batch_fits_no_speed_is_reached():
    none = estimate("llama70b", "h200", "fp8", batch=[10_000], isl=1024, osl=1024, tensor_parallel=4)
    read = tc.serving.estimate_at(none, tok_per_s_per_user=50)
    assert np.isnan(float(read)) and read.bracket.basis == "not reached"


def test_one_call_answers_many_points():
    rows = estimate("dsr1", "h200", "fp8", batch=np.linspace(1, 100, 10_000), isl=1024, osl=1024, tensor_parallel=8)
    assert len(rows) == 10_000 and rows["output_tok_per_s_per_gpu"].notna().all()


def test_speculative_decoding_writes_more_than_a_token_a_step():
    plain, drafted = (
        estimate("dsr1", "h200", "fp8", batch=4, isl=1024, osl=1024, tensor_parallel=8, speculative=how).iloc[0] for how in ("none", "mtp")
    )
    assert 1 < drafted["tok_per_s_per_user"] / plain["tok_per_s_per_user"] < constants().draft_tok_per_step
    assert drafted["basis"] == "calibrated, speculative decoding"


def test_a_chip_without_runs_enters_a_fleet_plan_as_an_estimate_that_says_so():
    rows = estimate("llama70b", "b300", "fp8", batch=np.geomspace(1, 300, 40), isl=1024, osl=1024, tensor_parallel=4)
    point = tc.load.estimated_point(rows, tok_per_s_per_user=50)
    assert point.label == "estimate, calibrated, dense model" and point.tok_per_s_per_user >= 50
    assert point.capacity_request_per_s() == pytest.approx(point.total_tok_per_s_per_gpu * 4 / 2048)
    with pytest.raises(QuantityError, match="no estimate reaches 4000 tok/s/user; the fastest has"):
        tc.load.estimated_point(rows, tok_per_s_per_user=4000)


def test_a_run_comes_before_an_estimate_and_an_estimate_that_rests_on_more_before_one_that_rests_on_less():
    run = anchor_row()
    runs = tc.measured(model="llama70b", accelerator="h200", precision="fp8", isl=1024, osl=1024, framework="trtllm")
    curve = tc.frontier(runs)
    asked = {"batch": np.geomspace(1, 64, 13), "isl": 0.9 * 1024, "osl": 0.9 * 1024, "tensor_parallel": 4}
    alone = estimate("llama70b", "h200", "fp8", **asked)
    both = pd.concat([alone, estimate("llama70b", "h200", "fp8", anchor=run, **asked)])
    reached, speed = curve.reach[1], 30.0
    assert tc.serving.best_at(curve, both, tok_per_s_per_user=speed) == curve.at(tok_per_s_per_user=speed)
    assert tc.serving.best_at(curve, both, tok_per_s_per_user=speed).bracket.basis in ("measured", "between two runs", "next faster run")
    assert tc.serving.best_at(None, both, tok_per_s_per_user=speed).bracket.basis.startswith("anchored")
    assert tc.serving.best_at(None, alone, tok_per_s_per_user=speed).bracket.basis == "calibrated, dense model"
    assert not tc.load.best_point(curve, both, tok_per_s_per_user=speed).label.startswith("estimate")
    assert tc.load.best_point(None, both, tok_per_s_per_user=speed).label.startswith("estimate, anchored")
    with pytest.raises(QuantityError, match=f"nothing is known at {10 * reached:g} tok/s/user: runs reach .*, estimates .*; ask"):
        tc.serving.best_at(curve, both, tok_per_s_per_user=10 * reached)
    with pytest.raises(QuantityError, match="the runs have accelerator `h200` and the estimates `b300`"):
        tc.serving.best_at(curve, alone.assign(accelerator="b300"), tok_per_s_per_user=speed)
    with pytest.raises(QuantityError, match="estimates say no TTFT: leave `ttft_limit_s` out"):
        tc.load.best_point(None, alone, tok_per_s_per_user=speed, ttft_limit_s=1.0)


def test_a_decision_takes_the_estimate_of_a_chip_without_runs_and_its_cost_follows_its_band():
    rows = estimate("llama70b", "b300", "fp8", batch=np.geomspace(1, 300, 40), isl=1024, osl=1024, tensor_parallel=4)
    read = tc.serving.best_at(None, rows, tok_per_s_per_user=50)
    day = tc.load.recorded_profile("azure_2024_code", offered_request_per_s=27.8)
    month = {"gpus_per_replica": 4, "rate_usd_per_gpu_h": 3.0, "demand_mtok_per_month": 1000.0, "profile": day, "kept_spare_replicas": 0}
    costs = [tc.decide.cluster(n_gpus=64, total_tok_per_s_per_gpu=one, **month).headroom_ratio for one in (read.low, read, read.high)]
    assert costs[0] < costs[1] < costs[2] and costs[2] / costs[0] == pytest.approx(read.high / read.low)
