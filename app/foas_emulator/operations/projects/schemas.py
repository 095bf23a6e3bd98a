"""The wire models of projects, members in the order of each operation's documented sample."""

from pydantic import Field

from foas_emulator.gateway.formats import ApiModel, ApiResponse


class ProjectDetails(ApiModel):
    """What GetProject shows of a project. Times are milliseconds."""

    global_job_config: str | None = None
    state: str
    create_time: int
    deploy_type: str
    creator: str
    modifier: str
    description: str | None = None
    region: str
    manager_ids: str | None = None
    name: str
    id: str
    modify_time: int
    cluster_id: str | None = None


class GetProjectResponse(ApiResponse):
    """The answer of GetProject."""

    project: ProjectDetails


class ProjectSummary(ApiModel):
    """What ListProject shows of a project. Times are milliseconds."""

    name: str
    state: str
    creator: str
    create_time: int
    modifier: str
    modify_time: int
    description: str | None = None
    deploy_type: str
    cluster_id: str | None = None
    manager_ids: str | None = None
    region: str
    id: str


class Projects(ApiModel):
    """The list of ListProject."""

    project: list[ProjectSummary]


class ListProjectResponse(ApiResponse):
    """The answer of ListProject."""

    page_index: int
    page_size: int
    total_page: int
    total_count: int
    projects: Projects


class UpdateProjectConfigResponse(ApiResponse):
    """The answer of UpdateProjectConfig: whether it was done."""

    data: bool = Field(examples=[True])
