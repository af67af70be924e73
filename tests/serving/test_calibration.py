"""The constants of the estimate and its bands: they follow from the data, hold what they promise, and say how far off they are."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tokcost import evidence
from tokcost.serving import ablation, accuracy, calibration
from tokcost.serving.calibrate_command import calibrate
from tokcost.serving.estimation import band


@pytest.fixture(scope="module")
def runs():
    """The runs that the constants were fitted to; a sound new row breaks no promise, it makes a new fit due."""
    if "tokcost calibrate" in calibration.calibration_state():
        pytest.skip(calibration.calibration_state())
    return calibration.calibration_rows()


@pytest.fixture(scope="module")
def left_out(runs):
    """One chip and two models left out: the fast version of `tokcost calibrate`."""
    models = accuracy.held_out_errors("model", runs, only=["llama8b", "qwen3-235b"])
    return pd.concat([accuracy.held_out_errors("accelerator", runs, only=["h100"]), models])


def test_the_constants_are_those_of_the_runs_in_the_data(runs):
    rows = evidence.load_table("calibration")
    fitted = runs[runs["maker"] == calibration.CALIBRATED_MAKER]
    assert rows["rows_sha256"].unique().tolist() == [calibration.rows_sha256(fitted)]
    again, kept = vars(calibration.fitted(fitted)), vars(calibration.constants())
    assert kept == pytest.approx(again, rel=0.02)


def test_no_constant_says_that_a_chip_does_more_than_it_is_rated_at():
    kept = vars(calibration.constants())
    assert all(0 < value <= 1 for name, value in kept.items() if name.endswith("_frac"))
    assert not evidence.load_table("calibration")["meaning"].str.contains("utili[sz]ation").any()


def test_the_accuracy_that_is_stated_is_reached_again(left_out):
    stated = evidence.load_table("estimate_accuracy", method="estimate, calibrated", reading="at a load")
    for held_out, errors in left_out[left_out["basis"] != accuracy.DRAFTED].groupby("held_out"):
        row = stated[stated["held_out"] == held_out].iloc[0]
        n, median, high = accuracy.error_of(errors["at_load"])
        assert n == row["n_observations"]
        assert (median, high) == pytest.approx((row["median_error_frac"], row["high_error_frac"]), rel=0.05)


def test_unseen_chips_and_models_are_estimated_within_a_tenth_and_nearer_than_by_textbook():
    rows = evidence.load_table("estimate_accuracy", held_out="all", reading="at a load").set_index(["method", "left_out"])
    errors = rows["median_error_frac"]
    assert errors["estimate, calibrated", "accelerator"] <= 0.1 and errors["estimate, calibrated", "model"] <= 0.1
    assert errors["estimate, calibrated", "accelerator"] < errors["textbook formulas", "nothing"]


def test_an_anchor_at_half_to_twice_the_load_leaves_a_tenth_at_a_speed_and_more_of_another_maker():
    rows = evidence.load_table("estimate_accuracy", held_out="all", reading="at a speed").set_index("method")["median_error_frac"]
    near, far = (rows[f"estimate, anchored, {how}"] for how in ("half to twice its load", "another load"))
    assert near < 0.12 < far < rows["estimate, calibrated"].min()
    assert rows["estimate, anchored, other maker, half to twice its load"] < rows["estimate, textbook"] / 2


def test_a_correction_fades_with_the_distance_of_the_load():
    """By hand: half of it is left after one doubling, a quarter after two; where errors do not change with the load, all of it."""
    assert accuracy.fading(0.5, np.array([8.0, 16.0, 32.0]), 16.0).tolist() == [0.5, 1.0, 0.5]

    def errors(at_load):
        own = dict.fromkeys(accuracy.CURVE, "one") | {"held_out": "h200", "left_out": "accelerator", "basis": accuracy.DENSE}
        return pd.DataFrame({"concurrency": [8.0, 16.0, 32.0], "at_load": at_load}).assign(**own)

    assert accuracy.fitted_kept_frac(errors([0.3, 0.3, 0.3])) == 1
    assert accuracy.fitted_kept_frac(errors([0.3, 0.27, 0.3])) == pytest.approx(0.95, abs=0.06)
    assert 0.8 < calibration.anchor_kept_frac() < 0.95


@pytest.mark.parametrize("reading", ["at a load", "at a speed"])
def test_bands_hold_four_cases_in_five_of_each_kind_on_average_over_what_was_left_out(reading):
    rows = evidence.load_table("estimate_accuracy", reading=reading, held_out="all")
    kinds = (accuracy.DENSE, accuracy.EXPERTS, accuracy.ANCHORED + accuracy.NEAR, accuracy.ANCHORED + accuracy.FAR)
    for basis in kinds:
        assert rows.loc[rows["method"] == f"estimate, {basis}", "coverage_frac"].mean() == pytest.approx(0.8, abs=0.05), basis
    for basis in (accuracy.ANCHORED_OTHER + accuracy.NEAR, accuracy.ANCHORED_OTHER + accuracy.FAR, accuracy.TEXTBOOK):
        assert (rows.loc[rows["method"] == f"estimate, {basis}", "coverage_frac"] > 0.8).all(), "three chips: wide rather than narrow"


def test_the_share_that_a_band_held_says_how_well_it_is_known():
    """Of one model by its curves, not by its runs; of several by how far they lie apart."""
    rows = evidence.load_table("estimate_accuracy").dropna(subset=["coverage_frac"])
    assert rows["coverage_frac"].between(rows["low_coverage_frac"], rows["high_coverage_frac"]).mean() > 0.99
    runs = pd.DataFrame(dict.fromkeys(accuracy.CURVE, "one"), index=range(400)).assign(held_out="a", is_held=[1.0, 1.0, 1.0, 0.0] * 100)
    share, low, high = accuracy.coverage(runs)
    assert share == 0.75 and low < 0.2 and high > 0.95


def test_a_band_covers_what_it_says_where_the_errors_of_a_new_chip_are_like_those_before():
    """Simulated chips, each with a bias of its own: a new one lies in a band of 80 % four times in five."""
    rng = np.random.default_rng(3)

    def chips(n):
        bias, noise = rng.normal(0, 0.1, n), rng.normal(0, 0.1, (n, 60))
        return pd.DataFrame(
            {"left_out": "accelerator", "held_out": np.repeat(np.arange(n), 60), "at_load": (bias[:, None] + noise).ravel()}
        )

    for n, seeds in ((10, 40), (3, 40)):
        held = []
        for _ in range(seeds):
            low, high = np.log(accuracy.quantiles(chips(n), "at_load", np.array([0.1, 0.9])))
            held.append(chips(10)["at_load"].between(low, high).mean())
        assert np.mean(held) == pytest.approx(0.8, abs=0.06)
    few = accuracy.quantiles(chips(2), "at_load", np.array([0.1, 0.9]))
    assert few[0] * few[1] == pytest.approx(1, rel=0.01)  # of two, no one knows which way the next errs


def test_every_chip_or_model_counts_alike_in_a_band():
    errors = pd.DataFrame({"left_out": "model", "held_out": [*"abcde", *"f" * 5000], "at_load": [0.0] * 5 + [0.6] * 5000})
    assert accuracy.quantiles(errors, "at_load", np.array([0.5]))[0] == pytest.approx(np.exp(0.1), rel=0.01)


def test_bands_narrow_with_what_an_estimate_rests_on_and_widen_with_the_level():
    best_first = ("anchored, half to twice its load", "anchored, another load", accuracy.DENSE, accuracy.EXPERTS, accuracy.TEXTBOOK)
    for reading in ("at a load", "at a speed"):
        low, high = band(accuracy.DENSE, reading, 0.8)
        wide = band(accuracy.DENSE, reading, 0.95)
        assert wide[0] < low < 1 < high < wide[1]
        widths = [np.divide(*band(basis, reading, 0.8)[::-1]) for basis in best_first]
        assert widths == sorted(widths)


def test_without_launches_weights_or_prefill_estimates_are_far_too_optimistic_and_without_arithmetic_hardly():
    table = ablation.ablation_table().set_index("left_out")
    whole = table.loc["nothing", "median_error_frac"]
    for effect in ("launch overhead", "reading weights", "communication", "prefill of others"):
        assert table.loc[effect, "median_error_frac"] > 2 * whole and table.loc[effect, "median_ratio"] > 1.1
    assert table.loc["arithmetic of decode", "median_error_frac"] < 1.15 * whole


def test_own_static_batches_confirm_the_terms_that_were_never_fitted_to_them():
    """A server's constants describe a tuned step on a bare card; the eager library waits for its host, ten times as long."""
    by_level = ablation.static_batches().groupby("software_level")
    step, prefill = by_level["step_ratio"].median(), by_level["prefill_ratio"].median()
    for level in ("cuda_graph", "fused_kernels", "fused_kernels_fp8"):
        assert step[level] == pytest.approx(1, abs=0.15) and prefill[level] == pytest.approx(1, abs=0.25)
    assert step["eager_library"] < 0.2
    assert not (evidence.load_table("inference")["source_id"] == "own_gpu_sweep_2026_11").any()


