"""Energy of each board once, requests of several servers once, and GPU-hours of a bill as what they are."""

import json
from pathlib import Path

import pytest

from tokcost import importers
from tokcost.quantities import QuantityError

UUID = "GPU-11111111-2222-3333-4444-555555555555"


def power(path, **given):
    found = importers.power_logs([path] if isinstance(path, Path) else path, **given)
    assert not found.problems, found.problems
    return found.points


def prometheus(path, series):
    """Series of (labels, values every 15 s) as query_range answers."""
    result = [
        {"metric": labels, "values": [[1_780_000_000 + 15 * i, str(value)] for i, value in enumerate(values) if value is not None]}
        for labels, values in series
    ]
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
    return path


def dcgm(watts, **labels):
    return {"__name__": "DCGM_FI_DEV_POWER_USAGE", "gpu": "0", "UUID": UUID, "Hostname": "a", **labels}, watts


@pytest.mark.parametrize(
    "series",
    [
        [dcgm([300 if i % 3 == pod else None for i in range(41)], exported_pod=f"pod{pod}") for pod in range(3)],
        [dcgm([300] * 41, exported_pod=f"pod{pod}", vgpu=str(pod)) for pod in range(4)],
        [dcgm([300] * 41, GPU_I_ID=str(part), GPU_I_PROFILE="1g.10gb") for part in range(7)],
        [dcgm([300] * 41), dcgm([300] * 41, instance="exporter-of-another-job")],
    ],
    ids=["pods in turn", "time slices", "MIG instances", "scraped by two jobs"],
)
def test_a_board_under_several_names_is_one_board(tmp_path, series):
    """300 W for 600 s."""
    points = power(prometheus(tmp_path / "range.json", series))
    assert points[["n_samples", "average_w", "energy_joule"]].values.tolist() == [[41, 300, 180_000]]


def test_rows_of_one_board_that_differ_are_said(tmp_path):
    series = [dcgm([300] * 5), dcgm([100] * 5, GPU_I_ID="1")]
    points = power(prometheus(tmp_path / "range.json", series))
    assert points.average_w.tolist() == [300] and "the highest was taken" in points.notes[0]


@pytest.mark.parametrize("has_uuid", [True, False])
def test_two_hosts_have_a_gpu_0_each(tmp_path, has_uuid):
    series = [
        dcgm([300] * 5, Hostname="a", UUID="GPU-a" if has_uuid else ""),
        dcgm([500] * 5, Hostname="b", UUID="GPU-b" if has_uuid else ""),
    ]
    points = power(prometheus(tmp_path / "range.json", series))
    assert points[["gpu", "host", "average_w"]].values.tolist() == [["0", "a", 300], ["0", "b", 500]]


def test_a_counter_under_four_pods_is_counted_once(tmp_path):
    """36 kJ in 600 s; with a sum over the pods it would be 144 kJ."""
    for name, millijoules in (("before", 48_287_135), ("after", 84_287_135)):
        rows = (f'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{gpu="0",UUID="{UUID}",pod="pod{i}",vgpu="{i}"}} {millijoules}\n' for i in range(4))
        (tmp_path / f"{name}.prom").write_text("".join(rows))
    points = power([tmp_path / "before.prom", tmp_path / "after.prom"], seconds=600)
    assert points[["average_w", "energy_joule"]].values.tolist() == [pytest.approx([60, 36_000])]


