"""The operations on jobs: create and change drafts, commit them and take them offline, plan and start them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from foas_emulator.blink import sql
from foas_emulator.blink.auto_scale import AutoScale, Period
from foas_emulator.blink.errors import SqlError, error_text
from foas_emulator.blink.kinds import SQL
from foas_emulator.blink.planner import given_plan
from foas_emulator.blink.properties import check_start_parameters
from foas_emulator.blink.sql import Script
from foas_emulator.blink.statements import Unknown
from foas_emulator.gateway.errors import ApiError, invalid, missing, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.columns import made_at, modified_at
from foas_emulator.operations.folders import service as folders
from foas_emulator.operations.hooks import Hook, Signal
from foas_emulator.operations.jobs import engine, lifecycle, rows
from foas_emulator.operations.jobs.rows import CommittedJob, Draft, Job, PlanSession
from foas_emulator.operations.paging import Page, page, page_of_parts
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.queues import service as queues
from foas_emulator.operations.required import given, listed, named, readable, require_engine
from foas_emulator.operations.texts import check_weight
from foas_emulator.showing import shown
from foas_emulator.world.tables import Condition, assign, changed, equal
from foas_emulator.world.world import World

CURRENT_ENGINE = "current"
"""The tag of the recommended engine version (official sample code)."""
MOST_JOBS = 100
LONGEST_PACKAGES = 64 * 1024  # ours; blanks between names count

NOT_FOUND = problem("InvalidJob.NotFound", 404, "The specified job does not exist.")
DUPLICATE = problem("InvalidJob.Duplicate", 400, "The specified job already exists.")
TOO_MANY = problem(
    "InvalidJob.LimitExceeded",
    400,
    "The project has the largest number of jobs already.",
    documented("usage limits: 100 jobs in a project; the code and its text are inferred"),
)
SYNTAX_ERROR = problem(
    "InvalidJob.SyntaxError",
    400,
    "{error}",
    documented("ValidateJob answers the parser's report; the code is inferred"),
)
SESSION_NOT_FOUND = problem("InvalidSession.NotFound", 404, "The specified session does not exist.")
NOT_STOPPED = problem(
    "InvalidJob.NotStopped",
    400,
    "The specified job has an instance that is not stopped.",
    documented("OfflineJob: the job must have no running instance; the code and its text are inferred"),
)
check_packages: Hook[[World, str, list[str]], None] = Hook()
"""Raise `InvalidPackage.NotFound` unless a project has all these packages."""
start_instance: Hook[[World, Job, CommittedJob, str | None], int] = Hook()
"""Start an instance of a committed copy with these parameters; return its id."""
live_instance: Hook[[World, Job], tuple[int, str] | None] = Hook()
"""The id and the state of the first of the instances for which a job counts as started."""
deleted: Signal[[World, str, str | None]] = Signal()
"""A job of a project, or each of its jobs, is being deleted; its instances and plans are deleted before it."""


# -- drafts


def create_job(
    world: World, project_name: str, *, job_name: str | None, job_type: str | None, api_type: str | None, draft: Draft
) -> None:
    """Create a job. Its project must have a queue; if no cluster and queue are given, the job gets the first one bound.

    Name, types and code are required (documented); the default folder is the root, and the default engine version is
    the cluster's current one (official sample code).
    """
    projects.require(world, project_name)
    job_name = named("jobName", job_name)
    job_type, api_type = given("jobType", job_type), given("apiType", api_type)
    given("code", draft.code)
    if rows.find_job(world, project_name, job_name) is not None:
        raise DUPLICATE(f"Project {project_name!r} has a job {job_name!r} already; UpdateJob changes it.")
    count = world.store.count(Job, equal(Job.project_name, project_name))
    if count >= MOST_JOBS:
        raise TOO_MANY(f"Project {project_name!r} has {count} jobs; above {MOST_JOBS}, only a seed adds one.")
    queue = queues.require_bound(world, project_name, draft.cluster_id, draft.queue_name)
    _check_draft(world, project_name, draft)
    job = Job.model_construct(
        project_name=project_name,
        job_name=job_name,
        job_type=job_type,
        api_type=api_type,
        engine_version=clusters.engine_version(world, queue.cluster_id, draft.engine_version or CURRENT_ENGINE),
        cluster_id=queue.cluster_id,
        queue_name=queue.queue_name,
        folder_id=folders.root(world, project_name).folder_id if draft.folder_id is None else draft.folder_id,
        job_id=world.next_token("job"),
        file_id=str(world.next_number("file")),
        **made_at(world.second()),
    )
    world.store.insert(check_weight(changed(job, *rows.columns_of(draft))))


def get_job(world: World, project_name: str, job_name: str) -> Job | None:
    """Return the draft of a job, or None. Raise `InvalidProject.NotFound`."""
    job = rows.find_job(world, project_name, job_name)
    if job is None:
        projects.require(world, project_name)
    return job


def list_job(
    world: World,
    project_name: str,
    *filters: Condition,
    job_name: str | None,
    without: Collection[str],
    page_index: int,
    page_size: int,
) -> Page[Job]:
    """Return a page of a project's jobs that pass the filters and whose name contains this text, newest first.

    Columns in `without` are None.
    """
    projects.require(world, project_name)
    statement = rows.select_jobs(equal(Job.project_name, project_name), *filters, job_name=job_name, without=without)
    return page(world, Job, statement, page_index, page_size)


def update_job(world: World, project_name: str, job_name: str, draft: Draft) -> None:
    """Change the given members of a job's draft. The committed copy and running instances stay as they are."""
    job = require(world, project_name, job_name)
    _check_draft(world, project_name, draft)
    cluster_id, queue_name, engine_version = job.cluster_id, job.queue_name, job.engine_version
    if draft.cluster_id is not None or draft.queue_name is not None:
        queue = queues.require_bound(world, project_name, draft.cluster_id, draft.queue_name)
        cluster_id, queue_name = queue.cluster_id, queue.queue_name
    if draft.engine_version is not None:
        engine_version = clusters.engine_version(world, cluster_id, draft.engine_version or CURRENT_ENGINE)
    changes = (
        *rows.columns_of(draft),
        assign(Job.engine_version, engine_version),
        assign(Job.cluster_id, cluster_id),
        assign(Job.queue_name, queue_name),
        *modified_at(world.second()),
    )
    check_weight(changed(job, *changes), before=job)
    where = equal(Job.project_name, project_name), equal(Job.job_name, job_name)
    world.store.update(Job, *changes, where=where)


