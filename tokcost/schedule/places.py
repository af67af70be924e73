"""Where else reports go: a webhook that takes JSON, a folder or an object store that takes the files."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tokcost.report.errors import ReportFailed
from tokcost.schedule.extra import needed

_TIMEOUT_S = 30


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its content, or at somebody else's."""

    def redirect_request(self, *arguments, **options):
        return None


def post(address: str, payload: dict) -> None:
    """POST JSON; raises OSError where nobody answers or the answer is a later one's business, ReportFailed where it is no."""
    body = json.dumps(payload, allow_nan=False).encode()
    request = Request(address, body, {"Content-Type": "application/json", "User-Agent": "tokcost"}, method="POST")
    try:
        with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT_S) as answer:
            answer.read(1)
    except HTTPError as error:
        said = f"it answered {error.code} {error.reason}"
        if error.code < 500 and error.code != 429:
            raise ReportFailed(said) from None
        raise OSError(said) from None


def copy(files: dict[str, bytes], address: str) -> None:
    """Put files (name -> content) into a folder or an object store (any address that fsspec knows), each whole or not at all."""
    fsspec = needed("fsspec")
    try:
        system, folder = fsspec.core.url_to_fs(address)
        system.makedirs(folder, exist_ok=True)
    except (ImportError, ValueError) as error:  # of a store whose own package is missing, or that nobody knows
        raise ReportFailed(str(error)) from None
    is_local = "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,))
    for name, content in files.items():
        target = f"{folder.rstrip('/')}/{name}"
        aside = f"{folder.rstrip('/')}/.{name}.part" if is_local else target  # an object appears whole by itself; a file does not
        system.pipe_file(aside, content)
        if is_local:
            system.mv(aside, target)
