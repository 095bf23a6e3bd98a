"""The operations on instances: find the instance of an id, and return its data or change it as its state allows."""

from typing import TYPE_CHECKING

from foas_emulator.blink import chance, runtime
from foas_emulator.blink.checkpoints import checkpoints
from foas_emulator.blink.kinds import BATCH, STREAM
from foas_emulator.blink.resource import Resource
from foas_emulator.blink.running import Run
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.operations.instances import engine, lifecycle, rows
from foas_emulator.operations.instances.lifecycle import LIVE, NOT_RUNNING, PAUSED, RUNNING, SUCCESS, UNKNOWN
from foas_emulator.operations.instances.rows import Instance, Window
from foas_emulator.operations.jobs import lifecycle as job_lifecycle
from foas_emulator.operations.jobs import service as jobs
from foas_emulator.operations.paging import Page, bounded, page
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.required import given, listed, require_engine
from foas_emulator.world.slices import read_in_slices
from foas_emulator.world.tables import Condition, assign, equal
from foas_emulator.world.world import World

if TYPE_CHECKING:
    from foas_emulator.operations.jobs.rows import CommittedJob, Job

CURRENT = -1
"""The instance id that means the one instance of a stream job that is not archived."""

NOT_FOUND = problem("InvalidInstance.NotFound", 404, "The specified instance does not exist.")
VERTEX_NOT_FOUND = problem("InvalidVertex.NotFound", 404, "The specified vertex does not exist.")
ARCHIVED = problem("InvalidInstance.Archived", 400, "The specified instance is archived.")

_ONLY_FOR = {PAUSED: STREAM, SUCCESS: BATCH}


# -- the operations


def list_instance(
    world: World,
    project_name: str,
    *filters: Condition,
    started: Window,
    ended: Window,
    page_index: int,
    page_size: int,
) -> Page[Instance]:
    """Return a page of the instances of a project that pass the filters, newest first.

    The documentation calls the *BeginTs parameters upper and the *EndTs ones lower bounds; this follows their names.
    """
    projects.require(world, project_name)
    statement = rows.select_instances(
        equal(Instance.project_name, project_name), *filters, started=started, ended=ended
    )
    return page(world, Instance, statement, page_index, page_size)


