"""The rules of AutoScale: it serves stream jobs only, addressed as -1 or by the id of an instance."""

from dataclasses import replace

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.autoscale import params, plans
from foas_emulator.operations.instances import changes
from foas_emulator.operations.instances import rules as instances
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs import rules as jobs
from foas_emulator.world.world import World

NOT_CHOSEN = problem(
    "InvalidInstance.NoAutoScale",
    400,
    "The specified instance was not started with AutoScale.",
    documented("UpdateAutoScaleConfig: only for a job started with AutoScale; the code and its text are inferred"),
)
PLAN_NOT_FOUND = problem("InvalidPlan.NotFound", 404, "The specified plan does not exist.")


def switch(world: World, project_name: str, job_name: str, instance_id: int, *, config_json: str | None) -> None:
    """Switch AutoScale of a running instance off, or on again, which tunes it anew."""
    instance = _stream_instance(world, project_name, job_name, instance_id, running=True)
    is_on = params.read_switch(config_json)
    scale = params.from_json(instance.auto_scale_params)
    if scale.max_cu is None:
        raise NOT_CHOSEN(
            f"Instance {instance.id} runs without AutoScale; CommitJob with isOnOff=true, then start anew."
        )
    if is_on != scale.is_on:
        changes.set_auto_scale(world, instance, replace(scale, is_on=is_on).to_json())


def latest_plan(world: World, project_name: str, job_name: str) -> str | None:
    """The plan that AutoScale made last for a job, None if it made none."""
    jobs.require(world, project_name, job_name)
    return plans.latest(world, project_name, job_name)


def plan_names(world: World, project_name: str, job_name: str, instance_id: int) -> list[str]:
    """The names of the plans that AutoScale made for an instance, oldest first."""
    return plans.names(world, _stream_instance(world, project_name, job_name, instance_id))


def plan_content(world: World, project_name: str, job_name: str, instance_id: int, plan_name: str) -> str:
    """One of the plans of an instance. Raises `InvalidPlan.NotFound`."""
    instance = _stream_instance(world, project_name, job_name, instance_id)
    content = plans.content(world, instance, plan_name)
    if content is None:
        raise PLAN_NOT_FOUND(
            f"Instance {instance.id} has no plan {plan_name!r}; GetInstanceHistoryAutoScalePlanList shows those it has."
        )
    return content


def _stream_instance(
    world: World, project_name: str, job_name: str, instance_id: int, *, running: bool = False
) -> Instance:
    require = instances.require_running if running else instances.require
    instance = require(world, project_name, job_name, instance_id)
    if instance.job_type != jobs.STREAM:
        raise invalid("instanceId", "AutoScale does not serve batch jobs.")
    return instance
