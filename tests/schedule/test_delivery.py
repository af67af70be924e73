"""Reports arrive: by mail at a real server on this machine, at a webhook, in a folder; what does not arrive is said; no secret leaks."""

import json
import re
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
import trustme
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.schedule import delivery, mail, pictures, secrets, sent

MAIL = '[deliver]\nemail = ["finance@example.com"]\n'


@pytest.fixture
def hook():
    """A web server on loopback that keeps what is posted; `answers` are its next status codes."""
    kept = SimpleNamespace(bodies=[], answers=[])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            kept.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        kept.address = f"http://127.0.0.1:{server.server_port}/hooks/secret-part"
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(delivery, "WAITS_S", (0, 0))


def once(target="ours.toml"):
    done = CliRunner().invoke(main, ["schedule", str(target), "--once", "--output", "out"], catch_exceptions=False)
    return SimpleNamespace(status=done.exit_code, said=done.stderr)


def part(message, kind):
    (found,) = [one for one in message.walk() if one.get_content_type() == kind and not one.get_filename()]
    return found.get_content().replace("\r\n", "\n")


def test_a_mail_has_the_answer_as_text_and_html_its_picture_inside_and_the_page_attached(smtp, notebook, define):
    inbox = smtp()
    notebook(answer="'A token costs \\\\$2 & **less** than `x<y>`.'"), define(f'title = "Café?"\n{MAIL}')
    done = once()
    assert done.status == 0 and "sent: mail to finance@example.com" in done.said, done.said
    (message,) = inbox.messages
    assert (message["To"], message["From"], message["Subject"]) == ("finance@example.com", "Reports <reports@example.com>", "Café?")
    for kind in ("text/plain", "text/html"):
        text = part(message, kind)
        assert "A token costs $2" in text and "2 to 3 USD" in text and "**" not in text
    assert "less than x<y>." in part(message, "text/plain") and "x&lt;y&gt;" in part(message, "text/html")
    (png,) = [one for one in message.walk() if one.get_content_type() == "image/png"]
    assert f'src="cid:{png["Content-ID"][1:-1]}" alt="A bar."' in part(message, "text/html")
    assert png.get_content().startswith(b"\x89PNG")
    (page,) = list(message.iter_attachments())
    assert page.get_filename() == "ours.html" and page.get_content() == sent.alone(Path("out/ours.html").read_text(encoding="utf-8"))


def test_failure_is_mailed_also_to_who_wants_alerts_only_and_says_that_the_earlier_report_stands(smtp, notebook, define):
    inbox = smtp()
    notebook(), define(f'{MAIL}when = "alert"')
    assert once().status == 0 and not inbox.messages, "no alert, no mail"
    notebook("1 / 0"), define(f'{MAIL}when = "alert"')
    done = once()
    assert done.status == 1
    (message,) = inbox.messages
    assert message["Subject"] == "Failed: ours" and not list(message.iter_attachments())
    said = part(message, "text/plain")
    assert "FAILED. ours: cell 5 of cost.ipynb failed: ZeroDivisionError" in said and "The report of the time before is as it was." in said


def test_only_a_changed_answer_is_mailed_where_that_is_asked(smtp, notebook, define):
    inbox = smtp()
    notebook()
    for rate, mails in ((1.5, 1), (1.5, 1), (2.5, 2)):
        define(f'{MAIL}when = "change"\n[parameters]\nrate_usd_per_gpu_h = {rate}')
        done = once()
        assert done.status == 0 and len(inbox.messages) == mails, done.said
    assert "Before: A token costs 1.5 with h200." in part(inbox.messages[1], "text/plain")


def test_where_the_feed_cannot_be_written_the_report_is_still_sent(smtp, notebook, define):
    inbox = smtp()
    notebook(), define(MAIL), Path("out/feed.xml").mkdir(parents=True)
    done = once()
    assert done.status == 1 and "the feed could not be written: cannot write to out" in done.said and len(inbox.messages) == 1


def test_reports_of_a_grid_come_in_one_mail_those_that_failed_first(smtp, notebook, define):
    inbox = smtp()
    notebook('assert accelerator != "h200"'), define(f'{MAIL}[each]\naccelerator = ["gb300", "h200"]')
    assert once().status == 1
    text = part(inbox.messages[0], "text/plain")
    assert text.index("ours-h200:\n  FAILED") < text.index("ours-gb300:\n  A token costs 1.41 with gb300.")
    assert [one.get_filename() for one in inbox.messages[0].iter_attachments()] == ["ours-gb300.html"]