def smi(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("column", ["uuid", "pci.bus_id", "gpu_uuid", "serial"])
def test_a_log_without_an_index_tells_boards_by_what_it_has(tmp_path, column):
    rows = [f"2026/01/01 00:00:{s:02d}.{g:03d}, GPU-{g}, {700 + 10 * g}.00 W" for s in range(11) for g in range(2)]
    points = power(smi(tmp_path / "log.csv", f"timestamp, {column}, power.draw [W]", rows))
    assert points.energy_joule.tolist() == pytest.approx([7000, 7100]) and points.gpu_uuid.tolist() == ["GPU-0", "GPU-1"]


def test_a_log_of_several_boards_that_nothing_tells_apart_is_refused(tmp_path):
    rows = [f"2026/01/01 00:00:{s:02d}.{g:03d}, {700 + 10 * g}.00 W" for s in range(11) for g in range(8)]
    path = smi(tmp_path / "log.csv", "timestamp, power.draw [W]", rows)
    assert "log again with index or uuid" in importers.power_logs([path]).problems[0].sentence
    one = smi(tmp_path / "one.csv", "timestamp, power.draw [W]", rows[::8])
    assert power(one).energy_joule.tolist() == pytest.approx([7000])


@pytest.mark.parametrize("column", ["socket_power", "average_socket_power", "power_usage"])
@pytest.mark.parametrize("unit", ["", " W"])
def test_amd_smi(tmp_path, column, unit):
    """700 and 710 W for 10 s."""
    rows = [f"{1_789_515_524 + s},{g},95,{700 + 10 * g}{unit},N/A" for s in range(11) for g in range(2)]
    points = power(smi(tmp_path / "log.csv", f"timestamp,gpu,gfx_activity,{column},mm_activity", rows))
    assert points[["gpu", "energy_joule"]].values.tolist() == [["0", 7000], ["1", 7100]]


def test_amd_smi_json(tmp_path):
    rows = [
        {"timestamp": 1_789_515_524 + s, "gpu": g, "power": {"socket_power": {"value": 700 + 10 * g, "unit": "W"}}}
        for s in range(11)
        for g in range(2)
    ]
    (tmp_path / "log.json").write_text(json.dumps(rows))
    assert power(tmp_path / "log.json").energy_joule.tolist() == [7000, 7100]


DMON = "#{when} gpu    pwr  gtemp\n#{unit} Idx      W      C\n"


def test_nvidia_smi_dmon(tmp_path):
    """Two boards for 10 s over midnight, with the header again in the middle, and a board that reports nothing."""
    lines = [
        f" {20260101 if s < 5 else 20260102}   {'23:59:5' + str(5 + s) if s < 5 else '00:00:0' + str(s - 5)}    {g}    {pwr}     40\n"
        for s in range(11)
        for g, pwr in ((0, 700), (1, 710), (2, "-"))
    ]
    header = DMON.format(when="Date      Time", unit="YYYYMMDD  HH:MM:SS")
    (tmp_path / "dmon.txt").write_text(header + "".join(lines[:15]) + header + "".join(lines[15:]))
    points = power(tmp_path / "dmon.txt")
    assert points[["gpu", "energy_joule"]].values.tolist() == [["0", 7000], ["1", 7100]]
    assert points.start[0].startswith("2026-01-01T23:59:55")
    (tmp_path / "time.txt").write_text(
        (header + "".join(lines))
        .replace("Date", "")
        .replace("YYYYMMDD", "")
        .replace(" 2026010", "\n")
        .replace("\n1 ", "\n")
        .replace("\n2 ", "\n")
    )
    points = power(tmp_path / "time.txt")
    assert points.energy_joule.tolist() == [7000, 7100] and points.start.isna().all()
    clipped = importers.power_logs([tmp_path / "time.txt"], start="2026-01-01", end="2026-01-03")
    assert "has no dates" in clipped.problems[0].sentence


def test_nvidia_smi_dmon_without_times_says_how_to_get_them(tmp_path):
    (tmp_path / "dmon.txt").write_text("# gpu    pwr  gtemp\n# Idx      W      C\n    0    700     40\n    0    700     40\n")
    assert "dmon -s p -o DT" in importers.power_logs([tmp_path / "dmon.txt"]).problems[0].sentence


def test_the_same_board_in_two_logs_is_said(tmp_path):
    rows = [f"2026/01/01 00:00:{s:02d}.000, 0, {UUID}, 700.00 W" for s in range(11)]
    logs = [smi(tmp_path / name, "timestamp, index, uuid, power.draw [W]", rows[a:b]) for name, a, b in (("a.csv", 0, 11), ("b.csv", 2, 9))]
    points = power(logs)
    assert "a.csv: count its energy once" in points.notes[1] and not points.notes[0]


# Counters of several servers

WINDOW = 7  # samples, 15 s apart: 90 s


def counters(tmp_path, *servers):
    """Two range files of servers: (labels, prompt tokens, generated tokens) counted in 90 s."""
    paths = []
    for name, place in (("prompt", 1), ("generation", 2)):
        series = [
            (
                {"__name__": f"vllm:{name}_tokens_total", "model_name": "m", **server[0]},
                [server[place] * i / (WINDOW - 1) for i in range(WINDOW)],
            )
            for server in servers
        ]
        paths.append(prometheus(tmp_path / f"{name}.json", series))
    found = importers.server_metrics(paths, n_gpus=16)
    assert not found.problems, found.problems
    return found.points.iloc[0]


SPLIT = (({"pod": "prefill-0"}, 90_000, 90), ({"pod": "decode-0"}, 90_000, 18_000))


@pytest.mark.parametrize("extra", [(), (({"pod": "router-0"}, 180_000, 18_090),)], ids=["prefill and decode", "and a router"])
def test_prefill_and_decode_count_a_request_once(tmp_path, extra):
    """90 requests of 1000 and 200 tokens in 90 s, each counted by both."""
    point = counters(tmp_path, *SPLIT, *extra)
    assert (point.input_tok_per_s, point.output_tok_per_s, point.total_tok_per_s_per_gpu) == (1000, 200, 75)
    assert point.deployment == "disaggregated" and "prefill-0" in point.notes


@pytest.mark.parametrize("label", ["role", "component", "job"])
def test_roles_stand_in_other_labels_too(tmp_path, label):
    servers = (
        ({"instance": "10.0.0.1:8000", label: "prefill"}, 90_000, 90),
        ({"instance": "10.0.0.2:8000", label: "decode"}, 90_000, 18_000),
    )
    assert counters(tmp_path, *servers).output_tok_per_s == 200


def test_a_router_counts_what_its_servers_count(tmp_path):
    servers = [({"pod": name}, tokens * 10, tokens) for name, tokens in (("a", 900), ("b", 1800), ("front", 2700))]
    point = counters(tmp_path, *servers)
    assert (point.output_tok, point.input_tok) == (2700, 27000) and "front counts what the servers behind it count" in point.notes


def test_replicas_are_summed_and_it_is_said(tmp_path):
    point = counters(tmp_path, ({"pod": "a"}, 9000, 900), ({"pod": "b"}, 9000, 900))
    assert point.output_tok == 1800 and "2 servers (a, b) are summed as replicas" in point.notes
    alone = counters(tmp_path, ({"pod": "a"}, 9000, 900))
    assert alone.output_tok == 900 and "summed" not in alone.notes


def test_engines_of_one_server_are_its_parts_and_a_second_job_is_not(tmp_path):
    engines = [({"pod": "a", "engine": str(i)}, 9000, 900) for i in range(2)]
    again = [({**labels, "job": "again"}, *tokens) for labels, *tokens in engines]
    point = counters(tmp_path, *engines, *again)
    assert (point.output_tok, point.input_tok) == (1800, 18000) and "scraped twice" in point.notes


@pytest.mark.parametrize("has_source", [True, False])
def test_servers_without_telling_names(tmp_path, has_source):
    """What came from another server's cache tells the decoding one; without it, that the others write one token a request."""
    for name, times in (("before", 1), ("after", 2)):
        rows = []
        for pod, prompt, output, fed in (("a", 90_000, 90, 0), ("b", 90_000, 18_000, 89_910)):
            about = f'model_name="m",pod="{pod}"'
            rows += [f"vllm:prompt_tokens_total{{{about}}} {prompt * times}", f"vllm:generation_tokens_total{{{about}}} {output * times}"]
            rows.append(f'vllm:request_success_total{{{about},finished_reason="length"}} {90 * times}')
            if has_source:
                sources = (("external_kv_transfer", fed), ("local_compute", prompt - fed))
                rows += [f'vllm:prompt_tokens_by_source_total{{{about},source="{source}"}} {n * times}' for source, n in sources]
        (tmp_path / f"{name}.prom").write_text("\n".join(rows) + "\n")
    found = importers.server_metrics([tmp_path / "before.prom", tmp_path / "after.prom"], seconds=90)
    point = found.points.iloc[0]
    assert (point.n_requests, point.isl, point.osl) == (90, 1000, 200)


# Bills

HEADER = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargeCategory,ChargeDescription,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,"
    "{provider},ResourceId,ServiceCategory,SkuMeter,SkuPriceDetails,x_SkuDetails,Tags\n"
)


