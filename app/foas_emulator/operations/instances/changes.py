"""What moves instances: calls, and the changes that come due."""

from collections.abc import Mapping
from typing import Any

from foas_emulator.blink import lenient_json
from foas_emulator.blink.runtime import engine_job_handler
from foas_emulator.gateway.errors import Problem, invalid, problem
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.autoscale import plans
from foas_emulator.operations.instances import engine, rules
from foas_emulator.operations.instances.lifecycle import (
    CALL_FOR,
    FAILED,
    LIVE,
    OUTCOMES,
    PAUSED,
    RUNNING,
    SUCCESS,
    TRANSITIONS,
    UNKNOWN,
    WAITING,
)
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs import rules as jobs
from foas_emulator.operations.jobs.engine_version import require_at_least
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.jobs.rules import BATCH, STREAM
from foas_emulator.operations.required import given
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

ARCHIVED_AFTER = 2 * 86_400_000
"""Milliseconds from a batch instance's end to its archiving (documented: two days)."""
UNKNOWN_DELAY = -99999999
"""The InputDelay of an instance that has measured none (documented sample)."""

ALREADY_STARTED = problem("InvalidJob.AlreadyStarted", 400, "The specified job has been started already.")
NOT_PAUSED = problem("InvalidInstance.NotPaused", 400, "The specified instance is not paused.")
ENDED = problem("InvalidInstance.Ended", 400, "The specified instance has ended.")
ARCHIVED = problem("InvalidInstance.Archived", 400, "The specified instance is archived.")

_REFUSALS: Mapping[str, Problem] = {
    "start": ALREADY_STARTED,
    "pause": rules.NOT_RUNNING,
    "resume": NOT_PAUSED,
    "stop": ENDED,
    "finish": rules.NOT_RUNNING,
    "fail": ENDED,
}
_ONLY_FOR = {PAUSED: STREAM, SUCCESS: BATCH}
_COPIED = (
    "code",
    "properties",
    "packages",
    "engine_version",
    "cluster_id",
    "queue_name",
    "auto_scale_params",
)


def start(world: World, project_name: str, job_name: str, *, parameter_json: str | None) -> int:
    """Start a job's committed copy; answers the id of the new instance, which waits until it runs.

    A stream job's instance before it is archived. Raises `InvalidJob.NotCommitted`, `InvalidJob.AlreadyStarted`.
    """
    job = jobs.require(world, project_name, job_name)
    copy = jobs.require_committed(world, job)
    _check_parameters(parameter_json)
    if job.job_type == STREAM:
        previous = rules.current(world, job)
        _target("start", job, previous)
        if previous is not None:
            _archive(world, previous)
    return _launch(world, job, copy, call="start", parameter_json=parameter_json)


def modify(
    world: World,
    project_name: str,
    job_name: str,
    instance_id: int,
    *,
    expect_state: str | None,
    is_flush: bool,
    trigger_checkpoint: bool,
) -> None:
    """Ask an instance for a state. Asking again for what is under way is accepted and changes nothing.

    Resuming makes a new instance, of the latest committed copy of the job or, without `is_flush`, of the copy that
    the paused one ran, and archives the paused one.
    """
    expect_state = given("expectState", expect_state)
    job = jobs.require(world, project_name, job_name)
    instance = rules.find(world, job, instance_id)
    if _ONLY_FOR.get(expect_state, job.job_type) != job.job_type:
        raise invalid("expectState", f"{expect_state} is not for a job of type {job.job_type}.")
    if instance is not None and instance.is_archived:
        raise ARCHIVED(f"Instance {instance.id} is archived and {instance.actual_state}; -1 is a stream job's current.")
    # Nothing is under way for what has ended: one that failed while it was expected to run will not run again.
    if (
        instance is not None
        and instance.actual_state in LIVE - {expect_state}
        and instance.expect_state == expect_state
    ):
        return
    call = CALL_FOR[expect_state]
    target = _target(call, job, instance)
    assert instance is not None, "no call leads anywhere from UNKNOWN but start"
    if trigger_checkpoint and call in ("pause", "stop"):
        require_at_least("3.5", instance.engine_version or "", feature="A checkpoint on pause or stop")
    if call == "resume":
        _resume(world, job, instance, is_flush=is_flush)
    else:
        _call(world, instance, call, target)


def put_state(
    world: World,
    project_name: str,
    job_name: str,
    instance_id: int,
    *,
    actual_state: str,
    last_error_message: str | None = None,
) -> None:
    """Put an instance into a state by force, as no call of the service can, and drop what was planned for it.

    Times and engine job handler become what they would be had the instance come there by itself; with a message it
    has failed just now. The state then holds until a call, or another change that was planned, moves it.
    """
    instance = rules.require(world, project_name, job_name, instance_id)
    world.cancel(_subject(instance))
    _put(world, instance, actual_state, last_error_message)


def apply_change(world: World, change: PendingChange) -> None:
    """Bring about a change of an instance that came due: `put_state`, `archive`, or what became of a call."""
    instance = world.store.get(Instance, equal(Instance.id, int(change.key)))
    assert instance is not None, "changes are cancelled when their instance goes"
    if change.event == "put_state":
        details = change.read_details()
        _put(world, instance, details["ActualState"], details.get("LastErrorMessage"))
    elif change.event == "archive":
        _archive(world, instance)
    else:
        _transition(world, instance, change.event)


