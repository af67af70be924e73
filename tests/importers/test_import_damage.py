"""Files that were cut, edited or joined: no wrong row with status 0, no lost rows beside a bad one, no measurement overwritten."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tokcost import importers
from tokcost.importers import ImportProblem
from tokcost.importers.collect import Imported, _walk
from tokcost.importers.command import import_files

SAMPLES = Path(__file__).parents[1] / "samples"
VLLM = SAMPLES / "vllm-0.32.0" / "bench_serve" / "serve_c4.json"
AIPERF_RUN = SAMPLES / "aiperf-0.13.0" / "c4"
LOG = AIPERF_RUN / "profile_export.jsonl"
GENAI_BENCH = SAMPLES / "genai-bench-0.0.5" / "run_s"
GUIDELLM = SAMPLES / "guidellm-0.8.1" / "concurrent"
STAGE = SAMPLES / "inference-perf-0.7.0" / "concurrent" / "stage_0_lifecycle_metrics.json"
EXPORT = SAMPLES / "inferencex" / "dashboard_export.csv"


def edited(source: Path, tmp_path: Path, **changes) -> Path:
    target = tmp_path / source.name
    target.write_text(json.dumps(json.loads(source.read_text()) | changes))
    return target


def run(*arguments):
    return CliRunner().invoke(import_files, [str(argument) for argument in arguments])


@pytest.mark.parametrize("concurrency", [512, 10_000, 20_000])
def test_a_concurrency_that_was_never_reached_leaves_the_latencies_alone(tmp_path, concurrency):
    """One request at `max_concurrency` 512: its 20 ms stay 20 ms."""
    whole = importers.benchmarks([VLLM], n_gpus=2).points.iloc[0]
    found = importers.benchmarks([edited(VLLM, tmp_path, max_concurrency=concurrency, request_rate="inf")], n_gpus=2).points.iloc[0]
    assert found["median_ttft_s"] == whole["median_ttft_s"] and found["tok_per_s_per_user"] == whole["tok_per_s_per_user"]


def test_half_of_the_requests_cannot_wait_longer_than_the_run(tmp_path):
    found = importers.benchmarks([edited(VLLM, tmp_path, median_ttft_ms=5e6, max_concurrency=None)])
    assert found.points.empty and "half of the requests waited 5000 s" in found.problems[0].sentence


def test_tokens_without_a_request_are_no_point(tmp_path):
    found = importers.benchmarks([edited(VLLM, tmp_path, completed=0)])
    assert found.points.empty and "no request succeeded, yet" in found.problems[0].sentence


def test_an_export_cut_anywhere_gives_no_row_that_differs(tmp_path):
    text = EXPORT.read_text()
    whole = importers.benchmarks([EXPORT]).points.drop(columns=["source_file", "source_sha256"])
    cut = tmp_path / "cut.csv"
    first = text.index("\n", text.index("Throughput/GPU"))
    for at in range(first + 2, len(text.rstrip()) - 12, 97):
        cut.write_text(text[:at])
        found = importers.benchmarks([cut])
        rows = found.points.drop(columns=["source_file", "source_sha256"])
        # the last cell of a row has no end to be missed: Median Interactivity and what stands before it are whole
        ends_whole = text[:at].rstrip("\n").rsplit("\n", 1)[-1].count(",") == text[:first].rsplit("\n", 1)[-1].count(",")
        assert found.problems or ends_whole
        n_whole = len(rows) - ends_whole
        assert rows.iloc[:n_whole].equals(whole.iloc[:n_whole])


def test_a_bad_row_or_benchmark_costs_no_other(tmp_path):
    report = json.loads(gzip.decompress((GUIDELLM / "benchmarks.json.gz").read_bytes()))
    assert len(report["benchmarks"]) > 1
    report["benchmarks"][0]["duration"] = 0
    (tmp_path / "benchmarks.json").write_text(json.dumps(report))
    found = importers.benchmarks([tmp_path])
    assert len(found.points) == len(report["benchmarks"]) - 1
    assert found.problems[0].sentence.startswith("benchmarks[0]") and "duration" in found.problems[0].sentence


def test_a_yaml_report_that_lost_its_end_is_truncated(tmp_path):
    whole = gzip.decompress((GUIDELLM / "benchmarks.yaml.gz").read_bytes()).decode()
    metadata = whole.index("\nmetadata:")
    for name, end in {"cut.yaml": metadata, "early.yaml": whole.index("config:") + 200}.items():
        (tmp_path / name).write_text(whole[:end][: whole[:end].rindex("\n") + 1])
        found = importers.benchmarks([tmp_path / name])
        assert found.points.empty and "truncated" in found.problems[0].sentence, name


@pytest.mark.parametrize("count", ["-8", "0", "inf", "1.5", "1e300"])
def test_a_count_of_gpus_that_cannot_be_is_not_used(tmp_path, count):
    shutil.copytree(GENAI_BENCH, tmp_path / "run")
    about = tmp_path / "run" / "experiment_metadata.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"server_gpu_count": count}))
    found = importers.benchmarks([tmp_path / "run"])
    assert len(found.points) and found.points["n_gpus"].isna().all() and found.points["total_tok_per_s_per_gpu"].isna().all()
    assert found.points["notes"].str.contains("GPUs, which cannot be").all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("time_to_first_token", -50.0), "`time_to_first_token` is negative"),
        (("output_sequence_length", -1000), "`output_sequence_length` is negative"),
        (("request_start_ns", 0), "has no start"),
    ],
)
def test_a_record_that_cannot_be_spoils_the_log(tmp_path, change, sentence):
    key, value = change
    where = {"request_start_ns": "metadata"}.get(key)
    records = [json.loads(line) for line in LOG.read_text().splitlines()]
    profiled = next(r for r in records if r["metadata"].get("benchmark_phase", "profiling") == "profiling" and not r.get("error"))
    if where:
        profiled[where][key] = value
    else:
        profiled["metrics"][key]["value"] = value
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, records)))
    found = importers.benchmarks([tmp_path / "log.jsonl"])
    assert found.points.empty and sentence in found.problems[0].sentence


def test_answers_in_one_piece_have_no_speed_in_the_log_either(tmp_path):
    """Most of the gaps between tokens are zero: so is their median, and no stream was measured."""
    records = [json.loads(line) for line in LOG.read_text().splitlines()]
    for number, record in enumerate(records):
        if "inter_token_latency" in (record.get("metrics") or {}):
            record["metrics"]["inter_token_latency"]["value"] = 0.0 if number % 10 else 1.0
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, records)))
    point = importers.benchmarks([tmp_path / "log.jsonl"], n_gpus=2).points.iloc[0]
    assert point[["median_tpot_s", "tok_per_s_per_user"]].isna().all()


def test_a_line_that_stands_twice_is_said(tmp_path):
    lines = LOG.read_text().splitlines()
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, lines[-1]]))
    assert "1 records stand twice" in importers.benchmarks([tmp_path / "log.jsonl"]).points.iloc[0]["notes"]


def test_a_copied_run_is_one_point(tmp_path):
    for name in ("run_a", "run_b"):
        shutil.copytree(AIPERF_RUN, tmp_path / name)
    alone = importers.benchmarks([tmp_path / "run_a"]).points
    both = importers.benchmarks([tmp_path])
    assert len(both.points) == len(alone) and any("summarised next to it" in item.sentence for item in both.skipped)


def test_the_output_is_never_a_source(tmp_path):
    raw = shutil.copy(VLLM, tmp_path / "raw.json")
    before = Path(raw).read_bytes()
    (tmp_path / "link.json").symlink_to(raw)
    for output in ("raw.json", "link.json"):
        for source in (raw, tmp_path):
            result = run(source, "--output", tmp_path / output)
            assert result.exit_code == 2 and "is one of the files to import" in result.output
    assert Path(raw).read_bytes() == before


def test_a_linked_output_stays_a_link(tmp_path):
    (tmp_path / "table.csv").symlink_to(tmp_path / "real.csv")
    assert run(VLLM, "--gpus", 2, "--output", tmp_path / "table.csv").exit_code == 0
    assert (tmp_path / "table.csv").is_symlink() and (tmp_path / "real.csv").read_text().startswith("source_file")


def test_what_is_not_entered_is_said(tmp_path):
    (tmp_path / "real").mkdir()
    shutil.copy(VLLM, tmp_path / "real" / "a.json")
    top = tmp_path / "top"
    top.mkdir()
    (top / "latest").symlink_to(tmp_path / "real")
    result = run(top)
    assert result.exit_code == 2 and "a link to a folder, which is not followed" in result.output
    found = Imported(None)
    assert not list(_walk(tmp_path / "gone", found)) and "the folder cannot be read" in found.problems[0].sentence
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "there is no file to import" in run(empty).output


def test_parts_that_nobody_knows_are_counted(tmp_path):
    line = json.dumps(json.loads(VLLM.read_text()))
    (tmp_path / "mixed.jsonl").write_text(f'{line}\n{{"error": "timeout"}}\n"text"\n')
    result = run(tmp_path / "mixed.jsonl")
    assert result.exit_code == 0 and "2 of its 3 parts are no result that is known" in result.output


ODD = {
    "brackets.yaml": "a: " + "[" * 50_000,
    "dashes.yaml": "a:\n  " + "- " * 50_000 + "x",
    "digits.json": '{"a": ' + "9" * 5001 + "}",
    "brackets.json": "[" * 100_000,
    "cell.csv": "Hardware,Throughput/GPU (tok/s)\n" + "x" * 200_000 + ",1\n",
}


@pytest.mark.parametrize("name", ODD)
def test_what_breaks_a_parser_costs_that_file_only(tmp_path, name):
    (tmp_path / name).write_text(ODD[name])
    shutil.copy(VLLM, tmp_path / "sound.json")
    found = importers.benchmarks([tmp_path], n_gpus=2)
    assert len(found.points) == 1 and [Path(p.source_file).name for p in found.problems] == [name]


def test_a_link_to_itself_is_a_problem_and_no_end(tmp_path):
    shutil.copy(VLLM, tmp_path / "sound.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "nowhere.json").symlink_to("no-such-file.json")
    found = importers.benchmarks([tmp_path])
    assert len(found.points) == 1 and len(found.problems) == 2
    assert all("check where the link leads" in problem.sentence for problem in found.problems)


def test_half_a_character_is_written_out(tmp_path):
    (tmp_path / "half.json").write_text(VLLM.read_text().replace('"model_id": "', '"model_id": "\\ud800', 1))
    for output in ("a.csv", "a.json", "a.parquet"):
        assert run(tmp_path / "half.json", "--output", tmp_path / output).exit_code == 0
    assert "\\ud800" in (tmp_path / "a.csv").read_text()


def test_a_name_that_is_no_text_is_written_out(tmp_path):
    odd = os.fsencode(tmp_path) + b"/stage_\xff_lifecycle_metrics.json"
    Path(os.fsdecode(odd)).write_bytes(STAGE.read_bytes())
    assert run(tmp_path, "--output", tmp_path / "a.csv").exit_code == 0


@pytest.mark.parametrize("wrong", ["x=²", "x=0", "x=" + "9" * 401, "=8", "x"])
def test_gpus_of_an_instance_are_a_plain_number(wrong):
    assert run(EXPORT, "--kind", "billing", "--instance-gpus", wrong).exit_code == 2


@pytest.mark.parametrize("gpus", ["9" * 401, "99999999999999999999"])
def test_more_gpus_than_any_deployment_has_is_a_wrong_call(gpus):
    assert run(VLLM, "--gpus", gpus).exit_code == 2


def test_single_requests_that_contradict_each_other_are_a_problem(tmp_path):
    content = json.loads(VLLM.read_text()) | {"ttfts": [0.1, 0.2], "itls": [[0.01], [0.01]], "output_lens": [2, 2], "errors": ["", ""]}
    for changes in ({"errors": content["errors"][:-1]}, {"ttfts": [None, *content["ttfts"][1:]]}, {"itls": [["x"], *content["itls"][1:]]}):
        path = tmp_path / "detailed.json"
        path.write_text(json.dumps(content | changes))
        with pytest.raises(ImportProblem, match="laid out differently"):
            importers.requests(path)


def test_a_sample_that_is_no_number_is_left_out_and_said(tmp_path):
    """A failed reading between sound ones: the average is that of the sound ones, and the unit is not to blame."""
    log = (SAMPLES / "_malformed" / "nvidia_smi_synthetic_ok.csv").read_text().splitlines()
    row = log[2].split(", ")
    at = [name.startswith("power.draw") for name in log[0].split(", ")].index(True)
    log[2] = ", ".join([*row[:at], "nan W", *row[at + 1 :]])
    (tmp_path / "power.csv").write_text("\n".join(log))
    found = importers.power_logs([tmp_path / "power.csv"])
    assert not found.problems and found.points["notes"].str.contains("1 samples are no numbers").sum() == 1
