"""What the engine would say of an instance: the plan it runs, what it asks for and uses, what it shows of itself."""

from foas_emulator.blink import chance, properties, sql
from foas_emulator.blink.plan import Plan, resources
from foas_emulator.blink.planner import running_plan
from foas_emulator.blink.runtime import Run
from foas_emulator.operations.autoscale import plans
from foas_emulator.operations.clusters.resource import Resource
from foas_emulator.operations.instances import lifecycle
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.world import World

_MB_PER_GB = 1024
_VCORES_PER_CORE = 100

_FINAL_STATES = {
    lifecycle.WAITING: "UNDEFINED",
    lifecycle.RUNNING: "RUNNING",
    lifecycle.PAUSED: "KILLED",
    lifecycle.TERMINATED: "KILLED",
    lifecycle.SUCCESS: "SUCCEEDED",
    lifecycle.FAILED: "FAILED",
}


def plan_of(world: World, instance: Instance) -> Plan:
    """The plan that an instance runs: the one AutoScale put into force, else its own, else one made from its code."""
    return running_plan(
        plans.in_force(world, instance) or instance.plan_json or "",
        instance.code or "",
        api_type=instance.api_type,
        job_type=instance.job_type,
        note=world.note,
    )


def run_of(world: World, instance: Instance) -> Run:
    """An instance as the engine sees it now, or saw it last if it has ended.

    The parameters of its start win over its properties, and these over what stands in a DATASTREAM job's code.
    """
    code = "" if instance.api_type == "SQL" else instance.code or ""
    settings = properties.read(code, instance.properties or "", instance.parameter_json or "")
    now = world.now() if instance.end_time is None else instance.end_time
    begun = (time for time in (instance.start_time, instance.last_operate_time) if time is not None)
    failed_at = instance.last_error_time
    return Run(
        seed=world.seed,
        instance_id=instance.id,
        job_name=instance.job_name,
        start_time=next(begun, now),
        now=now,
        plan=plan_of(world, instance),
        properties=settings,
        failures=() if failed_at is None else ((failed_at, instance.last_error_message or ""),),
    )


def requested(world: World, instance: Instance) -> Resource:
    """What an instance asked its queue for: the sum of its plan."""
    cores, memory_gb = resources(plan_of(world, instance))
    return Resource(v_core=round(cores * _VCORES_PER_CORE), mem=round(memory_gb * _MB_PER_GB))


def used(world: World, instance: Instance) -> Resource:
    """What an instance really uses: a part of what it asked for that stays the same while it runs. Inferred."""
    asked = requested(world, instance)
    percent = chance.between(40, 80, world.seed, instance.id, "usage")
    return Resource(v_core=asked.v_core * percent // 100, mem=asked.mem * percent // 100)


def submit_failure(instance: Instance) -> str | None:
    """Return why the engine does not take an instance's SQL, as LastErrorMessage tells it; None if it takes it.

    The frame is documented, for a queue that is too small (errcode 30011), and so is the text of wrong SQL (30017);
    that both meet is inferred.
    """
    if instance.api_type != "SQL":
        return None
    try:
        sql.read(instance.code or "")
    except sql.SqlError as error:
        return f"Submit blink job failed, name: {instance.job_name}, errcode:30017, errmsg:{sql.error_text(error)}"
    return None


def final_state(instance: Instance) -> str:
    """YARN's word for what became of an instance; RUNNING is documented, the others are YARN's own."""
    return _FINAL_STATES[instance.actual_state]
