"""The wire models of instances, members in the order of each operation's documented sample."""

from typing import Annotated, get_args

from pydantic import Field

from foas_emulator.blink import kinds
from foas_emulator.blink.runtime import FINAL_STATES
from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32, Int64, words
from foas_emulator.operations.instances import lifecycle

_State = Annotated[str, words(*lifecycle.STATES, lifecycle.UNKNOWN)]
_FinalState = Annotated[str, words(*dict.fromkeys(FINAL_STATES.values()))]
_JobType = Annotated[str, words(*get_args(kinds.JobType))]
_ApiType = Annotated[str, words(*get_args(kinds.ApiType))]


class InstanceDetails(ApiModel):
    """The instance in the answer of GetInstance. Times and delays are in milliseconds."""

    expect_state: _State
    engine_version: str | None = None
    project_name: str
    cluster_id: str | None = None
    plan_json: str | None = None
    job_name: str
    start_time: Int64 | None = None
    properties: str | None = None
    starter: str | None = None
    input_delay: Int64 | None = None
    code: str | None = None
    actual_state: _State
    engine_job_handler: str | None = None
    last_operator: str | None = None
    job_type: _JobType
    packages: str | None = None
    auto_scale_params: str | None = None
    api_type: _ApiType
    id: Int64 | None = None
    last_operate_time: Int64 | None = None
    queue_name: str | None = None
    last_error_time: Int64 | None = None
    last_error_message: str | None = None
    end_time: Int64 | None = None
    priority: Int32 | None = None


class GetInstanceResponse(ApiResponse):
    """The answer of GetInstance."""

    instance: InstanceDetails


class ListedInstance(ApiModel):
    """An instance in the answer of ListInstance: all members except its AutoScale parameters."""

    plan_json: str | None = None
    last_error_time: Int64 | None = None
    api_type: _ApiType
    project_name: str
    job_type: _JobType
    expect_state: _State
    starter: str | None = None
    actual_state: _State
    last_operate_time: Int64 | None = None
    last_error_message: str | None = None
    engine_version: str | None = None
    end_time: Int64 | None = None
    start_time: Int64 | None = None
    input_delay: Int64 | None = None
    queue_name: str | None = None
    job_name: str
    packages: str | None = None
    code: str | None = None
    engine_job_handler: str | None = None
    id: Int64
    cluster_id: str | None = None
    last_operator: str | None = None
    properties: str | None = None
    priority: Int32 | None = None


class Instances(ApiModel):
    """The wrapper of a list of instances."""

    instance: list[ListedInstance]


class ListInstanceResponse(ApiResponse):
    """The answer of ListInstance."""

    page_index: Int32
    total_page: Int32
    page_size: Int32
    total_count: Int64
    instances: Instances


class RunSummary(ApiModel):
    """The short form of an instance."""

    input_delay: Int64 | None = None
    job_name: str
    last_error_time: Int64 | None = None
    expect_state: _State
    actual_state: _State
    engine_job_handler: str | None = None
    last_error_message: str | None = None
    id: Int64 | None = None


class GetInstanceRunSummaryResponse(ApiResponse):
    """The answer of GetInstanceRunSummary."""

    run_summary: RunSummary


class BatchRunSummary(ApiModel):
    """The short form of an instance, with its members in the order of BatchGetInstanceRunSummary."""

    expect_state: _State
    input_delay: Int64 | None = None
    job_name: str
    engine_job_handler: str | None = None
    id: Int64 | None = None
    actual_state: _State
    last_error_time: Int64 | None = None
    last_error_message: str | None = None


class RunSummarys(ApiModel):
    """The wrapper of a list of summaries, in the service's spelling."""

    run_summary: list[BatchRunSummary]


class BatchGetInstanceRunSummaryResponse(ApiResponse):
    """The answer of BatchGetInstanceRunSummary."""

    run_summarys: RunSummarys


class GetInstanceConfigResponse(ApiResponse):
    """The answer of GetInstanceConfig; `config` is JSON."""

    config: str


class GetInstanceDetailResponse(ApiResponse):
    """The answer of GetInstanceDetail; `detail` is JSON."""

    detail: str


class GetInstanceExceptionsResponse(ApiResponse):
    """The answer of GetInstanceExceptions; `exceptions` is JSON."""

    exceptions: str


class GetInstanceCheckpointResponse(ApiResponse):
    """The answer of GetInstanceCheckpoint; `checkpoints` is JSON."""

    checkpoints: str


class GetInstanceFinalStateResponse(ApiResponse):
    """The answer of GetInstanceFinalState: YARN's word for the state."""

    finalstate: _FinalState


class GetInstanceVertexTaskManagersResponse(ApiResponse):
    """The answer of GetInstanceVertexTaskManagers; `task_managers` is JSON."""

    task_managers: str


class InstanceResource(ApiModel):
    """The resources that an instance uses (total) and requested (allocated), with the documented names.

    Memory is in MB; 100 virtual cores are one core.
    """

    total_mb: Int64 = Field(alias="TotalMB")
    allocated_mb: Int64 = Field(alias="AllocatedMB")
    allocated_virtual_cores: Int64
    total_virtual_cores: Int64


class GetInstanceResourceResponse(ApiResponse):
    """The answer of GetInstanceResource."""

    resource: InstanceResource
