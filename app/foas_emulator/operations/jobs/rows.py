"""The tables of jobs and the statements on them: drafts, committed copies, and the sessions that make plans."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, bindparam, case, func, literal_column, null, select
from sqlmodel import Field

from foas_emulator.operations.columns import JobContent, Stamped, of_jobs
from foas_emulator.operations.paging import containing, matching
from foas_emulator.world.tables import OLDEST_FIRST, Change, Condition, Row, assign, equal, given_only
from foas_emulator.world.world import World

_COPIES = 100
"""The most committed copies whose packages are read in one statement: they may have 64 KiB of names each."""


class JobCopy(Row):
    """The common columns of a job's draft and its committed copy, besides its content: name, engine and queue."""

    project_name: str = Field(primary_key=True)
    job_name: str = Field(primary_key=True)
    engine_version: str
    cluster_id: str
    queue_name: str


class _JobMembers(JobCopy, Stamped):
    """The other columns of a job's draft."""

    job_id: str
    job_type: str
    api_type: str
    folder_id: int
    file_id: str | None = None


class Job(JobContent, _JobMembers, table=True):
    """The draft of a job. Instances run its committed copy."""

    __tablename__ = "jobs"

    description: str | None = None


class CommittedJob(JobContent, JobCopy, table=True):
    """The copy of a job that CommitJob made; the job is online while it exists."""

    __tablename__ = "committed_jobs"

    auto_scale_params: str | None = None


class PlanSession(Row, table=True):
    """A session in which a plan is made. `status` is the service's: `Session in run`, `success` or `fail`.

    A plan that `is_tuned` may follow the job's history. It stays within the expected cores and GB if they are given.
    """

    __tablename__ = "plan_sessions"
    __table_args__ = (Index("sessions_of_job", "project_name", "job_name"), {"info": OLDEST_FIRST})

    session_id: str = Field(primary_key=True)
    project_name: str
    job_name: str
    status: str
    plan_json: str | None = None
    error_message: str | None = None
    expected_core: float | None = None
    expected_gb: float | None = None
    is_tuned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The members of a job that both CreateJob and UpdateJob can set; None means not given."""

    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None
    description: str | None = None
    engine_version: str | None = None
    cluster_id: str | None = None
    queue_name: str | None = None
    folder_id: int | None = None


def columns_of(draft: Draft) -> list[Change]:
    """Return the given columns that need no further rule, as engine version and queue do."""
    return given_only(
        assign(Job.code, draft.code),
        assign(Job.plan_json, draft.plan_json),
        assign(Job.properties, draft.properties),
        assign(Job.packages, draft.packages),
        assign(Job.description, draft.description),
        assign(Job.folder_id, draft.folder_id),
    )


def find_job(world: World, project_name: str, job_name: str) -> Job | None:
    """Return the draft of a job, None if there is none."""
    return world.store.get(Job, equal(Job.project_name, project_name), equal(Job.job_name, job_name))


def find_committed(world: World, job: Job) -> CommittedJob | None:
    """Return the committed copy of a job."""
    return world.store.get(CommittedJob, *_copy_of(job))


def replace_committed(world: World, job: Job, *, auto_scale_params: str) -> None:
    """Make the draft of a job its committed copy, replacing an existing one."""
    delete_committed(world, job)
    copy = CommittedJob.model_construct(
        project_name=job.project_name,
        job_name=job.job_name,
        code=job.code,
        plan_json=job.plan_json,
        properties=job.properties,
        packages=job.packages,
        engine_version=job.engine_version,
        cluster_id=job.cluster_id,
        queue_name=job.queue_name,
        auto_scale_params=auto_scale_params,
    )
    world.store.insert(copy)


def delete_committed(world: World, job: Job) -> None:
    """Delete the committed copy of a job, if there is one."""
    world.store.delete(CommittedJob, *_copy_of(job))


def delete_job_rows(world: World, project_name: str, job_name: str | None) -> None:
    """Delete the draft, the committed copy and the sessions of a job, or of all jobs of a project."""
    for model in (CommittedJob, PlanSession, Job):
        world.store.delete(model, *of_jobs(project_name, job_name))


def find_session(world: World, job: Job, session_id: str) -> PlanSession | None:
    """Return a session of a job."""
    return world.store.get(PlanSession, equal(PlanSession.session_id, session_id), *_sessions_of(job))


def is_session(world: World, session_id: str) -> bool:
    """Return whether any job has a session with this id."""
    return world.store.count(PlanSession, equal(PlanSession.session_id, session_id)) > 0


def select_session_ids(project_name: str, job_name: str | None) -> Select[Any]:
    """Select the ids of the sessions of a job, or of all jobs of a project."""
    of_them = matching(PlanSession, *of_jobs(project_name, job_name))
    return of_them.with_only_columns(PlanSession.table().c.session_id)


def count_sessions(world: World, project_name: str, job_name: str | None) -> int:
    """Return how many sessions a job has, or all jobs of a project."""
    return world.store.count(PlanSession, *of_jobs(project_name, job_name))


def select_old_sessions(project_name: str, job_name: str | None, most: int) -> Select[Any]:
    """Select the ids of all sessions of a job, or of all jobs of a project, but this many of the newest."""
    columns = PlanSession.table().c
    ids = select_session_ids(project_name, job_name)
    newest = ids.order_by(literal_column("rowid").desc()).limit(most)
    return ids.where(columns.session_id.not_in(newest))


def delete_sessions(world: World, ids: Select[Any]) -> None:
    """Delete the sessions with the ids that a statement selects."""
    table = PlanSession.table()
    world.store.execute(table.delete().where(table.c.session_id.in_(ids)))


def names(world: World, model: type[JobCopy], *conditions: Condition) -> list[str]:
    """Return the names of the drafts or committed copies that meet the conditions, by project and name."""
    columns = model.table().c
    statement = select(columns.job_name).where(*(columns[name] == value for name, value in conditions))
    return list(world.store.execute(statement.order_by(columns.project_name, columns.job_name)).scalars())


def online_of_type(world: World, project_name: str, job_names: Collection[str], job_type: str) -> dict[str, str]:
    """Return the API types of those of a project's jobs that are online and of a type, by name."""
    jobs, copies = Job.table().c, CommittedJob.table().c
    statement = (
        select(copies.job_name, jobs.api_type)
        .join_from(CommittedJob.table(), Job.table(), _is_same_job())
        .where(copies.project_name == project_name, copies.job_name.in_(job_names), jobs.job_type == job_type)
    )
    return {row.job_name: row.api_type for row in world.store.execute(statement)}


