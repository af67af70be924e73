"""Sending the outcomes of a task: what goes where, tried again where that may help, and never in silence."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable
from urllib.error import URLError

from tokcost.report.errors import ReportError, ReportFailed
from tokcost.schedule import mail, places
from tokcost.schedule.extra import needed
from tokcost.schedule.make import Outcome, Say
from tokcost.schedule.secrets import filled, struck_out
from tokcost.schedule.sent import files
from tokcost.schedule.summary import Summary
from tokcost.schedule.task import Delivery, Task

#: seconds before a second and a third try
WAITS_S = (5, 30)
_FINAL = (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError, ssl.SSLError)


def check(tasks: list[Task]) -> None:
    """Refuse what could not be sent, before anything is made: a variable, a mail server or a package that is missing."""
    for task in tasks:
        try:
            for address in task.delivery.addresses:
                filled(address)
            if task.delivery.email:
                mail.Server.from_environment()
                needed("resvg_py")
            if task.delivery.folder:
                needed("fsspec")
        except ReportError as error:
            raise ReportError(f"{task.path}: {error}") from None


def deliver(task: Task, outcomes: list[Outcome], say: Say) -> bool:
    """Send the outcomes where the definition says; whether all that was to be sent was."""
    delivery, summary = task.delivery, Summary(task, outcomes, [])
    if not delivery.addresses:
        return True
    if not _wanted(delivery, summary):
        say(f"{task.name}: not sent: " + ("no alert was set off" if delivery.when == "alert" else "the answer is as before"))
        return True
    sent = files(delivery, outcomes, summary.troubles.append)
    for trouble in summary.troubles:
        say(f"{task.name}: {trouble}")
    went_well = not summary.troubles
    if delivery.folder:
        went_well &= _try(f"copy to {delivery.folder}", lambda: places.copy(sent, filled(delivery.folder)), summary, say)
    if delivery.webhook:
        went_well &= _try("webhook", lambda: places.post(filled(delivery.webhook), summary.payload()), summary, say)
    if delivery.email:  # last: it tells what else could not be sent
        went_well &= _try(f"mail to {', '.join(delivery.email)}", lambda: _mail(summary, sent), summary, say)
    return went_well


def _mail(summary: Summary, sent: dict[str, bytes]) -> None:
    server = mail.Server.from_environment()
    attached = {name: content for name, content in sent.items() if not name.endswith(".json")}
    server.send(mail.compose(summary, server.sender, attached))


def _wanted(delivery: Delivery, summary: Summary) -> bool:
    """Failure is always wanted."""
    return {
        "always": True,
        "change": summary.status != "unchanged",
        "alert": summary.status in ("failed", "alert"),
    }[delivery.when]


def _try(what: str, send: Callable[[], None], summary: Summary, say: Say) -> bool:
    """Send, up to three times where the trouble may pass; what is left of it is said, and told to the mail that follows."""
    name = summary.task.name
    for wait_s in (*WAITS_S, None):
        try:
            send()
            say(f"{name}: sent: {what}")
            return True
        except Exception as error:  # whatever a server does, the next report is made
            why = struck_out(_in_words(error), summary.task.delivery.addresses)
            if wait_s is None or not _may_pass(error):
                break
            say(f"{name}: {what} did not work, tried again in {wait_s} s: {why}")
            time.sleep(wait_s)
    sentence = f"Not sent: {what}: {why}"
    summary.troubles.append(sentence)
    say(f"{name}: {sentence}")
    return False


def _may_pass(error: Exception) -> bool:
    """Whether a later try may succeed: nobody answered, or the server says that it is busy."""
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 500
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(400 <= code < 500 for code, _ in error.recipients.values())
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    return isinstance(error, OSError) and not isinstance(error, _FINAL)


def _in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{to} is refused: {code} {_decoded(said)}" for to, (code, said) in error.recipients.items())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server says {error.smtp_code} {_decoded(error.smtp_error)}"
    if isinstance(error, (ReportError, ReportFailed)):
        return str(error)
    if isinstance(error, URLError):
        return _in_words(error.reason) if isinstance(error.reason, Exception) else str(error.reason)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the server is not trusted: {error.verify_message}"
    if isinstance(error, OSError):
        return str(error.strerror or error)
    return f"{type(error).__name__}: {error}"


def _decoded(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