def get_instance(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """Return a running instance. Raise `InvalidInstance.NotRunning` for one in another state.

    With the setting `not_running` = `answer`, return an instance in any state and, for a committed job that was never
    started, one whose state is UNKNOWN.
    """
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is not None and instance.actual_state == RUNNING:
        return instance
    shown = instance or _never_started(world, job)
    if shown is None:
        raise NOT_RUNNING(f"{_not_running(job, instance)} It is a draft: CommitJob and StartJob start it.")
    if world.settings.not_running == "answer":
        return shown
    raise NOT_RUNNING(f"{_not_running(job, instance)} The setting not_running=answer shows every state.")


def modify_instance_state(
    world: World,
    project_name: str,
    job_name: str,
    instance_id: int,
    *,
    expect_state: str | None,
    is_flush: bool,
    trigger_checkpoint: bool,
) -> None:
    """Request a state of an instance. Requesting again a state that is being reached is accepted and changes nothing.

    Resuming archives the paused instance and makes a new one, from the latest committed copy of the job or, without
    `is_flush`, from the copy that the paused one ran.
    """
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    expect_state = given("expectState", expect_state)
    if _ONLY_FOR.get(expect_state, job.job_type) != job.job_type:
        raise invalid("expectState", f"{expect_state} is not for a job of type {job.job_type}.")
    if instance is not None and instance.is_archived:
        raise ARCHIVED(f"Instance {instance.id} is archived and {instance.actual_state}; -1 is a stream job's current.")
    # An ended instance does not reach another state: one that failed while it was expected to run will not run again.
    if (
        instance is not None
        and instance.actual_state in LIVE - {expect_state}
        and instance.expect_state == expect_state
    ):
        return
    call = lifecycle.CALL_FOR[expect_state]
    wanted = lifecycle.target(call, job, instance)
    assert instance is not None, "no call leads anywhere from UNKNOWN but start"
    if trigger_checkpoint and call in ("pause", "stop"):
        require_engine("3.5", instance.engine_version or "", feature="A checkpoint on pause or stop")
    if call == "resume":
        copy = job_lifecycle.committed(world, job) if is_flush else None
        lifecycle.archive(world, instance, assign(Instance.end_time, world.second()))
        lifecycle.launch(world, job, copy or instance, call=call, parameter_json=instance.parameter_json)
    else:
        lifecycle.apply_call(world, instance, call, wanted)


def get_instance_run_summary(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """Return an instance in any state; for a committed job that was never started, the state is UNKNOWN.

    Raise `InvalidJob.NotCommitted` for a job that was neither started nor committed.
    """
    job = jobs.require(world, project_name, job_name)
    shown = find(world, job, instance_id) or _never_started(world, job)
    if shown is None:
        raise job_lifecycle.not_committed(job)
    return shown


async def batch_get_instance_run_summary(
    world: World, project_name: str, job_names: str, job_type: str
) -> list[Instance]:
    """Return an instance for each of the jobs in a comma-separated list, in its order.

    Leave out jobs that do not exist, are not committed or are of the other type, as official sample code says. For a
    batch job, return the newest instance (inferred). Raise `InvalidjobNames` for too many with long error messages;
    others are served meanwhile.
    """
    names = listed("jobNames", job_names)
    online = jobs.online_of_type(world, project_name, names, job_type)
    current = [equal(Instance.is_archived, False)] if job_type == STREAM else []
    found = bounded(rows.newest_instances(world, project_name, names, *current), parameter="jobNames")
    newest = {each.job_name: each async for each in read_in_slices(world, found)}
    return [
        newest.get(name)
        or Instance.model_construct(
            project_name=project_name,
            job_name=name,
            job_type=job_type,
            api_type=online[name],
            actual_state=UNKNOWN,
            expect_state=UNKNOWN,
        )
        for name in names
        if name in online
    ]


def get_instance_config(world: World, project_name: str, job_name: str, instance_id: int) -> str:
    """Return the settings of a running instance."""
    return runtime.config(require_run(world, project_name, job_name, instance_id))


def get_instance_detail(world: World, project_name: str, job_name: str, instance_id: int) -> str:
    """Return the graph of a running instance, with the data that has flowed through it."""
    return runtime.details(require_run(world, project_name, job_name, instance_id))


def get_instance_exceptions(world: World, project_name: str, job_name: str, instance_id: int) -> str:
    """Return the failures of an instance in any state."""
    return runtime.exceptions(engine.run_of(world, require(world, project_name, job_name, instance_id)))


def get_instance_checkpoint(world: World, project_name: str, job_name: str, instance_id: int) -> str:
    """Return the checkpoints of a running instance."""
    return checkpoints(require_run(world, project_name, job_name, instance_id))


def get_instance_final_state(world: World, project_name: str, job_name: str, instance_id: int) -> str:
    """Return YARN's word for the state of an instance."""
    return runtime.FINAL_STATES[require(world, project_name, job_name, instance_id).actual_state]


def get_instance_resource(
    world: World, project_name: str, job_name: str, instance_id: int
) -> tuple[Resource, Resource]:
    """Return the resources that a running instance requested from its queue, and those that it uses.

    It uses a part that stays the same while it runs, which is inferred.
    """
    instance = require_running(world, project_name, job_name, instance_id)
    asked = engine.demand(world, instance, world.note)
    percent = chance.between(40, 80, world.seed, instance.id, "usage")
    return asked, Resource(v_core=asked.v_core * percent // 100, mem=asked.mem * percent // 100)


def get_instance_vertex_task_managers(
    world: World, project_name: str, job_name: str, instance_id: int, vertex_id: str
) -> str:
    """Return the hosts on which a vertex of a running instance runs. Raise `InvalidVertex.NotFound`."""
    found = runtime.task_managers(require_run(world, project_name, job_name, instance_id), vertex_id)
    if found is None:
        raise VERTEX_NOT_FOUND(f"No vertex has the id {vertex_id!r}; GetInstanceDetail shows those there are.")
    return found


# -- the rules


def find(world: World, job: "Job", instance_id: int) -> Instance | None:
    """Return the instance with an id: None only for `-1` on a stream job that has none.

    Raise `InvalidinstanceId` for `-1` on a batch job and for a number that cannot be an id, `InvalidInstance.NotFound`
    for an id that is not an instance of this job.
    """
    if instance_id == CURRENT:
        if job.job_type != STREAM:
            name = job.job_name
            raise invalid("instanceId", f"-1 is for stream jobs, {name!r} is a batch job; ListInstance has its ids.")
        return rows.current_instance(world, job.project_name, job.job_name)
    if instance_id < CURRENT:
        raise invalid("instanceId", "an instance id is positive, or -1 for a stream job's current instance.")
    instance = rows.find_instance(world, job.project_name, job.job_name, instance_id)
    if instance is None:
        raise NOT_FOUND(f"Job {job.job_name!r} has no instance {instance_id}; ListInstance shows those it has.")
    return instance


def require(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """Return the instance with an id, in any state. Raise `InvalidInstance.NotFound` if there is none."""
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is None:
        raise NOT_FOUND(f"Job {job_name!r} was never started; StartJob makes its first instance.")
    return instance


def require_running(world: World, project_name: str, job_name: str, instance_id: int) -> Instance:
    """Return the instance with an id. Raise `InvalidInstance.NotRunning` unless it is running."""
    job = jobs.require(world, project_name, job_name)
    instance = find(world, job, instance_id)
    if instance is None or instance.actual_state != RUNNING:
        raise NOT_RUNNING(f"{_not_running(job, instance)} Only a running instance can report this.")
    return instance


def require_run(world: World, project_name: str, job_name: str, instance_id: int) -> Run:
    """Return the engine's view of a running instance. Raise `InvalidInstance.NotRunning`."""
    return engine.run_of(world, require_running(world, project_name, job_name, instance_id))


def start(world: World, job: "Job", copy: "CommittedJob", parameter_json: str | None) -> int:
    """Start an instance of a committed copy; return its id. Archive the previous instance of a stream job.

    Raise `InvalidJob.AlreadyStarted`.
    """
    if job.job_type == STREAM:
        previous = rows.current_instance(world, job.project_name, job.job_name)
        lifecycle.target("start", job, previous)
        if previous is not None:
            lifecycle.archive(world, previous)
    return lifecycle.launch(world, job, copy, call="start", parameter_json=parameter_json)


def put_state(
    world: World,
    project_name: str,
    job_name: str,
    instance_id: int,
    *,
    actual_state: str,
    last_error_message: str | None = None,
) -> None:
    """Force an instance into a state, as no call of the service can, and drop its pending changes.

    Times and the engine job handler change as if the instance had reached the state by itself; with a message, it has
    just failed. The state then lasts until a call or another planned change. Raise `InvalidJob.NotCommitted` for a live
    state of an offline job, which DeleteJob would remove while it runs.
    """
    instance = require(world, project_name, job_name, instance_id)
    if actual_state in LIVE and not instance.is_archived:
        job_lifecycle.require_committed(world, jobs.require(world, project_name, job_name))
    lifecycle.cancel(world, instance)
    lifecycle.enter(world, instance, actual_state, last_error_message)


def set_auto_scale(world: World, instance: Instance, auto_scale_params: str) -> Instance:
    """Set the AutoScale parameters of a running instance; return the changed instance."""
    return rows.update_instance(world, instance, assign(Instance.auto_scale_params, auto_scale_params))


def live_instance(world: World, job: "Job") -> tuple[int, str] | None:
    """Return id and state of the first of the instances for which a job counts as started: live, and not archived."""
    return rows.first_instance(world, job.project_name, job.job_name, LIVE)


def remove_all(world: World, project_name: str, job_name: str | None) -> None:
    """Delete all instances of a job, or of all jobs of a project, that is being deleted, and their pending changes."""
    lifecycle.cancel_all(world, project_name, job_name)
    rows.delete_instances(world, project_name, job_name)


def _never_started(world: World, job: "Job") -> Instance | None:
    """Return what stands for a committed job without an instance: UNKNOWN, no id, no times. None for a draft."""
    copy = job_lifecycle.committed(world, job)
    if copy is None:
        return None
    return Instance.model_construct(
        **copy.model_dump(), actual_state=UNKNOWN, expect_state=UNKNOWN, job_type=job.job_type, api_type=job.api_type
    )


def _not_running(job: "Job", instance: Instance | None) -> str:
    state = "it was never started" if instance is None else f"its instance {instance.id} is {instance.actual_state}"
    return f"Job {job.job_name!r} is not running: {state}."