def delete_job(world: World, project_name: str, job_name: str) -> None:
    """Delete an offline job with its instances and plans. Raise `InvalidJob.Online`."""
    job = require(world, project_name, job_name)
    lifecycle.require_offline(world, job)
    remove_all(world, project_name, job_name)


# -- plans


def validate_job(world: World, project_name: str, job_name: str) -> Script:
    """Return the tables that a job's code declares and uses; the code of a DATASTREAM job declares none.

    Raise `InvalidJob.SyntaxError` with the parser's report.
    """
    job = require(world, project_name, job_name)
    passed_over: list[Unknown] = []
    try:
        return sql.read(job.code or "" if job.api_type == SQL else "", passed_over=passed_over)
    except SqlError as error:
        raise _syntax_error(job, error) from None
    finally:
        if passed_over:
            word = shown(passed_over[0].word)
            world.note(f"No known statement begins with {word}; it was skipped.")


def get_raw_plan_json(
    world: World,
    project_name: str,
    job_name: str,
    *,
    expected_core: float | None,
    expected_gb: float | None,
    is_tuned: bool,
) -> str:
    """Begin to make a plan from a job's draft; return the id of the session, for CheckRawPlanJson.

    The session fails for code that is definitely wrong, and for a draft whose own planJson cannot be read (inferred).
    Cores and GB are given together or not at all (official sample code). A tuned plan is the last one that AutoScale
    made, if there is one for this code and no resources are given (inferred: the documents say that it follows the
    job's history).
    """
    job = require(world, project_name, job_name)
    if (expected_core is None) != (expected_gb is None):
        raise missing("expectedCore" if expected_core is None else "expectedGB")
    for name, value in (("expectedCore", expected_core), ("expectedGB", expected_gb)):
        if value is not None and value <= 0:
            raise invalid(name, "it must be more than 0.")
    return lifecycle.begin(world, job, expected_core, expected_gb, is_tuned=is_tuned).session_id


def check_raw_plan_json(world: World, project_name: str, job_name: str, session_id: str) -> PlanSession:
    """Return a session. Raise `InvalidSession.NotFound`, also for a session of another job."""
    session = rows.find_session(world, require(world, project_name, job_name), session_id)
    if session is None:
        raise SESSION_NOT_FOUND(f"Job {job_name!r} has no session {session_id!r}; GetRawPlanJson begins one.")
    if session.status == lifecycle.IN_RUN:
        return changed(session, assign(PlanSession.plan_json, None), assign(PlanSession.error_message, None))
    return session


def calc_plan_json_resource(world: World, project_name: str, job_name: str) -> tuple[float, float]:
    """Return the cores and GB of memory for a job's own plan or, if it has none, for one made from its code.

    This is for Blink 3.2.1 and newer (documented). Raise `InvalidJob.SyntaxError` if no plan can be made.
    """
    job = require(world, project_name, job_name)
    require_engine("3.2.1", job.engine_version, feature="CalcPlanJsonResource")
    try:
        return engine.resources_of(job, world.note)
    except SqlError as error:
        raise _syntax_error(job, error) from None


def _syntax_error(job: Job, error: SqlError) -> ApiError:
    return SYNTAX_ERROR(
        f"Job {job.job_name!r}, line {error.line}, column {error.column}: {error}.", error=error_text(error)
    )


# -- jobs online


