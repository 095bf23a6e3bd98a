"""The rules of jobs: which there are, and how their drafts are made and changed."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, func, select

from foas_emulator.blink.planner import given_plan
from foas_emulator.gateway.errors import ApiError, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.clusters import rules as clusters
from foas_emulator.operations.folders import rules as folders
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.packages import rules as packages
from foas_emulator.operations.projects import rules as projects
from foas_emulator.operations.queues import rules as queues
from foas_emulator.operations.required import given, named
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

STREAM = "FLINK_STREAM"
BATCH = "FLINK_BATCH"

CURRENT_ENGINE = "current"
"""The tag of the recommended engine version (official sample code)."""

LARGEST_COUNT = 100

NOT_FOUND = problem("InvalidJob.NotFound", 404, "The specified job does not exist.")
DUPLICATE = problem("InvalidJob.Duplicate", 400, "The specified job already exists.")
TOO_MANY = problem(
    "InvalidJob.LimitExceeded",
    400,
    "The project has the largest number of jobs already.",
    documented("usage limits: 100 jobs in a project; the code and its text are inferred"),
)
NOT_COMMITTED = problem("InvalidJob.NotCommitted", 400, "The specified job is not committed.")
NO_QUEUE = problem(
    "InvalidProject.NoQueue",
    400,
    "The specified project has no queue bound to it.",
    documented("BindQueue: jobs can be made and run only after it; the code and its text are inferred"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What both CreateJob and UpdateJob can give a job; None is not given."""

    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None
    description: str | None = None
    engine_version: str | None = None
    cluster_id: str | None = None
    queue_name: str | None = None
    folder_id: int | None = None


def find(world: World, project_name: str, job_name: str) -> Job | None:
    """The draft of a job, or None. Raises `InvalidProject.NotFound`."""
    job = world.store.get(Job, equal(Job.project_name, project_name), equal(Job.job_name, job_name))
    if job is None:
        projects.require(world, project_name)
    return job


def require(world: World, project_name: str, job_name: str) -> Job:
    """The draft of a job. Raises `InvalidProject.NotFound` or `InvalidJob.NotFound`."""
    job = find(world, project_name, job_name)
    if job is None:
        raise NOT_FOUND(f"Project {project_name!r} has no job {job_name!r}; ListJob shows those it has.")
    return job


def committed(world: World, job: Job) -> CommittedJob | None:
    """The copy of a job that was committed, or None while the job is offline."""
    return world.store.get(
        CommittedJob, equal(CommittedJob.project_name, job.project_name), equal(CommittedJob.job_name, job.job_name)
    )


def require_committed(world: World, job: Job) -> CommittedJob:
    """The copy of a job that was committed. Raises `InvalidJob.NotCommitted` while the job is offline."""
    copy = committed(world, job)
    if copy is None:
        raise not_committed(job)
    return copy


def not_committed(job: Job) -> ApiError:
    """`InvalidJob.NotCommitted`, for what only a job that is online can do."""
    return NOT_COMMITTED(f"Job {job.job_name!r} is offline; CommitJob brings it online.")


