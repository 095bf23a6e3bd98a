"""The rules of clusters: which there are, and what they offer."""

from typing import Any

from sqlalchemy import Select, func, select

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters import machines
from foas_emulator.operations.clusters.lifecycle import SERVING
from foas_emulator.operations.clusters.resource import Resource, total
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.instances import records as instances
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

NOT_FOUND = problem("InvalidCluster.NotFound", 404, "The specified cluster does not exist.")
NOT_RUNNING = problem(
    "InvalidCluster.NotRunning",
    400,
    "The specified cluster is not running.",
    documented("a cluster is asked for its state until that is RUNNING; the code and its text are inferred"),
)


def require(world: World, cluster_id: str) -> Cluster:
    """The cluster of this id, in whatever state. Raises `InvalidCluster.NotFound`."""
    cluster = world.store.get(Cluster, equal(Cluster.cluster_id, cluster_id))
    if cluster is None:
        raise NOT_FOUND(f"World {world.name} has no cluster {cluster_id!r}; ListCluster shows those it has.")
    return cluster


def require_serving(world: World, cluster_id: str) -> Cluster:
    """The cluster of this id if it has resources to give. Raises also `InvalidCluster.NotRunning`."""
    cluster = require(world, cluster_id)
    if cluster.state not in SERVING:
        raise NOT_RUNNING(f"Cluster {cluster_id!r} is {cluster.state}; wait until ListCluster shows it RUNNING.")
    return cluster


def listed(*, cluster_id: str | None, display_name: str | None, state: str | None, region: str | None) -> Select[Any]:
    """The clusters that a list shows, newest first. A display name need only be contained, which is inferred."""
    columns = Cluster.table().c
    statement = select(Cluster.table()).order_by(columns.gmt_create.desc(), columns.cluster_id)
    if display_name is not None:
        statement = statement.where(func.instr(columns.display_name, display_name) > 0)
    for column, wanted in ((columns.cluster_id, cluster_id), (columns.state, state), (columns.region_id, region)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement


def engine_versions(world: World, cluster_id: str) -> list[str]:
    """The engine versions installed on a cluster, each behind its tag: `current--blink-3.4.4`."""
    return require(world, cluster_id).engine_versions.split(",")


def allocated(world: World, cluster_id: str) -> Resource:
    """What the running instances of a cluster take."""
    return total(list(instances.demand_by_queue(world, cluster_id).values()))


def shown_instance_infos(world: World, cluster: Cluster) -> str | None:
    """What is told of a cluster's machines: nothing before there are any."""
    if cluster.instance_infos is not None or cluster.state == "STARTING":
        return cluster.instance_infos
    return machines.instance_infos(world.seed, cluster)
