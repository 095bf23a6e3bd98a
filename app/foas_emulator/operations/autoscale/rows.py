"""The table of plans that AutoScale made, and the statements on it."""

from sqlalchemy import ColumnClause, Index, literal_column, select
from sqlmodel import Field

from foas_emulator.operations.paging import matching
from foas_emulator.world.tables import Condition, Row, equal
from foas_emulator.world.world import World


class AutoScalePlan(Row, table=True):
    """A plan that AutoScale applied, named by the time of that (`2018-09-18 10:10:20`)."""

    __tablename__ = "autoscale_plans"
    __table_args__ = (Index("plans_of_job", "project_name", "job_name", "instance_id", "plan_name"),)

    instance_id: int = Field(primary_key=True)
    plan_name: str = Field(primary_key=True)
    project_name: str
    job_name: str
    plan_json: str


def names_of_plans(world: World, instance_id: int) -> list[str]:
    """Return the names of the plans of an instance, oldest first."""
    columns = AutoScalePlan.table().c
    names = select(columns.plan_name).where(columns.instance_id == instance_id).order_by(columns.plan_name)
    return list(world.store.execute(names).scalars())


def forget_oldest(world: World, most: int, *of: Condition) -> None:
    """Delete the oldest of these plans if they are more than `most`."""
    excess = world.store.count(AutoScalePlan, *of) - most
    if excess > 0:
        table = AutoScalePlan.table()
        rowid: ColumnClause[int] = literal_column("rowid")
        oldest = matching(AutoScalePlan, *of).order_by(table.c.plan_name, rowid).limit(excess)
        world.store.execute(table.delete().where(rowid.in_(oldest.with_only_columns(rowid))))


def find_plan(world: World, instance_id: int, plan_name: str) -> AutoScalePlan | None:
    """Return the plan of an instance with this name, None if there is none."""
    return world.store.get(
        AutoScalePlan, equal(AutoScalePlan.instance_id, instance_id), equal(AutoScalePlan.plan_name, plan_name)
    )


def find_latest_plan(world: World, *of: Condition) -> AutoScalePlan | None:
    """Return the last plan made for the last of these instances that has one, None if none of them has."""
    columns = AutoScalePlan.table().c
    newest = matching(AutoScalePlan, *of).order_by(columns.instance_id.desc(), columns.plan_name.desc()).limit(1)
    plans = world.store.fetch(AutoScalePlan, newest)
    return plans[0] if plans else None
