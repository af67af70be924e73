"""The notebook that reads your own files runs on the files of every tool: its cells for all, the report command for three."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "09-your-own-benchmark.ipynb"
NOT_BENCHMARKS = {"_malformed", "dcgm", "focus", "opencost", "prometheus-2.42"}
TOOLS = sorted(p.name for p in (ROOT / "tests" / "samples").iterdir() if p.is_dir() and p.name not in NOT_BENCHMARKS)


def test_there_are_samples_of_many_tools():
    assert len(TOOLS) >= 15


@pytest.fixture
def said(displayed):
    """What the notebook says of a folder of samples: its answer, the result of its cost, and the rows of its tables by caption."""

    def run(folder: str, **parameters) -> tuple[str, dict, dict]:
        shown = displayed(NOTEBOOK.stem, benchmark_path=f"tests/samples/{folder}", **parameters)
        data = [one.data for one in shown if getattr(one, "data", None)]
        answer = next(one["text"] for one in data if one["kind"] == "answer")
        cost = next(one for one in data if one.get("name") == "total_token_cost_usd_per_mtok")
        return answer, cost, {one.caption.partition(",")[0]: one.rows for one in shown if hasattr(one, "rows")}

    return run


@pytest.mark.parametrize("tool", TOOLS)
def test_the_notebook_runs_on_the_files_of_every_tool(said, tool):
    """Its own checks hold, or a cell would have raised; a point with throughput and speed has a price, without both it has none."""
    answer, cost, tables = said(tool, stated_gpus=2)
    has_both = any("not known" not in (throughput, speed) for _, throughput, speed, *_ in tables["What they delivered"])
    assert has_both == ("your files cannot be priced" not in answer)
    assert cost["value"] is None or cost["low"] <= cost["value"] <= cost["high"]


@pytest.mark.parametrize("tool", ["aiperf-0.13.0", "genai-bench-0.0.5", "mlperf", "vllm-0.32.0"])
def test_it_runs_where_nothing_is_stated_and_says_what_is_missing(said, tool):
    answer, cost, tables = said(tool, stated_gpus=0, accelerator="not stated")
    assert "your files cannot be priced: " in answer and cost["value"] is None and cost["note"] in answer
    missing = [what for what, value, *_ in tables["What the comparison rests on"] if value == "missing"]
    assert ("GPUs of the deployment" in missing) == (tool != "genai-bench-0.0.5")


def test_a_folder_of_broken_files_still_gives_a_report_of_what_is_sound(said):
    _, _, tables = said("_malformed", stated_gpus=2)
    excluded = next(rows for caption, rows in tables.items() if caption.startswith("Excluded"))
    assert sum(int(n_files) for _, n_files, what, _ in excluded if what == "not readable") >= 10


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"price_basis": "own", "accelerator": "not stated"}, "no public system has a price on this basis"),
        ({"tok_per_s_per_user": 1000.0}, "you have no point; yours lie at 77.6 to 278 tokens/s; H200 public: not reached"),
    ],
)
def test_what_has_no_price_or_no_point_is_said_and_not_filled_in(displayed, parameters, says):
    shown = displayed(NOTEBOOK.stem, **parameters)
    assert says in next(one.data["text"] for one in shown if getattr(one, "data", None) and one.data["kind"] == "answer")


def test_one_command_makes_a_report_of_your_own_files(tmp_path):
    """Three tools, side by side in one command, from another folder; two of them measured no point at this speed and say so."""
    wanted = {"aiperf-0.13.0": 2, "guidellm-0.5.4": 4, "sglang-0.5.23": 8}
    begins = [
        "you have no point; yours lie at 344 to 459 tokens/s; ",
        "your tokens cost $",
        "you have no point; yours lie at 282 to 555 tokens/s; ",
    ]
    definitions = []
    for tool, n_gpus in wanted.items():
        definitions.append(tmp_path / f"{tool.replace('.', '-')}.toml")
        definitions[-1].write_text(
            f'notebook = "{NOTEBOOK}"\n[parameters]\nbenchmark_path = "{ROOT / "tests" / "samples" / tool}"\nstated_gpus = {n_gpus}\n'
            "tok_per_s_per_user = 125.0\n"
        )
    command = [Path(sys.executable).with_name("tokcost"), "report", *definitions, "--output", tmp_path / "out", "-q"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for definition, n_gpus, begin in zip(definitions, wanted.values(), begins, strict=True):
        made = json.loads((tmp_path / "out" / f"{definition.stem}.result.json").read_text())
        inputs = {i["name"]: i["value"] for i in made["answer"]["inputs"]}
        assert inputs["stated_gpus"] == n_gpus
        assert made["answer"]["text"].startswith("At 125 tokens/s per user " + begin)
        assert len(made["checks"]) == 4 and all(check["passed"] for check in made["checks"])


def test_a_path_that_leads_nowhere_fails_with_one_sentence(tmp_path):
    command = [
        Path(sys.executable).with_name("tokcost"),
        "report",
        NOTEBOOK,
        "-p",
        "benchmark_path=no/such/place",
        "--output",
        tmp_path,
        "-q",
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "there is no such file or folder in the folder of this project" in run.stderr
