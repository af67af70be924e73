"""From plans to files: run each report, publish it whole, and keep a failed one aside."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tokcost.report.errors import ReportError, ReportFailed
from tokcost.report.execution.files import locked, write_all
from tokcost.report.execution.kernel import light_import
from tokcost.report.page.private import Places
from tokcost.report.progress import Progress
from tokcost.report.request.parameters import read_notebook
from tokcost.report.request.plan import Plan

#: from here on a page is worth a note: it still opens, but is slow to send and to open on a phone
LARGE_PAGE_BYTES = 1_000_000


class ReportBuilder:
    """Makes reports in one directory, one after another; `failed` names those that did not come to be."""

    def __init__(self, directory: Path, plans: list[Plan], progress: Progress, *, show_code: bool, timeout_s: int):
        self.directory, self.plans, self.progress = directory, plans, progress
        self.show_code, self.timeout_s = show_code, timeout_s
        self.written: list[Path] = []
        self.failed: list[str] = []
        self.made: list[tuple] = []

    def build_all(self) -> None:
        for ready in self.plans:
            with self.progress.report(ready.job.name):
                try:
                    self._build(ready)
                except ReportFailed as failure:
                    self._keep_aside(ready, failure)
                except Exception as error:  # the other reports still run
                    what = f"{ready.job.name}: the page could not be made: {type(error).__name__}: {error}"
                    self._keep_aside(ready, ReportFailed(what))
        try:
            self._unlink_failed()
            if len(self.plans) > 1 or (self.directory / "index.html").exists():
                self._write_index()
        except ReportFailed as failure:
            self.failed.append("index.html")
            self.progress.error(f"FAILED index.html: {failure}")

    def _build(self, ready: Plan) -> None:
        from tokcost.report.execution.run import execute
        from tokcost.report.page.contents import split_contents
        from tokcost.report.page.record import record, to_json

        job = ready.job
        for name in ready.unused:
            self.progress.note(f"{job.name}: has no parameter `{name}`, which another report takes")
        run = execute(job, ready.settings, on_cell=self.progress.cell, timeout_s=self.timeout_s)
        places = Places(job.notebook, ready.settings)
        run.notebook, run.settings = places.notebook(run.notebook), [places.setting(setting) for setting in run.settings]
        for warning in run.warnings:
            self.progress.note(f"{job.name}: warning in {warning}")
        try:
            contents = split_contents(run.notebook, job.name, job.title)
        except ReportFailed as failure:
            failure.notebook = run.notebook
            raise
        html = self._render(run, contents)
        if len(html.encode()) > LARGE_PAGE_BYTES:
            size = len(html.encode()) / LARGE_PAGE_BYTES
            self.progress.note(f"{job.name}: the page is {size:.1f} MB; show fewer points or smaller pictures if it is to be sent by mail")
        texts = {
            f"{job.name}.html": html,
            f"{job.name}.result.json": to_json(record(run, contents)),
            f"{job.name}.ipynb": _notebook_text(run.notebook),
        }
        with locked(self.directory):
            self.written += write_all(self.directory, texts)
            (self.directory / "failed" / f"{job.name}.ipynb").unlink(missing_ok=True)
        self.made.append((run, contents))
        self.progress.done(job.name, len(run.notebook.cells), run.seconds, self.directory / f"{job.name}.html")

    def _render(self, run, contents) -> str:
        from tokcost.report.page.html import render

        def warn(sentence):
            self.progress.note(f"{run.job.name}: {sentence}")

        return render(run, contents, show_code=self.show_code or run.job.show_code, links=self._links(), warn=warn)

    def _links(self) -> dict[str, str]:
        """Notebook file name -> the report that shows it: made before, or in this run and not failed."""
        links = {f"{path.stem}.ipynb": path.name for path in sorted(self.directory.glob("*.html")) if path.name != "index.html"}
        links |= {ready.job.notebook.name: f"{ready.job.name}.html" for ready in self.plans if ready.job.name not in self.failed}
        return links

    def _unlink_failed(self) -> None:
        """Reports made before another failed may link to it: they are written again without the dead link."""
        failed = [p.job for p in self.plans if p.job.name in self.failed]
        missing = [job.notebook.name for job in failed if not (self.directory / f"{job.name}.html").exists()]
        for run, contents in self.made:
            if any(name in cell.source for cell in contents.body for name in missing):
                with locked(self.directory):
                    write_all(self.directory, {f"{run.job.name}.html": self._render(run, contents)})

    def _keep_aside(self, ready: Plan, failure: ReportFailed) -> None:
        job = ready.job
        self.failed.append(job.name)
        self.progress.error(f"FAILED {failure}")
        try:
            notebook = failure.notebook or read_notebook(job.notebook)
            places = Places(job.notebook, ready.settings)
            notebook = places.notebook(notebook)
            when = datetime.now(UTC).isoformat(timespec="seconds")
            notebook["metadata"]["tokcost"] = {"failure": places.hidden(str(failure)), "at": when}
            with locked(self.directory):
                (path,) = write_all(self.directory, {f"failed/{job.name}.ipynb": _notebook_text(notebook)})
        except (OSError, ReportError, ReportFailed) as error:
            self.progress.error(f"FAILED {job.name}: the partial notebook could not be kept: {error}")
            return
        self.progress.error(f"       {job.name}: what ran is kept at {path}")

    def _write_index(self) -> None:
        from tokcost.report.page.index import overview

        with locked(self.directory):
            self.written += write_all(self.directory, {"index.html": overview(self.directory)})


def _notebook_text(notebook) -> str:
    """As JupyterLab and the committed notebooks write it: sources and outputs as lists of lines."""
    with light_import():
        import nbformat
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"
