"""What stands twice in a seed document that can stand there only once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from foas_emulator.seeds.document import Seed, SeedDocument

Place = tuple[str | int, ...]


def repetitions(document: SeedDocument) -> Iterator[tuple[Place, str]]:
    """Every place that repeats a name or an id which an earlier place has, and what is to be said of it."""
    projects = list(_items((), "projects", document.projects))
    folders = [found for place, project in projects for found in _items(place, "folders", project.folders)]
    jobs = [found for place, project in projects for found in _items(place, "jobs", project.jobs)]
    instances = [found for place, job in jobs for found in _items(place, "instances", job.instances)]
    yield from _repeated(_items((), "clusters", document.clusters), "cluster_id")
    yield from _repeated(projects, "name")
    for place, project in projects:
        yield from _repeated(_items(place, "queues", project.queues), "queue_name")
        yield from _repeated(_items(place, "folders", project.folders), "path")
        yield from _repeated(_items(place, "packages", project.packages), "package_name")
        yield from _repeated(_items(place, "jobs", project.jobs), "job_name")
    yield from _repeated(folders, "folder_id")
    yield from _repeated(instances, "id")


def _items(place: Place, name: str, parts: Sequence[Any]) -> Iterator[tuple[Place, Any]]:
    return (((*place, name, position), part) for position, part in enumerate(parts))


def _repeated(parts: Iterable[tuple[Place, Seed]], name: str) -> Iterator[tuple[Place, str]]:
    """The places of parts that give a member the value it has in an earlier part."""
    seen: set[Any] = set()
    for place, part in parts:
        value = getattr(part, name)
        if value in seen:
            yield (*place, type(part).model_fields[name].alias or name), f"{value!r} stands twice"
        if value is not None:
            seen.add(value)
