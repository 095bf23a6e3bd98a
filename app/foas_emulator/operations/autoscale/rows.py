"""The table of plans that AutoScale made, and the statements on it."""

from sqlmodel import Field

from foas_emulator.operations.paging import matching
from foas_emulator.world.store import Row, equal
from foas_emulator.world.world import World


class AutoScalePlan(Row, table=True):
    """A plan that AutoScale applied, named by the time of that (`2018-09-18 10:10:20`)."""

    __tablename__ = "autoscale_plans"

    instance_id: int = Field(primary_key=True)
    plan_name: str = Field(primary_key=True)
    project_name: str
    job_name: str
    plan_json: str


def plans_of_instance(world: World, instance_id: int) -> list[AutoScalePlan]:
    """Return the plans of an instance, oldest first."""
    return world.store.find(AutoScalePlan, equal(AutoScalePlan.instance_id, instance_id))


def latest_plan_of_job(world: World, project_name: str, job_name: str) -> AutoScalePlan | None:
    """Return the last plan made for any instance of a job."""
    columns = AutoScalePlan.table().c
    of_job = matching(
        AutoScalePlan, equal(AutoScalePlan.project_name, project_name), equal(AutoScalePlan.job_name, job_name)
    )
    newest = of_job.order_by(columns.plan_name.desc(), columns.instance_id.desc()).limit(1)
    plans = world.store.fetch(AutoScalePlan, newest)
    return plans[0] if plans else None
