"""Apply a seed document to a world, all or nothing; a resource with the same key is replaced as a whole."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from foas_emulator.blink import versions
from foas_emulator.blink.kinds import SQL, STREAM
from foas_emulator.blink.runtime import engine_job_handler
from foas_emulator.faults.rules import RuleLimitError, arm
from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.clusters.rows import Cluster, cluster_ids
from foas_emulator.operations.clusters.service import MOST_CLUSTERS
from foas_emulator.operations.columns import ACCOUNT, made_at
from foas_emulator.operations.folders import service as folders
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.instances.lifecycle import FAILED, LIVE, MOST_INSTANCES, RUNNING, UNKNOWN_DELAY, WAITING
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.projects.service import MOST_PROJECTS
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.operations.queues.service import MOST_QUEUES
from foas_emulator.seeds.document import (
    MOST_PLANNED,
    SeedCluster,
    SeedDocument,
    SeedInstance,
    SeedJob,
    SeedProject,
    SeedQueue,
)
from foas_emulator.seeds.errors import Origin, SeedError
from foas_emulator.seeds.limits import MAX_FAULTS, Place
from foas_emulator.seeds.parts import folder_path, own_queue
from foas_emulator.showing import Suggestions
from foas_emulator.world.durations import duration
from foas_emulator.world.ids import raise_counter
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.tables import R, equal
from foas_emulator.world.world import World

_REGION = "cn-hangzhou"
"""The region of a seeded project that names none."""
MOST_FOLDERS = 1000
"""The most folders of a project in a document, all of which one answer may show; calls make fewer. It is ours."""
MOST_PARTS = 20_000
"""The same for jobs and for packages: a list counts them for every call."""

_COUNTED = re.compile("[0-9]{1,18}")
"""FileIds that the counter could reach."""
_QueueKey = tuple[str, str]
"""The cluster and the name of a queue."""
_EXPECTED = {WAITING: RUNNING, FAILED: RUNNING}


def apply(world: World, document: SeedDocument) -> None:
    """Merge a seed document into a world: resources that it names are replaced as a whole, all others are kept.

    Raise `SeedError`, and change nothing, if the document does not fit the world: a cluster that neither of them has, a
    folder id that another project's folder has, a queue of two projects, a timeline that goes beyond the year 9999, or
    too many clusters, projects, instances or fault rules.
    """
    with world.transaction():
        # Now, too, because putting one of them takes a tenth of a millisecond, and documents can have millions.
        _require_room(document, clusters=len(document.clusters), projects=len(document.projects))
        _require_clusters(world, document)
        _reserve_ids(world, document)
        for cluster in document.clusters:
            _put_cluster(world, cluster)
        for project in document.projects:  # all before the first is put: one may get an id that another one had
            projects.remove(world, project.name)
        bound: dict[_QueueKey, str] = {}
        for position, project in enumerate(document.projects):
            _put_project(world, project, _Place(document.origin, ("projects", position)), bound)
        _require_room(document, clusters=world.store.count(Cluster), projects=world.store.count(Project))
        for position, fault in enumerate(document.faults):
            try:
                arm(world, fault, rule_id=fault.id)
            except RuleLimitError as error:
                raise _Place(document.origin, ("faults", position)).fault(str(error)) from None
        if document.settings:
            world.set(document.settings)
    world.cache.discard_from_rows()  # an instance may have been replaced by another one with its id


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a seed document, for errors that are found when it is applied to a world."""

    origin: Origin
    place: Place

    def inner(self, *parts: str | int) -> "_Place":
        return _Place(self.origin, (*self.place, *parts))

    def fault(self, message: str) -> SeedError:
        return SeedError([self.origin.fault(self.place, message)])


def _require_room(document: SeedDocument, *, clusters: int, projects: int) -> None:
    """Raise `SeedError` if a world may not have so many clusters or projects."""
    for part, number, most in (("clusters", clusters, MOST_CLUSTERS), ("projects", projects, MOST_PROJECTS)):
        if number > most:
            raise _Place(document.origin, (part,)).fault(f"the world would have over {most} {part}")


def _require_clusters(world: World, document: SeedDocument) -> None:
    known = {*cluster_ids(world.store), *(cluster.cluster_id for cluster in document.clusters)}
    suggestions = Suggestions()
    wrong = ((place, name) for place, name in _named_clusters(document) if name not in known)
    faults = [
        document.origin.fault((*place, "ClusterId"), f"there is no cluster {name!r}{suggestions.nearest(name, known)}")
        for place, name in islice(wrong, MAX_FAULTS)
    ]
    if faults:
        raise SeedError(faults)


def _named_clusters(document: SeedDocument) -> Iterator[tuple[Place, str]]:
    for at, project in enumerate(document.projects):
        places: list[tuple[Place, SeedProject | SeedQueue | SeedJob]] = [((), project)]
        places += ((("queues", position), queue) for position, queue in enumerate(project.queues))
        places += ((("jobs", position), job) for position, job in enumerate(project.jobs))
        for place, part in places:
            if part.cluster_id is not None:
                yield ("projects", at, *place), part.cluster_id


