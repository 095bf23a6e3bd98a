"""The rules of instances."""

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs import rules as jobs
from foas_emulator.operations.jobs.rows import Job
from foas_emulator.world.world import World

CURRENT = -1
"""The instance id that stands for a stream job's one instance that is not archived."""

STREAM = "FLINK_STREAM"
RUNNING = "RUNNING"
UNKNOWN = "UNKNOWN"

NOT_FOUND = problem("InvalidInstance.NotFound", 404, "The specified instance does not exist.")
NOT_RUNNING = problem(
    "InvalidInstance.NotRunning",
    400,
    "The specified instance is not running.",
    documented("GetInstance: a call for a job that is not running fails; the code and its text are inferred"),
)


def current(world: World, job: Job) -> Instance | None:
    """The one instance of a stream job that is not archived, or None before the first start."""
    return world.store.get(Instance, project_name=job.project_name, job_name=job.job_name, is_archived=False)


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
    instance = world.store.get(Instance, id=instance_id, project_name=job.project_name, job_name=job.job_name)
    if instance is None:
        raise NOT_FOUND(f"Job {job.job_name!r} has no instance {instance_id}; ListInstance shows those it has.")
    return instance


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
        shown = instance or _never_started(world, job)
        if shown is not None:
            return shown
    state = "it was never started" if instance is None else f"its instance {instance.id} is {instance.actual_state}"
    raise NOT_RUNNING(
        f"Job {job.job_name!r} is not running: {state}. The setting not_running=answer shows every state."
    )


def _never_started(world: World, job: Job) -> Instance | None:
    copy = jobs.committed(world, job)
    if copy is None:
        return None
    return Instance.model_construct(
        **copy.model_dump(), actual_state=UNKNOWN, expect_state=UNKNOWN, job_type=job.job_type, api_type=job.api_type
    )