def forget(world: World, job: Job) -> None:
    """Drop all instances of a job that is being deleted, and what was planned for them."""
    for instance in world.store.find(
        Instance, equal(Instance.project_name, job.project_name), equal(Instance.job_name, job.job_name)
    ):
        world.cancel(_subject(instance))
    world.store.delete(Instance, equal(Instance.project_name, job.project_name), equal(Instance.job_name, job.job_name))
    plans.forget(world, job.project_name, job.job_name)


def set_auto_scale(world: World, instance: Instance, auto_scale_params: str) -> None:
    """Set how a running instance is scaled; a plan is made at once if it is to be."""
    plans.make(world, _set(world, instance, auto_scale_params=auto_scale_params))


def _subject(instance: Instance) -> str:
    return f"instance:{instance.id}"


def _check_parameters(parameter_json: str | None) -> None:
    if not parameter_json:
        return
    try:
        parameters = lenient_json.parse(parameter_json)
    except ValueError as error:
        raise invalid("parameterJson", f"it cannot be read: {error}.") from None
    if not isinstance(parameters, dict):
        raise invalid("parameterJson", 'it must be an object, as {"startOffset":"1548397575000"}.')
    if not str(parameters.get("startOffset", 0)).isdecimal():
        raise invalid("parameterJson", "startOffset must be a time in milliseconds.")


def _target(call: str, job: Job, instance: Instance | None) -> str:
    """The state that a call asks for, or the refusal of it in this state."""
    state = UNKNOWN if instance is None else instance.actual_state
    target = TRANSITIONS[call].get(state)
    if target is None:
        which = "was never started" if instance is None else f"has instance {instance.id}, which is {state}"
        allowed = ", ".join(TRANSITIONS[call])
        raise _REFUSALS[call](f"Job {job.job_name!r} {which}; {call} is possible from {allowed}.")
    return target


def _launch(world: World, job: Job, copy: CommittedJob | Instance, *, call: str, parameter_json: str | None) -> int:
    instance = Instance.model_construct(
        id=world.next_number("instance"),
        project_name=job.project_name,
        job_name=job.job_name,
        job_type=job.job_type,
        api_type=job.api_type,
        actual_state=WAITING,
        expect_state=RUNNING,
        starter=ACCOUNT,
        input_delay=UNKNOWN_DELAY,
        parameter_json=parameter_json,
        plan_json=copy.plan_json or "",
        **{name: getattr(copy, name) for name in _COPIED},
    )
    world.store.insert(instance)
    _call(world, instance, call, RUNNING)
    return instance.id


def _resume(world: World, job: Job, paused: Instance, *, is_flush: bool) -> None:
    copy = jobs.committed(world, job) if is_flush else None
    _archive(world, paused, end_time=world.second())
    _launch(world, job, copy or paused, call="resume", parameter_json=paused.parameter_json)


def _call(world: World, instance: Instance, call: str, target: str) -> None:
    """Expect a state from now on, and plan what becomes of it; what was planned before is off."""
    outcome = OUTCOMES[call]
    world.cancel(_subject(instance))
    called = _set(world, instance, expect_state=target, last_operator=ACCOUNT, last_operate_time=world.second())
    delay = 0 if outcome.delay is None else getattr(world.settings, outcome.delay)
    _plan(world, called, outcome.event, after=delay)


def _plan(world: World, instance: Instance, event: str, *, after: int) -> None:
    if after:
        world.schedule(event, _subject(instance), at=world.now() + after)
    else:
        _transition(world, instance, event)


def _transition(world: World, instance: Instance, event: str) -> None:
    changed = _enter(world, instance, TRANSITIONS[event][instance.actual_state])
    if event != "started":
        return
    plans.make(world, changed)
    if changed.job_type == BATCH and world.settings.batch_duration is not None:
        _plan(world, changed, "finished", after=world.settings.batch_duration)


def _put(world: World, instance: Instance, state: str, message: str | None) -> None:
    # A failure is nobody's wish: what was expected stays expected, as of the job that failed in the default seed.
    expected = instance.expect_state if state == FAILED else RUNNING if state == WAITING else state
    values: dict[str, Any] = {"expect_state": expected}
    if message is not None:
        values |= {"last_error_time": world.second(), "last_error_message": message}
    _enter(world, _set(world, instance, **values), state)


def _enter(world: World, instance: Instance, state: str) -> Instance:
    """Make a state the actual one, with all that goes with it."""
    now = world.second()
    ended = state not in LIVE
    values: dict[str, Any] = {"actual_state": state, "end_time": now if ended else None}
    if state == RUNNING and instance.start_time is None:
        values["start_time"] = now
    entered = _set(world, instance, **values)
    if state == RUNNING and instance.engine_job_handler is None:
        entered = _set(world, entered, engine_job_handler=engine_job_handler(engine.run_of(world, entered)))
    world.cancel(_subject(instance), "archive")
    if ended and instance.job_type == BATCH and not instance.is_archived:
        world.schedule("archive", _subject(instance), at=world.now() + ARCHIVED_AFTER)
    return entered


def _archive(world: World, instance: Instance, **values: Any) -> None:
    world.cancel(_subject(instance))
    _set(world, instance, is_archived=True, **values)


def _set(world: World, instance: Instance, **values: Any) -> Instance:
    """Change columns of an instance; answers it as it is then."""
    world.store.update(Instance, *values.items(), where=[equal(Instance.id, instance.id)])
    return Instance.model_construct(**instance.model_dump() | values)
