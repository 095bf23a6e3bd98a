"""The table of plans that AutoScale made."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class AutoScalePlan(Row, table=True):
    """A plan that AutoScale put into force, named by the time it did so (`2018-09-18 10:10:20`)."""

    __tablename__ = "autoscale_plans"

    instance_id: int = Field(primary_key=True)
    plan_name: str = Field(primary_key=True)
    project_name: str
    job_name: str
    plan_json: str
