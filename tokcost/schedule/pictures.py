"""What mail cannot show by itself: the first figure of a report as PNG, the page as PDF."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tokcost.report.errors import ReportError, ReportFailed
from tokcost.report.page.pictures import safe_svg
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, read_text
from tokcost.schedule.extra import needed
from tokcost.show.text import visible

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PDF_SECONDS = 120
#: pixels for each of the figure's own, so that it is sharp on a phone
_ZOOM = 2


def first_figure(notebook: Path) -> tuple[bytes, str] | None:
    """The first figure of an executed notebook as PNG, with its alt text; None where there is none that can be drawn."""
    try:
        cells = json.loads(read_text(notebook, MOST_NOTEBOOK_BYTES))["cells"]
        outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
        data = next((data for data in outputs if "image/svg+xml" in data), None)
        return data and (_png(safe_svg("".join(data["image/svg+xml"]))), visible("".join(data.get("text/plain", ""))))
    except (ReportError, ValueError, KeyError, TypeError):
        return None


def _png(svg: str) -> bytes:
    import matplotlib

    fonts = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")  # the same letters on every machine
    drawn = needed("resvg_py").svg_to_bytes(
        svg_string=svg,
        zoom=_ZOOM,
        dpi=96,
        background="#ffffff",
        skip_system_fonts=True,
        font_dirs=[fonts],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
    )
    return bytes(drawn)


def pdf(page: str) -> bytes:
    """A page as printed by headless Chromium."""
    browser = next((path for path in map(shutil.which, _BROWSERS) if path), None)
    if browser is None:
        raise ReportFailed("Chromium is not installed (Debian, Ubuntu: apt-get install chromium)")
    with tempfile.TemporaryDirectory(prefix="tokcost-pdf-", ignore_cleanup_errors=True) as scratch:
        source, printed = Path(scratch, "page.html"), Path(scratch, "page.pdf")
        source.write_text(page, encoding="utf-8")
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={scratch}/profile"]
        if getattr(os, "geteuid", lambda: 1)() == 0:  # its sandbox does not start for the superuser
            options.append("--no-sandbox")
        try:
            command = [browser, *options, f"--print-to-pdf={printed}", source.as_uri()]
            subprocess.run(command, capture_output=True, timeout=_PDF_SECONDS, check=True)
            return printed.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise ReportFailed(f"Chromium could not print it: {type(error).__name__}") from None
