"""A job in its present state, as a seed document that recreates it in another world."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml

from foas_emulator.operations.clusters.rows import find_cluster
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.instances.rows import Instance, find_instance, last_ids
from foas_emulator.operations.jobs.rows import Job, find_committed
from foas_emulator.operations.packages.rows import Package, find_package
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.operations.required import MOST_NAMES
from foas_emulator.seeds.document import (
    Seed,
    SeedCluster,
    SeedFolder,
    SeedInstance,
    SeedJob,
    SeedPackage,
    SeedProject,
    SeedQueue,
)
from foas_emulator.world.tables import Row, equal
from foas_emulator.world.world import World

MOST_INSTANCES = 20
MOST_CHARACTERS = 200_000
"""The most characters of a seed on a page: to write so many takes a quarter of a second, in a thread."""
_NESTED = ("project_name", "job_name", "job_type", "api_type")
"""Members that an instance takes from its job."""


def seed_of_job(world: World, project: Project, job: Job, *, instance: int | None = None) -> dict[str, Any] | None:
    """Return the seed of a job with the resources that it uses: its project, cluster, queues, folder and packages.

    Return None if it is too long for a page.

    It has the last instances of the job, or only the given one. It has neither pending changes nor an older, committed
    version of the job, and a job that is offline and has instances becomes a committed one: no seed has such a job.
    """
    numbers = last_ids(world, job.project_name, job.job_name, MOST_INSTANCES) if instance is None else [instance]
    written = members(SeedJob, job, leave_out=["project_name"])
    content = members(SeedInstance, job, leave_out=_NESTED)
    committed = find_committed(world, job)
    scale = None if committed is None else committed.auto_scale_params
    if scale:
        written["auto_scale_params"] = content["AutoScaleParams"] = scale
    runs: list[Instance] = []
    for number in numbers:
        if length_of(written) > MOST_CHARACTERS:
            return None  # before another one with its texts is read
        run = find_instance(world, job.project_name, job.job_name, number)
        if run is not None:
            runs.append(run)
            written.setdefault("instances", []).append(_instance(run, content))
    if committed is None and not runs:
        written["IsCommitted"] = False
    if length_of(written) > MOST_CHARACTERS:
        return None
    document = _document(world, project, job, runs, written)
    return None if document is None or length_of(document) > MOST_CHARACTERS else document


def length_of(part: object) -> int:
    """Return the number of characters of all texts in a seed."""
    if isinstance(part, Mapping):
        return sum(map(length_of, part.values()))
    return sum(map(length_of, part)) if isinstance(part, list) else len(str(part))


def seed_text(document: Mapping[str, Any]) -> str:
    """Return a seed document as YAML, with multi-line texts as blocks."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def members(model: type[Seed], row: Row, *, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """Return the members of a seed's part from a row, without those that are null or have their default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        value = getattr(row, name, None)
        if name not in leave_out and value is not None and value != field.default:
            found[field.alias or name] = value
    return found


def _instance(run: Instance, content: Mapping[str, Any]) -> dict[str, Any]:
    written = members(SeedInstance, run, leave_out=_NESTED)
    followed = {name for name, value in content.items() if written.get(name) == value}
    kept = {name: value for name, value in written.items() if name not in followed}
    lacking = {name: "" for name in content if name not in written}  # texts that it would take from its job
    return {"ActualState": run.actual_state, **lacking, **kept, "is_archived": run.is_archived}


def _document(
    world: World, project: Project, job: Job, runs: Sequence[Instance], written: dict[str, Any]
) -> dict[str, Any] | None:
    store = world.store
    used = {(job.cluster_id, job.queue_name), *((run.cluster_id, run.queue_name) for run in runs)}
    queues = [
        queue
        for queue in store.find(Queue, equal(Queue.project_name, project.name))
        if (queue.cluster_id, queue.queue_name) in used
    ]
    cluster_ids = {project.cluster_id, job.cluster_id, *(queue.cluster_id for queue in queues)}
    # An offline job may still name a queue that was unbound, and packages that are gone; a seed must have them.
    is_bound = any((each.cluster_id, each.queue_name) == (job.cluster_id, job.queue_name) for each in queues)
    unbound = [] if is_bound else [{"QueueName": job.queue_name, "ClusterId": job.cluster_id}]
    folder = store.get(Folder, equal(Folder.folder_id, job.folder_id))
    named = {name.strip() for each in (job, *runs) for name in (each.packages or "").split(",")}
    if len(named) > MOST_NAMES:
        return None
    packages = [find_package(world, project.name, name) or name for name in sorted(filter(None, named))]
    clusters = [found for key in sorted(filter(None, cluster_ids)) if (found := find_cluster(world, key)) is not None]
    parts: dict[str, Any] = {
        "queues": [*(members(SeedQueue, each) for each in queues), *unbound],
        "folders": [] if folder is None else [members(SeedFolder, folder)],
        "packages": [_package(each) for each in packages],
        "jobs": [written],
    }
    # A project of an older version may name a cluster that there is not.
    unknown = {each.cluster_id for each in clusters}.isdisjoint({project.cluster_id})
    written_project = members(SeedProject, project, leave_out=["cluster_id"] if unknown else ())
    return {
        "clusters": [members(SeedCluster, each) for each in clusters],
        "projects": [written_project | {name: part for name, part in parts.items() if part}],
    }


def _package(package: Package | str) -> dict[str, Any]:
    """Return a package, or one that is gone by its name."""
    if isinstance(package, str):
        return {"PackageName": package}
    return members(SeedPackage, package, leave_out=["project_name"])


class _Dumper(yaml.SafeDumper):
    """A dumper that writes multi-line texts as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Outside double quotes, they end lines to what reads YAML, and not to what indents a file to make it a part.
    is_quoted = any(end in text for end in ("\x85", "\u2028", "\u2029"))
    style = '"' if is_quoted else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