def _reserve_ids(world: World, document: SeedDocument) -> None:
    """Raise the counters above every id in the document, so that resources without one never get any of them."""
    for project in document.projects:
        for folder in project.folders:
            raise_counter(world.store, "folder", folder.folder_id or 0)
        for job in project.jobs:
            if job.file_id and _COUNTED.fullmatch(job.file_id):
                raise_counter(world.store, "file", int(job.file_id))
            for instance in job.instances:
                raise_counter(world.store, "instance", instance.id or 0)


def _put_cluster(world: World, seed: SeedCluster) -> None:
    now = world.second()
    world.cancel(f"cluster:{seed.cluster_id}")
    world.store.delete(Cluster, equal(Cluster.cluster_id, seed.cluster_id))
    world.store.insert(
        _row(Cluster, seed.given(), owner_id=ACCOUNT, operator=ACCOUNT, gmt_create=now, gmt_modified=now)
    )


def _put_project(world: World, seed: SeedProject, place: _Place, bound: dict[_QueueKey, str]) -> None:
    now = world.second()
    cluster_id = seed.cluster_id or _some_cluster(world)
    for part, seeded, most in (
        ("jobs", seed.jobs, MOST_PARTS),
        ("packages", seed.packages, MOST_PARTS),
        ("queues", seed.queues, MOST_QUEUES),
    ):
        if len(seeded) > most:
            raise place.inner(part).fault(f"the project would have over {most} {part}")
    instances = [instance for job in seed.jobs for instance in job.instances]
    if len(instances) > MOST_INSTANCES:
        raise place.inner("jobs").fault(f"together they have over {MOST_INSTANCES} instances")
    if sum(len(instance.timeline) for instance in instances) > MOST_PLANNED:
        raise place.inner("jobs").fault(f"together their timelines have over {MOST_PLANNED} states")
    world.store.insert(
        _row(
            Project,
            seed.given(),
            id=world.next_token("project"),
            **made_at(now),
            cluster_id=cluster_id,
            region=_REGION,
        )
    )
    _put_queues(world, seed, cluster_id, place, bound)
    _put_folders(world, seed, place)
    for package in seed.packages:
        world.store.insert(
            _row(
                Package,
                package.given() | {"project_name": seed.name},
                **made_at(now),
            )
        )
    queues = _queues_by_what_names_them(world, seed.name)
    for position, job in enumerate(seed.jobs):
        queue, job_place = queues.get((job.queue_name, job.cluster_id)), place.inner("jobs", position)
        if queue is None:  # the cluster of the queues was not known before
            raise job_place.inner("ClusterId").fault(f"cluster {job.cluster_id!r} has no such queue of the project")
        _put_job(world, seed, job, queue, job_place)


def _some_cluster(world: World) -> str:
    """Return the id of the world's first cluster; create a cluster if there is none."""
    cluster = world.store.get(Cluster)
    if cluster is not None:
        return cluster.cluster_id
    cluster_id = world.next_token("cluster")
    _put_cluster(world, SeedCluster.model_validate({"ClusterId": cluster_id}))
    return cluster_id


def _put_queues(
    world: World, project: SeedProject, cluster_id: str, place: _Place, bound: dict[_QueueKey, str]
) -> None:
    """Bind a project's queues to it. `bound` are those of the projects before it, which it does not take away."""
    queues = project.queues or [SeedQueue.model_validate({"QueueName": own_queue(project.name)})]
    for position, queue in enumerate(queues):
        row = _row(Queue, queue.given() | {"project_name": project.name}, cluster_id=cluster_id)
        key = row.cluster_id, row.queue_name
        if bound.setdefault(key, project.name) != project.name:
            name = place.inner("queues", position, "QueueName") if project.queues else place.inner("Name")
            raise name.fault(f"queue {row.queue_name!r} of cluster {row.cluster_id} is bound to project {bound[key]!r}")
        world.store.delete(Queue, equal(Queue.cluster_id, row.cluster_id), equal(Queue.queue_name, row.queue_name))
        world.store.insert(row)
        if world.store.count(Queue, equal(Queue.cluster_id, row.cluster_id)) > MOST_QUEUES:
            name = place.inner("queues", position) if project.queues else place.inner("Name")
            raise name.fault(
                f"cluster {row.cluster_id} would have over {MOST_QUEUES} queues, all of which answers show"
            )


