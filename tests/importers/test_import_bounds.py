"""Whatever is given to read: one sentence, in seconds, in little memory, and no file is lost."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tokcost import importers
from tokcost.spreadsheet import read_csv

SAMPLES = Path(__file__).parents[1] / "samples"
GOOD = SAMPLES / "vllm-0.21.0/bench_serve/serve_c4.json"
MIB = 2**20
MOST_MIB = 300


def packed(path, head, piece, times):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(times):
            file.write(piece)


def aliases(anchor):
    """Nine references to nine references, nine deep."""
    return "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {anchor.format(refs=', '.join([f'*a{i - 1}'] * 9))}\n" for i in range(1, 10))


BOMBS = {
    "spaces.json.gz": lambda path: packed(path, b'{"duration": 1,', b" " * MIB, 400),
    "lists.json.gz": lambda path: packed(path, b"[", b"[]," * (MIB // 3), 100),
    "log.jsonl.gz": lambda path: packed(path, b'{"metadata":{"request_start_ns":1,', b" " * MIB, 400),
    "rows.csv.gz": lambda path: packed(path, b"timestamp, power.draw [W]\n", b"a\n" * (MIB // 2), 100),
    "bill.csv.gz": lambda path: packed(path, b"BilledCost,ChargeCategory\n", b"\n" * MIB, 400),
    "lists.json": lambda path: path.write_text("[" + "[]," * 3_000_000 + "[]]"),
    "keys.json": lambda path: path.write_text("{" + ",".join(f'"{i}":0' for i in range(800_000)) + "}"),
    "deep.json": lambda path: path.write_text('{"a":' * 3000 + "1" + "}" * 3000),
    "deep_large.json": lambda path: path.write_text('{"text": "' + "x" * 5_000_000 + '", "a": ' + "[" * 3000 + "]" * 3000 + "}"),
    "digits.json": lambda path: path.write_text(GOOD.read_text().replace('"duration": ', '"duration": ' + "9" * 5000, 1)),
    "aliases.yaml": lambda path: path.write_text(aliases("[{refs}]")),
    "merged.yaml": lambda path: path.write_text(aliases("{{<<: [{refs}]}}")),
    "itself.yaml": lambda path: path.write_text("a: &a [*a]"),
    "deep.yaml": lambda path: path.write_text("a: " + "[" * 100_000),
    "indented.yaml": lambda path: path.write_text("a:\n" + "".join(" " * i + "-\n" for i in range(1, 2000))),
    "many.yaml": lambda path: path.write_text("a:\n" + "- b\n" * 1_000_000),
}

#: the peak since this program began (getrusage would count what the parent process held when it forked)
READ = """
import itertools, pathlib, re, sys
from tokcost import importers
for path, read in itertools.product(pathlib.Path(sys.argv[1]).iterdir(), (importers.benchmarks, importers.power_logs, importers.bills)):
    found = read([path])
    assert found.points.empty and len(found.problems) == 1 and "\\n" not in found.problems[0].sentence, (path, found)
