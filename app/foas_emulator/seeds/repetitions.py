"""Repetitions in a seed document of names and ids that must be unique."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from foas_emulator.seeds.limits import Place, quoted
from foas_emulator.seeds.parts import Part, Problem, folder_path, parts


def repetitions(document: Part) -> Iterator[Problem]:
    """Yield every place that repeats the name or the id of an earlier place, with a message."""
    projects = list(parts((), document, "projects"))
    jobs = [found for place, project in projects for found in parts(place, project, "jobs")]
    yield from _repeated(parts((), document, "clusters"), "ClusterId")
    yield from _repeated(projects, "Name")
    yield from _repeated(parts((), document, "faults"), "id")
    for place, project in projects:
        yield from _repeated(parts(place, project, "folders"), "Path", folder_path)
        yield from _repeated(parts(place, project, "packages"), "PackageName")
        yield from _repeated(parts(place, project, "jobs"), "JobName")
        yield from _repeated(parts(place, project, "queues"), "QueueName")
    folders = (found for place, project in projects for found in parts(place, project, "folders"))
    yield from _repeated(folders, "FolderId")
    yield from _repeated((found for place, job in jobs for found in parts(place, job, "instances")), "Id")


def _repeated(
    found: Iterable[tuple[Place, Part]], name: str, same: Callable[[str], str] = lambda value: value
) -> Iterator[Problem]:
    """Yield the places of parts in which a member has the same value as in an earlier part."""
    seen: set[Any] = set()
    for place, part in found:
        value = part.get(name)
        if not isinstance(value, str | int):
            continue
        key = same(value) if isinstance(value, str) else value
        if key in seen:
            yield (*place, name), f"{quoted(value) if isinstance(value, str) else value} is repeated"
        seen.add(key)
