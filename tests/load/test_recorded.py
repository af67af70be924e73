"""Recorded requests: the tables are what the rows say, a log of one's own is read with care, a replayed fleet keeps its promise."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
import simpy

from tokcost import evidence, serving
from tokcost.load.capacity import OperatingPoint
from tokcost.load.recorded import recorded_trace, trace
from tokcost.load.replay import plan_trace, service_times_s, waits_s
from tokcost.quantities import QuantityError

TRACES = ("azure_2023_conv", "azure_2023_code", "mooncake_conversation")
NODE = OperatingPoint("h200", "m", 1024, 1024, 16, 8, 280.0, 70.0, 0.5, 0.014)
RULE = serving.SplitRule("mine", 1.0, 0.05, 6.0)
HEADER = "arrival_s,prompt_tok,output_tok\n"
ROW = '{"arrival_s": 0, "prompt_tok": 1, "output_tok": 1}\n'


@pytest.fixture(scope="module")
def recorded():
    return {name: recorded_trace(name) for name in TRACES}


@pytest.mark.parametrize("name", TRACES)
def test_the_tables_are_what_the_rows_say(recorded, name):
    one = recorded[name]
    facts = evidence.load_table("traffic", trace=name).set_index("quantity")["value"]
    assert [one.isl, one.osl, one.prompt_to_output_ratio, one.gap_cv] == pytest.approx(
        facts[["isl", "osl", "prompt_to_output_ratio", "gap_cv"]].tolist(), rel=2e-3
    )
    assert len(one.requests) / one.span_s == pytest.approx(facts["offered_request_per_s"], rel=1e-3)
    assert one.arrival_cv(service_time_s=15) == pytest.approx(facts["arrival_cv"], abs=0.02)
    quantiles = evidence.load_table("traffic_lengths", trace=name)
    for quantity, column in (("isl", "prompt_tok"), ("osl", "output_tok")):
        rows = quantiles[quantiles["quantity"] == quantity]
        assert rows["value"].tolist() == pytest.approx(one.requests[column].quantile(rows["quantile_frac"].to_numpy()).tolist(), rel=1e-4)


def test_cached_shares_count_what_an_earlier_request_had(recorded):
    """An endless cache starts cold, so the second half of the hour says what a running service would see."""
    mooncake = recorded["mooncake_conversation"].requests
    late = mooncake[mooncake["arrival_s"] >= mooncake["arrival_s"].max() / 2]
    stated = evidence.load_table("traffic", trace="mooncake_conversation", quantity="cached_input_frac")["value"].iloc[0]
    assert late["cached_input_tok"].sum() / late["prompt_tok"].sum() == pytest.approx(stated, abs=1e-3)
    assert np.isnan(recorded["azure_2023_conv"].cached_input_frac)  # not stated is not zero


def test_a_request_takes_as_long_as_its_work_and_never_more_than_its_share(recorded):
    """Work is what is conserved: the places are busy as long as the point's own requests of the same work would keep them."""
    for one in recorded.values():
        held = service_times_s(one, NODE, RULE)
        rows = one.requests
        fresh = rows["prompt_tok"] - rows["cached_input_tok"]
        work = (fresh + 0.05 * rows["cached_input_tok"] + 6 * rows["output_tok"]).sum()
        assert held.sum() == pytest.approx(work / (1024 * 7) * NODE.service_time_s(), rel=1e-9)


def simulated(one, held, *, n_replicas, wait_limit_s):
    """The trace itself on a fleet in simpy, each replica with a queue of its own and requests sent to the least busy.

    Gives the share that starts in time, and the tokens of all requests that were finished.
    """
    environment, in_time, tokens = simpy.Environment(), [], []
    replicas = [simpy.Resource(environment, capacity=round(NODE.concurrency)) for _ in range(n_replicas)]

    def request(at, service, tok):
        yield environment.timeout(at)
        replica = min(replicas, key=lambda each: each.count + len(each.queue))
        with replica.request() as place:
            yield place
            in_time.append(environment.now - at <= wait_limit_s + 1e-9)
            yield environment.timeout(service)
        tokens.append(tok)

    tok = one.requests["prompt_tok"] + one.requests["output_tok"]
    for row in zip(one.requests["arrival_s"], held, tok, strict=True):
        environment.process(request(*row))
    environment.run()
    return np.mean(in_time), sum(tokens)


