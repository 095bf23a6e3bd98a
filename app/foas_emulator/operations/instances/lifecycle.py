"""The lifecycle of an instance, as a table (state x event -> state), and the changes that follow from it.

A call sets the expected state (ExpectState) at once; the actual one (ActualState) follows after the delay of the call.
States and the order of calls are documented; that an instance can be stopped while it waits or is paused, and that a
caller may declare an end (SUCCESS, FAILED), is inferred from the documented values of ModifyInstanceState.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

from foas_emulator.blink import sql
from foas_emulator.blink.errors import SqlError, submit_error_text
from foas_emulator.blink.kinds import BATCH, SQL
from foas_emulator.blink.planner import given_plan
from foas_emulator.blink.runtime import engine_job_handler
from foas_emulator.gateway.errors import Problem, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.operations.hooks import Signal
from foas_emulator.operations.instances.rows import Instance, select_ids, update_instance
from foas_emulator.operations.jobs import lifecycle as job_lifecycle
from foas_emulator.operations.jobs import service as jobs
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.tables import Change, assign, changed, equal
from foas_emulator.world.world import World

if TYPE_CHECKING:
    from foas_emulator.operations.jobs.rows import CommittedJob, Job

ExpectedState = Literal["RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED"]
"""The states that ModifyInstanceState can ask for."""
State = Literal["WAITING", ExpectedState]
"""The states of instances."""
STATES: tuple[State, ...] = get_args(State)

UNKNOWN: Final = "UNKNOWN"
"""The state of a committed job before its first start: there is no instance yet."""
WAITING: Final = "WAITING"
RUNNING: Final = "RUNNING"
PAUSED: Final = "PAUSED"
TERMINATED: Final = "TERMINATED"
SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"

LIVE: frozenset[str] = frozenset({WAITING, RUNNING, PAUSED})
"""The states in which a job counts as started: it can be stopped, and cannot be started again."""

_CALLS: Mapping[str, Mapping[str, str]] = {
    "start": {UNKNOWN: RUNNING, TERMINATED: RUNNING, SUCCESS: RUNNING, FAILED: RUNNING},
    "pause": {RUNNING: PAUSED},
    "resume": {PAUSED: RUNNING},
    "stop": {WAITING: TERMINATED, RUNNING: TERMINATED, PAUSED: TERMINATED},
    "finish": {RUNNING: SUCCESS},
    "fail": {WAITING: FAILED, RUNNING: FAILED},
}
_OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "started": {WAITING: RUNNING},
    "paused": {RUNNING: PAUSED},
    "stopped": {WAITING: TERMINATED, RUNNING: TERMINATED, PAUSED: TERMINATED},
    "finished": {RUNNING: SUCCESS},
    "failed": {WAITING: FAILED, RUNNING: FAILED},
}
TRANSITIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({**_CALLS, **_OUTCOMES})
"""The state to which each event leads, by the states that allow it.

A call (start, pause, resume, stop, finish, fail) leads to the new expected state, its outcome (started, paused,
stopped, finished, failed) to the new actual one. Start and resume make a new instance; the one on which they were
called stays as it was.
"""

OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "start": "started",
        "pause": "paused",
        "resume": "started",
        "stop": "stopped",
        "finish": "finished",
        "fail": "failed",
    }
)
"""The event that follows each call."""
CALL_FOR: Mapping[str, str] = MappingProxyType(
    {RUNNING: "resume", PAUSED: "pause", TERMINATED: "stop", SUCCESS: "finish", FAILED: "fail"}
)
"""The call of ModifyInstanceState for each `expectState`."""

ARCHIVED_AFTER = 2 * 86_400_000
"""Milliseconds from a batch instance's end to its archiving (documented: two days)."""
UNKNOWN_DELAY = -99999999
"""The InputDelay of an instance that has measured none (documented sample)."""

NOT_RUNNING = problem(
    "InvalidInstance.NotRunning",
    400,
    "The specified instance is not running.",
    documented("GetInstance: a call for a job that is not running fails; the code and its text are inferred"),
)
ALREADY_STARTED = problem("InvalidJob.AlreadyStarted", 400, "The specified job has been started already.")
NOT_PAUSED = problem("InvalidInstance.NotPaused", 400, "The specified instance is not paused.")
ENDED = problem("InvalidInstance.Ended", 400, "The specified instance has ended.")
TOO_MANY = problem("InvalidInstance.LimitExceeded", 400, "The project has the largest number of instances already.")
MOST_INSTANCES = 20_000
"""The most instances of a project, archived ones among them: a list counts them for every call. It is ours."""
_REFUSALS: Mapping[str, Problem] = {
    "start": ALREADY_STARTED,
    "pause": NOT_RUNNING,
    "resume": NOT_PAUSED,
    "stop": ENDED,
    "finish": NOT_RUNNING,
    "fail": ENDED,
}

