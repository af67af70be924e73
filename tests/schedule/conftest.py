"""Small notebooks and definitions to schedule, and a log that can be read."""

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tokcost.schedule import make

PARAMETERS = """rate_usd_per_gpu_h = 1.41  # price of a GPU-hour, 0.1 to 100
accelerator = "h200"  # which one; one of: h200, gb300
"""
#: what the cell of an answer shows, as `tokcost.show` does; `{}` is the sentence
ANSWER = """bundle = {{"kind": "answer", "text": {}, "interval": "2 to 3 USD", "inputs": []}}
display({{"text/plain": "answer", "application/vnd.tokcost.v1+json": bundle}}, raw=True)"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30" fill="#1b5e8a"/>'
    '<text x="9" y="20">x</text></svg>'
)
FIGURE = f'display({{"text/plain": "A bar.", "image/svg+xml": {SVG!r}}}, raw=True)'


def cell(kind: str, source: str, *tags: str) -> dict:
    made = {"cell_type": kind, "id": f"c{abs(hash((source, tags)))}", "metadata": {"tags": list(tags)}, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


@pytest.fixture
def notebook(tmp_path):
    """Write `cost.ipynb`: a question, parameters, an answer that tells the price, a figure, and any more cells."""

    def write(*more: str, answer: str = 'f"A token costs {rate_usd_per_gpu_h} with {accelerator}."') -> Path:
        sources = [ANSWER.format(answer), FIGURE, *more]
        cells = [cell("markdown", "# What does it cost?"), cell("code", PARAMETERS, "parameters"), *(cell("code", one) for one in sources)]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        path = tmp_path / "cost.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))
        return path

    return write


@pytest.fixture(autouse=True)
def reports_begin_at_once(monkeypatch, warm_tokcost):
    """The scheduler makes each report in a process of its own, as ever, here without waiting for imports."""
    monkeypatch.setattr(make, "TOKCOST", (warm_tokcost,))


@pytest.fixture
def define(tmp_path, monkeypatch):
    """Write a definition of `cost.ipynb` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "ours") -> Path:
        Path(f"{name}.toml").write_text(f'notebook = "cost.ipynb"\n{text}')
        return Path(f"{name}.toml")

    return write


@pytest.fixture
def said():
    """A list, and as its `append` the function that logs to it."""
    return []


PASSWORD = "correct horse battery"


class Inbox:
    """Takes mail as a real server does, and keeps it; `refuses` is what it answers instead."""

    def __init__(self):
        self.messages, self.logins, self.refuses = [], [], None

    async def handle_DATA(self, server, session, envelope):
        if self.refuses:
            return self.refuses
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticator(self, server, session, envelope, mechanism, given):
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password.decode() == PASSWORD)


class OnAnyPort(Controller):
    """aiosmtpd's server, on a port that the system chooses."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def smtp(monkeypatch):
    """Start a server on loopback and point the environment at it."""
    controllers = []

    def start(**options):
        inbox = Inbox()
        if options:
            options["authenticator"] = inbox.authenticator
        controller = OnAnyPort(inbox, hostname="127.0.0.1", port=0, **options)
        controller.start()
        controllers.append(controller)
        settings = {"HOST": "localhost", "PORT": controller.port, "FROM": "Reports <reports@example.com>"}
        for name, value in (settings | {"SECURITY": "none"}).items():
            monkeypatch.setenv(f"TOKCOST_SMTP_{name}", str(value))
        return inbox

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture(scope="session")
def password():
    return PASSWORD
