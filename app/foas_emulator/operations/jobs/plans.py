"""What the engine makes of a job's draft: its tables, its plan, and what that would cost."""

from foas_emulator.blink import sql
from foas_emulator.blink.errors import SqlError, UnreadablePlanError, error_text, plan_error_text
from foas_emulator.blink.plan import Plan, plan_from_json, resources
from foas_emulator.blink.planner import given_plan, raw_plan
from foas_emulator.blink.sql import Script
from foas_emulator.gateway.difference import shown
from foas_emulator.gateway.errors import ApiError, invalid, missing, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.autoscale import plans as auto_scale
from foas_emulator.operations.jobs import rules
from foas_emulator.operations.jobs.engine_version import require_at_least
from foas_emulator.operations.jobs.rows import Job, PlanSession
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

IN_RUN = "Session in run"
MADE = "success"
FAILED = "fail"

_SESSION_ID_LENGTH = 141  # that of the documented example

SYNTAX_ERROR = problem(
    "InvalidJob.SyntaxError",
    400,
    "{error}",
    documented("ValidateJob answers the parser's report; the code is inferred"),
)
SESSION_NOT_FOUND = problem("InvalidSession.NotFound", 404, "The specified session does not exist.")


def validate(world: World, project_name: str, job_name: str) -> Script:
    """The tables that a job's code declares and uses. Raises `InvalidJob.SyntaxError` with the parser's report.

    The code of a DATASTREAM job declares none.
    """
    job = rules.require(world, project_name, job_name)
    try:
        script = sql.read(job.code or "" if job.api_type == "SQL" else "")
    except SqlError as error:
        raise _syntax_error(job, error) from None
    if script.unknown:
        world.note(f"No statement that is known here begins with {shown(script.unknown[0].word)}; it was passed over.")
    return script


def request_plan(
    world: World,
    project_name: str,
    job_name: str,
    *,
    expected_core: float | None,
    expected_gb: float | None,
    is_tuned: bool,
) -> str:
    """Begin to make a plan of a job's draft; answers the id of the session that CheckRawPlanJson asks about.

    The session fails for code that is surely wrong, and for a draft whose own planJson cannot be read (inferred).

    Cores and GB are given together or not at all (official sample code). A tuned plan is the last that AutoScale made,
    if there is one and no resources are given (inferred: it is documented to follow the job's history).
    """
    job = rules.require(world, project_name, job_name)
    for given, other, name in (
        (expected_core, expected_gb, "expectedGB"),
        (expected_gb, expected_core, "expectedCore"),
    ):
        if given is not None and other is None:
            raise missing(name)
    for name, value in (("expectedCore", expected_core), ("expectedGB", expected_gb)):
        if value is not None and value <= 0:
            raise invalid(name, "it must be more than 0.")
    session = PlanSession.model_construct(
        session_id=world.next_token("plan_session", length=_SESSION_ID_LENGTH),
        project_name=project_name,
        job_name=job_name,
        status=IN_RUN,
        expected_core=expected_core,
        expected_gb=expected_gb,
        is_tuned=is_tuned,
    )
    world.store.insert(session)
    if world.settings.plan_delay:
        world.schedule("made", _subject(session), at=world.now() + world.settings.plan_delay)
    else:
        _make(world, job, session)
    return session.session_id


def session(world: World, project_name: str, job_name: str, session_id: str) -> PlanSession:
    """How far a session is. Raises `InvalidSession.NotFound` also for a session of another job."""
    rules.require(world, project_name, job_name)
    found = world.store.get(
        PlanSession,
        equal(PlanSession.session_id, session_id),
        equal(PlanSession.project_name, project_name),
        equal(PlanSession.job_name, job_name),
    )
    if found is None:
        raise SESSION_NOT_FOUND(f"Job {job_name!r} has no session {session_id!r}; GetRawPlanJson begins one.")
    return found


def cost(world: World, project_name: str, job_name: str) -> tuple[float, float]:
    """Cores and GB of memory that a job's plan needs; without a plan of its own, that of its code.

    For Blink 3.2.1 and newer (documented). Raises `InvalidJob.SyntaxError` if there is no plan to be made.
    """
    job = rules.require(world, project_name, job_name)
    require_at_least("3.2.1", job.engine_version, feature="CalcPlanJsonResource")
    plan = given_plan(job.plan_json or "", note=world.note)
    try:
        return resources(plan or _plan(job))
    except SqlError as error:
        raise _syntax_error(job, error) from None


def apply_change(world: World, change: PendingChange) -> None:
    """End a session whose plan came due."""
    found = world.store.get(PlanSession, equal(PlanSession.session_id, change.key))
    assert found is not None, "changes are cancelled when their session goes"
    _make(world, rules.require(world, found.project_name, found.job_name), found)


def forget(world: World, job: Job) -> None:
    """Drop the sessions of a job that is being deleted."""
    for each in world.store.find(
        PlanSession, equal(PlanSession.project_name, job.project_name), equal(PlanSession.job_name, job.job_name)
    ):
        world.cancel(_subject(each))
    world.store.delete(
        PlanSession, equal(PlanSession.project_name, job.project_name), equal(PlanSession.job_name, job.job_name)
    )


def _subject(session: PlanSession) -> str:
    return f"plan_session:{session.session_id}"


def _make(world: World, job: Job, session: PlanSession) -> None:
    follows = session.is_tuned and session.expected_core is None
    tuned = auto_scale.latest(world, job.project_name, job.job_name) if follows else None
    try:
        plan_from_json(job.plan_json or "")
        plan_json = tuned or _plan(job, session.expected_core, session.expected_gb).to_json()
        outcome = {"status": MADE, "plan_json": plan_json}
    except SqlError as error:
        outcome = {"status": FAILED, "error_message": error_text(error)}
    except UnreadablePlanError as error:
        outcome = {"status": FAILED, "error_message": plan_error_text(error)}
    world.store.update(PlanSession, *outcome.items(), where=[equal(PlanSession.session_id, session.session_id)])


def _plan(job: Job, expected_core: float | None = None, expected_gb: float | None = None) -> Plan:
    return raw_plan(
        job.code or "",
        api_type=job.api_type,
        job_type=job.job_type,
        expected_core=expected_core,
        expected_gb=expected_gb,
    )


def _syntax_error(job: Job, error: SqlError) -> ApiError:
    return SYNTAX_ERROR(
        f"Job {job.job_name!r}, line {error.line}, column {error.column}: {error}", error=error_text(error)
    )
