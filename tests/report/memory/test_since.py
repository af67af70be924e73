"""What a report and `tokcost diff` say of the run before: real runs, a price that moves, a table with a changed row."""

import json
import re
import shutil

import pytest

from tokcost import paths
from tokcost.report.memory.bridge import bridge
from tokcost.report.memory.journal import Since
from tokcost.report.page.since import section

SOURCE = """factor = 1.0
import hashlib, pathlib, tokcost as tc
content = pathlib.Path(DATA, 'speeds.csv').read_bytes()
speed = float(content.split(b',')[-1])
tc.result(
    'total_token_cost_usd_per_mtok', factor * rate_usd_per_gpu_h / (speed * 3600) * 1e6,
    numerator={'rate_usd_per_gpu_h': rate_usd_per_gpu_h}, denominator={'total_tok_per_s_per_gpu': speed},
)"""
SOURCES = """table = {'table': 'speeds', 'file': 'data/speeds.csv', 'sha256': hashlib.sha256(content).hexdigest(), 'rows': 1}
tc.sources({'tables': [table], 'sources': []})"""


def words_of_people(data):
    """The two tables without which no page says what a chip or a source is called."""
    for name in ("labels.csv", "sources.csv"):
        shutil.copy(paths.DATA / name, data)


@pytest.fixture(scope="module")
def moved(tmp_path_factory, tokcost, notebook):
    """Three runs: as it was, a dearer hour, and a faster system in the data."""
    folder = tmp_path_factory.mktemp("moved")
    (folder / "data").mkdir()
    words_of_people(folder / "data")
    table = folder / "data" / "speeds.csv"
    parameters = "rate_usd_per_gpu_h = 1.8  # price of an hour, 0.1 to 30"
    source = SOURCE.replace("DATA", repr(str(folder / "data")))
    cells = [("markdown", "# What does it cost?"), ("code", parameters, "parameters"), ("code", source), ("code", SOURCES)]
    for name in ("weekly", "other"):
        notebook(folder / f"{name}.ipynb", *cells)
    pages = []
    for speed, price in ((100, "1.8"), (100, "3.6"), (200, "3.6")):
        table.write_text(f"accelerator,value\nh200,{speed}")
        price = ("-p", f"rate_usd_per_gpu_h={price}")
        run = tokcost("report", "other.ipynb", "weekly.ipynb", "-o", "out", *price, cwd=folder, TOKCOST_DATA_DIR=str(folder / "data"))
        assert run.status == 0, run.err
        pages.append((folder / "out" / "weekly.html").read_text())
    return folder, pages


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def since(page: str) -> str:
    return text_of(re.search(r'<section class="since".*?</section>', page, re.S)[0])


def test_the_first_report_knows_of_none_before_it(moved):
    assert 'class="since"' not in moved[1][0]


def test_a_dearer_hour_is_named_with_its_effect(moved):
    said = since(moved[1][1])
    assert "went from $5.00 in run 2 of" in said and "to $10.00: +$5.00 (+100%)." in said
    assert "Price of a GPU-hour 1.8 to 3.6 +$5.00" in said and "Now $10.00" in said
    assert "Parameters that changed: rate_usd_per_gpu_h 1.8 to 3.6." in said


def test_a_faster_system_is_named_with_the_row_of_the_table(moved):
    said = since(moved[1][2])
    assert "Throughput (input + output tokens) 100 to 200 −$5.00" in said
    assert "data/speeds.csv line 2 (h200): value 100 to 200" in said


