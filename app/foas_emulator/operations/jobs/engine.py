"""How Blink sees a job's draft: its plan, the resources that this takes, and the AutoScale it is committed with."""

from collections.abc import Sequence

from foas_emulator.blink import auto_scale
from foas_emulator.blink.auto_scale import AutoScale, Period
from foas_emulator.blink.kinds import STREAM
from foas_emulator.blink.plan import Plan, resources
from foas_emulator.blink.planner import Note, given_plan, raw_plan, running_plan
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.jobs.rows import Job
from foas_emulator.operations.required import given, readable, require_engine

RESOURCE_VALIDATION = problem(
    "InvalidJob.ResourceValidateFailed",
    400,
    "resource validate failed！please modify your planJson or max CU and try again.",
    documented("the text stands in the console's page on AutoScale; the code is inferred"),
)


def plan_of(job: Job, expected_core: float | None = None, expected_gb: float | None = None) -> Plan:
    """Return the engine's plan for a job's code. Raise SqlError for SQL that is definitely wrong."""
    return raw_plan(
        job.code or "",
        api_type=job.api_type,
        job_type=job.job_type,
        expected_core=expected_core,
        expected_gb=expected_gb,
    )


def resources_of(job: Job, note: Note) -> tuple[float, float]:
    """Return the cores and GB of memory that a job's own plan takes or, if it has none, one made from its code.

    Raise SqlError if that code makes none.
    """
    return resources(given_plan(job.plan_json or "", note=note) or plan_of(job))


def auto_scale_of(
    *,
    max_cu: float | None,
    configure: str | None,
    recommend_only: bool | None,
    suspend_periods: str | None,
    suspend_period_param: Sequence[Period] | None,
) -> AutoScale:
    """Return AutoScale as CommitJob switches it on. Raise `Missing{parameter}`, `Invalid{parameter}`.

    It requires `maxCU` and `configure` (documented); periods may be given as a list of structures, as a JSON text, or
    as both.
    """
    if not 0 < given("maxCU", max_cu) < auto_scale.CU_LIMIT:
        raise invalid("maxCU", f"it must be more than 0 and less than {auto_scale.CU_LIMIT}.")
    strategy = dict(readable("configure", auto_scale.read_strategy, given("configure", configure)))
    if recommend_only is not None:
        strategy["recommendOnly"] = recommend_only
    if suspend_period_param is not None and len(suspend_period_param) > auto_scale.MOST_PERIODS:
        raise invalid("suspendPeriodParam", f"it has {auto_scale.MOST_PERIODS} periods at most.")
    periods = [
        *readable("suspendPeriodParam", auto_scale.check_periods, suspend_period_param or ()),
        *(readable("suspendPeriods", auto_scale.read_periods, suspend_periods) if suspend_periods else ()),
    ]
    scale = AutoScale(is_on=True, strategy=strategy, max_cu=max_cu, suspend_periods=periods)
    if len(scale.to_json()) > auto_scale.LONGEST:
        raise invalid("configure", f"with the periods it has over {auto_scale.LONGEST} characters.")
    return scale


def require_fit(job: Job, scale: AutoScale, note: Note) -> None:
    """Raise for AutoScale that a job cannot have: by its type, by its engine version, or by the plan that it would run.

    AutoScale is for stream jobs on Blink 3, and its maximum must suffice for the job's plan (documented).
    """
    if job.job_type != STREAM:
        raise invalid("isOnOff", "AutoScale is for stream jobs.")
    require_engine("3.0", job.engine_version, feature="AutoScale")
    if scale.recommends_only:
        require_engine("3.7.8", job.engine_version, feature="recommendOnly")
    plan = running_plan(job.plan_json or "", job.code or "", api_type=job.api_type, job_type=job.job_type, note=note)
    cores, memory_gb = resources(plan)
    if not scale.holds(cores, memory_gb):
        raise RESOURCE_VALIDATION(
            f"The plan of job {job.job_name!r} needs {cores} CPU and {memory_gb} GB, more than maxCU allows: "
            f"{scale.max_cu} CU."
        )
