"""The rules of instances: which one is meant, what may be asked of it, and what a call makes of it."""

from typing import Any

from sqlalchemy import Select, select

from foas_emulator.blink import runtime
from foas_emulator.blink.runtime import Run
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.instances import engine
from foas_emulator.operations.instances.lifecycle import LIVE, RUNNING, UNKNOWN
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs import rules as jobs
from foas_emulator.operations.jobs.rows import Job
from foas_emulator.operations.jobs.rules import STREAM
from foas_emulator.operations.projects import rules as projects
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

CURRENT = -1
"""The instance id that stands for a stream job's one instance that is not archived."""

Window = tuple[int | None, int | None]
"""The first and the last millisecond of a span of time, both included; None leaves a side open."""
ANY_TIME: Window = (None, None)

NOT_FOUND = problem("InvalidInstance.NotFound", 404, "The specified instance does not exist.")
VERTEX_NOT_FOUND = problem("InvalidVertex.NotFound", 404, "The specified vertex does not exist.")
NOT_RUNNING = problem(
    "InvalidInstance.NotRunning",
    400,
    "The specified instance is not running.",
    documented("GetInstance: a call for a job that is not running fails; the code and its text are inferred"),
)


def current(world: World, job: Job) -> Instance | None:
    """The one instance of a stream job that is not archived, or None before the first start."""
    return world.store.get(
        Instance,
        equal(Instance.project_name, job.project_name),
        equal(Instance.job_name, job.job_name),
        equal(Instance.is_archived, False),
    )


def newest(world: World, job: Job) -> Instance | None:
    """The instance that a job was started with last, or None before the first start."""
    table = Instance.table()
    of_job = (table.c.project_name == job.project_name) & (table.c.job_name == job.job_name)
    found = world.store.fetch(Instance, select(table).where(of_job).order_by(table.c.id.desc()).limit(1))
    return found[0] if found else None


def live(world: World, job: Job) -> list[Instance]:
    """The instances for which a job counts as started: waiting, running or paused, and not archived."""
    instances = world.store.find(
        Instance,
        equal(Instance.project_name, job.project_name),
        equal(Instance.job_name, job.job_name),
        equal(Instance.is_archived, False),
    )
    return [instance for instance in instances if instance.actual_state in LIVE]


def find(world: World, job: Job, instance_id: int) -> Instance | None:
    """The instance an id names: None only for `-1` on a stream job that has none.

    Raises `InvalidinstanceId` for `-1` on a batch job and for what is no id, `InvalidInstance.NotFound` for an id
    that is not an instance of this job.
    """
    if instance_id == CURRENT:
        if job.job_type != STREAM:
            raise invalid("instanceId", f"-1 stands for a stream job's instance, and {job.job_name!r} is a batch job.")
        return current(world, job)
    if instance_id < CURRENT:
        raise invalid("instanceId", "an instance id is positive, or -1 for a stream job's current instance.")
    instance = world.store.get(
        Instance,
        equal(Instance.id, instance_id),
        equal(Instance.project_name, job.project_name),
        equal(Instance.job_name, job.job_name),
    )
    if instance is None:
        raise NOT_FOUND(f"Job {job.job_name!r} has no instance {instance_id}; ListInstance shows those it has.")
    return instance


