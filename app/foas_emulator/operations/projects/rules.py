"""The rules of projects."""

from typing import Any

from sqlalchemy import Select, func, select

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.jobs import records as jobs
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.required import given
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

CELL = "cell"
PUBLIC = "public"

NOT_FOUND = problem("InvalidProject.NotFound", 404, "The specified project does not exist.")
DUPLICATE = problem("InvalidProject.Duplicate", 400, "The specified project already exists.")
JOBS_ONLINE = problem(
    "InvalidProject.JobsOnline",
    400,
    "The specified project still has jobs that are online.",
    documented("UnbindQueue: all jobs of the project must be offline; the code and its text are inferred"),
)
NOT_EXCLUSIVE = problem(
    "InvalidProject.NotExclusive",
    400,
    "The specified project is not in exclusive mode.",
    documented("DeleteProject, CreatePackage: exclusive mode only; the code and its text are inferred"),
)


def require(world: World, project_name: str) -> Project:
    """The project of this name. Raises `InvalidProject.NotFound`."""
    project = world.store.get(Project, equal(Project.name, project_name))
    if project is None:
        raise NOT_FOUND(f"World {world.name} has no project {project_name!r}; ListProject shows those it has.")
    return project


def require_exclusive(world: World, project_name: str) -> Project:
    """The project of this name on a cluster of its own. Raises `InvalidProject.NotFound` or `.NotExclusive`."""
    project = require(world, project_name)
    if project.deploy_type != CELL:
        raise NOT_EXCLUSIVE(f"Project {project_name!r} has the deploy type {project.deploy_type}; it must be cell.")
    return project


def require_all_offline(world: World, project_name: str) -> None:
    """Raises `InvalidProject.JobsOnline` if a job of the project is online."""
    online = jobs.online(world, project_name)
    if online:
        raise JOBS_ONLINE(
            f"Project {project_name!r} has {len(online)} jobs online, {online[0]!r} among them; OfflineJob each first."
        )


def on_cluster(world: World, cluster_id: str) -> list[str]:
    """The names of the projects on a cluster."""
    return [project.name for project in world.store.find(Project, equal(Project.cluster_id, cluster_id))]


def listed(*, name: str | None, deploy_type: str | None, cluster_id: str | None, region: str | None) -> Select[Any]:
    """The projects that a list shows, newest first. A name need only be contained, as in the list of packages."""
    columns = Project.table().c
    statement = select(Project.table()).order_by(columns.create_time.desc(), columns.name)
    if name is not None:
        statement = statement.where(func.instr(columns.name, name) > 0)
    for column, wanted in (
        (columns.deploy_type, deploy_type),
        (columns.cluster_id, cluster_id),
        (columns.region, region),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement


def update(world: World, project_name: str, *, global_job_config: str | None) -> None:
    """Give a project another configuration for all its jobs."""
    require(world, project_name)
    _change(world, project_name, global_job_config=given("globalJobConfig", global_job_config))


def update_config(world: World, project_name: str, *, is_open_batch_sql: bool | None) -> None:
    """Allow a project to have batch SQL jobs, or no longer."""
    require(world, project_name)
    _change(world, project_name, is_open_batch_sql=given("IsOpenBatchSQL", is_open_batch_sql))


def _change(world: World, project_name: str, **values: Any) -> None:
    values |= {"modifier": ACCOUNT, "modify_time": world.second()}
    world.store.update(Project, *values.items(), where=[equal(Project.name, project_name)])
