"""The operations on instances."""

from foas_emulator.gateway.evidence import from_sdk
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.instances import service
from foas_emulator.operations.instances.parameters import (
    EndBeginTs,
    EndEndTs,
    ExpectState,
    IsArchived,
    IsFlush,
    JobNames,
    ListedActualState,
    ListedExpectState,
    ListedJobName,
    StartBeginTs,
    StartEndTs,
    TriggerCheckpoint,
    VertexId,
)
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.instances.schemas import (
    BatchGetInstanceRunSummaryResponse,
    BatchRunSummary,
    GetInstanceCheckpointResponse,
    GetInstanceConfigResponse,
    GetInstanceDetailResponse,
    GetInstanceExceptionsResponse,
    GetInstanceFinalStateResponse,
    GetInstanceResourceResponse,
    GetInstanceResponse,
    GetInstanceRunSummaryResponse,
    GetInstanceVertexTaskManagersResponse,
    InstanceDetails,
    InstanceResource,
    Instances,
    ListedInstance,
    ListInstanceResponse,
    RunSummary,
    RunSummarys,
)
from foas_emulator.operations.jobs.parameters import ApiTypeFilter, JobTypeNeeded
from foas_emulator.operations.parameters import CurrentWorld, InstanceId, JobName, PageIndex, PageSize, ProjectName
from foas_emulator.world.tables import equal

group = Group("instances")

_PROJECT = "/api/v2/projects/{projectName}"
_INSTANCE = "/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}"


@group.reads("ListInstance", "GET", f"{_PROJECT}/instances", evidence="2019-07-15")
async def list_instance(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    job_type: JobTypeNeeded,
    job_name: ListedJobName = None,
    api_type: ApiTypeFilter = None,
    expect_state: ListedExpectState = None,
    actual_state: ListedActualState = None,
    start_begin_ts: StartBeginTs = None,
    start_end_ts: StartEndTs = None,
    end_begin_ts: EndBeginTs = None,
    end_end_ts: EndEndTs = None,
    is_archived: IsArchived = False,
    page_index: PageIndex = 1,
    page_size: PageSize = 10,
) -> ListInstanceResponse:
    """Return the matching instances of a project, newest first; archived ones only on request."""
    found = service.list_instance(
        world,
        project_name,
        equal(Instance.job_type, job_type),
        equal(Instance.job_name, job_name),
        equal(Instance.api_type, api_type),
        equal(Instance.expect_state, expect_state),
        equal(Instance.actual_state, actual_state),
        equal(Instance.is_archived, is_archived),
        started=(start_begin_ts, start_end_ts),
        ended=(end_begin_ts, end_end_ts),
        page_index=page_index,
        page_size=page_size,
    )
    items = [ListedInstance.from_row(instance) for instance in found.items]
    return ListInstanceResponse.model_construct(**found.figures, instances=Instances.model_construct(instance=items))


