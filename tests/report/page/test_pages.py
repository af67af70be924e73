"""The page itself: two real runs of a notebook that uses everything, read as text and seen in a real browser."""

import base64
import json
import re
import shlex
import xml.etree.ElementTree as ElementTree

import pytest

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200" viewBox="0 0 400 200">'
    '<rect x="40" y="40" width="150" height="120" style="fill: #0b5cad"/><rect x="210" y="40" width="150" height="120" fill="#b35900"/>'
    '<text x="20" y="20" style="fill: #1f2328">Cost</text></svg>'
)
WIDE = "<table><caption>A wide table</caption><thead><tr>{}</tr></thead><tbody><tr>{}</tr></tbody></table>".format(
    "".join(f'<th scope="col">column number {n}</th>' for n in range(14)), "".join(f"<td>{n * 1000}</td>" for n in range(14))
)


@pytest.fixture(scope="session")
def pages(tmp_path_factory, tokcost, notebook, bundle, parameters_source):
    """The same request twice, in two places: two reports and their index."""
    result = {"kind": "result", "low": 4.1, "high": 4.6, "unit": "usd_per_mtok", "label": "Cost per million tokens", "note": "list price"}
    answer = {
        "kind": "answer", "text": r"A million tokens cost **\$4.35**.", "interval": r"\$4.10 to \$4.60",
        "inputs": [{"name": "rate_usd_per_gpu_h", "label": "Price of a GPU-hour", "value": 1.41, "unit": "USD per GPU-hour"}],
    }  # fmt: skip
    source = {
        "source_id": "s", "title": "Price list", "publisher": "A Cloud", "locator": "https://example.org/prices (row 3)",
        "date": "2026-09", "grade": "primary", "licence": "CC-BY-4.0", "attribution": "By A Cloud.",
    }  # fmt: skip
    sources = {"kind": "sources", "tables": [{"table": "rates", "file": "data/rates.csv", "sha256": "ab" * 32, "rows": 1200}],
               "sources": [source], "assumptions": [r"Paid for **all** hours, \$0 else."]}  # fmt: skip
    check = {
        "kind": "check",
        "claim": "two routes agree",
        "passed": True,
        "left": 4.35,
        "right": 4.35,
        "tolerance": "relative tolerance 1e-09",
    }
    figure = f"display({{'image/svg+xml': {SVG!r}, 'text/plain': 'Two bars; the right one is orange.'}}, raw=True)"
    cells = [
        ("markdown", "# What does it *cost*?\n\nA lead. See [the other](02-other.ipynb) and [a third](03-third.ipynb)."),
        ("code", "secret_code = 1"),
        ("code", parameters_source, "parameters"),
        ("markdown", "## Formula\n\nIt is $c = r/t$, so \\$4.35.\n\n$$c = \\frac{r}{t \\times 3600}$$"),
        ("code", bundle(answer)),
        ("code", bundle({**result, "name": "total_token_cost_usd_per_mtok", "value": 4.3518}, **{"text/markdown": "cost: 4.35"})),
        (
            "code",
            bundle(
                {**result, "name": "gb300_total_token_cost_usd_per_mtok", "value": None, "low": None, "high": None},
                **{"text/markdown": "x"},
            ),
        ),
        ("markdown", "## Figures"),
        *[("code", figure)] * 6,
        ("markdown", "## Table"),
        ("code", f"display({{'text/html': {WIDE!r}, 'text/plain': 'x'}}, raw=True)"),
        ("code", "print(sorted({'b', 'a', 'c'}, key=hash)); object()"),
        ("code", "print({'b', 'a', 'c', 'd'})"),
        ("markdown", "## Checks"),
        ("code", bundle(check, **{"text/markdown": "✓ two routes agree"})),
        ("markdown", "## Sources"),
        ("code", bundle(sources)),
        ("markdown", "## Exercises"),
        ("markdown", "Predict it.", "exercise"),
        ("code", "print('your guess')", "attempt"),
        ("code", "print('worked answer')", "solution"),
    ]
    made = []
    for place in ("one", "two"):
        folder = tmp_path_factory.mktemp(place)
        for stem in ("01-cost", "02-other"):
            notebook(folder / "notebooks" / f"{stem}.ipynb", *cells)
        show = folder / "coded.toml"
        show.write_text('notebook = "notebooks/02-other.ipynb"\nname = "02-other"\nshow_code = true\n[parameters]\nosl = 2048\n')
        run = tokcost(
            "report", "01-cost", "coded.toml", "-p", "utilization_frac=0.9", "-p", "rate_usd_per_gpu_h=1.41", "-o", "out", cwd=folder
        )
        assert run.status == 0, run.err
        made.append(folder / "out")
    return made