def bill(path, *rows, provider="ProviderName"):
    """Rows as dicts of what is particular to each."""
    names = HEADER.format(provider=provider).strip().split(",")
    base = {"BillingCurrency": "USD", "ChargeCategory": "Usage", "ServiceCategory": "Compute", provider: "Demo"}
    lines = []
    for row in rows:
        cells = base | row | {"EffectiveCost": row["BilledCost"]}
        lines.append(",".join('"{}"'.format(str(cells.get(name, "")).replace('"', '""')) for name in names))
    path.write_text(HEADER.format(provider=provider) + "\n".join(lines) + "\n")
    return path


def rates(path, **gpus):
    found = importers.bills([path], instance_gpus=gpus or None)
    assert not found.problems, found.problems
    points = found.points[found.points.cost_basis == "billed"].set_index("instance_type")
    return points[["gpu_time_h", "rate_usd_per_gpu_h"]].round(6).T.to_dict("list")


AZURE = {
    "BilledCost": 2359.68, "ChargeDescription": "Virtual Machines NDsrH100v5 Series - ND96isr H100 v5", "ConsumedQuantity": 24,
    "ConsumedUnit": "Hours", "SkuMeter": "ND96isr H100 v5",
}  # fmt: skip


@pytest.mark.parametrize("details", [{"x_SkuDetails": "ServiceType"}, {"SkuPriceDetails": "x_ServiceType"}, {}])
@pytest.mark.parametrize("name", ["Standard_ND96isr_H100_v5", "ND96isr H100 v5", "nd96isr_h100_v5"])
def test_azure_names_as_they_stand_anywhere(tmp_path, details, name):
    """24 h of 8 GPUs at 98.32 USD/h: 12.29 USD/h; a small machine next to it is no part of it."""
    told = {column: json.dumps({key: "Standard_ND96isr_H100_v5"}) for column, key in details.items()}
    small = {"BilledCost": 2.64, "ConsumedQuantity": 24, "ConsumedUnit": "Hours", "SkuMeter": "D2s v3", "ChargeDescription": "D2s v3"}
    path = bill(tmp_path / "bill.csv", AZURE | told, small)
    assert list(rates(path, **{name: 8}).values()) == [[192, 12.29]]


