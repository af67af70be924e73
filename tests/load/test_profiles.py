"""Load profiles: what a file of traffic, a Prometheus range and a recorded service say about requests by hour."""

import json

import numpy as np
import pytest

from tokcost.load.profiles import hourly_profile, recorded_profile, shared_profile
from tokcost.load.traffic import profile_from_csv, profile_from_prometheus
from tokcost.quantities import QuantityError

SERVICES = ("azure_2024_code", "azure_2024_conv", "servegen_m_large", "servegen_m_small", "servegen_deepseek_r1")


def range_answer(path, *series):
    result = [{"metric": {"__name__": name} if name else {}, "values": [[t, str(v)] for t, v in values]} for name, values in series]
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
    return path


@pytest.mark.parametrize("name", [*SERVICES, "flat"])
def test_a_recorded_rhythm_is_a_week_with_the_stated_average(name):
    week = recorded_profile(name, offered_request_per_s=3.0, isl=1000, osl=500)
    assert week.n_hours == 168
    assert week.n_requests == pytest.approx(3.0 * 168 * 3600)
    assert week.offered_total_tok_per_s.sum() * 3600 == pytest.approx(week.n_requests * 1500)
    assert (week.peak_to_mean_ratio > 1.3) == (name != "flat")


def test_the_coding_week_is_as_published():
    """Azure's coding service of May 2024: 28 % of its peak minute on average, weekends at a third of a weekday, Monday first."""
    week = recorded_profile("azure_2024_code", offered_request_per_s=27.8)
    assert 1 / week.peak_to_mean_ratio == pytest.approx(0.28, abs=0.005)
    days = week.hours["offered_request_per_s"].to_numpy().reshape(7, 24).sum(axis=1)
    assert days[5:].mean() / days[:5].mean() == pytest.approx(0.324, abs=0.01) and week.start == "Monday"


def test_a_service_without_known_lengths_asks_for_them():
    with pytest.raises(QuantityError, match="does not say how long the requests of `flat` are; give isl and osl"):
        recorded_profile("flat", offered_request_per_s=1)


def test_an_unknown_service_is_answered_with_the_nearest():
    with pytest.raises(QuantityError, match="did you mean `azure_2024_code`"):
        recorded_profile("azure_2024_cod", offered_request_per_s=1, isl=1, osl=1)


def test_two_services_on_one_fleet_keep_their_work_and_their_tokens():
    """Requests of one GPU-second and of four: 3 x 1 + 1 x 4 GPU-seconds a second in the first hour, 1 + 8 in the second."""
    short, long = hourly_profile([3, 1], isl=100, osl=10), hourly_profile([1, 2], isl=900, osl=90)
    both = shared_profile({"short": (short, 1.0), "long": (long, 4.0)})
    each_s = (4 * 1.0 + 3 * 4.0) / 7  # four short requests and three long ones
    assert (both.hours["offered_request_per_s"] * each_s).tolist() == pytest.approx([7, 9])
    assert both.n_requests * (both.isl + both.osl) == pytest.approx(short.n_requests * 110 + long.n_requests * 990)
    with pytest.raises(QuantityError, match="one length; take weeks with weeks"):
        shared_profile({"a": (short, 1.0), "b": (hourly_profile([1], isl=1, osl=1), 1.0)})


def test_counts_by_interval_become_hours_with_their_peak(tmp_path):
    file = tmp_path / "traffic.csv"
    quarters = [900, 900, 900, 2700] + [0, 0, 0, 3600]
    file.write_text(
        "timestamp,requests,input_tok,output_tok\n"
        + "".join(f"2026-11-02T{8 + i // 4:02d}:{i % 4 * 15:02d}:00Z,{n},{n * 800},{n * 200}\n" for i, n in enumerate(quarters))
    )
    profile = profile_from_csv(file)
    assert profile.hours["offered_request_per_s"].tolist() == pytest.approx([1.5, 1.0])
    assert profile.hours["peak_offered_request_per_s"].tolist() == pytest.approx([3.0, 4.0])
    assert (profile.isl, profile.osl, profile.start) == (800, 200, "2026-11-02T08:00Z")
    # tokens of the file are the tokens of the profile
    assert profile.offered_total_tok_per_s.sum() * 3600 == pytest.approx(sum(quarters) * 1000)