_KIND = "instance"

started: Signal[[World, Instance]] = Signal()
"""An instance has begun to run."""


def target(call: str, job: "Job", instance: Instance | None) -> str:
    """Return the state that a call requests. Raise the error of the call if the instance's state does not allow it."""
    state = UNKNOWN if instance is None else instance.actual_state
    wanted = TRANSITIONS[call].get(state)
    if wanted is None:
        which = "was never started" if instance is None else f"has instance {instance.id}, which is {state}"
        allowed = ", ".join(TRANSITIONS[call])
        refusal = _REFUSALS[call]
        if refusal is ENDED and state in {UNKNOWN, *LIVE}:
            refusal = NOT_RUNNING
        raise refusal(f"Job {job.job_name!r} {which}; {call} is possible from {allowed}.")
    return wanted


def launch(world: World, job: "Job", copy: "CommittedJob | Instance", *, call: str, parameter_json: str | None) -> int:
    """Insert an instance that runs a copy of a job, at once or after the delay of the call; return its id.

    Raise `InvalidInstance.LimitExceeded` if its project has too many.
    """
    if world.store.count(Instance, equal(Instance.project_name, job.project_name)) >= MOST_INSTANCES:
        raise TOO_MANY(
            f"Project {job.project_name!r} has {MOST_INSTANCES} instances, archived ones included; DeleteJob removes "
            "those of a job, and a reset of the world all that were started since it was created."
        )
    given_plan(copy.plan_json or "", note=world.note)
    instance = Instance.model_construct(
        id=world.next_number("instance"),
        project_name=job.project_name,
        job_name=job.job_name,
        job_type=job.job_type,
        api_type=job.api_type,
        actual_state=WAITING,
        expect_state=RUNNING,
        code=copy.code,
        plan_json=copy.plan_json or "",
        properties=copy.properties,
        packages=copy.packages,
        engine_version=copy.engine_version,
        cluster_id=copy.cluster_id,
        queue_name=copy.queue_name,
        auto_scale_params=copy.auto_scale_params,
        starter=ACCOUNT,
        last_operator=ACCOUNT,
        last_operate_time=world.second(),
        input_delay=UNKNOWN_DELAY,
        parameter_json=parameter_json,
    )
    delay = _delay(world, call)
    if delay:
        world.store.insert(instance)
        world.schedule(OUTCOMES[call], _subject(instance), at=world.now() + delay)
    else:
        event, reasons = _judge(world, instance, OUTCOMES[call])
        entered = changed(instance, *reasons, *_entering(world, instance, TRANSITIONS[event][WAITING]))
        world.store.insert(entered)
        _archive_later(world, entered)
        if event == "started":
            _run(world, entered)
    return instance.id


def apply_call(world: World, instance: Instance, call: str, wanted: str) -> None:
    """Set the expected state, and reach it after the delay of the call. Pending changes are dropped."""
    cancel(world, instance)
    expected = (
        assign(Instance.expect_state, wanted),
        assign(Instance.last_operator, ACCOUNT),
        assign(Instance.last_operate_time, world.second()),
    )
    delay = _delay(world, call)
    if delay:
        update_instance(world, instance, *expected)
        world.schedule(OUTCOMES[call], _subject(instance), at=world.now() + delay)
    else:
        _transition(world, instance, OUTCOMES[call], *expected)


def brings(change: PendingChange) -> str | None:
    """Return the state that a pending change of an instance is going to bring, None if it brings none."""
    if change.event == "put_state":
        state = change.read_details().get("ActualState")
        return None if state is None else str(state)
    return next(iter(_OUTCOMES.get(change.event, {}).values()), None)


def apply_change(world: World, change: PendingChange) -> str | None:
    """Apply a due change of an instance, `put_state`, `archive` or the outcome of a call; return its new state.

    A timeline brings no live state in a job that was taken offline, as `put_state` of the service does not.
    """
    instance = world.store.get(Instance, equal(Instance.id, int(change.key)))
    assert instance is not None, "changes are cancelled when their instance is deleted"
    if change.event == "put_state":
        details = change.read_details()
        if details["ActualState"] in LIVE and not instance.is_archived:
            job = jobs.require(world, instance.project_name, instance.job_name)
            if job_lifecycle.committed(world, job) is None:
                return None
        enter(world, instance, details["ActualState"], details.get("LastErrorMessage"))
        return brings(change)
    if change.event == "archive":
        update_instance(world, instance, assign(Instance.is_archived, True))  # what a timeline plans is still to come
        return None
    return _transition(world, instance, change.event).actual_state


