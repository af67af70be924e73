"""JupyterLab's own scheduler runs a notebook of the suite: its real extension, in a real server, with a job definition."""

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = "01-what-does-a-million-tokens-cost.ipynb"
ENDED = {"COMPLETED", "FAILED"}  # it calls a job that has not begun STOPPED


def until(found, seconds=120):
    """What `found()` gives as soon as it gives something."""
    for _ in range(seconds * 4):
        if result := found():
            return result
        threading.Event().wait(0.25)
    raise AssertionError(f"still waiting for {found.__name__}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Jupyter server with the extension, on a port that the system chooses and folders of its own."""
    home = tmp_path_factory.mktemp("server")
    folders = {name: home / name for name in ("data", "runtime", "config", "work")}
    for folder in folders.values():
        folder.mkdir()
    shutil.copy(ROOT / "notebooks" / NOTEBOOK, folders["work"])
    own = {f"JUPYTER_{name.upper()}_DIR": str(folders[name]) for name in ("data", "runtime", "config")}
    environment = {**os.environ, **own, "JUPYTER_PATH": os.path.join(sys.prefix, "share", "jupyter"), "IPYTHONDIR": str(home / "ipython")}
    options = ["--allow-root", "--no-browser", "--port=0", "--IdentityProvider.token=t", f"--ServerApp.root_dir={folders['work']}"]
    with open(home / "log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "jupyter_server", *options], env=environment, stderr=log)
    try:
        (info,) = until(lambda: list(folders["runtime"].glob("jpserver-*.json")))
        address = json.loads(info.read_text())["url"]

        def call(path: str, content: dict | None = None):
            headers = {"Authorization": "token t", "Content-Type": "application/json"}
            body = None if content is None else json.dumps(content).encode()
            with urllib.request.urlopen(urllib.request.Request(f"{address}scheduler/{path}", body, headers)) as answer:
                return json.load(answer)

        yield SimpleNamespace(call=call, folder=folders["data"] / "scheduler_staging_area")
    finally:
        process.terminate()
        process.wait()


def test_a_job_definition_runs_a_notebook_with_parameters_and_keeps_the_outputs(server):
    environment = server.call("runtime_environments")[0]["name"]
    # As its form sends them: texts, put into the notebook as they are, so that a text needs quotes of its own.
    parameters = {"rate_usd_per_gpu_h": "2.9", "accelerator": '"h200"'}
    content = {"name": "weekly", "input_uri": NOTEBOOK, "runtime_environment_name": environment, "parameters": parameters}
    when = {"schedule": "0 6 * * MON", "timezone": "Europe/Berlin", "output_formats": ["ipynb", "html"]}
    definition = server.call("job_definitions", content | when)["job_definition_id"]
    assert server.call(f"job_definitions/{definition}")["active"]
    job = server.call(f"job_definitions/{definition}/jobs", {"parameters": parameters})["job_id"]

    def ended():
        now = server.call(f"jobs/{job}")
        return now if now["status"] in ENDED else None

    assert until(ended)["status"] == "COMPLETED"
    (page,) = (server.folder / job).glob("*.html")
    assert "At $2.90 per GPU-hour" in page.read_text(encoding="utf-8").replace("\\$", "$")
    (ran,) = [path for path in (server.folder / job).glob("*.ipynb") if path.name != NOTEBOOK]
    cells = nbformat.read(ran, as_version=4).cells
    assert not [output for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"]