def _put_folders(world: World, project: SeedProject, place: _Place) -> None:
    given = {folder_path(folder.path): folder.folder_id for folder in project.folders}
    positions = {folder_path(folder.path): position for position, folder in enumerate(project.folders)}
    paths = {"/"}
    for path in given:
        paths.update(_with_parents(path))
        if len(paths) > MOST_FOLDERS:  # for each, since a path has hundreds above it
            raise place.inner("folders").fault(f"with those above them they are over {MOST_FOLDERS} folders")
    for path in sorted(paths):
        folder_id = given.get(path) or world.next_number("folder")
        taken = world.store.get(Folder, equal(Folder.folder_id, folder_id))
        if taken is not None:
            message = f"FolderId {folder_id} is that of {taken.path} in project {taken.project_name!r} already"
            raise place.inner("folders", positions[path], "FolderId").fault(message)
        world.store.insert(Folder.model_construct(folder_id=folder_id, project_name=project.name, path=path))


def _with_parents(path: str) -> Iterable[str]:
    names = path.strip("/").split("/")
    return ("/" + "/".join(names[:depth]) for depth in range(1, len(names) + 1))


def _put_job(world: World, project: SeedProject, seed: SeedJob, queue: Queue, place: _Place) -> None:
    now = world.second()
    job = _row(
        Job,
        seed.given() | {"project_name": project.name},
        job_id=world.next_token("job"),
        file_id=str(world.next_number("file")),
        job_type=_first(instance.job_type for instance in seed.instances) or STREAM,
        api_type=_first(instance.api_type for instance in seed.instances) or SQL,
        **made_at(now),
        engine_version=versions.CURRENT,
        cluster_id=queue.cluster_id,
        queue_name=queue.queue_name,
        folder_id=folders.root(world, project.name).folder_id,
    )
    world.store.insert(job)
    if seed.is_committed or seed.instances:
        world.store.insert(_row(CommittedJob, job.model_dump(), auto_scale_params=seed.auto_scale_params))
    # A stream job has one instance that is not archived: the last one, unless the document says otherwise.
    has_current = any(instance.is_archived is False for instance in seed.instances)
    for position, instance in enumerate(seed.instances):
        is_archived = job.job_type == STREAM and (has_current or position < len(seed.instances) - 1)
        instance_id = _put_instance(world, job, seed, instance, is_archived=is_archived)
        _plan(world, instance_id, instance, place.inner("instances", position))


def _first(given: Iterable[str | None]) -> str | None:
    return next((each for each in given if each is not None), None)


def _queues_by_what_names_them(world: World, project_name: str) -> dict[tuple[str | None, str | None], Queue]:
    """Return a project's first queue of each name and cluster, where None is any."""
    return {
        (name, cluster_id): queue
        for queue in reversed(world.store.find(Queue, equal(Queue.project_name, project_name)))
        for name in (queue.queue_name, None)
        for cluster_id in (queue.cluster_id, None)
    }


def _put_instance(world: World, job: Job, seed_job: SeedJob, seed: SeedInstance, *, is_archived: bool) -> int:
    now = world.second()
    instance_id = seed.id or world.next_number("instance")
    world.cancel(f"instance:{instance_id}")
    world.store.delete(Instance, equal(Instance.id, instance_id))
    world.store.delete(AutoScalePlan, equal(AutoScalePlan.instance_id, instance_id))
    ended, given_end = (None, None) if seed.actual_state in LIVE else (now, seed.end_time)
    # One that waits, as StartJob has just started it, has not begun to run, nor has one of which only the end is given.
    never_ran = seed.actual_state == WAITING or (seed.start_time is None and given_end is not None)
    start_time = next(each for each in (seed.start_time, given_end, now) if each is not None)
    row = _row(
        Instance,
        job.model_dump(exclude={"description"})
        | {"plan_json": job.plan_json or ""}  # as of one that was started
        | {"actual_state": seed.actual_state, "expect_state": _EXPECTED.get(seed.actual_state, seed.actual_state)}
        | seed.given()
        | {"id": instance_id, "project_name": job.project_name, "job_name": job.job_name},
        engine_job_handler=None if never_ran else engine_job_handler(world.seed, instance_id, start_time),
        starter=ACCOUNT,
        start_time=None if never_ran else start_time,
        end_time=ended,
        last_operator=ACCOUNT,
        last_operate_time=start_time,
        input_delay=UNKNOWN_DELAY,
        auto_scale_params=seed_job.auto_scale_params,
        is_archived=is_archived,
    )
    world.store.insert(row)
    return instance_id


def _plan(world: World, instance_id: int, seed: SeedInstance, place: _Place) -> None:
    for position, entry in enumerate(seed.timeline):
        at = world.now() + duration(entry.after)
        if at > LAST_INSTANT:
            raise place.inner("timeline", position, "after").fault("by the world's clock it ends beyond the year 9999")
        world.schedule(
            "put_state",
            f"instance:{instance_id}",
            at=at,
            ActualState=entry.actual_state,
            LastErrorMessage=entry.last_error_message,
        )


def _row(model: type[R], given: Mapping[str, Any], **defaults: Any) -> R:
    """Return a row with the given values, else `defaults`, else the defaults of the table."""
    known = {name: value for name, value in given.items() if name in model.model_fields}
    return cast(R, model.model_construct(None, **defaults | known))
