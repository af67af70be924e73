"""The tables `[schedule]` and `[deliver]` of a report definition: what each key holds and means, checked and said to editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tokcost.parameters.hints import said
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.report.request import definition


class Key(NamedTuple):
    """One key of a table: the type that it holds, what it means, an example, and what it may be where that is a short list."""

    kind: type
    meaning: str
    example: Any
    choices: tuple[str, ...] = ()
    required: bool = False


SCHEDULE = {
    "cron": Key(str, "When: minute, hour, day of month, month, day of week, as cron reads them.", "0 6 * * mon", required=True),
    "time_zone": Key(str, "Whose clock: a name of the IANA time zone database.", "Europe/Berlin", required=True),
}

DELIVER = {
    "when": Key(str, "Which runs are delivered; one that failed always is.", "always", ("always", "change", "alert")),
    "email": Key(list, "To whom it is mailed. The mail server is set by environment variables TOKCOST_SMTP_...", ["finance@example.com"]),
    "webhook": Key(str, "An address that gets the answer as JSON; ${NAME} stands for an environment variable.", "${TEAM_WEBHOOK}"),
    "folder": Key(str, "Where the files are copied: a folder, or an address such as s3://bucket/path.", "s3://our-bucket/reports"),
    "xlsx": Key(bool, "Whether the numbers go along as a workbook.", True),
    "pdf": Key(bool, "Whether a PDF goes along; needs Chromium.", True),
}

TABLES = {"schedule": SCHEDULE, "deliver": DELIVER}

#: the keys beside those tables, for editors; `definition.KEYS` says their types
MEANINGS = {
    "notebook": "The notebook to execute: a path relative to this file, or the bare name of one of the suite.",
    "name": "How the files of the report are called; this file's own name where it is left out.",
    "title": "The title of the report; the question of the notebook where it is left out.",
    "group": "The heading of the index under which the report stands; the headings stand in the order of the alphabet.",
    "parameters": "Values of the notebook's parameters; tokcost report --help-parameters NOTEBOOK lists them.",
    "alerts": "Lines such as total_token_cost_usd_per_mtok > 5: each is told once, when it begins.",
    "show_code": "Whether the code of the notebook is shown.",
    "one_page": "Whether the printed page (and the PDF) holds the summary and no more.",
    "each": "One report each: for every row of a CSV table, or for every combination of the lists of a grid.",
    "schedule": "When tokcost schedule makes this report.",
    "deliver": "Where tokcost schedule sends it.",
}

_WORDS = {str: "text", bool: "true or false", list: "a list of texts"}
_SCHEMA_TYPES = {str: "string", bool: "boolean", dict: "object", list: "array"}


def check_table(path: Path, table: str, content: dict) -> dict:
    """The content of one of `TABLES`, each key known and of its type; messages name file, key and fix."""
    keys = TABLES[table]
    for name, value in sorted(content.items(), key=lambda item: item[0] in keys):
        if name not in keys:
            raise ReportError(f"{path}: [{table}] has an unknown key `{name}`{nearest(name, keys)}")
        key = keys[name]
        fits = isinstance(value, key.kind) and (key.kind is not list or (value and all(isinstance(entry, str) for entry in value)))
        if not fits:
            raise ReportError(f"{path}: `{table}.{name}` must be {_WORDS[key.kind]}, got {said(value)}; write {_line(name, key)}")
        if key.choices and value not in key.choices:
            raise ReportError(f"{path}: `{table}.{name}` must be one of {', '.join(key.choices)}, got {said(value)}")
    for name, key in keys.items():
        if key.required and name not in content:
            raise ReportError(f"{path}: [{table}] does not say its `{name}`; add a line such as {_line(name, key)}")
    return content


def _line(name: str, key: Key) -> str:
    return f"{name} = {json.dumps(key.example)}"


def json_schema() -> dict:
    """The JSON Schema of a report definition: editors complete and check definitions with it."""
    properties = {name: _property(name, kind) for name, (kind, *_) in definition.KEYS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report definition of tokcost",
        "type": "object",
        "properties": properties,
        "required": ["notebook"],
        "additionalProperties": False,
    }


def _property(name: str, kind: type | tuple[type, ...]) -> dict:
    about = {"description": MEANINGS[name]} if name in MEANINGS else {}
    if name in TABLES:
        keys = TABLES[name]
        required = [key for key, one in keys.items() if one.required]
        inner = {key: _inner(one) for key, one in keys.items()}
        return about | {"type": "object", "properties": inner, "required": required, "additionalProperties": False}
    kinds = kind if isinstance(kind, tuple) else (kind,)
    types = [_SCHEMA_TYPES[one] for one in kinds]
    return about | {"type": types if len(types) > 1 else types[0]}


def _inner(key: Key) -> dict:
    shape = {"type": "array", "items": {"type": "string"}, "minItems": 1} if key.kind is list else {"type": _SCHEMA_TYPES[key.kind]}
    chosen = {"enum": list(key.choices)} if key.choices else {}
    return {"description": key.meaning, **shape, **chosen, "examples": [key.example]}
