"""The operations on jobs."""

from dataclasses import asdict

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.jobs import lifecycle, service
from foas_emulator.operations.jobs import parameters as given
from foas_emulator.operations.jobs.rows import Draft, Job
from foas_emulator.operations.jobs.schemas import (
    CalcPlanJsonResourceResponse,
    CheckRawPlanJsonResponse,
    Dims,
    GetJobResponse,
    GetRawPlanJsonResponse,
    Inputs,
    JobDetails,
    JobInOut,
    Jobs,
    ListedJob,
    ListJobResponse,
    Outputs,
    PlanJsonInfo,
    PlanJsonResource,
    StartJobResponse,
    TableUse,
    ValidateJobResponse,
)
from foas_emulator.operations.parameters import CurrentWorld, JobName, PageIndex, PageSize, ProjectName
from foas_emulator.world.tables import equal

group = Group("jobs")

_JOBS = "/api/v2/projects/{projectName}/jobs"
_JOB = "/api/v2/projects/{projectName}/jobs/{jobName}"
_LONG_FIELDS = ("code", "plan_json", "properties")


@group.writes("CreateJob", "POST", _JOBS, evidence="2020-12-29")
async def create_job(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    job_name: given.GivenJobName = None,
    job_type: given.GivenJobType = None,
    api_type: given.GivenApiType = None,
    code: given.GivenCode = None,
    plan_json: given.PlanJson = None,
    properties: given.Properties = None,
    packages: given.Packages = None,
    description: given.Description = None,
    engine_version: given.EngineVersion = None,
    cluster_id: given.ClusterId = None,
    queue_name: given.QueueName = None,
    folder_id: given.FolderId = None,
) -> ApiResponse:
    """Create a job in a project that has a queue."""
    draft = Draft(
        code=code,
        plan_json=plan_json,
        properties=properties,
        packages=packages,
        description=description,
        engine_version=engine_version,
        cluster_id=cluster_id,
        queue_name=queue_name,
        folder_id=folder_id,
    )
    service.create_job(world, project_name, job_name=job_name, job_type=job_type, api_type=api_type, draft=draft)
    return ApiResponse.model_construct()


@group.reads("GetJob", "GET", _JOB, evidence="2020-09-11")
async def get_job(world: CurrentWorld, project_name: ProjectName, job_name: JobName) -> GetJobResponse:
    """Return a job's draft, and whether the job is online; a job that does not exist is not an error."""
    job = service.get_job(world, project_name, job_name)
    if job is None:
        return GetJobResponse.model_construct()
    is_committed = lifecycle.committed(world, job) is not None
    return GetJobResponse.model_construct(job=JobDetails.from_row(job.model_dump() | {"is_committed": is_committed}))


@group.reads("ListJob", "GET", _JOBS, evidence="2019-04-02")
async def list_job(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    job_name: given.JobNameFilter = None,
    job_type: given.JobTypeFilter = None,
    api_type: given.ApiTypeFilter = None,
    engine_version: given.EngineVersionFilter = None,
    cluster_id: given.ClusterIdFilter = None,
    queue_name: given.QueueNameFilter = None,
    folder_id: given.FolderIdFilter = None,
    is_show_full_field: given.IsShowFullField = True,
    page_index: PageIndex = 1,
    page_size: PageSize = 10,
) -> ListJobResponse:
    """Return the matching jobs of a project, newest first."""
    found = service.list_job(
        world,
        project_name,
        equal(Job.job_type, job_type),
        equal(Job.api_type, api_type),
        equal(Job.engine_version, engine_version),
        equal(Job.cluster_id, cluster_id),
        equal(Job.queue_name, queue_name),
        equal(Job.folder_id, folder_id),
        job_name=job_name,
        without=() if is_show_full_field else _LONG_FIELDS,
        page_index=page_index,
        page_size=page_size,
    )
    online = set(service.online(world, project_name))
    items = [ListedJob.from_row(job.model_dump() | {"is_committed": job.job_name in online}) for job in found.items]
    return ListJobResponse.model_construct(**found.figures, jobs=Jobs.model_construct(job=items))


@group.writes("UpdateJob", "PUT", _JOB, evidence="2021-01-26")
async def update_job(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    *,
    code: given.Code = None,
    plan_json: given.PlanJson = None,
    properties: given.Properties = None,
    packages: given.Packages = None,
    description: given.Description = None,
    engine_version: given.EngineVersion = None,
    cluster_id: given.ClusterId = None,
    queue_name: given.QueueName = None,
    folder_id: given.FolderId = None,
) -> ApiResponse:
    """Change the given members of a job's draft; the committed copy and running instances stay as they are."""
    draft = Draft(
        code=code,
        plan_json=plan_json,
        properties=properties,
        packages=packages,
        description=description,
        engine_version=engine_version,
        cluster_id=cluster_id,
        queue_name=queue_name,
        folder_id=folder_id,
    )
    service.update_job(world, project_name, job_name, draft)
    return ApiResponse.model_construct()


