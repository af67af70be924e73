"""The page "Schedule a report in five minutes", followed literally; and what is published is whole on any file server."""

import functools
import os
import re
import ssl
import subprocess
import sys
import threading
import urllib.request
import xml.etree.ElementTree as ET
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest
import trustme
import yaml
from click.testing import CliRunner

from tokcost.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schedule-a-report-in-five-minutes.md").read_text(encoding="utf-8")


def shell(script: str, cwd: Path, tokcost: Path, **environment: str) -> str:
    """Run a script as a reader's shell would, with `tokcost` on its path."""
    path = f"{tokcost.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    everything = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=cwd, env=everything, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_page_works_as_it_is_written(tmp_path, smtp, warm_tokcost):
    """All of its commands in one shell, in a clean directory; only the mail server is one of this machine."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    inbox = smtp(tls_context=context, auth_require_tls=True)
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.S | re.M))
    assert script.count("tokcost schedule") == 3 and "smtp.example.com" in script
    server = {"TOKCOST_SMTP_PORT": os.environ["TOKCOST_SMTP_PORT"], "TOKCOST_SMTP_SECURITY": "starttls"}
    script = script.replace("smtp.example.com", "localhost").replace("the password of that account", "correct horse battery")
    said = shell(script, tmp_path, warm_tokcost, SSL_CERT_FILE=str(tmp_path / "authority.pem"), **server)
    assert "At 06:00 on Monday, Europe/Berlin; next 20" in said and "copied to sent" in said
    assert (tmp_path / "my-costs/sent/our-tokens.html").is_file()
    (message,) = inbox.messages
    assert message["Subject"] == "What do our tokens cost this week?" and message["To"] == "finance@example.com"


def test_the_page_names_only_options_and_forms_that_there_are():
    known = CliRunner().invoke(main, ["schedule", "--help"]).stdout
    for option, value in re.findall(r"tokcost schedule \S+ (--[\w-]+)(?: (\w+))?", PAGE):
        assert option in known and (not value or value in known)


@pytest.fixture
def site(define, notebook, tmp_path):
    """A folder of reports on a plain file server."""
    notebook(), define("", "a"), define("", "b")
    assert CliRunner().invoke(main, ["schedule", ".", "--once", "-o", "out"]).exit_code == 0

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "out"))) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def read(address: str) -> str:
    with urllib.request.urlopen(address) as answer:
        return answer.read().decode()


def test_every_link_of_the_index_and_the_feed_leads_somewhere(site):
    links = re.findall(r'href="([^"#]+)"', read(f"{site}/index.html"))
    links += [link.get("href") for link in ET.fromstring(read(f"{site}/feed.xml")).iter("{http://www.w3.org/2005/Atom}link")]
    assert {"a.html", "b.html", "feed.xml", "index.html"} <= set(links)
    for link in links:
        assert read(f"{site}/{link}")


def test_the_weekly_workflow_goes_on_with_the_feed_that_was_published(site, tmp_path, warm_tokcost):
    steps = yaml.safe_load((ROOT / ".github/workflows/weekly-report.yml").read_text(encoding="utf-8"))["jobs"]["report"]["steps"]
    (bring,) = [step["run"] for step in steps if "SITE" in step.get("env", {})]
    for name, address in (("first", f"{site}/nothing-there"), ("later", site)):
        (tmp_path / name).mkdir()
        shell(bring, tmp_path / name, warm_tokcost, SITE=address)
    assert not (tmp_path / "first/reports/output/feed.xml").exists()
    assert (tmp_path / "later/reports/output/feed.xml").read_text() == (tmp_path / "out/feed.xml").read_text()
    with pytest.raises(HTTPError):
        read(f"{site}/nothing-there/feed.xml")