def require(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """The instance an id names, in whatever state. Raises `InvalidInstance.NotFound` also for `-1` if there is none."""
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is None:
        raise NOT_FOUND(f"Job {job_name!r} was never started; StartJob makes its first instance.")
    return instance


def require_running(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """The instance an id names if it is running, else `InvalidInstance.NotRunning`."""
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is None or instance.actual_state != RUNNING:
        raise NOT_RUNNING(f"{_not_running(job, instance)} Only a running instance can tell this.")
    return instance


def require_run(world: World, project_name: str, job_name: str, instance_id: int) -> Run:
    """A running instance as the engine sees it. Raises `InvalidInstance.NotRunning`."""
    return engine.run_of(world, require_running(world, project_name, job_name, instance_id))


def task_managers(world: World, project_name: str, job_name: str, instance_id: int, vertex_id: str) -> str:
    """Where a vertex of a running instance runs. Raises `InvalidVertex.NotFound`."""
    found = runtime.task_managers(require_run(world, project_name, job_name, instance_id), vertex_id)
    if found is None:
        raise VERTEX_NOT_FOUND(f"No vertex has the id {vertex_id!r}; GetInstanceDetail shows those there are.")
    return found


def get_instance(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """The instance that GetInstance shows.

    Anything but a running one is `InvalidInstance.NotRunning`. With the setting `not_running` = `answer` every
    state is shown, and a committed job that was never started as one whose state is UNKNOWN.
    """
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is not None and instance.actual_state == RUNNING:
        return instance
    if world.settings.not_running == "answer":
        shown = instance or never_started(world, job)
        if shown is not None:
            return shown
    raise NOT_RUNNING(f"{_not_running(job, instance)} The setting not_running=answer shows every state.")


def summary(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """The instance that GetInstanceRunSummary shows, whatever its state; UNKNOWN if a committed job was never started.

    Raises `InvalidJob.NotCommitted` for a job that was neither started nor committed.
    """
    job = jobs.require(world, project_name, job_name)
    shown = find(world, job, instance_id) or never_started(world, job)
    if shown is None:
        raise jobs.not_committed(job)
    return shown


def summaries(world: World, project_name: str, job_names: str, job_type: str) -> list[Instance]:
    """What BatchGetInstanceRunSummary shows of the jobs named in a comma list, in its order.

    Jobs that do not exist, are not committed or are of the other type are passed over, as official sample code says.
    Of a batch job's instances the newest is shown (inferred).
    """
    shown = []
    for job_name in dict.fromkeys(name.strip() for name in job_names.split(",")):
        job = jobs.find(world, project_name, job_name)
        if job is None or job.job_type != job_type or jobs.committed(world, job) is None:
            continue
        instance = (current if job_type == STREAM else newest)(world, job) or never_started(world, job)
        if instance is not None:
            shown.append(instance)
    return shown


def listed(
    world: World,
    project_name: str,
    *,
    job_type: str,
    job_name: str | None = None,
    api_type: str | None = None,
    expect_state: str | None = None,
    actual_state: str | None = None,
    started: Window = ANY_TIME,
    ended: Window = ANY_TIME,
    is_archived: bool = False,
) -> Select[Any]:
    """The instances that ListInstance shows, newest first.

    The documentation calls the *BeginTs parameters upper and the *EndTs ones lower bounds; their names are followed.
    """
    projects.require(world, project_name)
    columns = Instance.table().c
    statement = select(Instance.table()).where(
        columns.project_name == project_name, columns.job_type == job_type, columns.is_archived == is_archived
    )
    for column, wanted in (
        (columns.job_name, job_name),
        (columns.api_type, api_type),
        (columns.expect_state, expect_state),
        (columns.actual_state, actual_state),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    for column, (begin, end) in ((columns.start_time, started), (columns.end_time, ended)):
        if begin is not None:
            statement = statement.where(column >= begin)
        if end is not None:
            statement = statement.where(column <= end)
    return statement.order_by(columns.id.desc())


def never_started(world: World, job: Job) -> Instance | None:
    """What a committed job without an instance is shown as: UNKNOWN, without id and times. None if it is offline."""
    copy = jobs.committed(world, job)
    if copy is None:
        return None
    return Instance.model_construct(
        **copy.model_dump(), actual_state=UNKNOWN, expect_state=UNKNOWN, job_type=job.job_type, api_type=job.api_type
    )


def _not_running(job: Job, instance: Instance | None) -> str:
    state = "it was never started" if instance is None else f"its instance {instance.id} is {instance.actual_state}"
    return f"Job {job.job_name!r} is not running: {state}."