def test_the_command_says_what_would_change_and_writes_nothing_when_asked_so(monkeypatch, left_out):
    """The two slow steps, fitting and leaving out in turn, give here what they gave before."""
    monkeypatch.setattr(accuracy, "all_errors", lambda: left_out.assign(load_ratio=np.nan))
    monkeypatch.setattr(calibration, "renewed", lambda date, kept: evidence.load_table("calibration").assign(date=date))
    before = (evidence.catalog.data_dir() / "calibration.csv").read_bytes()
    result = CliRunner().invoke(calibrate, ["--dry-run"], catch_exceptions=False)
    assert result.exit_code == 0 and "calibration.csv" in result.output and "not written" in result.output
    assert (evidence.catalog.data_dir() / "calibration.csv").read_bytes() == before


def test_newer_runs_make_a_new_fit_due_and_say_so(monkeypatch):
    rows = calibration.calibration_rows()
    assert "tokcost calibrate" not in calibration.calibration_state()
    monkeypatch.setattr(calibration, "calibration_rows", lambda: pd.concat([rows, rows.tail(1).assign(concurrency=3.0, maker="nvidia")]))
    fitted = (rows["maker"] == "nvidia").sum()
    assert f"to {fitted:,} runs, not to the {fitted + 1:,} that the data has now; `tokcost calibrate`" in calibration.calibration_state()