def test_a_log_of_single_requests_is_counted_over_its_whole_hours(tmp_path):
    file = tmp_path / "requests.csv"
    start = 1_800_000_000  # a whole hour
    assert start % 3600 == 0
    at = [start - 100] + [start + 10 * i for i in range(720)] + [start + 7200 + 5]
    file.write_text("timestamp\n" + "".join(f"{t}\n" for t in at))
    profile = profile_from_csv(file, isl=100, osl=50)
    assert profile.n_hours == 2
    assert profile.n_requests == pytest.approx(720)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("time,requests\n1,2\n", "no column `timestamp`"),
        ("timestamp,requests\n", "has no rows"),
        ("timestamp,requests\n0,1\n3600,1\n10800,1\n", "not even at data row 3"),
        ("timestamp,requests\n0,1\n3600,-1\n", "count of 0 or more"),
        ("timestamp,requests\n0,1\n3600,inf\n", "count of 0 or more"),
        ("timestamp,requests\n0,1\n600,1\n", "no whole hour"),
        ("timestamp,requests\n2026-01-01,1\nsoon,1\n", "ISO 8601 or seconds since 1970; data row 2 has 'soon'"),
        ("timestamp,requests\n1767225600000,1\n1767229200000,1\n", "no second since 1970; are these ms"),
        ("timestamp,requests\n0,1\n3600,many\n", "column `requests` must hold numbers; data row 2 has 'many'"),
        ("timestamp,requests\n0,1\n86400,1\n", "an interval lasts 86400 s; a load profile needs one row an hour"),
        ("timestamp,requests\n0,1\n", "has one interval"),
        ("timestamp,requests\n0,1\n1800,1\n3600,1\n3600,1\n", "has two rows for 1970-01-01T01:00Z"),
        ("timestamp,requests,input_tok,output_tok\n0,1,1000,5\n3600,1,,5\n", "column `input_tok` is empty in data row 2"),
        ("timestamp,requests,input_tok,output_tok\n0,0,0,0\n3600,0,0,0\n", "has no request in a whole hour"),
        ("", "is no CSV with a header"),
        ("timestamp,requests\n0,1\n3600,1\n", "no column `input_tok`; give `isl`"),
    ],
)
def test_a_file_that_does_not_say_enough_is_refused_in_one_sentence(tmp_path, text, sentence):
    file = tmp_path / "traffic.csv"
    file.write_text(text)
    with pytest.raises(QuantityError, match=sentence) as error:
        profile_from_csv(file)
    assert "\n" not in str(error.value)


def test_lengths_are_not_given_twice(tmp_path):
    file = tmp_path / "traffic.csv"
    file.write_text("timestamp,requests,input_tok,output_tok\n0,1,10,5\n3600,1,10,5\n")
    with pytest.raises(QuantityError, match="do not give both"):
        profile_from_csv(file, isl=10)


def test_a_prometheus_counter_is_counted_across_a_restart_and_over_series(tmp_path):
    steps = [(t, t / 10) for t in range(0, 3601, 60)] + [(t, (t - 3600) / 10) for t in range(3660, 7201, 60)]
    steady = [(t, 1000 + t) for t in range(0, 7201, 60)]
    file = range_answer(tmp_path / "range.json", ("vllm:request_success_total", steps), ("vllm:request_success_total", steady))
    profile = profile_from_prometheus(file, isl=100, osl=10)
    assert profile.hours["offered_request_per_s"].tolist() == pytest.approx([1.1, 1.1])


def test_a_prometheus_rate_is_read_as_requests_per_second(tmp_path):
    file = range_answer(tmp_path / "range.json", ("", [(t, 2.5) for t in range(0, 3601, 30)]))
    assert profile_from_prometheus(file, isl=100, osl=10).hours["offered_request_per_s"].tolist() == pytest.approx([2.5])


def test_a_server_that_is_gone_gets_no_requests(tmp_path):
    """Two servers at 5 requests/s each, the second away in the middle hour: 10, 5 and 10, and not 10 throughout."""
    there = [(t, 5.0) for t in range(0, 3 * 3600 + 1, 60)]
    away = [(t, 5.0) for t, _ in there if not 3600 < t <= 7200]
    file = range_answer(tmp_path / "range.json", ("", there), ("", away), ("", [(0, float("nan"))]))
    assert profile_from_prometheus(file, isl=100, osl=10).hours["offered_request_per_s"].tolist() == pytest.approx([10, 5, 10])


def test_times_that_differ_by_milliseconds_are_one_time(tmp_path):
    first = [(t, 1.0) for t in range(0, 7201, 60)]
    file = range_answer(tmp_path / "range.json", ("", first), ("", [(t + 0.002, value) for t, value in first]))
    assert profile_from_prometheus(file, isl=1, osl=1).hours["offered_request_per_s"].tolist() == pytest.approx([2, 2], abs=0.01)


def test_a_time_that_no_series_covers_is_refused(tmp_path):
    file = range_answer(tmp_path / "range.json", ("", [(t, 5.0) for t in range(0, 4 * 3600 + 1, 60) if not 3600 < t < 7200]))
    with pytest.raises(QuantityError, match="no value from 1970-01-01T01:00Z .*without a gap"):
        profile_from_prometheus(file, isl=100, osl=10)