def test_licences_of_a_machine_are_not_its_hours_again(tmp_path):
    licence = AZURE | {"BilledCost": 100.0, "ChargeDescription": "Virtual Machines Licenses - Windows ND96isr H100 v5"}
    path = bill(tmp_path / "bill.csv", AZURE, licence)
    found = importers.bills([path], instance_gpus={"ND96isr H100 v5": 8})
    assert set(found.points.gpu_time_h) == {192} and "1 rows of software or licences" in found.points.notes[0]


def gcp(what, cost, hours, machine="vm-a", tag="a2-highgpu-1g"):
    return {
        "BilledCost": cost, "ChargeDescription": f"{what} running in Americas", "ConsumedQuantity": hours * 3600, "ConsumedUnit": "seconds",
        "PricingQuantity": hours, "PricingUnit": "hour", "ResourceId": machine, "Tags": json.dumps({"machine": tag}),
    }  # fmt: skip


PARTS = (gcp("A2 Instance Core", 3.79332, 120), gcp("A2 Instance Ram", 3.60145, 850), gcp("Nvidia Tesla A100 GPU", 29.33908, 10))


@pytest.mark.parametrize("given", [{"a2-highgpu-1g": 1}, {"A100": 1}, {}])
def test_gcp_core_ram_and_gpu_rows_are_parts_of_one_machine(tmp_path, given):
    """36.73385 USD for 10 h of one GPU; 120 core-hours are no hours of an instance."""
    assert list(rates(bill(tmp_path / "bill.csv", *PARTS), **given).values()) == [[10, 3.673385]]


def test_gcp_two_kinds_of_gpu_are_two_rows(tmp_path):
    path = bill(tmp_path / "bill.csv", *PARTS, gcp("Nvidia Tesla A100 80GB GPU", 39.2, 10))
    assert list(rates(path).values()) == [[10, 2.933908], [10, 3.92]]
    assert "the GPUs alone" in importers.bills([path]).points.notes[0]


def test_gcp_cores_of_another_machine_are_not_added(tmp_path):
    path = bill(tmp_path / "bill.csv", *PARTS, gcp("N2 Instance Core", 50.0, 400, machine="vm-b", tag="n2-standard-8"))
    assert list(rates(path).values()) == [[10, 3.673385]]


