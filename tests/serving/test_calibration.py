"""The constants of the estimate and its bands: they follow from the data, hold what they promise, and say how far off they are."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tokcost import evidence
from tokcost.serving import ablation, accuracy, bands, calibration, extrapolation
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


def test_an_anchor_in_the_middle_leaves_a_tenth_at_a_speed_two_leave_half_of_it_and_more_is_left_of_another_maker():
    rows = evidence.load_table("estimate_accuracy", held_out="all", reading="at a speed").set_index("method")["median_error_frac"]
    between, near, far = (rows[f"estimate, anchored, {how}"] for how in ("between two anchors", "half to twice its load", "another load"))
    middle = rows["estimate, anchored, in the middle of the loads"]
    assert between < 0.08 < near < middle < 0.12 < far < rows["estimate, calibrated"].min()
    others = [rows[f"estimate, anchored, other maker{how}"] for how in (", between two anchors", ", in the middle of the loads", "")]
    assert others == sorted(others) and others[0] < 0.12 and others[-1] < rows["estimate, textbook"] / 2


def test_with_an_anchor_what_was_fitted_carries_over_to_another_maker():
    """No run of theirs was fitted; on curves through an anchor the others are nearer with fitted constants than with textbook ones."""
    kept, off = calibration.anchor_kept_frac(), {"value": [], "textbook_value": []}
    for _, _, runs in accuracy._by_chip(accuracy.other_makers_errors()):
        (anchor, other, _), load = accuracy._pairs(runs), runs["concurrency"].to_numpy(float)
        for column, left in off.items():
            logs = calibration.Cases(runs).log_errors(calibration.constants(column))
            left.append(logs[other] - accuracy.corrections(kept, load[other], load[anchor], logs[anchor]))
    fitted, textbook = (np.median(np.abs(np.concatenate(left))) for left in off.values())
    assert fitted < 0.75 * textbook


@pytest.mark.parametrize("reading", ["at a load", "at a speed"])
def test_bands_hold_what_is_larger_than_all_that_was_fitted_as_well_as_with_all_fitted(reading):
    """Prompts and answers eight times as long, loads four times as large and more, four times as many GPUs."""
    rows = evidence.load_table("estimate_accuracy", reading=reading, method=[extrapolation.BEYOND, extrapolation.ALL_SIZES])
    held = rows.pivot(index="held_out", columns="method", values="coverage_frac")
    assert len(held) == len(extrapolation.GROWTHS)
    assert held[extrapolation.BEYOND].mean() == pytest.approx(0.8, abs=0.06)
    assert (held[extrapolation.BEYOND] > held[extrapolation.ALL_SIZES] - 0.1).all()
    beyond = rows[rows["method"] == extrapolation.BEYOND]
    assert (beyond["coverage_frac"] > beyond["low_coverage_frac"]).all()


def test_bands_of_what_is_extrapolated_are_made_of_small_runs_of_other_chips_alone(runs):
    errors = extrapolation.extrapolated_errors("isl", 1024, 8000)
    large = ~errors["is_small"]
    held = bands.is_held(errors, "at_load", by=errors["is_small"])
    spoiled = errors.assign(at_load=errors["at_load"].mask(large & (errors["held_out"] != "h100"), 9.0))
    is_h100 = large & (errors["held_out"] == "h100")
    assert bands.is_held(spoiled, "at_load", by=errors["is_small"])[is_h100].equals(held[is_h100])
    assert errors.loc[large, "isl"].min() >= 8000 and errors.loc[~large, "isl"].max() <= 1024
    stated = evidence.load_table("estimate_accuracy", method=extrapolation.BEYOND, reading="at a load")
    row = stated[stated["held_out"].str.startswith("isl")].iloc[0]
    assert accuracy.error_of(errors.loc[large, "at_load"])[1] == pytest.approx(row["median_error_frac"], rel=0.05)


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
def test_bands_hold_four_runs_in_five_on_average_and_of_no_chip_or_model_fewer_than_a_right_band_would(reading):
    """No run of a chip or model had a say in its band; the range is that of a band that is exactly right, for runs that err together."""
    rows = evidence.load_table("estimate_accuracy", reading=reading).dropna(subset=["coverage_frac"]).set_index("method")
    kinds = (accuracy.CALIBRATED, accuracy.DENSE, accuracy.EXPERTS, accuracy.ANCHORED)
    for basis in (*kinds, *(accuracy.ANCHORED + far for far in (accuracy.BETWEEN, accuracy.NEAR, accuracy.FAR))):
        of = rows.loc[f"estimate, {basis}"]
        assert of.loc[of["held_out"] == "all", "coverage_frac"].mean() == pytest.approx(0.8, abs=0.05), basis
        assert of["coverage_frac"].between(of["low_coverage_frac"], of["high_coverage_frac"]).all(), basis
    others = (accuracy.ANCHORED_OTHER, accuracy.ANCHORED_OTHER + accuracy.BETWEEN, accuracy.TEXTBOOK)
    for basis in others:  # three chips, of which one has most runs and the smallest errors
        of = rows.loc[f"estimate, {basis}"]
        assert 0.8 < of.loc[of["held_out"] == "all", "coverage_frac"].item() < 0.95, "wide rather than narrow, and not without end"
        assert (of["coverage_frac"] >= of["low_coverage_frac"]).all(), basis


def _drawn(n_chips, software=0.0, chip=0.0, n_runs=100):
    """Errors drawn for chips with three kinds of software each."""
    rng = np.random.default_rng(5)
    names = pd.DataFrame([(f"chip {i}", f"software {k}") for i in range(n_chips) for k in range(3)], columns=["held_out", "framework"])
    offset = np.repeat(rng.normal(0, chip, n_chips), 3) + rng.normal(0, software, 3 * n_chips)
    runs = names.loc[names.index.repeat(n_runs)].assign(model="one", precision="fp8", basis="any", left_out="accelerator")
    noise = rng.normal(0, 0.1, len(runs))
    return runs.assign(accelerator=runs["held_out"], at_load=np.repeat(offset, n_runs) + noise).reset_index(drop=True)


def test_how_far_errors_move_together_is_found_again():
    alone, software, both = (_drawn(60, *spreads).assign(score=lambda runs: runs["at_load"]) for spreads in ((), (0.2,), (0.2, 0.3)))
    for runs, wanted in ((alone, (0, 0)), (software, (0, 0.2)), (both, (0.3, 0.2))):
        chips, kinds, within = bands.spread(runs)
        assert (chips, kinds) == (pytest.approx(wanted[0], abs=0.06), pytest.approx(wanted[1], abs=0.03))
        assert within.mean() == pytest.approx(0.1, rel=0.05)


def test_a_right_band_holds_each_chip_alike_only_where_nothing_moves_its_runs_together():
    """By hand: of 300 runs that err by chance alone, a band of 80 % holds 80 +- 2.3 of 100, and a bit more apart as spreads are found only.

    What moves together no width mends.
    """
    alone, together = (bands.right_band_shares(_drawn(6, *spreads), "at_load") for spreads in ((), (0.2, 0.2)))
    assert np.sqrt(0.8 * 0.2 / 300) < alone.std().mean() < 0.035
    for shares in (alone, together):
        assert shares.mean(axis=1).mean() == pytest.approx(0.8, abs=0.01)
        ranges = bands.right_band_range(shares).drop("all")
        inside = ((shares >= ranges["low"]) & (shares <= ranges["high"])).all(axis=1).mean()
        assert inside == pytest.approx(0.95, abs=0.03)
    assert ((together - 0.8).abs() <= 0.05).all(axis=1).mean() < 0.02
    assert bands.right_band_range(together)["low"].min() < 0.5


def test_with_the_errors_that_were_found_no_right_band_holds_each_model_to_five_points(left_out):
    stated = evidence.load_table("estimate_accuracy", method="estimate, calibrated", left_out="model").set_index("held_out")
    each = stated.drop(index="all")
    assert (each["low_coverage_frac"] < 0.6).all() and (each["high_coverage_frac"] > 0.9).all()
    assert stated.loc["all", "low_coverage_frac"].min() > each["low_coverage_frac"].max()


def test_no_run_of_what_is_left_out_has_a_say_in_its_band():
    """Whatever the errors of a chip are, its band stays what those of the others make it; also those found while a model was left out."""
    runs = pd.concat([_drawn(6, 0.1), _drawn(6, 0.1).assign(left_out="model", held_out="one")], ignore_index=True)
    others = _drawn(6, 0.1).assign(left_out="model", held_out="two", model="two")
    runs = pd.concat([runs, others], ignore_index=True)
    is_its_own = (runs["accelerator"] == "chip 0") & (runs["held_out"] != "chip 0")
    before = bands.is_held(runs, "at_load")
    after = bands.is_held(runs.assign(at_load=runs["at_load"].mask(is_its_own, 9.0)), "at_load")
    of_chip = runs["held_out"] == "chip 0"
    assert before[of_chip].equals(after[of_chip]) and not before.equals(after)


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
            low, high = np.log(bands.quantiles(chips(n), "at_load", np.array([0.1, 0.9])))
            held.append(chips(10)["at_load"].between(low, high).mean())
        assert np.mean(held) == pytest.approx(0.8, abs=0.06)
    few = bands.quantiles(chips(2), "at_load", np.array([0.1, 0.9]))
    assert few[0] * few[1] == pytest.approx(1, rel=0.01)  # of two, no one knows which way the next errs


def test_every_chip_or_model_counts_alike_in_a_band():
    errors = pd.DataFrame({"left_out": "model", "held_out": [*"abcde", *"f" * 5000], "at_load": [0.0] * 5 + [0.6] * 5000})
    assert bands.quantiles(errors, "at_load", np.array([0.5]))[0] == pytest.approx(np.exp(0.1), rel=0.01)


def test_bands_narrow_with_what_an_estimate_rests_on_and_widen_with_the_level():
    anchored = (f"anchored, {far}" for far in ("between two anchors", "half to twice its load", "another load"))
    best_first = (*anchored, accuracy.DENSE, accuracy.EXPERTS, accuracy.TEXTBOOK)
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
    monkeypatch.setattr(accuracy, "all_errors", lambda: left_out)
    monkeypatch.setattr(extrapolation, "GROWTHS", ())
    monkeypatch.setattr(calibration, "renewed", lambda date, kept: evidence.load_table("calibration").assign(date=date))
    before = (evidence.catalog.data_dir() / "calibration.csv").read_bytes()
    result = CliRunner().invoke(calibrate, ["--dry-run"], catch_exceptions=False)
    assert result.exit_code == 0 and "calibration.csv" in result.output and "not written" in result.output
    assert (evidence.catalog.data_dir() / "calibration.csv").read_bytes() == before


@pytest.mark.parametrize(("kept", "by"), [({"accelerator": "h100"}, "accelerator"), ({"model": "llama70b"}, "model")])
def test_of_one_chip_or_one_model_nothing_can_be_said_about_others(monkeypatch, runs, kept, by):
    (column, name), before = next(iter(kept.items())), (evidence.catalog.data_dir() / "calibration.csv").read_bytes()
    monkeypatch.setattr(accuracy, "calibration_rows", lambda: runs[runs[column] == name])
    result = CliRunner().invoke(calibrate)
    assert result.exit_code == 1 and f"leaving out each {by} in turn" in result.output and "nothing was written" in result.output
    assert (evidence.catalog.data_dir() / "calibration.csv").read_bytes() == before


def test_runs_of_one_maker_and_of_short_lengths_are_enough_to_fit_to(monkeypatch, runs):
    """No chip of another maker, no long prompt: what nothing is known of has no row, and the rest has."""
    short = runs[(runs["maker"] == calibration.CALIBRATED_MAKER) & (runs["isl"] <= 1024) & (runs["osl"] <= 1024)]
    for module in (accuracy, extrapolation):
        monkeypatch.setattr(module, "calibration_rows", lambda: short)
    alone = accuracy.held_out_errors("accelerator", only=["h200"])
    assert accuracy.other_makers_errors().empty
    table = extrapolation.extrapolation_table(alone.assign(left_out="accelerator"))
    assert not table["held_out"].str.contains("isl|osl").any()


def test_newer_runs_make_a_new_fit_due_and_say_so(monkeypatch):
    rows = calibration.calibration_rows()
    assert "tokcost calibrate" not in calibration.calibration_state()
    monkeypatch.setattr(calibration, "calibration_rows", lambda: pd.concat([rows, rows.tail(1).assign(concurrency=3.0, maker="nvidia")]))
    fitted = (rows["maker"] == "nvidia").sum()
    assert f"to {fitted:,} runs, not to the {fitted + 1:,} that the data has now; `tokcost calibrate`" in calibration.calibration_state()