def test_definitions_that_are_made_together_are_sent_each_by_itself_and_one_that_fails_says_why(smtp, notebook, define):
    inbox = smtp()
    notebook('assert accelerator != "h200", "no h200"'), define(f'{MAIL}[parameters]\naccelerator = "gb300"', "new")
    define(MAIL, "old"), define(f'{MAIL}xlsx = true\n[parameters]\naccelerator = "gb300"\nrate_usd_per_gpu_h = 2', "taken")
    assert once(".").status == 1
    assert [message["Subject"] for message in inbox.messages] == ["What does it cost?", "Failed: old", "What does it cost?"]
    new, old, taken = (part(message, "text/plain") for message in inbox.messages)
    assert "A token costs 1.41 with gb300." in new and "A token costs 2" in taken
    assert "FAILED. old: cell 5 of cost.ipynb failed: AssertionError: no h200" in old
    assert [one.get_filename() for one in inbox.messages[2].iter_attachments()] == ["taken.html", "taken.xlsx"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_goes_through_an_encrypted_connection_and_nowhere_else(smtp, password, notebook, define, monkeypatch, security):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    inbox = smtp(**{"tls_context" if security == "starttls" else "ssl_context": context, "auth_require_tls": security == "starttls"})
    authority.cert_pem.write_to_path("authority.pem")
    notebook("import os\nprint(dict(os.environ))"), define(f'{MAIL}webhook = "${{TEAM_HOOK}}"')
    for name, value in {"USER": "robot", "PASSWORD": password, "SECURITY": security}.items():
        monkeypatch.setenv(f"TOKCOST_SMTP_{name}", value)
    monkeypatch.setenv("TEAM_HOOK", "http://127.0.0.1:9/very-secret-part")
    monkeypatch.setenv("OTHER_TOKEN", "another-secret")
    done = once()
    assert done.status == 1 and "certificate of the server is not trusted: unable to get local issuer" in done.said, (
        "a server that nobody vouches for gets no password"
    )
    assert not inbox.logins and not inbox.messages
    monkeypatch.setenv("SSL_CERT_FILE", str(Path("authority.pem").absolute()))
    done = once()
    assert inbox.logins == [("robot", password)] and len(inbox.messages) == 1, done.said
    assert "Not sent: webhook: " in part(inbox.messages[0], "text/plain"), "the mail tells what else could not be sent"
    everything = done.said + str(inbox.messages[0]) + "".join(p.read_text(errors="replace") for p in Path("out").rglob("*") if p.is_file())
    for secret in (password, "very-secret-part", "another-secret"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("refuses", "tries", "says"),
    [
        ("550 no such mailbox", 1, "the mail server says 550 no such mailbox"),
        ("451 busy", 3, "did not work, tried again in 0 s: the mail server says 451 busy"),
    ],
)
def test_a_mail_that_is_refused_is_said_and_tried_again_where_that_may_help(smtp, notebook, define, refuses, tries, says):
    inbox = smtp()
    inbox.refuses = refuses
    notebook(), define(MAIL)
    done = once()
    assert done.status == 1 and says in done.said and done.said.count("the mail server says") == tries
    assert Path("out/ours.html").is_file(), "the report stands"


def test_a_server_that_nobody_answers_at_is_said(smtp, notebook, define, monkeypatch):
    smtp()
    monkeypatch.setenv("TOKCOST_SMTP_PORT", "9")
    notebook(), define(MAIL)
    done = once()
    assert done.status == 1 and "Not sent: mail to finance@example.com: Connection refused" in done.said


def test_a_webhook_gets_the_answer_as_json(hook, notebook, define, monkeypatch):
    monkeypatch.setenv("TEAM_HOOK", hook.address)
    hook.answers += [503]
    notebook(), define('[deliver]\nwebhook = "${TEAM_HOOK}"')
    done = once()
    assert done.status == 0 and len(hook.bodies) == 2, "busy at first: tried again"
    posted = hook.bodies[1]
    assert posted["status"] == "changed" and "A token costs 1.41" in posted["text"]
    assert posted["reports"][0]["answer"] == "A token costs 1.41 with h200." and posted["reports"][0]["failure"] is None
    assert "secret-part" not in done.said


@pytest.mark.parametrize("status", [302, 404])
def test_a_webhook_that_says_no_is_not_asked_again(hook, notebook, define, monkeypatch, status):
    monkeypatch.setenv("TEAM_HOOK", hook.address)
    hook.answers += [status]
    notebook(), define('[deliver]\nwebhook = "${TEAM_HOOK}"')
    done = once()
    assert done.status == 1 and f"Not sent: webhook: it answered {status}" in done.said and len(hook.bodies) == 1


@pytest.mark.parametrize("folder", ["shared/reports", "memory://bucket/reports"])
def test_files_are_copied_into_a_folder_or_an_object_store(notebook, define, folder):
    notebook(), define(f'[deliver]\nfolder = "{folder}"')
    done = once()
    assert done.status == 0, done.said
    system, root = fsspec.core.url_to_fs(folder)
    assert sorted(Path(name).name for name in system.ls(root, detail=False)) == ["ours.html", "ours.result.json"]
    page = system.cat_file(f"{root}/ours.html").decode()
    assert page == sent.alone(Path("out/ours.html").read_text(encoding="utf-8"))
    assert not re.search(r'href="(?!https?:|data:|#)', page), "it leads to no file that is not with it"


@pytest.mark.parametrize(("folder", "says"), [("taken", "Not sent: copy to taken: "), ("nostore://x", "Protocol not known: nostore")])
def test_a_folder_that_cannot_be_written_to_is_said(notebook, define, folder, says):
    notebook(), define(f'[deliver]\nfolder = "{folder}"'), Path("taken").write_text("")
    done = once()
    assert done.status == 1 and says in done.said


def test_a_pdf_goes_along_where_chromium_is_and_is_missed_in_a_sentence_where_it_is_not(
    smtp, notebook, define, monkeypatch, chromium_browser
):
    inbox = smtp()
    notebook(), define(f"{MAIL}pdf = true")
    assert once().status == 0
    assert [one.get_filename() for one in inbox.messages[0].iter_attachments()] == ["ours.html", "ours.pdf"]
    printed = list(inbox.messages[0].iter_attachments())[1].get_content()
    assert printed.startswith(b"%PDF") and b"file:" not in printed, "it does not tell where it was made"
    monkeypatch.setattr(pictures.shutil, "which", lambda name: None)
    assert once().status == 1 and "Chromium is not installed" in part(inbox.messages[1], "text/plain")


def test_the_numbers_go_along_as_a_workbook(smtp, notebook, define):
    inbox = smtp()
    notebook(), define(f'{MAIL}folder = "sent"\nxlsx = true')
    assert once().status == 0
    _, workbook = inbox.messages[0].iter_attachments()
    assert workbook.get_filename() == "ours.xlsx" and workbook.get_content() == Path("sent/ours.xlsx").read_bytes()


def test_what_is_too_large_to_attach_is_named_instead(smtp, notebook, define, monkeypatch):
    inbox = smtp()
    monkeypatch.setattr(mail, "MOST_ATTACHED_BYTES", 1000)
    notebook(), define(MAIL)
    assert once().status == 0
    assert not list(inbox.messages[0].iter_attachments())
    assert "Too large to attach, in the output folder: ours.html." in part(inbox.messages[0], "text/plain")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "ours.toml: mail needs the environment variable TOKCOST_SMTP_HOST; for example"),
        ({"HOST": "h"}, "TOKCOST_SMTP_FROM=reports@example.com"),
        ({"HOTS": "h"}, "TOKCOST_SMTP_HOTS is not known; did you mean `HOST`"),
        ({"HOST": "h", "FROM": "a@b.c", "SECURITY": "ssl"}, "TOKCOST_SMTP_SECURITY must be one of starttls, tls, none, got 'ssl'"),
        ({"HOST": "h", "FROM": "a@b.c", "PORT": "x"}, "TOKCOST_SMTP_PORT must be a port, 1 to 65535, got 'x'"),
        ({"HOST": "h", "FROM": "a@b.c", "SECURITY": "none", "PASSWORD": "p"}, "would go unencrypted"),
    ],
)
def test_a_server_that_is_not_set_is_answered_before_anything_is_made(notebook, define, monkeypatch, settings, says):
    for name, value in settings.items():
        monkeypatch.setenv(f"TOKCOST_SMTP_{name}", value)
    notebook(), define(MAIL)
    done = once()
    assert done.status == 2 and says in done.said and not Path("out").exists()


