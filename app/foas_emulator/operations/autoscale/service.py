"""The operations on AutoScale, which is only for stream jobs, and the plans that it makes.

No document says at which times AutoScale tunes a job; here it does so once whenever it begins to watch a running
instance. Inferred.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from foas_emulator.blink import auto_scale
from foas_emulator.blink.kinds import STREAM
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.autoscale.rows import (
    AutoScalePlan,
    find_latest_plan,
    find_plan,
    forget_oldest,
    names_of_plans,
)
from foas_emulator.operations.columns import of_jobs
from foas_emulator.operations.instances import service as instances
from foas_emulator.operations.jobs import service as jobs
from foas_emulator.operations.required import given, readable
from foas_emulator.world.instants import moment
from foas_emulator.world.tables import equal
from foas_emulator.world.world import World

if TYPE_CHECKING:
    from foas_emulator.operations.instances.rows import Instance

MOST_PLANS = 100
"""The most plans of an instance that are kept, the newest ones. The number is ours."""
MOST_PLANS_OF_PROJECT = 30_000
"""The same for all instances of a project: the call that deletes it deletes them, in two microseconds each."""

NOT_CHOSEN = problem(
    "InvalidInstance.NoAutoScale",
    400,
    "The specified instance was not started with AutoScale.",
    documented("UpdateAutoScaleConfig: only for a job started with AutoScale; the code and its text are inferred"),
)
PLAN_NOT_FOUND = problem("InvalidPlan.NotFound", 404, "The specified plan does not exist.")


def update_auto_scale_config(
    world: World, project_name: str, job_name: str, instance_id: int, *, config_json: str | None
) -> None:
    """Switch AutoScale of a running instance off or on again, which tunes the instance again."""
    instance = _for_stream_jobs(instances.require_running(world, project_name, job_name, instance_id))
    is_on = readable("configJson", auto_scale.read_switch, given("configJson", config_json))
    scale = auto_scale.from_json(instance.auto_scale_params)
    if scale.max_cu is None:
        raise NOT_CHOSEN(
            f"Instance {instance.id} runs without AutoScale; CommitJob with isOnOff=true, then start it again."
        )
    if is_on != scale.is_on:
        make_plan(world, instances.set_auto_scale(world, instance, replace(scale, is_on=is_on).to_json()))


def get_job_latest_auto_scale_plan(world: World, project_name: str, job_name: str) -> str | None:
    """Return the last plan that AutoScale made for a job, None if it made none."""
    jobs.require(world, project_name, job_name)
    return latest_plan(world, project_name, job_name)


def get_instance_history_auto_scale_plan_list(
    world: World, project_name: str, job_name: str, instance_id: int
) -> list[str]:
    """Return the names of the plans that AutoScale made for an instance, oldest first."""
    instance = _for_stream_jobs(instances.require(world, project_name, job_name, instance_id))
    return names_of_plans(world, instance.id)


def get_instance_history_auto_scale_plan_content(
    world: World, project_name: str, job_name: str, instance_id: int, plan_name: str
) -> str:
    """Return one of the plans of an instance. Raise `InvalidPlan.NotFound`."""
    instance = _for_stream_jobs(instances.require(world, project_name, job_name, instance_id))
    plan = find_plan(world, instance.id, plan_name)
    if plan is None:
        raise PLAN_NOT_FOUND(
            f"Instance {instance.id} has no plan {plan_name!r}; GetInstanceHistoryAutoScalePlanList shows those it has."
        )
    return plan.plan_json


def make_plan(world: World, instance: "Instance") -> None:
    """Tune a running instance that AutoScale watches: store the widest plan for its code within the maximum CU.

    The instance forgets the oldest of more than `MOST_PLANS` plans, its project of `MOST_PLANS_OF_PROJECT`. Without
    AutoScale, or with code from which no plan can be made, do nothing.
    """
    scale = auto_scale.from_json(instance.auto_scale_params)
    plan = auto_scale.tuned_plan(scale, instance.code or "", api_type=instance.api_type, job_type=instance.job_type)
    if plan is None:
        return
    made = AutoScalePlan.model_construct(
        instance_id=instance.id,
        plan_name=f"{moment(world.second()):%Y-%m-%d %H:%M:%S}",
        project_name=instance.project_name,
        job_name=instance.job_name,
        plan_json=plan.to_json(),
    )
    world.store.delete(
        AutoScalePlan, equal(AutoScalePlan.instance_id, instance.id), equal(AutoScalePlan.plan_name, made.plan_name)
    )
    world.store.insert(made)
    forget_oldest(world, MOST_PLANS, equal(AutoScalePlan.instance_id, instance.id))
    forget_oldest(world, MOST_PLANS_OF_PROJECT, equal(AutoScalePlan.project_name, instance.project_name))


def plan_in_force(world: World, instance: "Instance") -> str | None:
    """Return the plan by which AutoScale runs an instance, None if it has made none or only recommends."""
    if auto_scale.from_json(instance.auto_scale_params).recommends_only:
        return None
    made = find_latest_plan(world, equal(AutoScalePlan.instance_id, instance.id))
    return None if made is None else made.plan_json


def latest_plan(world: World, project_name: str, job_name: str) -> str | None:
    """Return the last plan made for any instance of a job."""
    plan = find_latest_plan(world, *of_jobs(project_name, job_name))
    return None if plan is None else plan.plan_json


def remove_all(world: World, project_name: str, job_name: str | None) -> None:
    """Delete all plans of a job, or of all jobs of a project, that is being deleted."""
    world.store.delete(AutoScalePlan, *of_jobs(project_name, job_name))


def _for_stream_jobs(instance: "Instance") -> "Instance":
    if instance.job_type != STREAM:
        raise invalid("instanceId", "AutoScale does not serve batch jobs.")
    return instance
