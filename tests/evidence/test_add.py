"""`tokcost data add`: new rows are checked, told apart from old ones, counted, and written all at once or not at all."""

import csv
import gzip
import hashlib
import json
import os
import re

import click
import pytest
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.evidence import check_all, load_table
from tokcost.renew import adding, headlines
from tokcost.renew.command import _show_moved

NEW_SOURCE = {"title": "Our rates", "publisher": "Example", "locator": "the list", "date": "2026-11", "grade": "primary", "licence": "own"}
NOTE = "comparability_note=random tokens of nominal length, closed loop: comparable with the InferenceX captures"


def add(file, table, source, *more, new=False, headlines=False):
    arguments = ["data", "add", str(file), "--as", table, "--source", source, *more]
    arguments += [part for name, text in NEW_SOURCE.items() for part in ("--source-is", f"{name}={text}")] if new else []
    return CliRunner().invoke(main, arguments if headlines else [*arguments, "--no-headlines", "--no-calibrate"])


def sets(**values):
    return [part for name, text in values.items() for part in ("--set", f"{name}={text}")]


@pytest.fixture(autouse=True)
def spreads_as_they_are(monkeypatch):
    """What is worked out from runs and prices takes a second each time; the test of the page makes it in earnest."""
    monkeypatch.setattr(adding.spreads, "as_csv", lambda: (adding.data_dir() / "observed_spreads.csv").read_text(encoding="utf-8"))


@pytest.fixture
def price_list(tmp_path):
    (tmp_path / "list.csv").write_text("accelerator,price_basis,value\nh200,owning_hyperscaler,1.3\ngb300,owning_hyperscaler,2.4\n")
    return tmp_path / "list.csv"


LIST = sets(rate_vintage="2099-11", date="2026-11-20", kind="modelled", locator="table 1")


def test_a_price_list_of_a_new_month_is_added_with_its_source_and_its_label(data, price_list):
    done = add(price_list, "hourly_rates", "example_rates", *LIST, "--label", "rate_vintage=2099-11=2099-11", new=True)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("2 rows for hourly_rates.csv\nwritten: ") and "undo: git checkout data/" in done.output
    assert check_all() == []
    assert load_table("hourly_rates", rate_vintage="2099-11", accelerator="gb300")["value"].tolist() == [2.4]
    assert add(price_list, "hourly_rates", "example_rates", *LIST).output == "0 rows for hourly_rates.csv, 2 there already\n"


def test_a_dry_run_and_a_refused_file_write_nothing(data, price_list):
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    assert add(price_list, "hourly_rates", "rates", *LIST, "--label", "rate_vintage=2099-11=2099-11", "--dry-run", new=True).exit_code == 0
    assert add(price_list, "hourly_rates", "rates", *LIST, new=True).exit_code == 2
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (("h200", "h20O"), LIST, "unknown accelerator 'h20O'; did you mean `h20`.*; a new one needs --label accelerator=h20O=LABEL"),
        (
            ("gb300,owning_hyperscaler,2.4", "h200,owning_hyperscaler,1.4"),
            LIST,
            r"row 2: the same row as row 1 .* with value 1.3 there, 1.4 here",
        ),
        (("h200", "h200,,"), LIST, "line 2 has another number of cells than the header"),
        (("1.3", "1300"), LIST, r"list.csv row 1: column 'value': `rate_usd_per_gpu_h` must be in \[0.01, 200\], got 1300; check the unit"),
        (("value", "price"), LIST, "`price` is no column of `hourly_rates`.*; `hourly_rates` takes a CSV of its columns"),
        ((",1.3", ""), LIST, "line 2 has another number of cells than the header"),
        (("1.3", "=1+1"), LIST, "value '=1\\+1' begins as a formula does"),
        (("", ""), LIST[2:], "list.csv row 1: column 'rate_vintage': is empty; every row needs one of 2026-03"),
        (
            ("", ""),
            [*LIST, "--set", "price_basis=rental_3yr"],
            "row 1: price_basis is owning_hyperscaler in the file, --set says rental_3yr",
        ),
        (("", ""), [*LIST, "--set", "vintage=2026-09"], "--set vintage: no column of `hourly_rates`; did you mean `rate_vintage`"),
        (("", ""), sets(rate_vintage="2026-09") + LIST[2:], "hourly_rates.csv has this row already .* with value 1.22 there, 1.3 here"),
    ],
)
def test_what_is_wrong_is_told_by_the_row_of_the_file(data, price_list, change, arguments, says):
    price_list.write_text(price_list.read_text().replace(*change, 1))
    done = add(price_list, "hourly_rates", "inferencex_constants_2026_09", *arguments)
    assert done.exit_code == 2 and re.search(says, done.output), done.output


