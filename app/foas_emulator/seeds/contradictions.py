"""Contradictions between places of a seed document."""

from collections.abc import Iterator

from foas_emulator.blink.kinds import SQL, STREAM
from foas_emulator.seeds.limits import Place, quoted
from foas_emulator.seeds.parts import Part, Problem, parts, text

_TYPES = {"JobType": STREAM, "ApiType": SQL}
"""The types of a job that gives none, and whose instances give none."""


def contradictions(document: Part) -> Iterator[Problem]:
    """Yield every place that contradicts the parts that contain it."""
    for place, project in parts((), document, "projects"):
        project_name = text(project, "Name")
        for part in ("jobs", "packages"):
            for inner, found in parts(place, project, part):
                yield from _differs(inner, found, "ProjectName", project_name, "the project's name is")
        for job_place, job in parts(place, project, "jobs"):
            yield from _of_job(job_place, job, project_name)


def _of_job(place: Place, job: Part, project_name: str | None) -> Iterator[Problem]:
    instances = list(parts(place, job, "instances"))
    if instances and job.get("IsCommitted") is False:
        yield (*place, "IsCommitted"), "a job that has instances is committed; leave out one of the two"
    types = {name: text(job, name) or _first(instances, name) or default for name, default in _TYPES.items()}
    for inner, instance in instances:
        yield from _differs(inner, instance, "ProjectName", project_name, "the project's name is")
        yield from _differs(inner, instance, "JobName", text(job, "JobName"), "the job's name is")
        for name, expected in types.items():
            yield from _differs(inner, instance, name, expected, f"the job's {name} is")
    current = [inner for inner, instance in instances if instance.get("is_archived") is False]
    if types["JobType"] == STREAM:
        for inner in current[1:]:
            yield (*inner, "is_archived"), "a stream job has one instance that is not archived, and an earlier one is"


def _first(instances: list[tuple[Place, Part]], name: str) -> str | None:
    """Return the value of a member in the first instance that has it: it holds for the job too."""
    return next((given for _, instance in instances if (given := text(instance, name)) is not None), None)


def _differs(place: Place, part: Part, name: str, expected: str | None, what: str) -> Iterator[Problem]:
    given = text(part, name)
    if given is not None and expected is not None and given != expected:
        yield (*place, name), f"{quoted(given)} contradicts the part around it: {what} {quoted(expected)}"
