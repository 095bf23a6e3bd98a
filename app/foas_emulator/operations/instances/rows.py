"""The table of instances."""

from sqlalchemy import Index
from sqlmodel import Field

from foas_emulator.world.store import Row


class Instance(Row, table=True):
    """One run of a job, with the copy of the job it runs. A stream job has one instance that is not archived."""

    __tablename__ = "instances"
    __table_args__ = (Index("instances_of_job", "project_name", "job_name", "is_archived"),)

    id: int = Field(primary_key=True)
    project_name: str
    job_name: str
    actual_state: str
    expect_state: str
    job_type: str
    api_type: str
    code: str | None = None
    properties: str | None = None
    packages: str | None = None
    plan_json: str | None = None
    engine_version: str | None = None
    engine_job_handler: str | None = None
    cluster_id: str | None = None
    queue_name: str | None = None
    starter: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    last_operator: str | None = None
    last_operate_time: int | None = None
    last_error_time: int | None = None
    last_error_message: str | None = None
    input_delay: int | None = None
    auto_scale_params: str | None = None
    priority: int | None = None
    is_archived: bool = False
    parameter_json: str | None = None
