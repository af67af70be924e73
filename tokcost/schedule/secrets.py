"""Passwords and addresses that are secret: taken from the environment, kept from notebooks, struck out of every log line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from tokcost.report.errors import ReportError

#: the mail server; what is not set is as in `DEFAULTS`
SMTP = "TOKCOST_SMTP_"
_NAMED = re.compile(r"\$\{(\w+)\}")
#: a variable so called is nobody's business in a notebook, whether or not a definition names it
_SECRET_NAME = re.compile(r"(?:^|_)(?:\w*PASSWORD|PASSWD|SECRETS?|TOKENS?|CREDENTIALS?|KEY|KEY_ID|CONNECTION_STRING)(?:_|$)", re.I)
_STRUCK_OUT = "***"


def filled(text: str) -> str:
    """`text` with each `${NAME}` replaced by that environment variable."""
    for name in named(text):
        if not os.environ.get(name):
            raise ReportError(f"the environment variable {name} is not set; set it to what {text} stands for")
    return _NAMED.sub(lambda found: os.environ[found[1]], text)


def named(text: str) -> list[str]:
    """The environment variables that `text` names.

    >>> named("https://${HOST}/hooks/${TEAM_TOKEN}")
    ['HOST', 'TEAM_TOKEN']
    """
    return _NAMED.findall(text)


def _is_secret(name: str, addresses: Iterable[str]) -> bool:
    return name.startswith(SMTP) or bool(_SECRET_NAME.search(name)) or any(name in named(text) for text in addresses)


def public(addresses: Iterable[str]) -> dict[str, str]:
    """The environment for a notebook: without secrets, and without what `addresses` of deliveries name."""
    addresses = list(addresses)
    return {name: value for name, value in os.environ.items() if not _is_secret(name, addresses)}


def struck_out(sentence: str, addresses: Iterable[str]) -> str:
    """`sentence` with every value that is secret struck out."""
    addresses = list(addresses)
    values = {value for name, value in os.environ.items() if _is_secret(name, addresses) and name not in _PLAIN and len(value) > 3}
    for value in sorted(values, key=len, reverse=True):
        sentence = sentence.replace(value, _STRUCK_OUT)
    return sentence


#: of the mail server's settings, those that a log may say
_PLAIN = {f"{SMTP}{name}" for name in ("HOST", "PORT", "FROM", "SECURITY")}
