"""A workspace: a folder with notebooks and report definitions to edit; `tokcost new` makes one, `tokcost lab` opens one."""

from __future__ import annotations

import filecmp
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tokcost import paths

#: the variable by which `jupyter_client` chooses how kernels are started, and the way that pyproject.toml adds
WARM_VARIABLE, WARM = "JUPYTER_DEFAULT_PROVISIONER_NAME", "tokcost-warm"
#: what JupyterLab opens on: the map of the notebooks, and how far one is
START = "00-start-here.ipynb"
#: what JupyterLab calls the layout that `tokcost lab` opens
LAYOUT = "tokcost"
#: the name by which JupyterLab restores its table of contents
_CONTENTS = "@jupyterlab/toc:plugin"

_README = """# Costs of AI inference: a workspace

    tokcost report reports     execute the notebooks that the definitions name, write reports/output/index.html
    tokcost lab                open the notebooks in JupyterLab (pip install "tokcost[lab]")
    tokcost schedule --help    make reports at their times and send them (pip install "tokcost[schedule]")

Change a notebook, or copy a definition (reports/*.toml) and give it parameters of your own. The tables behind the numbers
are those of the installed package; to use your own, copy its data/ and set TOKCOST_DATA_DIR to the copy:

    tokcost data check         says where the tables are, and what is wrong with them
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make a workspace in FOLDER: notebooks and report definitions to edit.

    \b
      tokcost new my-costs
      cd my-costs
      tokcost report reports                      all reports, with your changes; open reports/output/index.html

    FOLDER must not exist, or be empty; where something goes wrong nothing is left behind.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{folder.name} is a file; name a folder that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"the folder {folder.name} is not empty; name one that does not exist yet: nothing is overwritten")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            made = Path(scratch, folder.name)
            for source, pattern in ((paths.NOTEBOOKS, "*.ipynb"), (paths.REPORTS, "*.toml")):
                (made / source.name).mkdir(parents=True)
                for file in sorted(source.glob(pattern)):
                    shutil.copyfile(file, made / source.name / file.name)
            (made / "README.md").write_text(_README, encoding="utf-8")
            made.replace(folder)  # an empty folder gives way
    except OSError as error:
        raise click.UsageError(f"cannot make {folder}: {error.strerror or error}; choose a folder that you may write to") from None
    click.echo(f"{folder.name} is ready: cd {folder.name} && tokcost report reports")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", metavar="[OPTION OF JUPYTERLAB]...", nargs=-1, type=click.UNPROCESSED)
def lab(options: tuple[str, ...]) -> None:
    """Open JupyterLab on the notebooks of the workspace that you stand in; options are passed on to it.

    \b
      tokcost lab
      tokcost lab --no-browser --port 8889

    Kernels of this environment's Python start at once, all but the first: each is a fresh copy of a process that has imported
    what notebooks need. Where that cannot be they start as always, and the log of JupyterLab says why.
    """
    folder = Path("notebooks") if Path("notebooks").is_dir() else Path()
    if not (folder / START).is_file():
        raise click.UsageError("there is no folder `notebooks` here; make a workspace with: tokcost new my-costs, then cd my-costs")
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.UsageError('JupyterLab is not installed; install it with: pip install "tokcost[lab]"')
    from jupyterlab.commands import get_workspaces_dir

    save_layout(Path(get_workspaces_dir()))
    trust_shipped(folder)
    opened = [f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.default_url=/lab/workspaces/{LAYOUT}"]
    environment = {WARM_VARIABLE: WARM, **os.environ}
    sys.exit(subprocess.call([sys.executable, "-m", "jupyterlab", *opened, *options], env=environment))


def trust_shipped(folder: Path) -> None:
    """Let JupyterLab show the stored figures of the notebooks in `folder` that are as this project has them.

    Those of other hands stay untrusted: JupyterLab shows their figures once their cells have run here.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in sorted(folder.glob("[0-9][0-9]-*.ipynb")):
        own = paths.NOTEBOOKS / path.name
        if own.is_file() and filecmp.cmp(path, own, shallow=False):
            notary.sign(nbformat.read(path, as_version=4))


def save_layout(folder: Path) -> None:
    """Let JupyterLab open on the start page, with its table of contents beside it; a layout that somebody has made since stays.

    `folder` is where JupyterLab keeps what is open.
    """
    from jupyterlab_server.workspaces_handler import WorkspacesManager, slugify

    manager, page = WorkspacesManager(str(folder)), f"notebook:{START}"
    if (folder / slugify(LAYOUT)).with_suffix(".jupyterlab-workspace").exists():
        return
    dock = {"dock": {"type": "tab-area", "currentIndex": 0, "widgets": [page]}, "current": page}
    left = {"collapsed": False, "visible": True, "current": _CONTENTS, "widgets": ["filebrowser", _CONTENTS]}
    places = {"main": dock, "left": left, "relativeSizes": [0.22, 0.78, 0]}
    data = {"layout-restorer:data": places, page: {"data": {"path": START, "factory": "Notebook"}}}
    manager.save(LAYOUT, json.dumps({"data": data, "metadata": {"id": LAYOUT}}))