def enter(world: World, instance: Instance, state: str, message: str | None) -> None:
    """Put an instance into a state from any other; with a message, it has just failed."""
    # Nobody asks for a failure, so the expected state stays, as for the failed job in the default seed.
    expected = instance.expect_state if state == FAILED else RUNNING if state == WAITING else state
    changes = [assign(Instance.expect_state, expected)]
    if message is not None:
        changes += _failure(world, message)
    _enter(world, instance, state, *changes)


def archive(world: World, instance: Instance, *changes: Change) -> None:
    """Archive an instance, and apply further changes. Its pending changes are dropped."""
    cancel(world, instance)
    update_instance(world, instance, assign(Instance.is_archived, True), *changes)


def cancel(world: World, instance: Instance) -> None:
    """Drop the pending changes of an instance."""
    world.cancel(_subject(instance))


def cancel_all(world: World, project_name: str, job_name: str | None) -> None:
    """Drop the pending changes of all instances of a job, or of all jobs of a project."""
    world.cancel_all(_KIND, lambda: select_ids(project_name, job_name))


def _subject(instance: Instance) -> str:
    return f"{_KIND}:{instance.id}"


def _delay(world: World, call: str) -> int:
    settings = world.settings
    start = settings.start_delay
    delays = {"start": start, "resume": start, "pause": settings.pause_delay, "stop": settings.stop_delay}
    return delays.get(call, 0)


def _transition(world: World, instance: Instance, event: str, *changes: Change) -> Instance:
    event, reasons = _judge(world, instance, event)
    entered = _enter(world, instance, TRANSITIONS[event][instance.actual_state], *changes, *reasons)
    return _run(world, entered) if event == "started" else entered


def _judge(world: World, instance: Instance, event: str) -> tuple[str, list[Change]]:
    """Return the event that really happens, and the columns that give the reason.

    With the setting `sql_check` = `start`, an instance whose SQL is definitely wrong fails instead of starting.
    """
    if event == "started" and world.settings.sql_check == "start" and instance.api_type == SQL:
        try:
            sql.read(instance.code or "")
        except SqlError as error:
            return "failed", _failure(world, submit_error_text(error, job_name=instance.job_name))
    return event, []


def _failure(world: World, message: str) -> list[Change]:
    """Return the columns that change when an instance fails now."""
    return [assign(Instance.last_error_time, world.second()), assign(Instance.last_error_message, message)]


def _run(world: World, instance: Instance) -> Instance:
    """Send `started`; a batch job finishes after the setting `batch_duration`. Return the instance as it is then."""
    started.send(world, instance)
    duration = world.settings.batch_duration
    if instance.job_type != BATCH or duration is None:
        return instance
    if not duration:
        return _transition(world, instance, "finished")
    world.schedule("finished", _subject(instance), at=world.now() + duration)
    return instance


def _enter(world: World, instance: Instance, state: str, *changes: Change) -> Instance:
    """Set the actual state with further changes and all that follows; return the changed instance."""
    entered = update_instance(world, instance, *changes, *_entering(world, instance, state))
    world.cancel(_subject(instance), "archive")
    _archive_later(world, entered)
    return entered


def _archive_later(world: World, instance: Instance) -> None:
    """Schedule the archiving of a batch instance if it has ended."""
    if instance.actual_state not in LIVE and instance.job_type == BATCH and not instance.is_archived:
        world.schedule("archive", _subject(instance), at=world.now() + ARCHIVED_AFTER)


def _entering(world: World, instance: Instance, state: str) -> list[Change]:
    """Return the columns that change when a state becomes the actual one."""
    now = world.second()
    changes = [assign(Instance.actual_state, state), assign(Instance.end_time, None if state in LIVE else now)]
    if state == RUNNING:
        start_time = now if instance.start_time is None else instance.start_time
        changes.append(assign(Instance.start_time, start_time))
        if instance.engine_job_handler is None:
            handler = engine_job_handler(world.seed, instance.id, start_time)
            changes.append(assign(Instance.engine_job_handler, handler))
    return changes
