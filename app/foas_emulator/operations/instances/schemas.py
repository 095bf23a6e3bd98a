"""The wire models of instances, members in the order of each operation's documented sample."""

from pydantic import Field

from foas_emulator.gateway.formats import ApiModel, ApiResponse


class InstanceDetails(ApiModel):
    """What GetInstance shows of an instance. Times and delays are milliseconds."""

    expect_state: str
    engine_version: str | None = None
    project_name: str
    cluster_id: str | None = None
    plan_json: str | None = None
    job_name: str
    start_time: int | None = None
    properties: str | None = None
    starter: str | None = None
    input_delay: int | None = None
    code: str | None = None
    actual_state: str
    engine_job_handler: str | None = None
    last_operator: str | None = None
    job_type: str
    packages: str | None = None
    auto_scale_params: str | None = None
    api_type: str
    id: int | None = None
    last_operate_time: int | None = None
    queue_name: str | None = None
    last_error_time: int | None = None
    last_error_message: str | None = None
    end_time: int | None = None
    priority: int | None = None


class GetInstanceResponse(ApiResponse):
    """The answer of GetInstance."""

    instance: InstanceDetails


class ListedInstance(ApiModel):
    """What ListInstance shows of an instance: all but its AutoScale parameters."""

    id: int
    project_name: str
    job_name: str
    actual_state: str
    expect_state: str
    job_type: str
    api_type: str
    code: str | None = None
    properties: str | None = None
    packages: str | None = None
    starter: str | None = None
    start_time: int | None = None
    last_error_time: int | None = None
    last_error_message: str | None = None
    last_operator: str | None = None
    last_operate_time: int | None = None
    plan_json: str | None = None
    engine_version: str | None = None
    engine_job_handler: str | None = None
    input_delay: int | None = None
    cluster_id: str | None = None
    queue_name: str | None = None
    end_time: int | None = None
    priority: int | None = None


class Instances(ApiModel):
    """The wrapper of a list of instances."""

    instance: list[ListedInstance]


class ListInstanceResponse(ApiResponse):
    """The answer of ListInstance."""

    page_index: int
    page_size: int
    total_page: int
    total_count: int
    instances: Instances


class RunSummary(ApiModel):
    """The light form of an instance."""

    input_delay: int | None = None
    job_name: str
    last_error_time: int | None = None
    expect_state: str
    actual_state: str
    engine_job_handler: str | None = None
    last_error_message: str | None = None
    id: int | None = None


class GetInstanceRunSummaryResponse(ApiResponse):
    """The answer of GetInstanceRunSummary."""

    run_summary: RunSummary


class BatchRunSummary(ApiModel):
    """The light form of an instance, as BatchGetInstanceRunSummary orders it."""

    id: int | None = None
    actual_state: str
    expect_state: str
    last_error_time: int | None = None
    last_error_message: str | None = None
    engine_job_handler: str | None = None
    input_delay: int | None = None
    job_name: str


class RunSummarys(ApiModel):
    """The wrapper of a list of summaries, spelt as the service spells it."""

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

    finalstate: str


class GetInstanceVertexTaskManagersResponse(ApiResponse):
    """The answer of GetInstanceVertexTaskManagers; `task_managers` is JSON."""

    task_managers: str


class InstanceResource(ApiModel):
    """What an instance uses (total) and asked for (allocated), as the documentation names them.

    Memory is in MB, 100 virtual cores are one core.
    """

    total_mb: int = Field(alias="TotalMB")
    allocated_mb: int = Field(alias="AllocatedMB")
    allocated_virtual_cores: int
    total_virtual_cores: int


class GetInstanceResourceResponse(ApiResponse):
    """The answer of GetInstanceResource."""

    resource: InstanceResource
