"""The operations on projects."""

from typing import Annotated, Literal

from foas_emulator.gateway.evidence import inferred
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import Flag, one_of
from foas_emulator.operations.parameters import CurrentWorld, Filter, PageIndex, PageSize, ProjectName, form, query
from foas_emulator.operations.projects import service
from foas_emulator.operations.projects.rows import CELL, PUBLIC, Project
from foas_emulator.operations.projects.schemas import (
    GetProjectResponse,
    ListProjectResponse,
    ProjectDetails,
    Projects,
    ProjectSummary,
    UpdateProjectConfigResponse,
)
from foas_emulator.world.tables import equal

group = Group("projects")

_PROJECTS = "/api/v2/projects"
_PROJECT = "/api/v2/projects/{projectName}"

_DeployType = Annotated[Literal["cell", "public"], one_of(CELL, PUBLIC)]


@group.writes("CreateProject", "POST", _PROJECTS, evidence="2020-10-12")
async def create_project(
    world: CurrentWorld,
    *,
    name: Annotated[str | None, form("name", "Name of the new project.", "project1", required=True)] = None,
    deploy_type: Annotated[
        _DeployType | None,
        form("deployType", "cell: on a cluster of one's own; public: on the shared one.", required=True),
    ] = None,
    cluster_id: Annotated[
        str | None, form("clusterId", "Id of the cluster; required if deployType is cell.", "demo4b0v6t1kq8y2w7x5z3ca")
    ] = None,
    order_id: Annotated[
        str | None, form("orderId", "Id of what was bought; required if deployType is public.", "stream-abcd")
    ] = None,
    description: Annotated[str | None, form("description", "A remark.", "test")] = None,
    manager_ids: Annotated[
        str | None, form("managerIds", "Ids of the managing accounts, commas between.", "1234567")
    ] = None,
) -> ApiResponse:
    """Create a project. Before it can have jobs, a queue must be bound to it (BindQueue)."""
    service.create_project(
        world,
        name=name,
        deploy_type=deploy_type,
        cluster_id=cluster_id,
        order_id=order_id,
        description=description,
        manager_ids=manager_ids,
    )
    return ApiResponse.model_construct()


@group.reads("GetProject", "GET", _PROJECT, evidence="2019-05-06")
async def get_project(world: CurrentWorld, project_name: ProjectName) -> GetProjectResponse:
    """Return the details of a project."""
    shown = ProjectDetails.from_row(service.get_project(world, project_name))
    shown.deploy_type = shown.deploy_type.upper()  # what is sent as `cell` is returned as `CELL`
    return GetProjectResponse.model_construct(project=shown)


@group.reads("ListProject", "GET", _PROJECTS, evidence="2020-12-31")
async def list_project(
    world: CurrentWorld,
    *,
    name: Annotated[Filter, query("name", "Part of the project's name.", "project1")] = None,
    deploy_type: Annotated[_DeployType | None, query("deployType", "Only projects of this kind.")] = None,
    cluster_id: Annotated[
        Filter, query("clusterId", "Only projects on this cluster.", "demo4b0v6t1kq8y2w7x5z3ca")
    ] = None,
    region: Annotated[Filter, query("region", "Only projects in this region.", "cn-hangzhou")] = None,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> ListProjectResponse:
    """Return a page of the projects that meet all conditions, oldest first."""
    found = service.list_project(
        world,
        equal(Project.deploy_type, deploy_type),
        equal(Project.cluster_id, cluster_id),
        equal(Project.region, region),
        name=name,
        page_index=page_index,
        page_size=page_size,
    )
    shown = [ProjectSummary.from_row(project) for project in found.items]
    for each in shown:
        each.deploy_type = each.deploy_type.upper()
    return ListProjectResponse.model_construct(**found.figures, projects=Projects.model_construct(project=shown))


@group.writes("UpdateProject", "PUT", _PROJECT, evidence=inferred("the service's metadata gives names and no text"))
async def update_project(
    world: CurrentWorld,
    project_name: ProjectName,
    global_job_config: Annotated[
        str | None,
        form(
            "globalJobConfig", "The configuration that all jobs of the project share.", "sql.type=print", required=True
        ),
    ] = None,
) -> ApiResponse:
    """Replace the configuration that all jobs of a project share; GetProject shows it."""
    service.update_project(world, project_name, global_job_config=global_job_config)
    return ApiResponse.model_construct()


@group.writes("DeleteProject", "DELETE", _PROJECT, evidence="2020-09-15")
async def delete_project(world: CurrentWorld, project_name: ProjectName) -> ApiResponse:
    """Delete a project of an exclusive cluster with its contents. Its jobs must be offline; its queue becomes free."""
    service.delete_project(world, project_name)
    return ApiResponse.model_construct()


@group.writes(
    "UpdateProjectConfig",
    "PUT",
    "/api/v2/project/config",
    evidence=inferred("the service's metadata gives names and no text"),
)
async def update_project_config(
    world: CurrentWorld,
    project_name: Annotated[str, query("ProjectName", "Name of the project.", "project1")],
    is_open_batch_sql: Annotated[
        Flag | None, query("IsOpenBatchSQL", "Whether it may have batch SQL jobs.", required=True)
    ] = None,
) -> UpdateProjectConfigResponse:
    """Set whether a project may have batch SQL jobs. The value is stored; batch jobs are accepted either way."""
    service.update_project_config(world, project_name, is_open_batch_sql=is_open_batch_sql)
    return UpdateProjectConfigResponse.model_construct(data=True)