@pytest.mark.parametrize("name", TRACES)
def test_a_simulated_fleet_keeps_the_level_that_the_plan_states(recorded, name):
    """Three levels on each trace: within 1 % of the requests of what is stated, no token lost, and one replica fewer breaks it."""
    one = recorded[name]
    held, runs = service_times_s(one, NODE, RULE), {}
    for level in (0.9, 0.99, 0.999):
        planned = plan_trace(one, NODE, RULE, rate_usd_per_gpu_h=2.0, service_level_frac=level, wait_limit_s=1.0)
        n_replicas = planned.n_replicas
        if n_replicas not in runs:  # two levels may ask for one fleet
            runs[n_replicas] = simulated(one, held, n_replicas=n_replicas, wait_limit_s=1.0)
        in_time, tokens = runs[n_replicas]
        assert in_time == pytest.approx(planned.in_time_frac, abs=0.01) and in_time >= level - 0.01
        assert planned.in_time_frac >= level
        assert tokens == planned.delivered_total_tok == pytest.approx((one.isl + one.osl) * len(one.requests))
        fewer = waits_s(one.requests["arrival_s"].to_numpy(), held, places=(planned.n_replicas - 1) * 16 or 1) <= 1.0
        assert fewer.mean() < level


def test_replayed_waits_are_those_of_one_queue_in_simpy(recorded):
    one = recorded["azure_2023_code"]
    held, at = service_times_s(one, NODE, RULE)[:2000], one.requests["arrival_s"].to_numpy()[:2000]
    environment, waited = simpy.Environment(), np.empty(2000)
    places = simpy.Resource(environment, capacity=20)

    def request(i):
        yield environment.timeout(at[i])
        with places.request() as place:
            yield place
            waited[i] = environment.now - at[i]
            yield environment.timeout(held[i])

    for i in range(2000):
        environment.process(request(i))
    environment.run()
    assert waits_s(at, held, places=20) == pytest.approx(waited, abs=1e-6) and waited.max() > 1


def test_half_a_record_sizes_a_fleet_for_the_other_half_where_requests_come_evenly(recorded, tmp_path):
    """What a plan promises must hold beyond the rows it was made from. Of one bursty client it does not: its next burst may be larger."""
    rows = recorded["azure_2023_conv"].requests
    halves = []
    for number, part in enumerate(np.array_split(np.arange(len(rows)), 2)):
        rows.iloc[part].to_csv(tmp_path / f"{number}.csv", index=False)
        halves.append(trace(tmp_path / f"{number}.csv"))
    level = {"rate_usd_per_gpu_h": 2.0, "service_level_frac": 0.99, "wait_limit_s": 1.0}
    n_replicas = max(plan_trace(half, NODE, RULE, **level).n_replicas for half in halves[:1])
    assert plan_trace(halves[1], NODE, RULE, **level, n_replicas=n_replicas).in_time_frac >= 0.98


def test_csv_and_jsonl_gzipped_or_not_and_any_order_say_the_same(tmp_path):
    rows = [
        {"arrival_s": 7.5, "prompt_tok": 900, "output_tok": 9, "cached_input_tok": 512},
        {"arrival_s": 2.5, "prompt_tok": 100, "output_tok": 1, "cached_input_tok": 0},
    ]
    pd.DataFrame(rows).assign(user="a, b").to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    stamped = [row | {"timestamp": f"2026-11-02T08:00:{row['arrival_s']:04.1f}Z"} for row in rows]
    for row in stamped:
        del row["arrival_s"]
    (tmp_path / "stamped.jsonl").write_text("".join(json.dumps(row) + "\n" for row in stamped))
    found = [trace(tmp_path / name) for name in ("a.csv", "a.jsonl", "packed", "stamped.jsonl")]
    for one in found:
        assert one.requests["prompt_tok"].tolist() == [100, 900] and one.span_s == pytest.approx(5)
        assert one.cached_input_frac == pytest.approx(0.512)
    profile = trace(tmp_path / "a.csv")
    with pytest.raises(QuantityError, match="two minutes at least"):
        profile.profile()


def test_a_log_of_several_hours_becomes_a_profile_that_keeps_its_requests(tmp_path):
    """Three requests a minute, thirty in one minute of the second hour; half an hour more is no hour."""
    at = [60.0 * minute + extra for minute in range(150) for extra in np.linspace(0, 59, 30 if minute == 75 else 3)]
    (tmp_path / "a.csv").write_text(HEADER + "".join(f"{second},1000,100\n" for second in at))
    profile = trace(tmp_path / "a.csv").profile()
    assert profile.hours["offered_request_per_s"].tolist() == pytest.approx([180 / 3600, 207 / 3600])
    assert profile.hours["peak_offered_request_per_s"].tolist() == pytest.approx([3 / 60, 30 / 60])
    assert (profile.isl, profile.osl) == (1000, 100)