def listed(
    world: World,
    project_name: str,
    *,
    job_name: str | None = None,
    job_type: str | None = None,
    api_type: str | None = None,
    engine_version: str | None = None,
    cluster_id: str | None = None,
    queue_name: str | None = None,
    folder_id: int | None = None,
) -> Select[Any]:
    """The jobs that a list shows, newest first. A name need only be contained, as in the list of packages."""
    projects.require(world, project_name)
    columns = Job.table().c
    statement = select(Job.table()).where(columns.project_name == project_name)
    if job_name is not None:
        statement = statement.where(func.instr(columns.job_name, job_name) > 0)
    for column, wanted in (
        (columns.job_type, job_type),
        (columns.api_type, api_type),
        (columns.engine_version, engine_version),
        (columns.cluster_id, cluster_id),
        (columns.queue_name, queue_name),
        (columns.folder_id, folder_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement.order_by(columns.create_time.desc(), columns.job_name)


def create(
    world: World,
    project_name: str,
    *,
    job_name: str | None,
    job_type: str | None,
    api_type: str | None,
    draft: Draft,
) -> None:
    """Make a job. Its project must have a queue; without a cluster and a queue it gets the first that is bound.

    Name, types and code are needed (documented); a folder is the root and an engine version the cluster's current one
    if none is given (official sample code).
    """
    projects.require(world, project_name)
    job_name = named("jobName", job_name)
    for name, value in (("jobType", job_type), ("apiType", api_type), ("code", draft.code)):
        given(name, value)
    _check_free(world, project_name, job_name)
    cluster_id, queue_name = _queue(world, project_name, draft.cluster_id, draft.queue_name)
    now = world.second()
    columns = _checked(world, project_name, draft) | {
        "project_name": project_name,
        "job_name": job_name,
        "job_type": job_type,
        "api_type": api_type,
        "cluster_id": cluster_id,
        "queue_name": queue_name,
        "engine_version": _engine_version(world, cluster_id, draft.engine_version or CURRENT_ENGINE),
        "folder_id": folders.root(world, project_name).folder_id if draft.folder_id is None else draft.folder_id,
        "job_id": world.next_token("job"),
        "file_id": str(world.next_number("file")),
        "creator": ACCOUNT,
        "create_time": now,
        "modifier": ACCOUNT,
        "modify_time": now,
    }
    world.store.insert(Job.model_construct(**columns))


def update(world: World, project_name: str, job_name: str, draft: Draft) -> None:
    """Change what is given of a job's draft. What was committed, and what runs, stays as it is."""
    job = require(world, project_name, job_name)
    columns = _checked(world, project_name, draft)
    if draft.cluster_id is not None or draft.queue_name is not None:
        place = _queue(world, project_name, draft.cluster_id, draft.queue_name)
        columns["cluster_id"], columns["queue_name"] = place
    if draft.engine_version is not None:
        cluster_id = columns.get("cluster_id", job.cluster_id)
        columns["engine_version"] = _engine_version(world, cluster_id, draft.engine_version)
    columns |= {"modifier": ACCOUNT, "modify_time": world.second()}
    world.store.update(
        Job, *columns.items(), where=[equal(Job.project_name, project_name), equal(Job.job_name, job_name)]
    )


def check_references(world: World, job: Job) -> None:
    """Make sure that what a draft names is still there: its project's queue, and its packages."""
    _queue(world, job.project_name, job.cluster_id, job.queue_name)
    _check_packages(world, job.project_name, job.packages)


def _check_free(world: World, project_name: str, job_name: str) -> None:
    if world.store.get(Job, equal(Job.project_name, project_name), equal(Job.job_name, job_name)) is not None:
        raise DUPLICATE(f"Project {project_name!r} has a job {job_name!r} already; UpdateJob changes it.")
    if world.store.count(Job, equal(Job.project_name, project_name)) >= LARGEST_COUNT:
        raise TOO_MANY(f"Project {project_name!r} has {LARGEST_COUNT} jobs; delete some first.")


def _checked(world: World, project_name: str, draft: Draft) -> dict[str, Any]:
    """The columns that a draft gives, once the folder and the packages that it names are known to be there."""
    if draft.folder_id is not None:
        folders.require_id(world, project_name, draft.folder_id)
    _check_packages(world, project_name, draft.packages)
    given_plan(draft.plan_json or "", note=world.note)
    return {name: value for name, value in asdict(draft).items() if value is not None}


def _check_packages(world: World, project_name: str, names: str | None) -> None:
    if names:
        packages.require_all(world, project_name, [name.strip() for name in names.split(",")])


def _queue(world: World, project_name: str, cluster_id: str | None, queue_name: str | None) -> tuple[str, str]:
    """Cluster and name of the first bound queue that fits. Raises `InvalidProject.NoQueue`, `InvalidQueue.NotBound`."""
    fitting = queues.bound(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    if fitting:
        return fitting[0].cluster_id, fitting[0].queue_name
    bound = queues.bound(world, project_name)
    if not bound:
        raise NO_QUEUE(f"Project {project_name!r} has no queue; BindQueue gives it one.")
    raise queues.NOT_BOUND(
        f"Queue {queue_name!r} of cluster {cluster_id!r} is not project {project_name!r}'s, "
        f"which has {bound[0].queue_name!r} of {bound[0].cluster_id!r}."
    )


def _engine_version(world: World, cluster_id: str, asked: str) -> str:
    """The version behind a tag such as `current` or `beta`; anything else is taken to be a version itself."""
    tagged = dict(version.split("--", 1) for version in clusters.engine_versions(world, cluster_id))
    return tagged.get(asked, asked)
