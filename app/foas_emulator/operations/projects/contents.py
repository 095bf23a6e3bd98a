"""Projects as wholes: made with what they need, deleted with all they hold."""

from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.clusters import rules as clusters
from foas_emulator.operations.folders import rules as folders
from foas_emulator.operations.jobs import commitment, records
from foas_emulator.operations.packages import rules as packages
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.projects.rules import (
    CELL,
    DUPLICATE,
    require_all_offline,
    require_exclusive,
)
from foas_emulator.operations.queues import rules as queues
from foas_emulator.operations.required import given, named
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

DEFAULT_REGION = "cn-shanghai"
"""The region of a project on the shared cluster: the documented default of the header RegionId."""


def create(
    world: World,
    *,
    name: str | None,
    deploy_type: str | None,
    cluster_id: str | None,
    order_id: str | None,
    description: str | None,
    manager_ids: str | None,
) -> None:
    """Make a project with its root folder: on a cluster (`cell`), or on the shared one by an order (`public`).

    Raises `InvalidProject.Duplicate`, and for a cluster `InvalidCluster.NotFound` or `InvalidCluster.NotRunning`.
    """
    name = named("name", name)
    if given("deployType", deploy_type) == CELL:
        cluster = clusters.require_serving(world, given("clusterId", cluster_id))
        cluster_id, region = cluster.cluster_id, cluster.region_id
    else:
        order_id, region = named("orderId", order_id), DEFAULT_REGION
    if world.store.get(Project, equal(Project.name, name)) is not None:
        raise DUPLICATE(f"World {world.name} has a project {name!r} already.")
    now = world.second()
    project = Project.model_construct(
        name=name,
        id=world.next_token("project"),
        creator=ACCOUNT,
        create_time=now,
        modifier=ACCOUNT,
        modify_time=now,
        description=description,
        deploy_type=deploy_type or CELL,
        cluster_id=cluster_id,
        order_id=order_id,
        manager_ids=manager_ids,
        region=region,
    )
    world.store.insert(project)
    folders.create_root(world, name)


def delete(world: World, project_name: str) -> None:
    """Delete a project with its jobs, folders and packages; its queue becomes free.

    Raises `InvalidProject.NotExclusive`, or `InvalidProject.JobsOnline` while a job is online.
    """
    require_exclusive(world, project_name)
    require_all_offline(world, project_name)
    clear(world, project_name)


def clear(world: World, project_name: str) -> None:
    """Drop a project, however it stands, with all it holds; its queue becomes free. None is no error."""
    for job in records.every(world, project_name):
        commitment.forget(world, job)
    folders.delete_all(world, project_name)
    packages.delete_all(world, project_name)
    queues.unbind_all(world, project_name)
    world.store.delete(Project, equal(Project.name, project_name))