print(int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024)
"""


def test_files_that_expand_are_refused_in_little_memory(tmp_path):
    for name, write in BOMBS.items():
        write(tmp_path / name)
    run = subprocess.run([sys.executable, "-c", READ, tmp_path], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < MOST_MIB


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/urandom", "/proc/kmsg", "/proc/self/environ", "/proc/self/mem", "fifo", "loop.json"])
def test_pipes_devices_and_files_of_the_kernel_are_not_read(tmp_path, target):
    if target == "fifo":
        target = tmp_path / "elsewhere"
        os.mkfifo(target)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/loop.json").symlink_to(target)
    for read in (importers.benchmarks, importers.power_logs):
        found = read([tmp_path / "runs"])
        assert found.points.empty and len(found.problems) == 1


def test_what_lies_beside_a_result_is_bounded_too(tmp_path):
    stage = next((SAMPLES / "inference-perf-0.7.0").rglob("stage_0_lifecycle_metrics.json"))
    for number, beside in enumerate((os.mkfifo, lambda path: path.write_text(aliases("[{refs}]")))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / stage.name).write_bytes(stage.read_bytes())
        beside(folder / "config.yaml")
        point = importers.benchmarks([folder / stage.name]).points.iloc[0]
        assert point.model is None and "no `config.yaml`" in point.notes


def test_a_large_result_is_read_as_a_small_one(tmp_path):
    """5 MB of texts beside the numbers, and a request rate that is no JSON: decoded on demand, with the same row."""
    content = json.loads(GOOD.read_text()) | {"request_rate": float("inf"), "generated_texts": ["word " * 1000] * 1000}
    (tmp_path / "large.json").write_text(json.dumps(content))
    small, large = (
        importers.benchmarks([path]).points.drop(columns=["source_file", "source_sha256"]) for path in (GOOD, tmp_path / "large.json")
    )
    assert small.equals(large)


@pytest.fixture
def importing(warm_tokcost):
    """A function: `tokcost import` with these words, and streams of its own."""

    def run(*words, **options):
        return subprocess.run([warm_tokcost, "import", *map(str, words)], text=True, timeout=60, **options)

    return run


@pytest.mark.parametrize("name", ["damaged.json", ".hidden.json", "notes.csv", "good.json", "link.json"])
def test_the_output_is_no_file_of_the_inputs_read_or_not(tmp_path, name, importing):
    runs = tmp_path / "runs"
    runs.mkdir()
    for file, content in {"damaged.json": "{", ".hidden.json": "{", "notes.csv": "a,b\n", "good.json": GOOD.read_text()}.items():
        (runs / file).write_text(content)
    (tmp_path / "elsewhere.json").write_text("precious")
    (runs / "link.json").symlink_to(tmp_path / "elsewhere.json")
    output = tmp_path / "elsewhere.json" if name == "link.json" else runs / name
    before = output.read_bytes()
    run = importing(runs, "--output", output, capture_output=True)
    assert run.returncode == 2 and "is one of the files to import" in run.stderr and output.read_bytes() == before


def test_the_output_is_no_pipe_and_no_device(tmp_path, importing):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    for name in ("pipe.csv", "null.csv"):
        run = importing(GOOD, "--output", tmp_path / name, capture_output=True)
        assert run.returncode == 2 and "no regular file" in run.stderr


def test_a_full_or_closed_output_ends_in_one_sentence(importing):
    with open("/dev/full", "w") as full:
        run = importing(GOOD, stdout=full, stderr=subprocess.PIPE)
        assert run.returncode == 2 and "No space left" in run.stderr and len(run.stderr.splitlines()) == 1
        assert importing(GOOD, stdout=subprocess.DEVNULL, stderr=full).returncode == 2
    command = f"{sys.executable} -m tokcost.cli import {GOOD} >&-"
    run = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, timeout=60)
    assert run.returncode == 2 and "standard output is closed" in run.stderr


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+cmd", "-2+3", "'=1"])
def test_a_name_is_no_formula_in_the_table_and_is_read_back(tmp_path, name, importing):
    (tmp_path / "a.json").write_text(json.dumps(json.loads(GOOD.read_text()) | {"model_id": name}))
    assert importing(tmp_path / "a.json", "--output", tmp_path / "t.csv", capture_output=True).returncode == 0
    cells = (tmp_path / "t.csv").read_text().splitlines()[1].split(",")
    assert not any(cell.strip('"').startswith(("=", "@", "+c", "+1+", "-2")) for cell in cells)
    assert read_csv(tmp_path / "t.csv").model[0] == name


def test_nothing_imported_is_exit_status_2(tmp_path, importing):
    (tmp_path / "a.json").write_text("{")
    assert importing(tmp_path / "a.json", capture_output=True).returncode == 2
    assert importing(tmp_path / "a.json", GOOD, capture_output=True).returncode == 1


@pytest.mark.parametrize("kind", ["points", "power", "billing", "server"])
@pytest.mark.parametrize("target", ["/dev/zero", "/proc/kmsg"])
def test_a_device_that_is_named_ends_at_once_whatever_it_is_read_as(kind, target, importing):
    run = importing(target, "--kind", kind, capture_output=True)
    assert run.returncode == 2 and "Traceback" not in run.stderr