def select_jobs(*filters: Condition, job_name: str | None, without: Collection[str] = ()) -> Select[Any]:
    """Select jobs, newest first, whose name contains this text.

    Columns in `without` are selected as NULL, so that long texts are not read.
    """
    columns = Job.table().c
    shown = (null().label(column.name) if column.name in without else column for column in columns)
    return _newest_first(containing(matching(Job, *filters).with_only_columns(*shown), columns.job_name, job_name))


def packages_of_copies(world: World, project_name: str, part: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a project's committed copies, with the names of their packages as they were given.

    The latter are empty where this part is not in them. Others may use the world between two of them.
    """
    columns = CommittedJob.table().c
    given = case((func.instr(columns.packages, part) > 0, columns.packages), else_="").label("packages")
    statement = select(columns.job_name, given).where(columns.project_name == project_name)
    following = statement.where(columns.job_name > bindparam("after")).order_by(columns.job_name).limit(_COPIES)
    after: str | None = ""
    while after is not None:
        copies = world.store.execute(following, {"after": after}).all()
        for copy in copies:
            yield copy.job_name, copy.packages
        after = copies[-1].job_name if len(copies) == _COPIES else None


def newest_first(world: World, project_name: str) -> list[str]:
    """Return the names of a project's jobs, newest first."""
    statement = select(Job.table().c.job_name).where(Job.table().c.project_name == project_name)
    return list(world.store.execute(_newest_first(statement)).scalars())


def select_committed(project_name: str, job_names: Collection[str]) -> Select[Any]:
    """Select a few online jobs by name, newest first: rows of `Job` with the committed columns."""
    jobs, copies = Job.table().c, CommittedJob.table().c
    statement = (
        select(*(copies.get(column.name, column) for column in jobs))
        .join_from(Job.table(), CommittedJob.table(), _is_same_job())
        .where(copies.project_name == project_name, copies.job_name.in_(job_names))
    )
    return _newest_first(statement)


def _newest_first(statement: Select[Any]) -> Select[Any]:
    columns = Job.table().c
    return statement.order_by(columns.create_time.desc(), columns.job_name)


def _is_same_job() -> ColumnElement[bool]:
    jobs, copies = Job.table().c, CommittedJob.table().c
    return (jobs.project_name == copies.project_name) & (jobs.job_name == copies.job_name)


def _copy_of(job: Job) -> tuple[Condition, ...]:
    return equal(CommittedJob.project_name, job.project_name), equal(CommittedJob.job_name, job.job_name)


def _sessions_of(job: Job) -> tuple[Condition, ...]:
    return equal(PlanSession.project_name, job.project_name), equal(PlanSession.job_name, job.job_name)
