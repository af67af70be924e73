"""The report for programs: `NAME.result.json`, the same bytes for the same inputs but for its `times`."""

from __future__ import annotations

import functools
import json
import platform
from importlib import metadata

import tokcost
from tokcost import quantities
from tokcost.report.execution.run import Run
from tokcost.report.page.contents import Contents

SCHEMA = 1
_PACKAGES = ("ipykernel", "matplotlib", "nbclient", "nbconvert", "numpy", "pandas", "papermill", "scipy", "seaborn")


@functools.cache
def versions() -> dict[str, str]:
    """What the numbers were made with."""
    found = {"tokcost": tokcost.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def record(run: Run, contents: Contents) -> dict:
    """Everything that a later program may want to compare, keep or alert on."""
    return {
        "schema": SCHEMA,
        "name": run.job.name,
        "notebook": run.job.notebook.name,
        "question": contents.question,
        "group": run.job.group,
        "answer": contents.answer
        and {
            **{part: _plain(contents.answer[part]) for part in ("text", "decision", "detail", "interval")},
            "inputs": contents.answer["inputs"],
        },
        "measured_to": contents.measured_to,
        "prices_of": contents.prices_of,
        "index_table": contents.index_table,
        "what_if": contents.what_if,
        "results": [{key: value for key, value in entry.items() if key != "kind"} for entry in contents.results],
        "checks": [{key: value for key, value in entry.items() if key != "kind"} for entry in contents.checks],
        "parameters": {
            s.parameter.name: {
                "value": s.value,
                "default": s.parameter.default,
                "origin": s.origin,
                "unit": quantities.unit(s.parameter.name),
            }
            for s in run.settings
        },
        "data": contents.tables,
        "sources": [source["source_id"] for source in contents.sources if "source_id" in source],
        "assumptions": [_plain(a) for a in contents.assumptions],
        "versions": versions(),
        "times": {"started": run.started.isoformat(timespec="seconds"), "seconds": round(run.seconds, 3)},
    }


def _plain(markdown: str | None) -> str | None:
    """Dollars without the backslash that Markdown needs."""
    return markdown and markdown.replace("\\$", "$")


def to_json(content: dict) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
