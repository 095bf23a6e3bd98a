"""The wire models of projects, members in the order of each operation's documented sample."""

from typing import Annotated

from pydantic import Field

from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32, Int64, words
from foas_emulator.operations.projects.rows import CELL, PUBLIC

_DeployType = Annotated[str, words(CELL.upper(), PUBLIC.upper())]


class ProjectDetails(ApiModel):
    """The project in the answer of GetProject. Times are in milliseconds."""

    global_job_config: str | None = None
    state: str
    create_time: Int64
    deploy_type: _DeployType
    creator: str
    modifier: str
    description: str | None = None
    region: str
    manager_ids: str | None = None
    name: str
    id: str
    modify_time: Int64
    cluster_id: str | None = None


class GetProjectResponse(ApiResponse):
    """The answer of GetProject."""

    project: ProjectDetails


class ProjectSummary(ApiModel):
    """A project in the answer of ListProject. Times are in milliseconds."""

    deploy_type: _DeployType
    modify_time: Int64
    manager_ids: str | None = None
    description: str | None = None
    cluster_id: str | None = None
    state: str
    create_time: Int64
    region: str
    creator: str
    id: str
    modifier: str
    name: str


class Projects(ApiModel):
    """The list of ListProject."""

    project: list[ProjectSummary]


class ListProjectResponse(ApiResponse):
    """The answer of ListProject."""

    total_count: Int64
    total_page: Int32
    page_size: Int32
    projects: Projects
    page_index: Int32


class UpdateProjectConfigResponse(ApiResponse):
    """The answer of UpdateProjectConfig: whether the change was made."""

    data: bool = Field(examples=[True])
