"""A JupyterLab of its own, on copies of the notebooks, in a real browser."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tokcost.workspace import WARM, WARM_VARIABLE, save_layout

ROOT = Path(__file__).parents[2]
#: all cells in the page, whether or not they are in view; no question on leaving; nothing fetched
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


#: set as mathematics after all that stands above it
FORMULA = {"cell_type": "markdown", "id": "formula", "metadata": {}, "source": "$$x$$"}
MIME = "application/vnd.tokcost.v1+json"
#: JupyterLab shows no more of one cell until it is asked for the others
SHOWN_OF_A_CELL = 50
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class Lab:
    """A running JupyterLab and a page of the browser on it."""

    def __init__(self, page, address: str, folder: Path):
        self.page, self.address, self.folder = page, address, folder

    def open(self, path: str) -> None:
        """Show one notebook, alone, set to its last formula."""
        self.page.goto(f"{self.address}/lab/tree/{path}?reset")
        self.page.locator(".jp-Notebook .jp-Cell").last.locator("mjx-container").wait_for(timeout=60_000)

    def put(self, path: str, notebook: dict) -> None:
        """Lay a notebook, not run yet, into the folder that the browser sees."""
        _put(self.folder / path, _not_run(notebook))

    def go_to(self, heading: str) -> None:
        """Reach a section by its entry in the table of contents."""
        contents = self.page.locator("#table-of-contents")
        if not contents.is_visible():
            self.page.locator(".lm-TabBar-tab[title*='Table of Contents']").first.click()
        contents.get_by_text(heading, exact=True).first.click()
        self.page.locator(".jp-Notebook").get_by_role("heading", name=heading).first.wait_for(timeout=10_000)

    def outputs(self) -> list[str]:
        """What stands in the outputs that are text, in order."""
        return self.page.locator(".jp-Notebook .jp-RenderedHTMLCommon.jp-OutputArea-output").all_inner_texts()

    def below_parameters(self):
        """The output of the cell under the parameter cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").filter(has_text="tc.inputs()").first.locator(".jp-OutputArea-output")

    def type_parameters(self, source: str) -> None:
        """Replace the text of the parameter cell, which stands above that of `tc.inputs()`."""
        editor = self.page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(1)
        editor.fill(source)
        assert "\n".join(editor.locator(".cm-line").all_inner_texts()) == source

    def run_all(self, until, *, tries: int = 1) -> None:
        """Run all cells, from the menu, and wait for `until`.

        More than one of the `tries` is for after an error: a kernel then drops what it is sent for a moment.
        """
        from playwright.sync_api import TimeoutError

        for left in reversed(range(tries)):
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            try:
                until.wait_for(timeout=15_000 if left else 180_000)
                return
            except TimeoutError:
                if not left:
                    raise


def _not_run(notebook: dict) -> dict:
    """The notebook without outputs, and with the kernel that runs it."""
    cells = [cell | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}) for cell in notebook["cells"]]
    return {"cells": cells, "metadata": {"kernelspec": KERNEL}}


def _stored(notebooks: list[dict]) -> dict:
    """Every output with an answer, or with what mathematics begins with, in one notebook: the page is ready once, not twenty times."""
    bundles = [output.get("data", {}) for one in notebooks for cell in one["cells"] for output in cell.get("outputs", [])]
    texts = [("".join(data.get("text/html", "")) + "".join(data.get("text/markdown", "")), data) for data in bundles]
    begins = re.compile(r"\$|&#36;|\\\(|\\\[|Answer")
    shown = [data for text, data in texts if begins.search(text) or data.get(MIME, {}).get("kind") == "answer"]
    outputs = [{"output_type": "display_data", "metadata": {}, "data": data} for data in shown]
    groups = [outputs[n : n + SHOWN_OF_A_CELL] for n in range(0, len(outputs), SHOWN_OF_A_CELL)]
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "source": ""}
    return {"cells": [cell | {"id": f"shown-{n}", "outputs": outputs} for n, outputs in enumerate(groups)], "metadata": {}}


def _put(path: Path, notebook: dict) -> None:
    """Write a notebook that ends in a formula; one without a kernel in its metadata starts none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": notebook["metadata"], "cells": [*notebook["cells"], FORMULA]}
    path.write_text(json.dumps(whole), "utf-8")


@pytest.fixture(scope="module")
def lab(chromium_browser, tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    notebooks = {path.name: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    _put(home / "notebooks" / "stored.ipynb", _stored(list(notebooks.values())))
    for name, notebook in notebooks.items():
        _put(home / "notebooks" / name, _not_run(notebook))
    save_layout(home / "spaces")
    (home / "settings").mkdir()
    (home / "settings" / "overrides.json").write_text(json.dumps(SETTINGS))
    places = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    environment = (
        os.environ
        | places
        | {WARM_VARIABLE: WARM, "JUPYTERLAB_SETTINGS_DIR": str(home / "user"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    )
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={home / 'notebooks'}"]
    options += [f"--LabApp.app_settings_dir={home / 'settings'}", "--LabApp.news_url="]
    with open(home / "log", "w") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], cwd=home, env=environment, stdout=log, stderr=log)
    try:
        page = chromium_browser.new_page(viewport={"width": 1280, "height": 900})
        yield Lab(page, _address(server, home), home / "notebooks")
        page.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address(server, home: Path) -> str:
    """Where the server listens, once it does: it writes that down beside its log."""
    for _ in range(300):
        for file in (home / "runtime").glob("jpserver-*.json"):
            try:
                url = json.loads(file.read_text())["url"].rstrip("/")
                urlopen(f"{url}/api", timeout=5).close()
                return url
            except (URLError, ValueError):  # not yet, or the file is being written
                break
        assert server.poll() is None, (home / "log").read_text()
        time.sleep(0.1)
    raise AssertionError((home / "log").read_text())