def test_a_file_that_is_no_log_is_not_quoted(tmp_path):
    """A path given by mistake may lead to any file; its words must not reach a sentence, a mail or a page."""
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/bin/sh\n")
    with pytest.raises(QuantityError, match="has no `arrival_s`.* a trace needs arrival_s, prompt_tok, output_tok") as problem:
        trace(tmp_path / "passwd")
    assert "root" not in str(problem.value) and "daemon" not in str(problem.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        (HEADER, "it holds 0 requests; a trace needs two at least"),
        (HEADER + "0,1,1\n", "it holds 1 requests"),
        ("arrival_s,prompt_tokens,output_tok\n0,1,1\n", "line 2 has no `prompt_tok`; did you mean `prompt_tokens`"),
        ("time,prompt_tok,output_tok\n0,1,1\n", r"line 2 has no `arrival_s` \(or `timestamp`\)"),
        (HEADER + "0,1,1\n1,x,1\n", "line 3: `prompt_tok` must be a number, got 'x'"),
        (HEADER + "0,1,1\n1,nan,1\n", "line 3: `prompt_tok` is nan"),
        (HEADER + "0,1,1\n1,-5,1\n", "line 3: `prompt_tok` is -5 and must be 0 to 1e[+]08"),
        (HEADER + "0,1,1\n1791000000000,1,1\n", "are these milliseconds?"),
        (HEADER + "0,1,1\n1,1\n", "line 3 has another number of cells than the header"),
        (HEADER + "3,1,1\n3,2,2\n", "all requests arrive at one moment"),
        ("arrival_s,prompt_tok,output_tok,cached_input_tok\n0,100,1,200\n", "line 2: 200 cached tokens of a prompt of 100"),
        (
            "timestamp,prompt_tok,output_tok\nyesterday,1,1\n",
            "`timestamp` must be ISO 8601, got 'yesterday'; for seconds name it `arrival_s`",
        ),
        ('{"arrival_s": 0, "prompt_tok": 1, "output_tok": 1}\n[1]\n', "line 2 is no object"),
        ('{"arrival_s": true, "prompt_tok": 1, "output_tok": 1}\n', "line 1: `arrival_s` must be a number"),
        ('{"arrival_s": ' + "[" * 100_000, "line 1 is not valid JSON; a JSONL trace has one whole object"),
        ('[{"arrival_s": 0, "prompt_tok": 1, "output_tok": 1}]', r"a list in JSON; write one object a line"),
        ("arrival_s,prompt_tok,output_tok,prompt_tok\n0,1,1,9\n1,1,1,9\n", "column `prompt_tok` stands twice"),
        ('{"arrival_s": 0, "prompt_tok": 1, "prompt_tok": 9, "output_tok": 1}\n', "key `prompt_tok` stands twice"),
        (HEADER + '0,"1,1\n1,1,1\n', "is no line of a CSV table"),
        (HEADER + "0,0,0\n1,0,0\n", "no request has a token"),
        (ROW + ROW.replace('"arrival_s": 0', '"timestamp": "2026-11-01"'), "line 2 .* `arrival_s` and the lines before do not agree"),
        (ROW + ROW.replace("}", ', "cached_input_tok": 1}'), "line 2 has `cached_input_tok` and the lines before do not agree"),
    ],
)
def test_what_is_wrong_with_a_log_is_said_in_one_sentence_with_its_line(tmp_path, text, said):
    (tmp_path / "a.log").write_text(text)
    with pytest.raises(QuantityError, match=said) as problem:
        trace(tmp_path / "a.log")
    assert "\n" not in str(problem.value) and len(str(problem.value)) < 250


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("x" * 300, "x+: it cannot be read .File name too long."),
        (".", "is a directory; give its files"),
        (None, "a trace is named by its path, got NoneType"),
        ("utf16.csv", "text in UTF-16, .* save it in UTF-8"),
    ],
)
def test_what_is_no_log_at_all_is_said_in_one_sentence(tmp_path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "utf16.csv").write_text(HEADER + "0,1,1\n1,1,1\n", encoding="utf-16")
    with pytest.raises(QuantityError, match=said):
        trace(path)


def test_a_file_that_unpacks_without_end_and_a_pipe_are_not_read(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(HEADER.encode() + b"0,1,1\n" * 8_000_000))
    with pytest.raises(QuantityError, match="times its size|without end"):
        trace(tmp_path / "bomb.csv.gz")
    with pytest.raises(QuantityError, match="pipe or a device|the file is empty"):
        trace("/dev/zero")


def test_an_unknown_trace_is_answered_with_the_nearest():
    with pytest.raises(QuantityError, match="did you mean `azure_2023_code`.*tc.load.trace"):
        recorded_trace("azure_2023_cod")