@pytest.fixture(scope="session")
def page(pages):
    return (pages[0] / "01-cost.html").read_text()


@pytest.fixture(scope="session")
def result(pages):
    return json.loads((pages[0] / "01-cost.result.json").read_text())


def without_times(html: str) -> str:
    return re.sub(r"<time\b[^>]*>[^<]*</time>", "<time>", html)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", html, flags=re.S))


def test_the_same_inputs_give_the_same_bytes(pages):
    for name in ("01-cost", "02-other"):
        one, two = ((folder / f"{name}.html").read_text() for folder in pages)
        assert without_times(one) == without_times(two)
        assert one != without_times(one)
        one, two = (json.loads((folder / f"{name}.result.json").read_text()) for folder in pages)
        assert set(one.pop("times")) == set(two.pop("times")) == {"started", "seconds"}
        assert json.dumps(one) == json.dumps(two)
    assert len({without_times((folder / "index.html").read_text()) for folder in pages}) == 1


def test_the_executed_notebook_is_written_as_committed_ones_are(pages):
    """Sources and outputs as lists of lines: what JupyterLab writes, and what a diff can show."""
    import nbformat

    text = (pages[0] / "01-cost.ipynb").read_text()
    cells = json.loads(text)["cells"]
    assert all(isinstance(cell["source"], list) for cell in cells)
    assert text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def test_words_of_a_locator_are_set_apart_as_one_run(page):
    assert '<a href="https://example.org/prices">https://example.org/prices</a> <span class="locator">(row 3)</span>' in page


def test_result_says_what_a_later_program_needs(result):
    assert result["schema"] == 1 and result["name"] == "01-cost"
    assert result["parameters"]["utilization_frac"] == {"value": 0.9, "default": 0.45, "origin": "command line", "unit": "frac"}
    assert result["parameters"]["osl"]["origin"] == "notebook default"
    assert result["results"][0]["value"] == 4.3518 and result["results"][1]["value"] is None
    assert result["answer"]["text"] == "A million tokens cost **$4.35**."
    assert result["checks"] == [
        {"claim": "two routes agree", "passed": True, "left": 4.35, "right": 4.35, "tolerance": "relative tolerance 1e-09"}
    ]
    assert result["data"][0]["sha256"] == "ab" * 32 and result["sources"] == ["s"]
    assert {"tokcost", "python", "numpy", "pandas", "matplotlib", "papermill"} <= set(result["versions"])


def test_the_page_opens_with_question_answer_range_and_what_decides(page):
    said = " ".join(text_of(page[page.index("<body>") : page.index("A lead.")]).split())
    order = [
        "What does it",
        "A million tokens cost",
        "$4.10 to $4.60",
        "$4.35 ($4.10 to $4.60)",
        "not reached",
        "Price of a GPU-hour",
        "$1.41",
    ]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert " ".join(text_of(page).split()).count("A million tokens cost") == 1, "the answer's cell is not repeated below"


def test_the_foot_says_sources_assumptions_parameters_checks_data_versions_and_how_to_repeat(page):
    foot = page[page.index("<footer") :]
    for words in (
        "Price list",
        "https://example.org/prices",
        "Original document.",
        "CC-BY-4.0",
        "By A Cloud.",
        "<strong>all</strong> hours, $0 else",
        "SHA-256 abab",
        "papermill 2",
    ):
        assert words in foot
    assert re.search(
        r'class="changed"><th scope="row"><code>utilization_frac</code></th><td class="number">0.9<small>changed; default 0.45', foot
    )
    assert foot.count('class="changed"') == 1, "a parameter set to its own default is not changed"
    assert "tokcost report 01-cost -p utilization_frac=0.9" in foot


def test_the_command_at_the_foot_makes_the_same_report(pages, tokcost, tmp_path):
    page = (pages[0] / "02-other.html").read_text()
    command = shlex.split(re.search(r"<code>(tokcost report [^<]+)</code>", page)[1])
    assert command == ["tokcost", "report", "02-other", "-p", "utilization_frac=0.9", "-p", "osl=2048"]
    assert tokcost(*command[1:], "--dry-run", cwd=pages[0].parent).status == 0


