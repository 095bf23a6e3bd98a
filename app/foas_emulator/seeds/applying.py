"""Putting a seed document into a world: the same key replaces the whole resource, all or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from foas_emulator.blink import versions
from foas_emulator.blink.kinds import STREAM
from foas_emulator.blink.runtime import engine_job_handler
from foas_emulator.faults.rules import arm
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.instances.lifecycle import FAILED, LIVE, RUNNING, UNKNOWN_DELAY, WAITING
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.seeds.document import (
    SeedCluster,
    SeedDocument,
    SeedInstance,
    SeedJob,
    SeedProject,
    SeedQueue,
)
from foas_emulator.seeds.reading import Fault, SeedError
from foas_emulator.world.durations import duration
from foas_emulator.world.ids import raise_counter
from foas_emulator.world.store import Row, equal
from foas_emulator.world.world import World

R = TypeVar("R", bound=Row)

DEFAULT_REGION = "cn-hangzhou"

_EXPECTED = {WAITING: RUNNING, FAILED: RUNNING}


def apply(world: World, document: SeedDocument) -> None:
    """Merge a seed document into a world: a resource it names is replaced whole, everything else stays.

    Raises `SeedError`, and changes nothing, for a folder id that another project's folder has.
    """
    with world.transaction():
        _reserve_ids(world, document)
        for cluster in document.clusters:
            _put_cluster(world, cluster)
        for project in document.projects:
            _put_project(world, project)
        for fault in document.faults:
            arm(world, fault, rule_id=fault.id)
        if document.settings:
            world.set(document.settings)


def _reserve_ids(world: World, document: SeedDocument) -> None:
    """Keep the counters clear of every id the document gives, so that what has none yet never takes one of them."""
    for project in document.projects:
        for folder in project.folders:
            raise_counter(world.store, "folder", folder.folder_id or 0)
        for job in project.jobs:
            for instance in job.instances:
                raise_counter(world.store, "instance", instance.id or 0)


def _put_cluster(world: World, seed: SeedCluster) -> None:
    now = world.second()
    world.cancel(f"cluster:{seed.cluster_id}")
    world.store.delete(Cluster, equal(Cluster.cluster_id, seed.cluster_id))
    world.store.insert(
        _row(Cluster, seed.given(), owner_id=ACCOUNT, operator=ACCOUNT, gmt_create=now, gmt_modified=now)
    )


def _put_project(world: World, seed: SeedProject) -> None:
    now = world.second()
    cluster_id = seed.cluster_id or _some_cluster(world)
    projects.remove(world, seed.name)
    world.store.insert(
        _row(
            Project,
            seed.given(),
            id=world.next_token("project"),
            creator=ACCOUNT,
            create_time=now,
            modifier=ACCOUNT,
            modify_time=now,
            cluster_id=cluster_id,
            region=DEFAULT_REGION,
        )
    )
    _put_queues(world, seed, cluster_id)
    _put_folders(world, seed)
    for package in seed.packages:
        world.store.insert(
            _row(
                Package,
                package.given() | {"project_name": seed.name},
                creator=ACCOUNT,
                create_time=now,
                modifier=ACCOUNT,
                modify_time=now,
            )
        )
    for job in seed.jobs:
        _put_job(world, seed, job)


def _some_cluster(world: World) -> str:
    """The first cluster of the world; a world that has none gets one."""
    clusters = world.store.find(Cluster)
    if clusters:
        return clusters[0].cluster_id
    cluster_id = world.next_token("cluster")
    _put_cluster(world, SeedCluster.model_validate({"ClusterId": cluster_id}))
    return cluster_id


def _put_queues(world: World, project: SeedProject, cluster_id: str) -> None:
    queues = project.queues or [SeedQueue.model_validate({"QueueName": f"root.{project.name}"})]
    for queue in queues:
        row = _row(Queue, queue.given() | {"project_name": project.name}, cluster_id=cluster_id)
        world.store.delete(Queue, equal(Queue.cluster_id, row.cluster_id), equal(Queue.queue_name, row.queue_name))
        world.store.insert(row)


def _put_folders(world: World, project: SeedProject) -> None:
    given = {folder.path.rstrip("/") or "/": folder.folder_id for folder in project.folders}
    paths = {"/"} | {above for path in given for above in _with_parents(path)}
    for path in sorted(paths):
        folder_id = given.get(path) or world.next_number("folder")
        taken = world.store.get(Folder, equal(Folder.folder_id, folder_id))
        if taken is not None:
            message = f"FolderId {folder_id} is that of {taken.path} in project {taken.project_name!r} already"
            raise SeedError([Fault(file="seed", line=1, path=f"project {project.name!r}", message=message)])
        world.store.insert(Folder.model_construct(folder_id=folder_id, project_name=project.name, path=path))


def _with_parents(path: str) -> Iterable[str]:
    names = path.strip("/").split("/")
    return ("/" + "/".join(names[:depth]) for depth in range(1, len(names) + 1))


def _put_job(world: World, project: SeedProject, seed: SeedJob) -> None:
    now = world.second()
    queue = world.store.find(Queue, equal(Queue.project_name, project.name))[0]
    root = world.store.get(Folder, equal(Folder.project_name, project.name), equal(Folder.path, "/"))
    assert root is not None
    job = _row(
        Job,
        seed.given() | {"project_name": project.name},
        job_id=world.next_token("job"),
        job_type=seed.job_type,
        api_type=seed.api_type,
        creator=ACCOUNT,
        create_time=now,
        modifier=ACCOUNT,
        modify_time=now,
        engine_version=versions.CURRENT,
        cluster_id=queue.cluster_id,
        queue_name=queue.queue_name,
        folder_id=root.folder_id,
    )
    world.store.insert(job)
    if seed.is_committed or seed.instances:
        world.store.insert(_row(CommittedJob, job.model_dump(), auto_scale_params=seed.auto_scale_params))
    for position, instance in enumerate(seed.instances, start=1):
        # A stream job has one instance that is not archived: the last one of the document, unless it says otherwise.
        is_archived = job.job_type == STREAM and position < len(seed.instances)
        _put_instance(world, job, instance, auto_scale_params=seed.auto_scale_params, is_archived=is_archived)


def _put_instance(
    world: World, job: Job, seed: SeedInstance, *, auto_scale_params: str | None, is_archived: bool
) -> None:
    now = world.second()
    instance_id = seed.id or world.next_number("instance")
    world.cancel(f"instance:{instance_id}")
    world.store.delete(Instance, equal(Instance.id, instance_id))
    start_time = seed.start_time if seed.start_time is not None else now
    ended = None if seed.actual_state in LIVE else now
    row = _row(
        Instance,
        job.model_dump(exclude={"description"})
        | {"actual_state": seed.actual_state, "expect_state": _EXPECTED.get(seed.actual_state, seed.actual_state)}
        | seed.given()
        | {"id": instance_id, "project_name": job.project_name, "job_name": job.job_name},
        engine_job_handler=engine_job_handler(world.seed, instance_id, start_time),
        starter=ACCOUNT,
        start_time=start_time,
        end_time=ended,
        last_operator=ACCOUNT,
        last_operate_time=start_time,
        input_delay=UNKNOWN_DELAY,
        auto_scale_params=auto_scale_params,
        is_archived=is_archived,
    )
    world.store.insert(row)
    for entry in seed.timeline:
        world.schedule(
            "put_state",
            f"instance:{instance_id}",
            at=world.now() + duration(entry.after),
            ActualState=entry.actual_state,
            LastErrorMessage=entry.last_error_message,
        )


def _row(model: type[R], given: Mapping[str, Any], **defaults: Any) -> R:
    """A row of what is given, then of the defaults, then of the table's own."""
    known = {name: value for name, value in given.items() if name in model.model_fields and value is not None}
    return cast(R, model.model_construct(None, **defaults | known))