def commit_job(
    world: World,
    project_name: str,
    job_name: str,
    *,
    is_on_off: bool,
    max_cu: float | None,
    configure: str | None,
    recommend_only: bool | None,
    suspend_periods: str | None,
    suspend_period_param: Sequence[Period] | None,
) -> None:
    """Make the job's draft its committed copy, which the next start runs. Committing again makes a new copy.

    The code is checked by ValidateJob and not here, since the console calls ValidateJob before it commits.
    """
    job = require(world, project_name, job_name)
    scale = AutoScale()
    if is_on_off:
        scale = engine.auto_scale_of(
            max_cu=max_cu,
            configure=configure,
            recommend_only=recommend_only,
            suspend_periods=suspend_periods,
            suspend_period_param=suspend_period_param,
        )
    queues.require_bound(world, project_name, job.cluster_id, job.queue_name)
    _check_packages(world, project_name, job.packages)
    given_plan(job.plan_json or "", note=world.note)
    if scale.is_on:
        engine.require_fit(job, scale, world.note)
    rows.replace_committed(world, job, auto_scale_params=scale.to_json())


def start_job(world: World, project_name: str, job_name: str, *, parameter_json: str | None) -> int:
    """Start a job's committed copy; return the id of the new instance, which waits until it runs.

    Raise `InvalidJob.NotCommitted`, `InvalidJob.AlreadyStarted`.
    """
    job = require(world, project_name, job_name)
    copy = lifecycle.require_committed(world, job)
    if parameter_json:
        readable("parameterJson", check_start_parameters, parameter_json)
    return start_instance(world, job, copy, parameter_json)


def offline_job(world: World, project_name: str, job_name: str) -> None:
    """Take a job offline. Raise `InvalidJob.NotCommitted`, or `InvalidJob.NotStopped` while an instance is live.

    That a paused instance counts as not stopped is inferred: it can still be resumed.
    """
    job = require(world, project_name, job_name)
    lifecycle.require_committed(world, job)
    live = live_instance(world, job)
    if live is not None:
        raise NOT_STOPPED(
            f"Job {job_name!r} has instance {live[0]}, which is {live[1]}; ModifyInstanceState to TERMINATED stops it."
        )
    rows.delete_committed(world, job)


# -- the rules


def require(world: World, project_name: str, job_name: str) -> Job:
    """Return the draft of a job. Raise `InvalidProject.NotFound` or `InvalidJob.NotFound`."""
    job = get_job(world, project_name, job_name)
    if job is None:
        raise NOT_FOUND(f"Project {project_name!r} has no job {job_name!r}; ListJob shows those it has.")
    return job


def online(world: World, project_name: str) -> list[str]:
    """Return the names of a project's online jobs."""
    return rows.names(world, CommittedJob, equal(CommittedJob.project_name, project_name))


def online_of_type(world: World, project_name: str, job_names: Collection[str], job_type: str) -> Mapping[str, str]:
    """Return the API types of those jobs that are online and of a type, by name. Raise `InvalidProject.NotFound`."""
    projects.require(world, project_name)
    return rows.online_of_type(world, project_name, job_names, job_type)


def in_folder(world: World, folder_id: int) -> list[str]:
    """Return the names of the jobs in a folder, without those in folders below it."""
    return rows.names(world, Job, equal(Job.folder_id, folder_id))


def packages_of_copies(world: World, project_name: str, part: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a project's online jobs, with the names of their packages where this part is in them."""
    return rows.packages_of_copies(world, project_name, part)


def page_of_copies(
    world: World, project_name: str, job_names: Collection[str], page_index: int, page_size: int
) -> Page[Job]:
    """Return a page of these online jobs, newest first, as they were committed."""
    names = [name for name in rows.newest_first(world, project_name) if name in job_names] if job_names else []
    return page_of_parts(
        world,
        Job,
        len(names),
        lambda begin, end: rows.select_committed(project_name, names[begin:end]),
        page_index=page_index,
        page_size=page_size,
    )


def remove_all(world: World, project_name: str, job_name: str | None = None) -> None:
    """Delete the jobs of a project that is being deleted, in any state, or the one of this name."""
    deleted.send(world, project_name, job_name)
    lifecycle.cancel_all(world, project_name, job_name)
    rows.delete_job_rows(world, project_name, job_name)


def _check_draft(world: World, project_name: str, draft: Draft) -> None:
    """Raise for a folder or a package that does not exist; note why a plan cannot be used."""
    if draft.folder_id is not None:
        folders.require_id(world, project_name, draft.folder_id)
    _check_packages(world, project_name, draft.packages)
    given_plan(draft.plan_json or "", note=world.note)


def _check_packages(world: World, project_name: str, names: str | None) -> None:
    if names:
        if len(names) > LONGEST_PACKAGES:
            raise invalid("packages", f"they have {len(names)} characters, and may have {LONGEST_PACKAGES}.")
        check_packages(world, project_name, listed("packages", names))
