"""The plans that AutoScale made: kept by instance, named by when they were made.

When AutoScale tunes a job is documented nowhere in numbers; here it does so once each time it begins to watch a
running instance. Inferred.
"""

from datetime import UTC, datetime

from sqlalchemy import select

from foas_emulator.blink.errors import SqlError
from foas_emulator.blink.planner import raw_plan
from foas_emulator.operations.autoscale import params
from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.store import equal
from foas_emulator.world.world import World


def make(world: World, instance: Instance) -> None:
    """Tune an instance that AutoScale watches: keep the widest plan for its code that the maximum CU hold.

    Nothing happens to an instance without AutoScale, or with code that no plan can be made of.
    """
    scale = params.from_json(instance.auto_scale_params)
    if not scale.is_on or scale.max_cu is None:
        return
    try:
        plan = raw_plan(
            instance.code or "",
            api_type=instance.api_type,
            job_type=instance.job_type,
            expected_core=scale.max_cu,
            expected_gb=scale.max_cu * params.GB_PER_CU,
        )
    except SqlError:
        return
    name = f"{datetime.fromtimestamp(world.second() / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    world.store.delete(
        AutoScalePlan, equal(AutoScalePlan.instance_id, instance.id), equal(AutoScalePlan.plan_name, name)
    )
    world.store.insert(
        AutoScalePlan.model_construct(
            instance_id=instance.id,
            plan_name=name,
            project_name=instance.project_name,
            job_name=instance.job_name,
            plan_json=plan.to_json(),
        )
    )


def names(world: World, instance: Instance) -> list[str]:
    """The names of an instance's plans, oldest first."""
    return [plan.plan_name for plan in world.store.find(AutoScalePlan, equal(AutoScalePlan.instance_id, instance.id))]


def content(world: World, instance: Instance, plan_name: str) -> str | None:
    """One plan of an instance, or None if it has none of this name."""
    plan = world.store.get(
        AutoScalePlan, equal(AutoScalePlan.instance_id, instance.id), equal(AutoScalePlan.plan_name, plan_name)
    )
    return None if plan is None else plan.plan_json


def in_force(world: World, instance: Instance) -> str | None:
    """The plan that AutoScale runs an instance by, or None if it has made none or only recommends."""
    if params.from_json(instance.auto_scale_params).recommends_only:
        return None
    made = world.store.find(AutoScalePlan, equal(AutoScalePlan.instance_id, instance.id))
    return made[-1].plan_json if made else None


def latest(world: World, project_name: str, job_name: str) -> str | None:
    """The last plan made for any instance of a job."""
    table = AutoScalePlan.table()
    of_job = (table.c.project_name == project_name) & (table.c.job_name == job_name)
    newest = select(table).where(of_job).order_by(table.c.plan_name.desc(), table.c.instance_id.desc()).limit(1)
    plans = world.store.fetch(AutoScalePlan, newest)
    return plans[0].plan_json if plans else None


def forget(world: World, project_name: str, job_name: str) -> None:
    """Drop all plans of a job that is being deleted."""
    world.store.delete(
        AutoScalePlan, equal(AutoScalePlan.project_name, project_name), equal(AutoScalePlan.job_name, job_name)
    )
