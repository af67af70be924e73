"""From jobs to plans: every notebook, name and value is checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from tokcost.report.errors import ReportError
from tokcost.report.request.definition import Job
from tokcost.report.request.exclusions import read_exclusions
from tokcost.report.request.parameters import read_parameters
from tokcost.report.request.settings import Layer, Setting, require_known, settings


@dataclass(frozen=True)
class Plan:
    """A report that is ready to run: every value known and allowed."""

    job: Job
    settings: list[Setting]
    unused: list[str]


def plan(jobs: list[Job], layers: list[Layer]) -> list[Plan]:
    """Check all jobs and all values before anything runs. A name that some report lacks must belong to another."""
    declared = {}
    for job in jobs:
        declared[job.name] = read_parameters(job.notebook)
        require_known(job.layer, {job.notebook.name: declared[job.name]})
    for layer in layers:
        require_known(layer, {job.notebook.name: declared[job.name] for job in jobs})
    plans = []
    for job in jobs:
        names = {p.name for p in declared[job.name]}
        unused = [name for layer in layers for name in layer.values if name not in names]
        chosen = settings(declared[job.name], [job.layer, *layers])
        for exclusion in read_exclusions(job.notebook):
            try:
                exclusion.check(chosen)
            except ReportError as error:
                raise ReportError(f"{job.name}: {error}") from None
        plans.append(Plan(job, chosen, list(dict.fromkeys(unused))))
    return plans
