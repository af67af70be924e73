"""A page against a list of attacks, in a real browser: nothing runs, nothing is asked for, nothing covers or poses as the page.

The list follows the ways in which HTML, CSS, SVG and Markdown are known to load, run, hide and pose: elements, handlers,
addresses, encodings, parsers that disagree, and pieces of the page itself. Each is shown three times: as a name in a sentence
and a table (`literal`), as Markdown of a cell, and as HTML that a cell makes.
"""

import http.server
import json
import threading
from pathlib import Path

import pytest

from tokcost.show.text import literal, visible

ATTACKS = [json.loads(line) for line in Path(__file__).with_name("attacks.jsonl").read_text().splitlines()]
SHOW_NAMES = """import pandas as pd
import tokcost as tc
for n, text in enumerate(attacks):
    display(tc.say(f"Model {n} is {tc.literal(text)}."))
"""
SHOW_AS = """for n, text in enumerate(attacks):
    display({"text/markdown": f"before {n}"}, raw=True)
    display({KIND: text, "text/plain": "x"}, raw=True)
"""
#: of an element: nothing lifts it over others, moves it or hides it
STAYS_IN_PLACE = """e => { const s = getComputedStyle(e);
    return !/fixed|absolute/.test(s.position) && s.transform == "none" && s.boxShadow == "none" && s.visibility == "visible" }"""
#: of an element: what a reader meets at its place is itself
IS_ON_TOP = """e => { e.scrollIntoView(); const b = e.getBoundingClientRect();
    return e.contains(document.elementFromPoint(b.x + 5, b.y + b.height / 2)) }"""


@pytest.fixture(scope="module")
def listener():
    """A server that notes whoever asks."""
    asked = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Note)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory, tokcost, notebook, listener):
    """One report that shows every attack in every way, and a second after it."""
    folder = tmp_path_factory.mktemp("attacked")
    attacks = [attack.replace("HOST", listener[0]) for attack in ATTACKS]
    cells = [
        ("markdown", "# What does it cost?"),
        ("code", "x = 1  # a number, 0 to 2", "parameters"),
        ("code", f"attacks = {attacks!r}"),
        ("code", "import tokcost as tc\ntc.answer('It costs \\$4.35.')"),
        ("code", SHOW_NAMES),
        ("code", "tc.table(pd.DataFrame({'model': attacks}), 'Models')"),
        ("code", SHOW_AS.replace("KIND", "'text/markdown'")),
        ("code", SHOW_AS.replace("KIND", "'text/html'")),
        *[("markdown", attack) for attack in attacks],
        ("markdown", "The end."),
    ]
    notebook(folder / "attacked.ipynb", *cells)
    notebook(folder / "after.ipynb", *cells[:4])
    run = tokcost("report", "attacked.ipynb", "after.ipynb", "-o", "out", cwd=folder)
    assert run.status == 0, run.err
    return folder / "out", attacks


@pytest.mark.parametrize("name", ["attacked", "index"])
def test_nothing_runs_and_nothing_is_asked_for(chromium_browser, attacked, listener, name):
    page = (attacked[0] / f"{name}.html").as_uri()
    context = chromium_browser.new_context()
    tab = context.new_page()
    asked, complaints = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.goto(page)
    tab.wait_for_timeout(500)
    assert tab.url == page and [url for url in asked if not url.startswith("data:")] == [page]
    assert complaints == [] and listener[1] == [], "the policy of the page had nothing left to refuse"
    context.close()


def test_title_answer_and_page_are_the_reports_own(chromium_browser, attacked):
    out, attacks = attacked
    context = chromium_browser.new_context()
    tab = context.new_page()
    tab.goto((out / "attacked.html").as_uri())
    assert tab.title() == "What does it cost?"
    assert tab.locator("h1").all_inner_texts() == ["What does it cost?"]
    assert tab.locator(".answer").all_inner_texts() == ["It costs $4.35."]
    for own in ("header", "main", "footer", "style", ".summary", ".skip", "#main", "#summary", "#about"):
        assert tab.locator(own).count() == 1, own
    assert tab.locator("iframe,object,embed,form,input,link,base,svg,video,audio").count() == 0
    assert tab.locator("script").count() == tab.locator("footer > script:last-child").count() == 1, "the page's own"
    assert tab.locator("body > *").evaluate_all("all => all.map(e => e.tagName)") == ["A", "HEADER", "MAIN", "FOOTER"]
    assert tab.evaluate("getComputedStyle(document.body).display") == "block"
    moved = f"filter(e => !e.closest('nav.contents,.meaning') && !({STAYS_IN_PLACE})(e))"
    assert tab.evaluate(f"[...document.querySelectorAll('main *')].{moved}.map(e => e.outerHTML)") == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for own in ("h1", ".answer", "#about", "main > p:text-is('The end.')"):
        assert tab.locator(own).evaluate(IS_ON_TOP), f"{own} is covered, or swallowed by an open element"
    context.close()


def test_every_name_stands_there_as_text(chromium_browser, attacked):
    out, attacks = attacked
    context = chromium_browser.new_context()
    tab = context.new_page()
    tab.goto((out / "attacked.html").as_uri())
    sentences = {" ".join(text.split()) for text in tab.locator("main p").all_text_contents()}
    cells = set(tab.locator("main table th[scope=row]").all_text_contents())
    for n, attack in enumerate(attacks):
        assert f"Model {n} is {visible(attack)}." in sentences and visible(attack) in cells
        assert literal(attack).count("<") == 0
    context.close()


def test_the_result_for_programs_has_the_reports_own_answer(attacked):
    content = json.loads((attacked[0] / "attacked.result.json").read_text())
    assert content["question"] == "What does it cost?" and content["answer"]["text"] == "It costs $4.35."
