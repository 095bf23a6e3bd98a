"""The tables of jobs: the draft, the committed copy, and the sessions that make plans."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Job(Row, table=True):
    """A job as it is being edited. What runs is its committed copy."""

    __tablename__ = "jobs"

    project_name: str = Field(primary_key=True)
    job_name: str = Field(primary_key=True)
    job_id: str
    job_type: str
    api_type: str
    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None
    creator: str
    create_time: int
    modifier: str
    modify_time: int
    description: str | None = None
    engine_version: str
    cluster_id: str
    queue_name: str
    folder_id: int
    file_id: str | None = None


class CommittedJob(Row, table=True):
    """The copy of a job that CommitJob made: the job is online while there is one."""

    __tablename__ = "committed_jobs"

    project_name: str = Field(primary_key=True)
    job_name: str = Field(primary_key=True)
    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None
    engine_version: str
    cluster_id: str
    queue_name: str
    auto_scale_params: str | None = None


class PlanSession(Row, table=True):
    """An asynchronous making of a plan. `status` is the service's: `Session in run`, `success` or `fail`.

    A plan `is_tuned` if it may follow the job's history, and stays within the expected cores and GB if there are any.
    """

    __tablename__ = "plan_sessions"

    session_id: str = Field(primary_key=True)
    project_name: str
    job_name: str
    status: str
    plan_json: str | None = None
    error_message: str | None = None
    expected_core: float | None = None
    expected_gb: float | None = None
    is_tuned: bool = False