def test_a_variable_that_is_not_set_is_answered_before_anything_is_made(notebook, define):
    notebook(), define('[deliver]\nwebhook = "${TEAM_HOOK}"')
    done = once()
    assert done.status == 2 and "ours.toml: the environment variable TEAM_HOOK is not set" in done.said and not Path("out").exists()


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("cronsim", '[schedule]\ncron = "0 6 * * mon"\ntime_zone = "UTC"'),
        ("apscheduler", '[schedule]\ncron = "0 6 * * mon"\ntime_zone = "UTC"'),
        ("fsspec", '[deliver]\nfolder = "sent"'),
        ("resvg_py", MAIL),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(smtp, notebook, define, monkeypatch, package, text):
    smtp()
    for name in [name for name in sys.modules if name.split(".")[0] == package] + [package]:
        monkeypatch.setitem(sys.modules, name, None)  # an import of it fails, as if it were not installed
    notebook(), define(text)
    done = CliRunner().invoke(main, ["schedule", "ours.toml", *([] if "schedule" in text else ["--once"])])
    assert done.exit_code == 2 and f'{package} is not installed; install it with: pip install "tokcost[schedule]"' in done.stderr


def test_a_variable_is_secret_by_its_name_or_because_a_definition_names_it(monkeypatch):
    secret = [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "HF_TOKEN",
        "PGPASSWORD",
        "AZURE_STORAGE_CONNECTION_STRING",
        "HOOK",
        "TOKCOST_SMTP_USER",
    ]
    plain = ["TOKENIZERS_PARALLELISM", "TOKCOST_DATA_DIR", "KEYBOARD", "MONKEY"]
    for name in secret + plain:
        monkeypatch.setenv(name, f"value of {name}")
    seen = secrets.public(["https://example.com/${HOOK}"])
    assert not set(secret) & set(seen) and set(plain) <= set(seen)
    said = secrets.struck_out(" ".join(f"value of {name}," for name in secret + plain), ["${HOOK}"])
    assert said == " ".join(["***,"] * len(secret) + [f"value of {name}," for name in plain])
