"""Bringing jobs online and taking them away: CommitJob, OfflineJob, DeleteJob."""

from foas_emulator.blink.plan import resources
from foas_emulator.blink.planner import given_plan, running_plan
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.autoscale.params import AutoScale
from foas_emulator.operations.instances import changes as instances
from foas_emulator.operations.instances import rules as running
from foas_emulator.operations.jobs import plans, rules
from foas_emulator.operations.jobs.engine_version import require_at_least
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

ONLINE = problem(
    "InvalidJob.Online",
    400,
    "The specified job is online.",
    documented("DeleteJob: only an offline job can be deleted; the code and its text are inferred"),
)
NOT_STOPPED = problem(
    "InvalidJob.NotStopped",
    400,
    "The specified job has an instance that is not stopped.",
    documented("OfflineJob: the job must have no running instance; the code and its text are inferred"),
)
RESOURCE_VALIDATION = problem(
    "InvalidJob.ResourceValidateFailed",
    400,
    "resource validate failed！please modify your planJson or max CU and try again.",
    documented("the text stands in the console's page on AutoScale; the code is inferred"),
)


def commit(world: World, project_name: str, job_name: str, scale: AutoScale) -> None:
    """Make the job's draft its committed copy, which the next start runs. Committing again makes a new copy.

    AutoScale is for stream jobs on Blink 3, and its maximum must hold the job's plan (documented). Whether the code
    makes sense is asked by ValidateJob and not here, as the console asks before it commits.
    """
    job = rules.require(world, project_name, job_name)
    rules.check_references(world, job)
    given_plan(job.plan_json or "", note=world.note)
    if scale.is_on:
        _check_scale(world, job, scale)
    world.store.delete(
        CommittedJob, equal(CommittedJob.project_name, project_name), equal(CommittedJob.job_name, job_name)
    )
    copied = job.model_dump(include=set(CommittedJob.model_fields) & set(Job.model_fields))
    world.store.insert(CommittedJob.model_construct(**copied, auto_scale_params=scale.to_json()))


def offline(world: World, project_name: str, job_name: str) -> None:
    """Take a job offline. Raises `InvalidJob.NotCommitted`, or `InvalidJob.NotStopped` while an instance lives.

    That a paused instance counts as not stopped is inferred: it can still be resumed.
    """
    job = rules.require(world, project_name, job_name)
    rules.require_committed(world, job)
    live = running.live(world, job)
    if live:
        raise NOT_STOPPED(
            f"Job {job_name!r} has instance {live[0].id}, which is {live[0].actual_state}; "
            "ModifyInstanceState to TERMINATED stops it."
        )
    world.store.delete(
        CommittedJob, equal(CommittedJob.project_name, project_name), equal(CommittedJob.job_name, job_name)
    )


def delete(world: World, project_name: str, job_name: str) -> None:
    """Remove an offline job with its instances and plans. Raises `InvalidJob.Online`."""
    job = rules.require(world, project_name, job_name)
    if rules.committed(world, job) is not None:
        raise ONLINE(f"Job {job_name!r} is online; OfflineJob takes it offline.")
    forget(world, job)


def forget(world: World, job: Job) -> None:
    """Drop a job, however it stands, with its instances, plans and committed copy."""
    instances.forget(world, job)
    plans.forget(world, job)
    for model in (CommittedJob, Job):
        world.store.delete(model, equal(model.project_name, job.project_name), equal(model.job_name, job.job_name))


def _check_scale(world: World, job: Job, scale: AutoScale) -> None:
    if job.job_type != rules.STREAM:
        raise invalid("isOnOff", "AutoScale is for stream jobs.")
    require_at_least("3.0", job.engine_version, feature="AutoScale")
    if scale.recommends_only:
        require_at_least("3.7.8", job.engine_version, feature="recommendOnly")
    plan = running_plan(
        job.plan_json or "", job.code or "", api_type=job.api_type, job_type=job.job_type, note=world.note
    )
    cores, memory_gb = resources(plan)
    if not scale.holds(cores, memory_gb):
        raise RESOURCE_VALIDATION(
            f"The plan of job {job.job_name!r} needs {cores} cores and {memory_gb} GB, "
            f"more than the {scale.max_cu} CU of maxCU hold."
        )