def test_code_and_the_notebooks_own_matters_are_left_out(page):
    for words in ("secret_code", "your guess", "one of: h200, gb300\n", "object object at"):
        assert words not in page
    assert 'id="sources"' not in page, "the section whose only cell went to the foot is gone"


def test_code_is_shown_where_asked_for(pages):
    page = (pages[0] / "02-other.html").read_text()
    assert "secret_code" in page and "your guess" not in page and 'class="code"' in page


def test_a_question_is_shown_and_its_worked_answer_folded(page):
    folded = r'<details class="solution"><summary>Worked answer</summary><pre[^>]*>worked answer\n</pre>'
    assert re.search(rf"Predict it\..*{folded}", page, re.S)


def test_formulas_are_mathml_and_amounts_are_text(page):
    assert page.count("<math") == 2 and "so $4.35." in text_of(page)


def test_links_between_reports_lead_to_reports(page):
    assert '<a href="02-other.html">the other</a>' in page
    assert "a third" in page and "03-third" not in page


def test_six_figures_fit_in_a_small_page_that_needs_nothing_else(page):
    assert page.count("<img") == 6 == page.count('alt="Two bars; the right one is orange."')
    assert len(page.encode()) < 1_000_000
    head = page[: page.index("<body>")]
    assert len(head) < 16_000
    assert page.count("<script") == 1 and "@import" not in page and not re.search(r'src="(?!data:)', page) and "url(" not in page
    assert '<html lang="en">' in page and page.count("<h1") == 1


def test_figures_inside_are_well_formed(page):
    for data in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page):
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_the_index_says_question_answer_and_what_was_changed(pages):
    page = (pages[0] / "index.html").read_text()
    assert page.count('href="01-cost.html"') == page.count('href="02-other.html"') == 1
    assert "A million tokens cost <strong>$4.35</strong>." in page and "What does it <em>cost</em>?" in page
    assert "1 checks passed" not in page and "1 check passed" in page
    assert "changed: Output sequence length (OSL), Utilization" in " ".join(re.sub("<[^>]*>", "", page).split())


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [((0.8, 0.62, 1.0), ("$0.80", "$0.62 to $1.00")), ((0.802, 0.62, 1.0), ("$0.802", "$0.620 to $1.00"))],
)
def test_a_card_shows_no_more_digits_than_its_figures_have(numbers, shown):
    from tokcost.report.page.html import _headline
    from tokcost.report.page.markdown import Prose

    given = dict(zip(("value", "low", "high"), numbers, strict=True))
    card = _headline({"name": "total_token_cost_usd_per_mtok", "label": "Cost", "unit": "usd_per_mtok", "note": None} | given, Prose())
    assert (card["value"], card["span"]) == shown


def test_a_card_folds_the_list_in_a_long_label():
    from tokcost.report.page.html import _headline
    from tokcost.report.page.markdown import Prose

    result = {"name": "held_n_claims", "value": 2, "low": None, "high": None, "unit": "n", "note": None}
    names = ", ".join(["NVIDIA 35x lower", "AMD up to 1.2x", "Groq about one third"])
    card = _headline(result | {"label": f"Claims that hold: {names}"}, Prose())
    assert (card["label"], card["which"]) == ("Claims that hold", names)
    assert _headline(result | {"label": "Held: none"}, Prose())["label"] == "Held: none"


def test_a_short_report_is_quick(result):
    assert result["times"]["seconds"] < 30


SIZES = {"desk": 1280, "phone": 390}


@pytest.fixture(scope="session")
def open_page(chromium_browser, pages):
    """Open a report as a reader does, with the network cut and every request noted."""

    def open_(name, *, scheme="light", size="desk"):
        context = chromium_browser.new_context(viewport={"width": SIZES[size], "height": 900}, color_scheme=scheme, offline=True)
        tab = context.new_page()
        tab.asked = []

        def judge(route):
            if route.request.url.startswith(("file:", "data:")):
                route.continue_()
            else:
                tab.asked.append(route.request.url)
                route.abort()

        tab.route("**/*", judge)
        tab.complaints = []
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.goto((pages[0] / f"{name}.html").as_uri())
        return tab

    return open_