def test_a_source_that_nobody_knows_must_say_what_it_is(data, price_list):
    done = add(price_list, "hourly_rates", "example_rates", *LIST)
    assert done.exit_code == 2 and "does not know `example_rates`; say what it is with --source-is FIELD=TEXT for title" in done.output


def test_what_is_wrong_with_a_source_is_told_before_the_rows_are_read(data, price_list):
    for source, told, says in [
        ("ours", {}, "`ours`; say what it is"),
        ("ours", {"licence": ""}, "a new source is not told without licence; say --source-is licence=TEXT too"),
        ("our list", NEW_SOURCE, "`our list` is no id of a source; write small letters, digits and _"),
        ("inferencex_constants_2026_09", NEW_SOURCE, "knows `inferencex_constants_2026_09` already; leave --source-is out"),
    ]:
        of_new = {name: text for name, text in (NEW_SOURCE | told if told else {}).items() if text}
        done = add(price_list, "hourly_rates", source, *LIST, *(f"--source-is={name}={text}" for name, text in of_new.items()))
        assert done.exit_code == 2 and says in done.output and done.output.rstrip().endswith("; nothing was written"), done.output


def test_labels_come_from_a_file_too_and_a_row_told_twice_is_one(data, tmp_path):
    (tmp_path / "labels.csv").write_text("name,value,label\naccelerator,y900,Y900\naccelerator,y900,Y900\n")
    done = add(tmp_path / "labels.csv", "labels", "inferencex_constants_2026_09")
    assert done.output.startswith("1 row for labels.csv, 1 twice in the file\nwritten: labels.csv"), done.output
    assert "accelerator,y900,Y900" in (data / "labels.csv").read_text()


def run_of(**change):
    """A row of InferenceX's API; 8 GPUs hold 64 requests for (0.5 + 1023 x 0.02) s: Little's law gives 383 output tokens/s per GPU."""
    row = {"hardware": "h200", "framework": "sglang", "model": "dsr1", "precision": "fp8", "spec_method": "mtp", "disagg": False}
    row |= {"isl": 1024, "osl": 1024, "conc": 64, "decode_tp": 8, "num_prefill_gpu": 8, "num_decode_gpu": 8, "date": "2026-11-02"}
    metrics = {"tput_per_gpu": 764.0, "output_tput_per_gpu": 382.0, "input_tput_per_gpu": 382.0}
    metrics |= {"median_ttft": 0.5, "median_tpot": 0.02, "median_intvty": 50.0}
    return row | {"metrics": metrics} | change


@pytest.fixture
def export(tmp_path):
    def write(*rows):
        (tmp_path / "export.json").write_text(json.dumps(rows))
        return tmp_path / "export.json"

    return write


def test_an_export_becomes_runs_of_a_new_capture_without_what_cannot_be_true_or_stands_elsewhere(data, export, tmp_path):
    there = load_table("inference", campaign="inferencex_api_2026_06", accelerator="h200", osl=1024).dropna(
        subset=["median_tpot_s", "n_gpus"]
    )
    there = there[(there["deployment"] == "aggregated") & there["output_tok_per_s_per_gpu"].notna()].iloc[0]
    metrics = {
        "tput_per_gpu": there["total_tok_per_s_per_gpu"],
        "median_ttft": there["median_ttft_s"],
        "median_tpot": there["median_tpot_s"],
    }
    metrics |= {"median_intvty": there["tok_per_s_per_user"]}
    twice = run_of(isl=int(there["isl"]), conc=int(there["concurrency"]), model=there["model"], metrics=metrics)
    crowded = run_of(conc=4)
    done = add(export(run_of(), crowded, twice), "inference", "example_export", "--set", NOTE, new=True)
    assert done.exit_code == 0, done.output
    assert "1 row for inference.csv" in done.output
    assert re.search(r"excluded: .*row 2: breaks a rule of a sound measurement: .*\n", done.output)
    assert f"row 3: the same measurement as inferencex_api_2026_06, {there['locator']}" in done.output
    (row,) = load_table("inference", campaign="example_export").to_dict("records")
    assert (row["n_gpus"], row["speculative"], row["deployment"], row["run_date"]) == (8, "mtp", "aggregated", "2026-11-02")
    assert load_table("captures", campaign="example_export")["n_rows"].tolist() == [3]
    slower = run_of(conc=32)
    slower["metrics"] |= {"median_ttft": 0.4, "tput_per_gpu": 390.0, "output_tput_per_gpu": 195.0, "input_tput_per_gpu": 195.0}
    more = export(slower).rename(tmp_path / "december.json")
    assert add(more, "inference", "example_export").exit_code == 0
    assert load_table("captures", campaign="example_export")["n_rows"].tolist() == [4]


