"""`tokcost import`: what it writes, what it says, and its exit status."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from tokcost.importers.command import import_files

SAMPLES = Path(__file__).parents[1] / "samples"
GOOD = str(SAMPLES / "vllm-0.21.0/bench_serve")
BAD = str(SAMPLES / "_malformed/vllm_empty.json")
PROMISED = [
    "source_file", "tool", "tool_version", "model", "concurrency", "isl", "osl", "duration_s", "n_requests", "n_failed",
    "input_tok", "output_tok", "total_tok_per_s_per_gpu", "output_tok_per_s_per_gpu", "tok_per_s_per_user", "median_ttft_s",
    "median_tpot_s",
]  # fmt: skip


def run(*words):
    return CliRunner().invoke(import_files, [str(word) for word in words])


def test_all_imported(tmp_path):
    table = tmp_path / "points.csv"
    result = run(GOOD, "--gpus", 2, "--gpu", "H200", "--output", table)
    assert result.exit_code == 0 and result.stdout == ""
    points = pd.read_csv(table)
    assert set(PROMISED) <= set(points.columns)
    assert points.concurrency.tolist() == [4, 16] and set(points.accelerator) == {"h200"}
    assert points.output_tok_per_s_per_gpu[0] == pytest.approx(1114.050611 / 2)


def test_some_not_imported_the_others_are_written(tmp_path):
    table = tmp_path / "points.csv"
    result = run(GOOD, BAD, "--gpus", 2, "--output", table)
    assert result.exit_code == 1
    assert len(pd.read_csv(table)) == 2
    assert f"problem: {BAD}: the file is empty" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("no-such-file",),
        (GOOD, "--gpus", "0"),
        (GOOD, "--gpus", "two"),
        (GOOD, "--output", "points.xls"),
        (GOOD, "--output", "no-such-directory/points.csv"),
        (GOOD, "--output", "/proc/points.csv"),
        (GOOD, "--kind", "guess"),
        (GOOD, "--seconds", "3"),
        (GOOD, "--kind", "power", "--gpus", "2"),
        (GOOD, "--kind", "billing", "--instance-gpus", "p5"),
        (GOOD, "--kind", "server"),
    ],
)
def test_a_wrong_call_writes_nothing(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == [] and result.stdout == ""


def test_standard_output_is_the_same_table(tmp_path):
    table = tmp_path / "points.csv"
    run(GOOD, "--gpus", 2, "--output", table)
    assert run(GOOD, "--gpus", 2).stdout == table.read_text()


def test_three_formats_one_table(tmp_path):
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".json": pd.read_json}
    tables = []
    for suffix, reader in read.items():
        assert run(GOOD, "--gpus", 2, "--output", tmp_path / f"points{suffix}").exit_code == 0
        tables.append(reader(tmp_path / f"points{suffix}"))
    for table in tables[1:]:
        assert list(table.columns) == list(tables[0].columns)
        for column in PROMISED[7:]:
            assert table[column].astype(float).tolist() == pytest.approx(tables[0][column].tolist(), nan_ok=True), column


def test_without_gpus_the_columns_are_empty_and_the_fix_is_named(tmp_path):
    result = run(GOOD, "--output", tmp_path / "points.csv")
    assert result.exit_code == 0
    assert "2 rows have no GPU count" in result.stderr and "--gpus N" in result.stderr
    points = pd.read_csv(tmp_path / "points.csv")
    assert points.output_tok_per_s_per_gpu.isna().all() and points.output_tok_per_s.notna().all()


def test_a_failed_import_leaves_the_old_file(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("old")
    result = run(BAD, "--output", table)
    assert result.exit_code == 2 and table.read_text() == "old"
    assert "nothing is written" in result.stderr


def test_evidence_of_another_kind_names_its_use():
    """A power log among benchmark files is not understood as a point, and the sentence says how to use it."""
    result = run(SAMPLES / "_malformed/nvidia_smi_synthetic_ok.csv")
    assert result.exit_code == 2 and "--kind power" in result.stderr
    result = run(SAMPLES / "focus/focus_1.2.csv")
    assert result.exit_code == 2 and "--kind billing" in result.stderr
    result = run(SAMPLES / "vllm-0.32.0/metrics/metrics_after_c4.prom")
    assert result.exit_code == 2 and "--kind server" in result.stderr


def test_an_unknown_gpu_name_is_said():
    result = run(GOOD, "--gpus", 1, "--gpu", "mi300y")
    assert result.exit_code == 0 and "did you mean `mi300x`?" in result.stderr


@pytest.mark.parametrize(
    ("words", "column"),
    [
        (("--kind", "power", SAMPLES / "_malformed/nvidia_smi_synthetic_ok.csv"), "average_w"),
        (("--kind", "billing", SAMPLES / "focus/focus_1.2.csv"), "rate_usd_per_gpu_h"),
        (
            ("--kind", "server", *(SAMPLES / f"vllm-0.32.0/metrics/metrics_{when}_c4.prom" for when in ("before", "after"))),
            "output_tok_per_s",
        ),
    ],
)
def test_other_kinds_write_their_own_table(words, column, tmp_path):
    assert run(*words, "--output", tmp_path / "t.csv").exit_code == 0
    assert pd.read_csv(tmp_path / "t.csv")[column].notna().any()


def test_a_file_name_that_is_no_text_costs_nobody_a_row(tmp_path):
    """Linux allows any bytes in a name; the table says them as escapes."""
    import os
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    sample = next((Path(__file__).parents[1] / "samples").glob("vllm-*/**/serve_c4.json"))
    shutil.copy(sample, os.fsencode(tmp_path) + b"/na\xffme.json")
    shutil.copy(sample, tmp_path / "plain.json")
    out = tmp_path / "points.csv"
    command = [sys.executable, "-m", "tokcost.cli", "import", str(tmp_path), "--gpus", "8", "--output", str(out)]
    run = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"})
    assert run.returncode == 0, run.stderr
    assert r"na\xffme.json" in out.read_text(encoding="utf-8")