@pytest.mark.parametrize("name", ["01-cost", "02-other", "index"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_accessible_quiet_and_no_wider_than_the_screen(open_page, name, scheme, size):
    from axe_playwright_python.sync_playwright import Axe

    tab = open_page(name, scheme=scheme, size=size)
    assert tab.asked == [] and tab.complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= SIZES[size]
    found = Axe().run(tab).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:80]) for v in found if v["impact"] in ("serious", "critical")] == []
    tab.context.close()


def colours(tab, selector):
    from io import BytesIO

    from PIL import Image

    image = Image.open(BytesIO(tab.locator(selector).first.screenshot())).convert("RGB")
    return {colour for count, colour in image.getcolors(1 << 24) if count > 200}, image


def test_the_picture_of_a_page_is_not_blank(open_page):
    tab = open_page("01-cost")
    _, image = colours(tab, "body")
    assert len(image.getcolors(1 << 24)) > 100
    tab.context.close()


def test_figures_follow_the_preference_of_the_reader(open_page):
    light, dark = (colours(open_page("01-cost", scheme=scheme), "figure")[0] for scheme in ("light", "dark"))
    assert {(0x0B, 0x5C, 0xAD), (0xB3, 0x59, 0x00), (255, 255, 255)} <= light
    assert {(0x6C, 0xB2, 0xFF), (0xF5, 0xA0, 0x4C), (0x11, 0x16, 0x1C)} <= dark
    assert not light & dark


def test_print_is_light_and_shows_what_is_folded(open_page):
    tab = open_page("01-cost", scheme="dark")
    tab.emulate_media(media="print", color_scheme="dark")
    shown, _ = colours(tab, "figure")
    assert (0x0B, 0x5C, 0xAD) in shown and (255, 255, 255) in shown
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.locator("details .hash").first.is_visible()
    assert tab.pdf(format="A4").startswith(b"%PDF")
    tab.context.close()


def test_a_figure_keeps_a_legible_size_on_a_phone_and_scrolls_with_the_keyboard(open_page):
    """One that was not drawn for a phone: the suite's own have such a form."""
    tab = open_page("01-cost", size="phone")
    assert tab.evaluate("document.querySelector('figure img').getBoundingClientRect().width") == 480
    tab.locator("figure").first.focus()
    tab.keyboard.press("ArrowRight")
    _wait_until_scrolled(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]
    tab.context.close()


def _wait_until_scrolled(tab, tries: int = 100):
    """Scrolling is animated; the page's own policy forbids scripts that poll, so the test asks again."""
    for _ in range(tries):
        if tab.evaluate("document.activeElement.scrollLeft") > 0:
            return
        tab.wait_for_timeout(50)
    raise AssertionError("the focused region did not scroll")


def test_print_leaves_no_caption_and_no_row_alone(open_page):
    """Tables of every length, begun at different heights of the paper; columns break as pages do, and can be measured."""
    tab = open_page("01-cost")
    tab.emulate_media(media="print")
    columns = """([rows, before]) => {
        const body = [...Array(rows).keys()].map(n => `<tr><td>${n}</td></tr>`).join("");
        document.body.innerHTML = `<div style="columns:200px auto;column-fill:auto;column-gap:0;height:900px;width:3000px">
            <div style="height:${before}px"></div><div class="scroll"><table><caption>c</caption>
            <thead><tr><th>h</th></tr></thead><tbody>${body}</tbody></table></div></div>`;
        return [...document.querySelectorAll("caption, tbody tr")].map(e => Math.round(e.getBoundingClientRect().left / 200)); }"""
    for rows in (*range(4, 12), *range(36, 70)):
        for before in (0, 610, 840, 860, 880):
            column = tab.evaluate(columns, [rows, before])
            assert column[0] == column[1] == column[2], f"the caption of {rows} rows is alone, {before} px down the page"
            assert column[-1] == column[-2], f"the last of {rows} rows is alone, {before} px down the page"
    tab.context.close()


def test_a_wide_table_can_be_scrolled_with_the_keyboard(open_page):
    tab = open_page("01-cost", size="phone")
    region = tab.get_by_role("region", name="A wide table")
    region.focus()
    tab.keyboard.press("ArrowRight")
    _wait_until_scrolled(tab)
    tab.context.close()


def test_a_reader_can_skip_to_the_report_and_hears_the_figures(open_page):
    tab = open_page("01-cost")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert tab.get_by_role("img", name="Two bars; the right one is orange.").count() == 6
    assert [tab.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    tab.context.close()