def test_a_capture_that_is_new_must_say_what_it_compares_with(data, export):
    done = add(export(run_of()), "inference", "example_export", new=True)
    assert done.exit_code == 2 and "`example_export` is a new capture; say under which load" in done.output


def test_points_that_import_wrote_are_runs_of_ones_own(data, export, tmp_path):
    points = tmp_path / "points.csv"
    assert CliRunner().invoke(main, ["import", str(export(run_of())), "--output", str(points)]).exit_code == 0
    done = add(points, "inference", "ours", "--set", NOTE, new=True)
    assert done.exit_code == 0, done.output
    assert load_table("inference", campaign="ours")["total_tok_per_s_per_gpu"].tolist() == [764.0]


def test_a_round_of_mlperf_comes_from_its_summary(data, tmp_path):
    result = {"Submitter": "Demo", "Availability": "available", "Category": "closed", "System": "demo", "Platform": "8xDEMO"}
    result |= {"Model": "gpt-oss-120b", "Scenario": "Offline", "Nodes": 2, "a#": 4, "Accelerator": "NVIDIA Y900-SXM", "version": "v99.0"}
    result |= {"Performance_Result": 80000.0, "Performance_Units": "Tokens/s", "inferred": 0, "weight_data_types": "fp4"}
    pictures = result | {"Performance_Units": "Samples/s"}
    mixed = result | {"a#": "8 MI300X, 8 MI325X", "Scenario": "Server"}
    (tmp_path / "summary_results.json").write_text(json.dumps([result, pictures, mixed]))
    label = ["--label", "accelerator=y900=Y900", "--set", "published_date=2026-11-04"]
    done = add(tmp_path, "mlperf_inference", "example_round", *label, new=True)
    assert done.exit_code == 0, done.output
    (row,) = load_table("mlperf_inference", round="v99.0").to_dict("records")
    assert (row["accelerator"], row["n_gpus"], row["output_tok_per_s_per_gpu"], row["scenario"]) == ("y900", 8, 10000, "offline")


def test_a_power_log_becomes_watts_per_gpu(data, tmp_path):
    lines = [f"2026/11/27 12:00:{second:02d}.000, {gpu}, NVIDIA H200, {300 + 100 * gpu}.00 W" for second in range(20) for gpu in (0, 1)]
    (tmp_path / "power.csv").write_text("\n".join(["timestamp, index, name, power.draw [W]", *lines]) + "\n")
    given = sets(
        system="our server",
        benchmark="ours",
        model="dsr1",
        workload="64 at once",
        nameplate_w_per_gpu="700",
        tier="own meter",
        note="boards only",
    )
    done = add(tmp_path / "power.csv", "power_measurements", "ours", *given, new=True)
    assert done.exit_code == 0, done.output
    (row,) = load_table("power_measurements", source_id="ours").to_dict("records")
    assert (row["accelerator"], row["n_gpus"], row["average_w_per_gpu"], row["highest_w_per_gpu"]) == ("h200", 2, 350, 400)


def test_files_are_replaced_all_or_none(data, price_list, monkeypatch):
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    replaced = []

    def fail_at_the_second(aside, path):
        if replaced:
            raise OSError(28, "No space left on device", str(path))
        replaced.append(path.write_bytes(aside.read_bytes()))

    monkeypatch.setattr("os.replace", fail_at_the_second)
    done = add(price_list, "hourly_rates", "rates", *LIST, "--label", "rate_vintage=2099-11=2099-11", new=True)
    assert done.exit_code == 2 and "No space left on device; nothing was changed" in done.output
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == before


