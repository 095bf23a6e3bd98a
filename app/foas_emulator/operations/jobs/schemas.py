"""The wire models of jobs, members in the order of each operation's documented sample."""

from typing import Annotated, get_args

from pydantic import Field

from foas_emulator.blink import kinds
from foas_emulator.gateway.formats import ApiModel, ApiResponse, Float, Int32, Int64, words
from foas_emulator.operations.jobs.lifecycle import STATUSES

JobType = Annotated[str, words(*get_args(kinds.JobType))]
ApiType = Annotated[str, words(*get_args(kinds.ApiType))]
_Status = Annotated[str, words(*STATUSES)]


class JobDetails(ApiModel):
    """The draft in the answer of GetJob. Times are in milliseconds."""

    job_name: str
    project_name: str
    job_type: JobType
    api_type: ApiType
    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None
    is_committed: bool
    creator: str
    create_time: Int64
    modifier: str
    modify_time: Int64
    description: str | None = None
    engine_version: str
    cluster_id: str
    queue_name: str
    folder_id: Int64
    job_id: str
    file_id: str | None = None


class GetJobResponse(ApiResponse):
    """The answer of GetJob; it has no job if none has the name."""

    job: JobDetails | None = None


class ListedJob(ApiModel):
    """A draft in the answer of ListJob; without code, plan and properties unless full fields are requested."""

    create_time: Int64
    plan_json: str | None = None
    api_type: ApiType
    project_name: str
    job_type: JobType
    engine_version: str
    creator: str
    modifier: str
    queue_name: str
    description: str | None = None
    job_name: str
    folder_id: Int64
    packages: str | None = None
    code: str | None = None
    is_committed: bool
    cluster_id: str
    modify_time: Int64
    properties: str | None = None
    job_id: str
    file_id: str | None = None


class Jobs(ApiModel):
    """The wrapper of a list of jobs."""

    job: list[ListedJob]


class ListJobResponse(ApiResponse):
    """The answer of ListJob."""

    page_index: Int32
    total_page: Int32
    page_size: Int32
    total_count: Int64
    jobs: Jobs


class TableUse(ApiModel):
    """A table that a job declares, in one of its roles: its type, its name in its own store, its WITH clause.

    `alias` is its name in the job.
    """

    type: str
    alias: str
    properties: dict[str, str]
    workspace: str | None = None
    name: str | None = None


class Inputs(ApiModel):
    """The wrapper of the tables that are read."""

    input: list[TableUse]


class Outputs(ApiModel):
    """The wrapper of the tables that are written."""

    output: list[TableUse]


class Dims(ApiModel):
    """The wrapper of the tables that are joined as of a point in time."""

    dim: list[TableUse]


class JobInOut(ApiModel):
    """The tables of a job, by their roles."""

    outputs: Outputs
    dims: Dims
    inputs: Inputs


class ValidateJobResponse(ApiResponse):
    """The answer of ValidateJob."""

    job_in_out: JobInOut


class GetRawPlanJsonResponse(ApiResponse):
    """The answer of GetRawPlanJson."""

    session_id: str


class PlanJsonInfo(ApiModel):
    """The progress of a session: `Session in run`, `success` with a plan, or `fail` with a message."""

    status: _Status
    error_message: str | None = None
    plan_json: str | None = None


class CheckRawPlanJsonResponse(ApiResponse):
    """The answer of CheckRawPlanJson."""

    plan_json_info: PlanJsonInfo


class PlanJsonResource(ApiModel):
    """The resources that a plan requires."""

    memory_gb: Float = Field(alias="MemoryGB")
    cores: Float


class CalcPlanJsonResourceResponse(ApiResponse):
    """The answer of CalcPlanJsonResource."""

    plan_json_resource: PlanJsonResource


class StartJobResponse(ApiResponse):
    """The answer of StartJob; its member begins with a small i."""

    instance_id: Int64 = Field(alias="instanceId")
