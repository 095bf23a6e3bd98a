"""The operations on projects."""

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.columns import made_at, modified_at
from foas_emulator.operations.hooks import Hook, Signal
from foas_emulator.operations.paging import Page, page
from foas_emulator.operations.projects.rows import CELL, Project, find_project, select_projects
from foas_emulator.operations.required import given, named
from foas_emulator.operations.texts import check_weight
from foas_emulator.showing import counted
from foas_emulator.world.tables import Change, Condition, assign, changed, equal
from foas_emulator.world.world import World

DEFAULT_REGION = "cn-shanghai"
"""The region of a project on the shared cluster: the documented default of the header RegionId."""

NOT_FOUND = problem("InvalidProject.NotFound", 404, "The specified project does not exist.")
DUPLICATE = problem("InvalidProject.Duplicate", 400, "The specified project already exists.")
TOO_MANY = problem("InvalidProject.LimitExceeded", 400, "There is the largest number of projects already.")
MOST_PROJECTS = 20_000
"""The most projects of a world: a list counts them for every call. The number is ours."""
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

online_jobs: Hook[[World, str], list[str]] = Hook()
"""The names of a project's online jobs."""
created: Signal[[World, str]] = Signal()
"""A project was created."""
deleted: Signal[[World, str]] = Signal()
"""A project is being deleted; its contents are deleted before it, and its queue becomes free."""


def create_project(
    world: World,
    *,
    name: str | None,
    deploy_type: str | None,
    cluster_id: str | None,
    order_id: str | None,
    description: str | None,
    manager_ids: str | None,
) -> None:
    """Create a project: on a cluster (`cell`), or on the shared one by an order (`public`).

    Raise `InvalidProject.Duplicate`, `InvalidProject.LimitExceeded`, and for a cluster `InvalidCluster.NotFound` or
    `InvalidCluster.NotRunning`.
    """
    name = named("name", name)
    if given("deployType", deploy_type) == CELL:
        cluster = clusters.require_serving(world, given("clusterId", cluster_id))
        cluster_id, region = cluster.cluster_id, cluster.region_id
    else:
        order_id, region = named("orderId", order_id), DEFAULT_REGION
        if cluster_id:  # kept, it would hold a cluster for good: such a project cannot be deleted
            world.note("clusterId is for the deployType cell; a public project has no cluster of its own.")
        cluster_id = None
    if find_project(world, name) is not None:
        raise DUPLICATE(f"World {world.name} has a project {name!r} already.")
    if world.store.count(Project) >= MOST_PROJECTS:
        raise TOO_MANY(f"World {world.name} has {MOST_PROJECTS} projects; delete some first.")
    project = Project.model_construct(
        name=name,
        id=world.next_token("project"),
        **made_at(world.second()),
        description=description,
        deploy_type=deploy_type or CELL,
        cluster_id=cluster_id,
        order_id=order_id,
        manager_ids=manager_ids,
        region=region,
    )
    world.store.insert(check_weight(project))
    created.send(world, name)


def get_project(world: World, project_name: str) -> Project:
    """Return a project. Raise `InvalidProject.NotFound`."""
    return require(world, project_name)


def list_project(world: World, *filters: Condition, name: str | None, page_index: int, page_size: int) -> Page[Project]:
    """Return a page of the projects that pass the filters and whose name contains this text, oldest first."""
    return page(world, Project, select_projects(*filters, name=name), page_index, page_size)


def update_project(world: World, project_name: str, *, global_job_config: str | None) -> None:
    """Replace the configuration of a project that applies to all its jobs."""
    project = require(world, project_name)
    _update(world, project, assign(Project.global_job_config, given("globalJobConfig", global_job_config)))


def delete_project(world: World, project_name: str) -> None:
    """Delete a project with its contents; its queue becomes free.

    Raise `InvalidProject.NotExclusive`, or `InvalidProject.JobsOnline` while a job is online.
    """
    require_exclusive(world, project_name)
    require_all_offline(world, project_name)
    remove(world, project_name)


def update_project_config(world: World, project_name: str, *, is_open_batch_sql: bool | None) -> None:
    """Set whether a project may have batch SQL jobs."""
    project = require(world, project_name)
    _update(world, project, assign(Project.is_open_batch_sql, given("IsOpenBatchSQL", is_open_batch_sql)))


def require(world: World, project_name: str) -> Project:
    """Return the project of this name. Raise `InvalidProject.NotFound`."""
    project = find_project(world, project_name)
    if project is None:
        raise NOT_FOUND(f"World {world.name} has no project {project_name!r}; ListProject shows those it has.")
    return project


def require_exclusive(world: World, project_name: str) -> Project:
    """Return the project of this name on a cluster of its own. Raise also `InvalidProject.NotExclusive`."""
    project = require(world, project_name)
    if project.deploy_type != CELL:
        raise NOT_EXCLUSIVE(f"Project {project_name!r} has the deploy type {project.deploy_type}; it must be cell.")
    return project


def require_all_offline(world: World, project_name: str) -> None:
    """Raise `InvalidProject.JobsOnline` if a job of the project is online."""
    online = online_jobs(world, project_name)
    if online:
        raise JOBS_ONLINE(
            f"Project {project_name!r} has {counted(len(online), 'job')} online, {online[0]!r} among them; "
            "OfflineJob each first."
        )


def on_cluster(world: World, cluster_id: str) -> tuple[int, str]:
    """Return how many projects are on a cluster, and the name of the first of them, empty if there is none."""
    on_it = equal(Project.cluster_id, cluster_id)
    first = world.store.get(Project, on_it)
    return (0, "") if first is None else (world.store.count(Project, on_it), first.name)


def remove(world: World, project_name: str) -> None:
    """Delete a project with its contents, in any state; one that does not exist is not an error."""
    deleted.send(world, project_name)
    world.store.delete(Project, equal(Project.name, project_name))


def _update(world: World, project: Project, change: Change) -> None:
    check_weight(changed(project, change), before=project)
    where = equal(Project.name, project.name)
    world.store.update(Project, change, *modified_at(world.second()), where=[where])
