"""The operations on AutoScale."""

from typing import Annotated

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.autoscale import service
from foas_emulator.operations.autoscale.schemas import (
    GetInstanceHistoryAutoScalePlanContentResponse,
    GetInstanceHistoryAutoScalePlanListResponse,
    GetJobLatestAutoScalePlanResponse,
    PlanList,
)
from foas_emulator.operations.parameters import CurrentWorld, InstanceId, JobName, ProjectName, form, query

group = Group("autoscale")

_JOB = "/api/v2/projects/{projectName}/jobs/{jobName}"
_SCALING = "/api/v2/projects/{projectName}/jobs/{jobName}/instance/{instanceId}/autoscale"

ConfigJson = Annotated[
    str | None,
    form("configJson", "The switch, as JSON with this one member.", '{"autoscale.enable":"true"}', required=True),
]
PlanName = Annotated[
    str, query("planName", "Name of a plan, from GetInstanceHistoryAutoScalePlanList.", "2018-09-18 10:10:20")
]


@group.writes(
    "UpdateAutoScaleConfig", "PUT", f"{_SCALING}/config", evidence=documented("metadata of UpdateAutoScaleConfig")
)
async def update_auto_scale_config(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    instance_id: InstanceId,
    config_json: ConfigJson = None,
) -> ApiResponse:
    """Switch AutoScale off or on again for an instance that was started with it."""
    service.update_auto_scale_config(world, project_name, job_name, instance_id, config_json=config_json)
    return ApiResponse.model_construct()


@group.reads(
    "GetJobLatestAutoScalePlan",
    "GET",
    f"{_JOB}/autoscale/latestplanjson",
    evidence=documented("metadata of GetJobLatestAutoScalePlan"),
)
async def get_job_latest_auto_scale_plan(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName
) -> GetJobLatestAutoScalePlanResponse:
    """Return the last plan that AutoScale made for a job; that there is none is not an error."""
    return GetJobLatestAutoScalePlanResponse.model_construct(
        plan_json=service.get_job_latest_auto_scale_plan(world, project_name, job_name)
    )


@group.reads(
    "GetInstanceHistoryAutoScalePlanList",
    "GET",
    f"{_SCALING}/planlist",
    evidence=documented("metadata of GetInstanceHistoryAutoScalePlanList"),
)
async def get_instance_history_auto_scale_plan_list(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceHistoryAutoScalePlanListResponse:
    """Return the names of the plans that AutoScale made for an instance of a stream job, oldest first."""
    names = service.get_instance_history_auto_scale_plan_list(world, project_name, job_name, instance_id)
    return GetInstanceHistoryAutoScalePlanListResponse.model_construct(
        plan_list=PlanList.model_construct(plan=names) if names else None
    )


@group.reads(
    "GetInstanceHistoryAutoScalePlanContent",
    "GET",
    f"{_SCALING}/plancontent",
    evidence=documented("metadata of GetInstanceHistoryAutoScalePlanContent"),
)
async def get_instance_history_auto_scale_plan_content(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId, plan_name: PlanName
) -> GetInstanceHistoryAutoScalePlanContentResponse:
    """Return one of the plans that AutoScale made for an instance of a stream job."""
    content = service.get_instance_history_auto_scale_plan_content(
        world, project_name, job_name, instance_id, plan_name
    )
    return GetInstanceHistoryAutoScalePlanContentResponse.model_construct(plan_content=content)
