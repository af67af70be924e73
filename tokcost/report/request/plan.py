"""From jobs to plans: every notebook, name and value is checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter
from tokcost.parameters.settings import Layer, Setting, require_known, settings
from tokcost.report.request.declared import read_exclusions, read_parameters
from tokcost.report.request.definition import Job, Refused


@dataclass(frozen=True)
class Plan:
    """A report that is ready to run: every value known and allowed."""

    job: Job
    settings: list[Setting]
    unused: list[str]


def plan(jobs: list[Job], layers: list[Layer]) -> tuple[list[Plan], list[Refused]]:
    """Check all jobs and all values before anything runs; a job whose own files are wrong is refused, and the others planned.

    `layers` (the command line, files given there) are of the whole request: what is wrong in them is a wrong request. A name
    that some report lacks must belong to another.
    """
    declared: dict[str, list[Parameter]] = {}
    refused = []
    for job in jobs:
        try:
            parameters = read_parameters(job.notebook)
            require_known(job.layer, {job.notebook.name: parameters})
            settings(parameters, [job.layer])
            read_exclusions(job.notebook)
        except InputError as error:
            refused.append(Refused(job.name, str(error)))
        else:
            declared[job.name] = parameters
    jobs = [job for job in jobs if job.name in declared]
    for layer in layers if jobs else []:
        require_known(layer, {job.notebook.name: declared[job.name] for job in jobs})
    return [_planned(job, declared[job.name], layers) for job in jobs], refused


def _planned(job: Job, parameters: list[Parameter], layers: list[Layer]) -> Plan:
    names = {p.name for p in parameters}
    unused = [name for layer in layers for name in layer.values if name not in names]
    chosen = settings(parameters, [job.layer, *layers])
    for exclusion in read_exclusions(job.notebook):
        try:
            exclusion.check(chosen)
        except InputError as error:
            raise InputError(f"{job.name}: {error}") from None
    return Plan(job, chosen, list(dict.fromkeys(unused)))