def test_diff_says_the_same_of_any_two_runs(moved, tokcost):
    folder, _ = moved
    run = tokcost("diff", 2, 6, "--history", "out/history.sqlite", cwd=folder)
    assert run.status == 0 and "is unchanged at $5.00 since run 2 of" in run.out and "value 100 to 200" in run.out
    run = tokcost("diff", 4, 6, "--format", "json", "--history", "out/history.sqlite", cwd=folder)
    content = json.loads(run.out)
    assert sum(step["contribution"] for step in content["steps"]) == pytest.approx(content["change"], abs=1e-9)
    assert [step["name"] for step in content["steps"]] == ["total_tok_per_s_per_gpu"] and content["method_and_world_are_apart"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("1 9", "the history has no run 9; its last is run 6; `tokcost history` lists the runs"),
        ("1 4", "run 1 is of other, run 4 of weekly; compare two runs of one report"),
        ("1 last", "invalid value for 'RUN': 'last' is not a whole number"),
    ],
)
def test_a_run_that_is_not_there_is_answered_in_one_sentence(moved, tokcost, arguments, says):
    run = tokcost("diff", *arguments.split(), "--history", "out/history.sqlite", cwd=moved[0])
    assert run.status == 2 and says in run.err and run.err.count("\n") == 1


def test_words_of_tables_and_parameters_are_text(entry):
    before = entry(run_id=1, parameters={"model": "<i>a"})
    after = entry(run_id=2, data="d2", speed=50.0, parameters={"model": "<b>b"})
    html = section(Since(bridge(before, after), ["x.csv line 2 (<script>): new"]))
    assert "<i>" not in html and "<b>" not in html and "<script>" not in html and "&lt;script&gt;" in html


def test_a_mixed_change_says_how_to_tell_method_and_world_apart(entry):
    html = section(Since(bridge(entry(run_id=1), entry(run_id=2, data="d2", method="m2", speed=50.0)), []))
    assert "To tell them apart: tokcost diff 1 2 --rerun." in html and "Our own method changed: the code of the package." in html


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
def test_the_section_is_accessible_and_fits(moved, chromium_browser, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    for name in ("weekly", "index"):
        page = chromium_browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.goto((moved[0] / "out" / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [v["id"] for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")] == []
        page.close()


@pytest.fixture
def both(tmp_path, tokcost, notebook):
    """Two runs between which code and data changed at once."""
    (tmp_path / "data").mkdir()
    words_of_people(tmp_path / "data")
    parameters = 'rate_usd_per_gpu_h = 1.8  # price of an hour, 0.1 to 30\nnote = ""  # any text: a remark'
    source = SOURCE.replace("DATA", "os.environ['TOKCOST_DATA_DIR']").replace("import hashlib", "import os, hashlib")

    def make(speed, factor, *arguments):
        code = source.replace("factor = 1.0", f"factor = {factor}")
        notebook(tmp_path / "w.ipynb", ("markdown", "# Q?"), ("code", parameters, "parameters"), ("code", code), ("code", SOURCES))
        (tmp_path / "data" / "speeds.csv").write_text(f"accelerator,value\nh200,{speed}")
        run = tokcost("report", "w.ipynb", "-o", "out", *arguments, cwd=tmp_path, TOKCOST_DATA_DIR=str(tmp_path / "data"))
        assert run.status == 0, run.err

    def ask(*arguments):
        history = ("--history", "out/history.sqlite")
        return tokcost("diff", 1, 2, *history, *arguments, cwd=tmp_path, TOKCOST_DATA_DIR=str(tmp_path / "data"))

    return make, ask


def test_the_present_code_on_the_earlier_data_tells_method_and_world_apart(both):
    make, ask = both
    make(100, 1.0)
    make(200, 3.0)
    assert "nobody can say which of them moved it" in ask().out
    content = json.loads(ask("--rerun", "--format", "json").out)
    steps = {step["label"]: step["contribution"] for step in content["steps"]}
    assert steps == pytest.approx({"Our own method": 10.0, "Throughput (input + output tokens)": -7.5})
    assert sum(steps.values()) == pytest.approx(content["change"], abs=1e-9) and content["through_run_id"] is None


def test_what_cannot_be_run_again_says_why(both):
    make, ask = both
    make(100, 1.0, "-p", "note=for us")
    make(200, 3.0)
    run = ask("--rerun")
    assert run.status == 2 and "run 1 set `note`, whose value may be private and was not kept whole" in run.err


def test_code_that_has_gone_on_since_is_said(both):
    make, ask = both
    make(100, 1.0)
    make(200, 3.0)
    make(200, 4.0)
    assert "run 2 was made with other code than there is now; make the report again, and compare run 1 with that" in ask("--rerun").err
