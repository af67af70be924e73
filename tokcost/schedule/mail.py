"""Reports by mail: the answer in the body with its picture, the pages attached; the server is set by the environment."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.schedule.pictures import first_figure
from tokcost.schedule.secrets import SMTP, filled
from tokcost.schedule.summary import Summary

#: what many servers still take, after the third that base64 adds; what is beyond stays in the output folder
MOST_ATTACHED_BYTES = 15_000_000
_MOST_PICTURES = 5
_SECURITY = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT_S = 60
_KINDS = {".pdf": "pdf", ".xlsx": "vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True)
class Server:
    """Where mail is handed in, from the variables TOKCOST_SMTP_..."""

    host: str
    port: int
    sender: str
    security: str
    user: str
    password: str

    @classmethod
    def from_environment(cls) -> Server:
        """The server that is set; what is missing or wrong is named."""
        known = ("HOST", "PORT", "FROM", "SECURITY", "USER", "PASSWORD")
        given = {name.removeprefix(SMTP): value.strip() for name, value in os.environ.items() if name.startswith(SMTP)}
        for name in given:
            if name not in known:
                raise ReportError(f"the environment variable {SMTP}{name} is not known{nearest(name, known)}")
        for name, example in (("HOST", "smtp.example.com"), ("FROM", "reports@example.com")):
            if not given.get(name):
                raise ReportError(f"mail needs the environment variable {SMTP}{name}; for example {SMTP}{name}={example}")
        security = given.get("SECURITY", "starttls")
        if security not in _SECURITY:
            raise ReportError(f"{SMTP}SECURITY must be one of {', '.join(_SECURITY)}, got {security!r}")
        port = given.get("PORT", str(_SECURITY[security]))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ReportError(f"{SMTP}PORT must be a port, 1 to 65535, got {port!r}")
        if security == "none" and given.get("PASSWORD"):
            raise ReportError(f"{SMTP}PASSWORD would go unencrypted; set {SMTP}SECURITY to starttls or tls")
        return cls(given["HOST"], int(port), given["FROM"], security, given.get("USER", ""), given.get("PASSWORD", ""))

    def send(self, message: EmailMessage) -> None:
        """Hand the message in; raises OSError (smtplib's are) where the server does not take it."""
        context = ssl.create_default_context()
        if self.security == "tls":
            connection = smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)
        with connection:
            if self.security == "starttls":
                connection.starttls(context=context)
            if self.user:
                connection.login(self.user, self.password)
            refused = connection.send_message(message)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)


def compose(summary: Summary, sender: str, attached: dict[str, bytes]) -> EmailMessage:
    """The message: plain text, HTML with pictures inside, and files; those that make it too large are named instead."""
    message = EmailMessage()
    message["Subject"] = summary.subject
    message["From"] = sender
    message["To"] = ", ".join(map(filled, summary.task.delivery.email))
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or None)
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday note answers it
    fits: dict[str, bytes] = {}
    for name, content in attached.items():
        if sum(map(len, fits.values())) + len(content) <= MOST_ATTACHED_BYTES:
            fits[name] = content
    if left := [name for name in attached if name not in fits]:
        summary.troubles.append(f"Too large to attach, in the output folder: {', '.join(left)}.")
    pictures = {}
    for one in summary.outcomes:
        if one.result and len(pictures) < _MOST_PICTURES and (figure := first_figure(one.page.with_suffix(".ipynb"))):
            pictures[one.name] = (make_msgid(domain="tokcost"), *figure)
    message.set_content(summary.text())
    shown = {name: (identity[1:-1], alt) for name, (identity, _, alt) in pictures.items()}
    message.add_alternative(summary.html(shown), subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    for name, (identity, png, _) in pictures.items():
        html.add_related(png, "image", "png", cid=identity, filename=f"{name}.png", disposition="inline")  # type: ignore[union-attr]
    for name, content in fits.items():
        kind = _KINDS.get(Path(name).suffix)
        if kind:
            message.add_attachment(content, "application", kind, filename=name)
        else:
            message.add_attachment(content.decode(), subtype="html", cte="base64", filename=name)
    return message
