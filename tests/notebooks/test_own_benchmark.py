"""The notebook that reads your own files runs on the files of every tool: its cells for all, the report command for three."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "09-your-own-benchmark.ipynb"
NOT_BENCHMARKS = {"_malformed", "dcgm", "focus", "opencost", "prometheus-2.42"}
COST = "total_token_cost_usd_per_mtok"
TOOLS = sorted(p.name for p in (ROOT / "tests" / "samples").iterdir() if p.is_dir() and p.name not in NOT_BENCHMARKS)


def test_there_are_samples_of_many_tools():
    assert len(TOOLS) >= 15


@pytest.fixture
def said(displayed):
    """What the notebook says of a folder of samples: its answer, the result of its cost, and the rows of its tables by caption."""

    def run(folder: str, **parameters) -> tuple[str, dict, dict]:
        shown = displayed(NOTEBOOK.stem, benchmark_path=f"tests/samples/{folder}", **parameters)
        data = [one.data for one in shown if getattr(one, "data", None)]
        answer = next(" ".join(one[part] for part in ("text", "decision", "detail")) for one in data if one["kind"] == "answer")
        cost = next(one for one in data if one.get("name") == COST)
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
    assert "your files cannot be priced yet" in answer and cost["value"] is None and cost["note"] in answer
    missing = [what for what, value, *_ in tables["What the comparison rests on"] if value == "missing"]
    assert ("GPUs of the deployment" in missing) == (tool != "genai-bench-0.0.5")


def test_a_folder_of_broken_files_still_gives_a_report_of_what_is_sound(said):
    _, _, tables = said("_malformed", stated_gpus=2)
    excluded = next(rows for caption, rows in tables.items() if caption.startswith("Excluded"))
    assert sum(int(n_files) for _, n_files, what, _ in excluded if what == "not readable") >= 10


@pytest.fixture
def same_job(tmp_path):
    """A file of the model and the lengths of the public runs; what a test changes of it is given by name."""

    def write(**changes) -> Path:
        row = json.loads((ROOT / "tests/samples/inferencex/agg_single_node.json").read_text())
        path = tmp_path / "own.json"
        path.write_text(json.dumps({k: v for k, v in (row | {"model": "deepseek-ai/DeepSeek-R1-0528"} | changes).items() if v is not None}))
        return path

    return write


@pytest.mark.parametrize(
    ("changes", "parameters", "says"),
    [
        ({}, {}, "H200 public: $"),
        ({"hw": "b300"}, {"price_basis": "own", "accelerator": "not stated"}, "no public system has a price on this basis"),
        ({}, {"tok_per_s_per_user": 1000.0}, "H200 public: not reached"),
        ({"model": "demo"}, {}, "are not ranked among public runs: your files name the model demo, the public runs DeepSeek-R1"),
        ({"osl": 128}, {}, "are not ranked among public runs: your requests have 1024/128 tokens, the public runs 1024/1024"),
    ],
)
def test_what_is_ranked_priced_or_measured_is_said_and_nothing_is_filled_in(displayed, same_job, changes, parameters, says):
    given = {"benchmark_path": str(same_job(**changes)), "tok_per_s_per_user": 80.0} | parameters
    data = [one.data for one in displayed(NOTEBOOK.stem, **given) if getattr(one, "data", None)]
    answer = next(one for one in data if one["kind"] == "answer")
    text = " ".join(answer[part] for part in ("text", "decision", "detail")).replace("\\$", "$")
    assert says in text and ("Your tokens against theirs" in text) == ("are not ranked" not in text)


def test_one_command_makes_a_report_of_your_own_files(tmp_path, same_job, tokcost):
    """Side by side in one command, from another folder: other jobs, one at its speed and one not; the same job; the shipped example."""
    samples = ROOT / "tests" / "samples"
    wanted = {
        "no-point": (samples / "aiperf-0.13.0", 2, 1000.0),
        "other-job": (samples / "guidellm-0.5.4", 4, 125.0),
        "same-job": (same_job(), 0, 80.0),
        "example": (ROOT / "data" / "benchmark_example", 8, 100.0),
    }
    for name, (path, n_gpus, speed) in wanted.items():
        (tmp_path / f"{name}.toml").write_text(
            f'notebook = "{NOTEBOOK}"\n[parameters]\nbenchmark_path = "{path}"\nstated_gpus = {n_gpus}\ntok_per_s_per_user = {speed}\n'
        )
    definitions = [tmp_path / f"{name}.toml" for name in wanted]
    run = tokcost("report", *definitions, "--output", tmp_path / "out", "-q", cwd=tmp_path)
    assert run.status == 0, run.err
    made = {name: json.loads((tmp_path / "out" / f"{name}.result.json").read_text()) for name in wanted}
    for name, one in made.items():
        assert {i["name"]: i["value"] for i in one["answer"]["inputs"]}["stated_gpus"] == wanted[name][1]
        assert len(one["checks"]) == 4 and all(check["passed"] for check in one["checks"])
    text = {name: " ".join(one["answer"][part] for part in ("text", "decision", "detail")) for name, one in made.items()}
    cost = {name: next(r for r in one["results"] if r["name"] == COST)["value"] for name, one in made.items()}
    ratio = {name: next(r for r in one["results"] if r["name"] == "cost_ratio")["value"] for name, one in made.items()}

    assert text["no-point"].startswith("At 1000 tokens/s per user nothing of yours was measured; your runs lie at 344 to 459 tokens/s")
    assert "your server read 74% of the prompt tokens from its cache" in text["no-point"] and cost["no-point"] is None
    assert (
        text["other-job"].startswith("At 125 tokens/s per user your tokens cost $")
        and "are not ranked among public runs" in text["other-job"]
    )
    assert cost["other-job"] > 0 and ratio["other-job"] is None
    assert text["same-job"].startswith("At 80 tokens/s per user your tokens cost $") and "H200 public: $" in text["same-job"]
    assert cost["same-job"] == pytest.approx(2.9 / 300 / 3600 * 1e6) and ratio["same-job"] > 0

    page = (tmp_path / "out" / "example.html").read_text()
    assert (
        text["example"].startswith("**EXAMPLE, not your files.** ")
        and "$" not in f"{text['example']}{made['example']['answer']['interval']}"
    )
    assert cost["example"] is None and ratio["example"] is None
    summary = page[page.index('class="summary"') : page.index("What decides it")]
    assert "EXAMPLE, not your files." in summary and "$" not in summary
    index = (tmp_path / "out" / "index.html").read_text()
    assert "EXAMPLE, not your files." in index


def test_a_path_that_leads_nowhere_is_refused_before_the_run(tmp_path, tokcost):
    run = tokcost("report", NOTEBOOK, "-p", "benchmark_path=no/such/place", "--output", tmp_path, "-q", cwd=tmp_path)
    assert run.status == 2
    assert "there is no such file or folder in the folder of this project" in run.err