@pytest.mark.parametrize(
    ("name", "is_a_count"),
    [
        ("vllm:request_success_total", True),
        ("http_request_duration_seconds_count", True),
        ("vllm:generation_tokens_total", False),
        ("vllm:request_prompt_tokens_sum", False),
        ("vllm:num_requests_running", False),
        ("http_request_duration_seconds_bucket", False),
        ("http_request_duration_seconds_sum", False),
        ("request_seconds_total", False),
    ],
)
def test_only_counters_of_requests_say_how_many_asked(tmp_path, name, is_a_count):
    file = range_answer(tmp_path / "range.json", (name, [(0, 0), (3600, 3600), (7200, 7200)]))
    if is_a_count:
        assert profile_from_prometheus(file, isl=100, osl=10).n_requests == pytest.approx(7200)
    else:
        with pytest.raises(QuantityError, match="does not count requests"):
            profile_from_prometheus(file, isl=100, osl=10)


@pytest.mark.parametrize("text", ["", "no json", '{"data": null}', '{"data": {"resultType": "vector", "result": [1]}}'])
def test_what_is_no_range_answer_is_refused_in_one_sentence(tmp_path, text):
    file = tmp_path / "range.json"
    file.write_text(text)
    with pytest.raises(QuantityError, match="range.json is no query_range answer"):
        profile_from_prometheus(file, isl=1, osl=1)


def test_a_counter_knows_what_happened_over_its_own_gap_and_no_other_does(tmp_path):
    early, late = [(t, t) for t in range(0, 3601, 60)], [(t, t - 7200) for t in range(7200, 10801, 60)]
    name = "vllm:request_success_total"
    one = range_answer(tmp_path / "one.json", (name, early + [(t, t) for t, _ in late]))
    assert profile_from_prometheus(one, isl=1, osl=1).hours["offered_request_per_s"].tolist() == pytest.approx([1, 1, 1])
    two = range_answer(tmp_path / "two.json", (name, early), (name, late))
    with pytest.raises(QuantityError, match="no value from 1970-01-01T01:00Z .*without a gap"):
        profile_from_prometheus(two, isl=1, osl=1)


@pytest.mark.parametrize(
    ("series", "says"),
    [
        ([("", [(t, 1.0) for t in range(0, 7201, 60)]), ("", [(t + 20, 1.0) for t in range(0, 7201, 60)])], "different times"),
        ([("", [(t, 1.0) for t in range(0, 7201, 60)]), ("", [(t, 1.0) for t in range(0, 7201, 300)])], "different times"),
        ([("", [(t, 1.0) for t in range(0, 86401, 7200)])], "its step is 7200 s"),
        ([("a_requests_total", [(0, 0), (3600, 1)]), ("b_requests_total", [(0, 0), (3600, 1)])], "several metrics"),
        ([("", [(0, "many"), (3600, 1)])], "no query_range answer"),
        ([("", [(0, 1), (3600, "+Inf")])], "holds an infinite value at 1970-01-01T01:00Z"),
    ],
)  # fmt: skip
def test_series_that_do_not_add_up_are_refused(tmp_path, series, says):
    with pytest.raises(QuantityError, match=says):
        profile_from_prometheus(range_answer(tmp_path / "range.json", *series), isl=1, osl=1)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for read in (lambda path: profile_from_csv(path), lambda path: profile_from_prometheus(path, isl=1, osl=1)):
        for path in (tmp_path, tmp_path / "none"):
            with pytest.raises(QuantityError, match=f"{path} cannot be read"):
                read(path)


def test_a_range_without_a_value_is_refused(tmp_path):
    file = range_answer(tmp_path / "range.json", ("", [(0, float("nan"))]), ("", []))
    with pytest.raises(QuantityError, match="range.json holds no value"):
        profile_from_prometheus(file, isl=1, osl=1)


def test_a_peak_below_the_average_is_refused():
    with pytest.raises(QuantityError, match="hour 1: .*below the average.*swapped"):
        hourly_profile([1, 2], isl=1, osl=1, peak_offered_request_per_s=[1, 1])


@pytest.mark.parametrize(("peak", "says"), [([1, 2, 3], "one number for each hour"), ([3, np.nan], "known requests per second")])
def test_peaks_are_one_for_each_hour(peak, says):
    with pytest.raises(QuantityError, match=says):
        hourly_profile([1, 2], isl=1, osl=1, peak_offered_request_per_s=peak)


def test_scaling_keeps_the_shape():
    day = hourly_profile([1, 3, 2], isl=10, osl=10, peak_offered_request_per_s=[2, 3, 2])
    assert day.scaled(7).peak_to_mean_ratio == pytest.approx(day.peak_to_mean_ratio)
    assert np.allclose(day.scaled(7).hours["peak_offered_request_per_s"], [14, 21, 14])
    for factor in (-1, 0, np.nan, np.inf):
        with pytest.raises(QuantityError, match="scaled by a number above 0"):
            day.scaled(factor)