@pytest.mark.parametrize("unit", ["GPU Hours", "GPU-Hours", "GPU Per Hour", "gpu hour"])
def test_oci_counts_gpu_hours(tmp_path, unit):
    """BM.GPU.H100.8 for 10 h is 80 GPU-hours in the bill already."""
    row = {
        "BilledCost": 800.0,
        "ChargeDescription": "Compute - GPU - H100",
        "ConsumedQuantity": 80,
        "ConsumedUnit": unit,
        "SkuMeter": "BM.GPU.H100.8",
    }
    path = bill(tmp_path / "bill.csv", row)
    assert list(rates(path).values()) == list(rates(path, **{"BM.GPU.H100.8": 8}).values()) == [[80, 10]]


@pytest.mark.parametrize("provider", ["ProviderName", "ServiceProviderName", "HostProviderName"])
def test_aws_under_every_name_of_the_provider(tmp_path, provider):
    row = {
        "BilledCost": 983.2,
        "ChargeDescription": "$98.32 per On Demand Linux p5.48xlarge Instance Hour",
        "ConsumedQuantity": 10,
        "ConsumedUnit": "Hrs",
    }
    disk = {
        "BilledCost": 5.0,
        "ChargeDescription": "gp3 storage",
        "ConsumedQuantity": 50,
        "ConsumedUnit": "GB-Mo",
        "ServiceCategory": "Storage",
    }
    path = bill(tmp_path / "bill.csv", row, disk | {"Tags": '{"type": "p5.48xlarge"}'}, provider=provider)
    assert rates(path, **{"p5.48xlarge": 8}) == {"p5.48xlarge": [80, 12.29]}
    assert importers.bills([path], instance_gpus={"p5.48xlarge": 8}).points.provider[0] == "Demo"


def test_three_causes_have_three_sentences(tmp_path):
    no_hours = AZURE | {"ConsumedUnit": "1 GB", "PricingUnit": "GB"}
    sentences = [
        importers.bills([bill(tmp_path / "a.csv", AZURE)]).problems[0].sentence,
        importers.bills([tmp_path / "a.csv"], instance_gpus={"p5.48xlarge": 8}).problems[0].sentence,
        importers.bills([bill(tmp_path / "b.csv", no_hours)], instance_gpus={"ND96isr H100 v5": 8}).problems[0].sentence,
        importers.bills([bill(tmp_path / "c.csv", *PARTS[:2])], instance_gpus={"a2-highgpu-1g": 1}).problems[0].sentence,
    ]
    for sentence, said in zip(
        sentences, ("name the instance types", "is of an instance type that", "not in hours", "without a row for its GPUs"), strict=True
    ):
        assert said in sentence
    assert "ND96isr H100 v5" in sentences[0] and "p5.48xlarge" in sentences[1] and "ND96isr H100 v5" in sentences[1]


# Wrong calls


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start": "NaT"}, "is no time that can be read"), ({"end": float("nan")}, "`end` must be a number"),
        ({"seconds": float("inf")}, "`seconds` must be a number"), ({"seconds": 0}, "more than 0"),
        ({"timezone": "Nowhere"}, "no time zone"), ({"timezone": "../../etc/passwd"}, "no time zone"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_refused_before_anything_is_read(given, said):
    with pytest.raises(QuantityError, match=said):
        importers.power_logs(["no-such-log.csv"], **given)


@pytest.mark.parametrize("n_gpus", [0, -1, 0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("read", [importers.benchmarks, importers.server_metrics])
def test_a_number_of_gpus_that_cannot_be_is_refused(read, n_gpus):
    with pytest.raises(QuantityError, match="`n_gpus` must be at least 1"):
        read([], n_gpus=n_gpus)


def test_a_gpu_that_the_log_does_not_have_is_named_with_those_it_has(tmp_path):
    rows = [f"2026/01/01 00:00:{s:02d}.000, {g}, 700.00 W" for s in range(3) for g in range(2)]
    found = importers.power_logs([smi(tmp_path / "log.csv", "timestamp, index, power.draw [W]", rows)], gpus=[7])
    assert found.points.empty and "no GPU 7; it has 0, 1" in found.problems[0].sentence
