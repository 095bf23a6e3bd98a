"""The lifecycle of a job and of the sessions that make its plans.

A job is online while it has a committed copy; only an online job can be started, and only an offline one deleted. A
session is in run, then success or fail after the setting `plan_delay`; its plan is that of the draft at its beginning.
"""

from foas_emulator.blink.errors import SqlError, UnreadablePlanError, error_text, plan_error_text
from foas_emulator.blink.plan import plan_from_json, same_operators
from foas_emulator.gateway.errors import ApiError, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.hooks import Hook
from foas_emulator.operations.jobs import engine
from foas_emulator.operations.jobs.rows import (
    CommittedJob,
    Job,
    PlanSession,
    count_sessions,
    delete_sessions,
    find_committed,
    find_job,
    is_session,
    select_old_sessions,
    select_session_ids,
)
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.tables import Change, assign, changed, equal
from foas_emulator.world.world import World

IN_RUN = "Session in run"
MADE = "success"
FAILED = "fail"
STATUSES = (IN_RUN, MADE, FAILED)
"""The states of a session, in the service's words."""

MOST_SESSIONS = 100
"""The most sessions of a job that are kept, each with its plan. The number is ours."""
MOST_SESSIONS_OF_PROJECT = 10_000
"""The same for all jobs of a project: a call that deletes it deletes all of them, in four microseconds each."""

_KIND = "plan_session"
_SESSION_ID_LENGTH = 141  # that of the documented example

NOT_COMMITTED = problem("InvalidJob.NotCommitted", 400, "The specified job is not committed.")
ONLINE = problem(
    "InvalidJob.Online",
    400,
    "The specified job is online.",
    documented("DeleteJob: only an offline job can be deleted; the code and its text are inferred"),
)

latest_auto_scale_plan: Hook[[World, str, str], str | None] = Hook()
"""The last plan that AutoScale made for a job, None if there is none."""


def committed(world: World, job: Job) -> CommittedJob | None:
    """Return the committed copy of a job, or None while the job is offline."""
    return find_committed(world, job)


def require_committed(world: World, job: Job) -> CommittedJob:
    """Return the committed copy of a job. Raise `InvalidJob.NotCommitted` while the job is offline."""
    copy = find_committed(world, job)
    if copy is None:
        raise not_committed(job)
    return copy


def not_committed(job: Job) -> ApiError:
    """Return `InvalidJob.NotCommitted`, for calls that require the job to be online."""
    return NOT_COMMITTED(f"Job {job.job_name!r} is offline; CommitJob brings it online.")


def require_offline(world: World, job: Job) -> None:
    """Raise `InvalidJob.Online` while the job is online."""
    if find_committed(world, job) is not None:
        raise ONLINE(f"Job {job.job_name!r} is online; OfflineJob takes it offline.")


def begin(
    world: World, job: Job, expected_core: float | None, expected_gb: float | None, *, is_tuned: bool
) -> PlanSession:
    """Begin to make a plan from a job's draft.

    The job forgets the oldest of more than `MOST_SESSIONS` sessions, its project of `MOST_SESSIONS_OF_PROJECT`.
    """
    session = PlanSession.model_construct(
        session_id=world.free_token("plan_session", lambda each: is_session(world, each), length=_SESSION_ID_LENGTH),
        project_name=job.project_name,
        job_name=job.job_name,
        status=IN_RUN,
        expected_core=expected_core,
        expected_gb=expected_gb,
        is_tuned=is_tuned,
    )
    made = changed(session, *_outcome(world, job, session))
    if world.settings.plan_delay:
        world.store.insert(changed(made, assign(PlanSession.status, IN_RUN)))
        world.schedule("made", _subject(session), at=world.now() + world.settings.plan_delay)
    else:
        world.store.insert(made)
    _forget_old(world, job.project_name, job.job_name, MOST_SESSIONS)
    _forget_old(world, job.project_name, None, MOST_SESSIONS_OF_PROJECT)
    return session


def _forget_old(world: World, project_name: str, job_name: str | None, most: int) -> None:
    if count_sessions(world, project_name, job_name) > most:
        old = select_old_sessions(project_name, job_name, most)
        world.cancel_all(_KIND, lambda: old)
        delete_sessions(world, old)


def apply_change(world: World, change: PendingChange) -> str:
    """End a session whose plan is due; return its status."""
    session = world.store.get(PlanSession, equal(PlanSession.session_id, change.key))
    assert session is not None, "changes are cancelled when their session is deleted"
    outcome = [assign(PlanSession.status, MADE if session.error_message is None else FAILED)]
    if session.plan_json is None and session.error_message is None:  # an older version made it at the end
        job = find_job(world, session.project_name, session.job_name)
        assert job is not None, "sessions are deleted with their job"
        outcome = [*_outcome(world, job, session)]
    world.store.update(PlanSession, *outcome, where=[equal(PlanSession.session_id, session.session_id)])
    return changed(session, *outcome).status


def cancel_all(world: World, project_name: str, job_name: str | None) -> None:
    """Cancel the pending changes of the sessions of a job, or of all jobs of a project, that is being deleted."""
    world.cancel_all(_KIND, lambda: select_session_ids(project_name, job_name))


def _subject(session: PlanSession) -> str:
    return f"{_KIND}:{session.session_id}"


def _outcome(world: World, job: Job, session: PlanSession) -> tuple[Change, Change]:
    """Return the columns of a session that has ended: its status, and the plan or the error."""
    follows = session.is_tuned and session.expected_core is None
    tuned = latest_auto_scale_plan(world, job.project_name, job.job_name) if follows else None
    try:
        plan_from_json(job.plan_json or "")
        plan_json = engine.plan_of(job, session.expected_core, session.expected_gb).to_json()
    except SqlError as error:
        return assign(PlanSession.status, FAILED), assign(PlanSession.error_message, error_text(error))
    except UnreadablePlanError as error:
        return assign(PlanSession.status, FAILED), assign(PlanSession.error_message, plan_error_text(error))
    if tuned and same_operators(tuned, plan_json):  # else it was made for other code
        plan_json = tuned
    return assign(PlanSession.status, MADE), assign(PlanSession.plan_json, plan_json)