@group.writes("DeleteJob", "DELETE", _JOB, evidence="2020-09-18")
async def delete_job(world: CurrentWorld, project_name: ProjectName, job_name: JobName) -> ApiResponse:
    """Delete an offline job with its instances."""
    service.delete_job(world, project_name, job_name)
    return ApiResponse.model_construct()


@group.reads("ValidateJob", "GET", f"{_JOB}/validate", evidence="2020-12-31")
async def validate_job(world: CurrentWorld, project_name: ProjectName, job_name: JobName) -> ValidateJobResponse:
    """Return the tables that a job reads, writes and joins, or the parser's report if its code is definitely wrong."""
    script = service.validate_job(world, project_name, job_name)
    inputs, outputs, dims = (
        [TableUse.from_row(asdict(table)) for table in tables]
        for tables in (script.inputs, script.outputs, script.dims)
    )
    return ValidateJobResponse.model_construct(
        job_in_out=JobInOut.model_construct(
            inputs=Inputs.model_construct(input=inputs),
            outputs=Outputs.model_construct(output=outputs),
            dims=Dims.model_construct(dim=dims),
        )
    )


@group.writes("GetRawPlanJson", "GET", f"{_JOB}/planjson", evidence="2020-10-19")
async def get_raw_plan_json(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    *,
    autoconf_enable: given.AutoconfEnable = False,
    expected_core: given.ExpectedCore = None,
    expected_gb: given.ExpectedGb = None,
    advisor_action: given.AdvisorAction = None,  # noqa: ARG001 - declared by the SDKs, not documented
) -> GetRawPlanJsonResponse:
    """Begin to make a plan of a job's draft; CheckRawPlanJson reports when it is there."""
    session_id = service.get_raw_plan_json(
        world,
        project_name,
        job_name,
        expected_core=expected_core,
        expected_gb=expected_gb,
        is_tuned=autoconf_enable,
    )
    return GetRawPlanJsonResponse.model_construct(session_id=session_id)


@group.reads("CheckRawPlanJson", "GET", f"{_JOB}/planjson/check", evidence="2019-04-15")
async def check_raw_plan_json(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, session_id: given.SessionId
) -> CheckRawPlanJsonResponse:
    """Return the progress of making a plan, and the plan or the error at its end."""
    session = service.check_raw_plan_json(world, project_name, job_name, session_id)
    return CheckRawPlanJsonResponse.model_construct(plan_json_info=PlanJsonInfo.from_row(session))


@group.reads(
    "CalcPlanJsonResource", "GET", f"{_JOB}/planjson-resource", evidence=documented("metadata of CalcPlanJsonResource")
)
async def calc_plan_json_resource(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName
) -> CalcPlanJsonResourceResponse:
    """Return the resources that a job's plan requires from its queue."""
    cores, memory_gb = service.calc_plan_json_resource(world, project_name, job_name)
    return CalcPlanJsonResourceResponse.model_construct(
        plan_json_resource=PlanJsonResource.model_construct(memory_gb=memory_gb, cores=cores)
    )


@group.writes("CommitJob", "PUT", f"{_JOB}/commit", evidence="2020-12-02")
async def commit_job(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    *,
    is_on_off: given.IsOnOff = False,
    max_cu: given.MaxCu = None,
    configure: given.Configure = None,
    recommend_only: given.RecommendOnly = None,
    suspend_periods: given.SuspendPeriods = None,
    suspend_period_param: given.SuspendPeriodParam = None,
) -> ApiResponse:
    """Bring a job online: its draft becomes the copy for the next start. AutoScale is off unless it is switched on."""
    service.commit_job(
        world,
        project_name,
        job_name,
        is_on_off=is_on_off,
        max_cu=max_cu,
        configure=configure,
        recommend_only=recommend_only,
        suspend_periods=suspend_periods,
        suspend_period_param=suspend_period_param,
    )
    return ApiResponse.model_construct()


@group.writes("StartJob", "POST", f"{_JOB}/instance", evidence="2021-01-27")
async def start_job(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, parameter_json: given.ParameterJson = None
) -> StartJobResponse:
    """Start a committed job; return the id of its new instance, which waits until it runs."""
    instance_id = service.start_job(world, project_name, job_name, parameter_json=parameter_json)
    return StartJobResponse.model_construct(instance_id=instance_id)


@group.writes("OfflineJob", "PUT", f"{_JOB}/offline", evidence="2020-09-18")
async def offline_job(world: CurrentWorld, project_name: ProjectName, job_name: JobName) -> ApiResponse:
    """Take a job offline, once none of its instances is live."""
    service.offline_job(world, project_name, job_name)
    return ApiResponse.model_construct()