def test_rows_that_somebody_else_added_meanwhile_are_not_overwritten(data, price_list, monkeypatch):
    def meanwhile(found, calibrate):
        with open(data / "hourly_rates.csv", "a") as file:
            file.write("their row\n")

    monkeypatch.setattr(adding, "derive", meanwhile)
    done = add(price_list, "hourly_rates", "rates", *LIST, "--label", "rate_vintage=2099-11=2099-11", new=True)
    assert done.exit_code == 2 and "hourly_rates.csv was changed while the rows were checked; nothing was written" in done.output
    assert (data / "hourly_rates.csv").read_text().endswith("their row\n")


@pytest.mark.parametrize("table", ["hourly_rates", "inference", "mlperf_inference"])
def test_a_pipe_a_device_and_a_file_that_unpacks_without_end_are_not_read(data, tmp_path, table):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(b"accelerator,value\n" + b"h200,1\n" * 3_000_000))
    for path in (tmp_path / "pipe.csv", "/dev/zero", tmp_path / "bomb.csv"):
        done = add(path, table, "rates", *sets(kind="modelled"), new=True)
        assert done.exit_code == 2 and len(done.output.splitlines()[-1]) < 400, done.output
        assert re.search("pipe or a device|is empty|without end|times its size|not a result of", done.output), done.output


def test_a_column_that_stands_twice_is_refused(data, price_list):
    price_list.write_text("accelerator,price_basis,value,value\nh200,owning_hyperscaler,1.3,9\n")
    done = add(price_list, "hourly_rates", "rates", *LIST, new=True)
    assert done.exit_code == 2 and "column `value` stands twice" in done.output


def test_a_headline_that_nobody_knows_is_not_told_as_unmoved_and_the_sign_is_that_of_the_change(monkeypatch):
    was = {"00": {"label": "does not run: KeyError: x"}, "01": {"label": "margin", "value": -0.2}}
    now = {"00": {"label": "does not run: KeyError: x"}, "01": {"label": "margin", "value": -0.1}}
    monkeypatch.setattr(headlines, "using", lambda tables: ["00", "01"])
    monkeypatch.setattr(headlines, "_known", lambda name, directory: None)
    monkeypatch.setattr(headlines, "_started", lambda directory, names: directory)
    monkeypatch.setattr(headlines, "_finished", lambda run: was if run == "was" else now)
    said = CliRunner().invoke(click.command()(lambda: _show_moved(adding.Addition("traffic"), "was")))
    assert "headline 00: does not run: KeyError: x" in said.output and "-0.2 -> -0.1 (+50.0%)" in said.output


def test_a_headline_that_moves_is_told_and_one_that_does_not_is_not_and_stored_ones_are_not_worked_out_again(data, tmp_path, monkeypatch):
    """Only 05 uses clock limits; what it has stored holds as long as all of its tables are what they were."""
    (copy := tmp_path / "copy").mkdir()
    for file in data.glob("*.csv"):
        (copy / file.name).write_bytes(file.read_bytes())
    (name,) = headlines.using({"clock_limits"})
    was, used = headlines._stored(headlines.NOTEBOOKS / f"{name}.ipynb")
    here = {table: (file, hashlib.sha256((data / file).read_bytes()).hexdigest()) for table, (file, _) in used.items()}
    monkeypatch.setattr(headlines, "_stored", lambda notebook: (was, here))
    monkeypatch.setattr(headlines, "using", lambda tables: [name])
    assert was is not None and was["value"] > 0 and headlines._known(name, data) == was
    now = {"": was, "low": was | {"low": was["low"] / 2}, "a little": was | {"value": was["value"] * (1 + 1e-6)}}
    asked = []
    monkeypatch.setattr(headlines, "_started", lambda directory, names: asked.append((directory, names)))
    for change, moves in {"": [], "low": [name], "a little": []}.items():
        monkeypatch.setattr(headlines, "_finished", lambda run, change=change: {name: now[change]})
        assert [one for one, _, _ in headlines.moved(data, copy, {"clock_limits"})] == moves
    assert asked == [(copy, [name])] * 3
    (data / "pue.csv").write_text((data / "pue.csv").read_text() + "\n")
    assert headlines._known(name, data) is None


def test_a_measurement_that_stands_twice_is_found_by_the_check(data):
    path = data / "inference.csv"
    with open(path, newline="") as lines:
        row = next(row for row in csv.DictReader(lines) if row["campaign"] == "aiconfigurator_nvidia" and row["median_tpot_s"])
    again = ",".join(row.values()).replace(row["locator"], "somewhere else")
    path.write_text(path.read_text() + again + "\n")
    assert any("the same measurement as aiconfigurator_nvidia, " in problem and "keep one of the two" in problem for problem in check_all())
