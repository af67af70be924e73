"""What a page leads to: the reports that lie in its directory, and those that are made with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tokcost.report.page.contents import question_of
from tokcost.report.page.index import HOME, moves, question_in
from tokcost.report.request.plan import Plan
from tokcost.report.request.reading import read_notebook
from tokcost.show.text import literal

#: pages beside the reports
_NO_REPORTS = ("index", "glossary")


@dataclass(frozen=True)
class Around:
    """`links`: notebook file name -> the page that shows it; `questions`: report -> what it asks."""

    links: dict[str, str]
    questions: dict[str, str]
    has_index: bool

    def moves(self, name: str) -> dict[str, tuple[str, str]]:
        """Where a reader of the report `name` can go: to all reports, and to the one before and the one after."""
        return (HOME if self.has_index else {}) | moves({name: ""} | self.questions, name)

    def without(self, lost: set[str]) -> Around:
        """The same, when these reports did not come to be."""
        links = {notebook: page for notebook, page in self.links.items() if page.removesuffix(".html") not in lost}
        return replace(self, links=links, questions={name: asked for name, asked in self.questions.items() if name not in lost})


def around(directory: Path, plans: list[Plan], *, has_index: bool) -> Around:
    """What pages of `plans` lead to: each other, and what lies in `directory`; as each definition, or its notebook, asks."""
    links = {f"{path.stem}.ipynb": path.name for path in sorted(directory.glob("*.html")) if path.stem not in _NO_REPORTS}
    links |= {ready.job.notebook.name: f"{ready.job.name}.html" for ready in plans}
    planned = {ready.job.name: literal(ready.job.title or "") or question_of(read_notebook(ready.job.notebook)) for ready in plans}
    there = {path.name.removesuffix(".result.json"): path for path in directory.glob("*.result.json")}
    made = {name: question_in(path) for name, path in there.items() if name not in planned}
    return Around(links, made | planned, has_index)