@group.reads("GetInstance", "GET", _INSTANCE, evidence="2020-09-11")
async def get_instance(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceResponse:
    """Return the details of the instance of a running job; the call fails for a job that is not running."""
    instance = service.get_instance(world, project_name, job_name, instance_id)
    return GetInstanceResponse.model_construct(instance=InstanceDetails.from_row(instance))


@group.writes("ModifyInstanceState", "PUT", f"{_INSTANCE}/expectstate", evidence="2019-04-02")
async def modify_instance_state(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    instance_id: InstanceId,
    *,
    expect_state: ExpectState = None,
    is_flush: IsFlush = True,
    trigger_checkpoint: TriggerCheckpoint = False,
) -> ApiResponse:
    """Pause, resume, stop or end an instance: its expected state changes at once, and its actual state follows."""
    service.modify_instance_state(
        world,
        project_name,
        job_name,
        instance_id,
        expect_state=expect_state,
        is_flush=is_flush,
        trigger_checkpoint=trigger_checkpoint,
    )
    return ApiResponse.model_construct()


@group.reads("GetInstanceRunSummary", "GET", f"{_INSTANCE}/runsummary", evidence="2019-05-06")
async def get_instance_run_summary(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceRunSummaryResponse:
    """Return the state of an instance in any state; UNKNOWN for a committed job that was never started."""
    shown = service.get_instance_run_summary(world, project_name, job_name, instance_id)
    return GetInstanceRunSummaryResponse.model_construct(run_summary=RunSummary.from_row(shown))


@group.reads("BatchGetInstanceRunSummary", "GET", f"{_PROJECT}/runsummary", evidence="2019-09-18")
async def batch_get_instance_run_summary(
    world: CurrentWorld, project_name: ProjectName, job_names: JobNames, job_type: JobTypeNeeded
) -> BatchGetInstanceRunSummaryResponse:
    """Return the states of several jobs of one type; skip jobs that are absent, offline or of the other type."""
    shown = await service.batch_get_instance_run_summary(world, project_name, job_names, job_type)
    items = [BatchRunSummary.from_row(instance) for instance in shown]
    return BatchGetInstanceRunSummaryResponse.model_construct(
        run_summarys=RunSummarys.model_construct(run_summary=items)
    )


@group.reads("GetInstanceConfig", "GET", f"{_INSTANCE}/config", evidence="2019-04-02")
async def get_instance_config(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceConfigResponse:
    """Return the settings of a running instance, in Flink's own form."""
    found = service.get_instance_config(world, project_name, job_name, instance_id)
    return GetInstanceConfigResponse.model_construct(config=found)


@group.reads("GetInstanceDetail", "GET", f"{_INSTANCE}/details", evidence="2019-04-02")
async def get_instance_detail(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceDetailResponse:
    """Return the graph of a running instance and the data that has flowed through it, in Flink's own form."""
    found = service.get_instance_detail(world, project_name, job_name, instance_id)
    return GetInstanceDetailResponse.model_construct(detail=found)


@group.reads("GetInstanceExceptions", "GET", f"{_INSTANCE}/exceptions", evidence="2019-04-02")
async def get_instance_exceptions(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceExceptionsResponse:
    """Return the failures of an instance in any state, in Flink's own form."""
    found = service.get_instance_exceptions(world, project_name, job_name, instance_id)
    return GetInstanceExceptionsResponse.model_construct(exceptions=found)


@group.reads("GetInstanceCheckpoint", "GET", f"{_INSTANCE}/checkpoints", evidence="2019-04-02")
async def get_instance_checkpoint(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceCheckpointResponse:
    """Return the checkpoints of a running instance, in Flink's own form."""
    found = service.get_instance_checkpoint(world, project_name, job_name, instance_id)
    return GetInstanceCheckpointResponse.model_construct(checkpoints=found)


@group.reads("GetInstanceFinalState", "GET", f"{_INSTANCE}/finalstate", evidence="2019-04-02")
async def get_instance_final_state(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceFinalStateResponse:
    """Return YARN's word for the state of an instance in any state."""
    found = service.get_instance_final_state(world, project_name, job_name, instance_id)
    return GetInstanceFinalStateResponse.model_construct(finalstate=found)


@group.reads("GetInstanceResource", "GET", f"{_INSTANCE}/resource", evidence="2019-04-02")
async def get_instance_resource(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceResourceResponse:
    """Return the resources that a running instance requested from its queue (allocated) and that it uses (total)."""
    allocated, total = service.get_instance_resource(world, project_name, job_name, instance_id)
    return GetInstanceResourceResponse.model_construct(
        resource=InstanceResource.model_construct(
            total_mb=total.mem,
            allocated_mb=allocated.mem,
            allocated_virtual_cores=allocated.v_core,
            total_virtual_cores=total.v_core,
        )
    )


@group.reads(
    "GetInstanceVertexTaskManagers",
    "GET",
    f"{_INSTANCE}/vertices/{{vertexId}}/taskmanagers",
    evidence=from_sdk("PHP SDK, class GetInstanceVertexTaskManagers"),
)
async def get_instance_vertex_task_managers(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId, vertex_id: VertexId
) -> GetInstanceVertexTaskManagersResponse:
    """Return the hosts on which a vertex of a running instance runs, in Flink's own form."""
    found = service.get_instance_vertex_task_managers(world, project_name, job_name, instance_id, vertex_id)
    return GetInstanceVertexTaskManagersResponse.model_construct(task_managers=found)
