"""The rules of queues: shares of a cluster, each for one project."""

import re
from dataclasses import dataclass

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented, from_sdk
from foas_emulator.operations.clusters import rules as clusters
from foas_emulator.operations.clusters.machines import capacity
from foas_emulator.operations.clusters.resource import Resource, total
from foas_emulator.operations.instances import records as instances
from foas_emulator.operations.projects import rules as projects
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.operations.required import given, named
from foas_emulator.world.store import assign, equal
from foas_emulator.world.world import World

_FIRST_LEVEL = re.compile(r"root\.[^.\s]+")

NOT_FOUND = problem("InvalidQueue.NotFound", 404, "The specified queue does not exist.")
DUPLICATE = problem("InvalidQueue.Duplicate", 400, "The specified queue already exists.")
TAKEN = problem(
    "InvalidQueue.Bound",
    400,
    "The specified queue is bound to a project.",
    documented("BindQueue: the queue must be free, DeleteQueue: unbind it first; the code and its text are inferred"),
)
HAS_QUEUE = problem(
    "InvalidProject.QueueBound",
    400,
    "The specified project has a queue already.",
    from_sdk("the official walk-through of the API: one queue to one project; the code and its text are inferred"),
)
NOT_BOUND = problem("InvalidQueue.NotBound", 400, "The specified queue is not bound to the project.")
INSUFFICIENT = problem(
    "InvalidQueue.InsufficientResource",
    400,
    "The cluster does not have enough resources for the specified queue.",
    documented("CreateQueue: a queue takes its resources at once; the code and its text are inferred"),
)


@dataclass(frozen=True, slots=True)
class QueueInUse:
    """A queue, and what the running instances in it take."""

    queue: Queue
    used: Resource


def require(world: World, cluster_id: str, queue_name: str) -> Queue:
    """The queue of this name. Raises `InvalidCluster.NotFound` or `InvalidQueue.NotFound`."""
    queue = world.store.get(Queue, equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue_name))
    if queue is None:
        clusters.require(world, cluster_id)
        raise NOT_FOUND(f"Cluster {cluster_id!r} has no queue {queue_name!r}; GetClusterQueueInfo shows those it has.")
    return queue


def bound(
    world: World, project_name: str, *, cluster_id: str | None = None, queue_name: str | None = None
) -> list[Queue]:
    """The queues bound to a project, which is one at most unless a seed says otherwise; of this cluster or name only.

    Raises `InvalidProject.NotFound`.
    """
    projects.require(world, project_name)
    return [
        queue
        for queue in world.store.find(Queue, equal(Queue.project_name, project_name))
        if cluster_id in (None, queue.cluster_id) and queue_name in (None, queue.queue_name)
    ]


def in_use(world: World, queues: list[Queue]) -> list[QueueInUse]:
    """The queues with what is taken of each."""
    demands = {
        cluster_id: instances.demand_by_queue(world, cluster_id) for cluster_id in {each.cluster_id for each in queues}
    }
    return [QueueInUse(each, demands[each.cluster_id].get(each.queue_name, Resource())) for each in queues]


def of_cluster(world: World, cluster_id: str) -> list[Queue]:
    """The queues of a cluster, by name. Raises `InvalidCluster.NotFound`."""
    clusters.require(world, cluster_id)
    return world.store.find(Queue, equal(Queue.cluster_id, cluster_id))


def create(
    world: World,
    cluster_id: str,
    *,
    queue_name: str | None,
    max_v_core: int | None,
    max_mem: int | None,
    gpu: int | None,
) -> None:
    """Set a share of a cluster aside. 100 vcore are one core; memory is in MB.

    Raises `InvalidQueue.Duplicate`, and `InvalidQueue.InsufficientResource` for more than the cluster has left.
    """
    clusters.require_serving(world, cluster_id)
    queue_name = named("queueName", queue_name)
    if _FIRST_LEVEL.fullmatch(queue_name) is None:
        raise invalid("queueName", f"{queue_name!r} is no queue of the first level, such as root.project1.")
    if world.store.get(Queue, equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue_name)) is not None:
        raise DUPLICATE(f"Cluster {cluster_id!r} has a queue {queue_name!r} already; UpdateQueue changes it.")
    queue = Queue.model_construct(
        cluster_id=cluster_id,
        queue_name=queue_name,
        max_v_core=given("maxVcore", max_v_core),
        max_mem=given("maxMemMB", max_mem),
        max_gpu=gpu or 0,
    )
    _check_share(world, queue)
    world.store.insert(queue)


def update(
    world: World,
    cluster_id: str,
    *,
    queue_name: str | None,
    max_v_core: int | None,
    max_mem: int | None,
    gpu: int | None,
) -> None:
    """Give a queue another share of its cluster; what is not given stays. Raises as `create` does."""
    queue = require(world, cluster_id, given("queueName", queue_name))
    clusters.require_serving(world, cluster_id)
    share = {"max_v_core": max_v_core, "max_mem": max_mem, "max_gpu": gpu}
    changed = {name: value for name, value in share.items() if value is not None}
    _check_share(world, Queue.model_construct(**queue.model_dump() | changed))
    if changed:
        world.store.update(
            Queue,
            *changed.items(),
            where=[equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue.queue_name)],
        )


def delete(world: World, cluster_id: str, queue_name: str | None) -> None:
    """Give a queue's share back to its cluster. Raises `InvalidQueue.Bound` while a project has it."""
    queue = require(world, cluster_id, given("queueName", queue_name))
    if queue.project_name is not None:
        raise TAKEN(f"Queue {queue.queue_name!r} is bound to project {queue.project_name!r}; UnbindQueue first.")
    world.store.delete(Queue, equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue.queue_name))


def delete_all(world: World, cluster_id: str) -> None:
    """Remove the queues of a cluster that goes."""
    world.store.delete(Queue, equal(Queue.cluster_id, cluster_id))


def bind(world: World, project_name: str, *, cluster_id: str | None, queue_name: str | None) -> None:
    """Give a project a queue that no project has. Raises `InvalidQueue.Bound` or `InvalidProject.QueueBound`."""
    owned = bound(world, project_name)
    queue = require(world, given("clusterId", cluster_id), given("queueName", queue_name))
    if queue.project_name is not None:
        raise TAKEN(f"Queue {queue.queue_name!r} is bound to project {queue.project_name!r}; UnbindQueue there first.")
    if owned:
        raise HAS_QUEUE(f"Project {project_name!r} has queue {owned[0].queue_name!r}; UnbindQueue first.")
    _set_project(world, queue, project_name)


def unbind(world: World, project_name: str, *, cluster_id: str, queue_name: str) -> None:
    """Free a project's queue. Raises `InvalidQueue.NotBound`, or `InvalidProject.JobsOnline` while a job is online."""
    projects.require(world, project_name)
    queue = require(world, cluster_id, queue_name)
    if queue.project_name != project_name:
        raise NOT_BOUND(
            f"Project {project_name!r} does not have queue {queue_name!r}; ListProjectBindQueue shows what it has."
        )
    projects.require_all_offline(world, project_name)
    _set_project(world, queue, None)


def unbind_all(world: World, project_name: str) -> None:
    """Free the queues of a project that goes."""
    world.store.update(Queue, assign(Queue.project_name, None), where=[equal(Queue.project_name, project_name)])


def consumed(world: World, cluster_id: str) -> Resource:
    """What the queues of a cluster have taken of it, used or not."""
    return total([_share(queue) for queue in world.store.find(Queue, equal(Queue.cluster_id, cluster_id))])


def _set_project(world: World, queue: Queue, project_name: str | None) -> None:
    where = [equal(Queue.cluster_id, queue.cluster_id), equal(Queue.queue_name, queue.queue_name)]
    world.store.update(Queue, assign(Queue.project_name, project_name), where=where)


def _share(queue: Queue) -> Resource:
    return Resource(v_core=queue.max_v_core, mem=queue.max_mem)


def _check_share(world: World, queue: Queue) -> None:
    for parameter, value, least in (
        ("maxVcore", queue.max_v_core, 1),
        ("maxMemMB", queue.max_mem, 1),
        ("gpu", queue.max_gpu, 0),
    ):
        if value < least:
            raise invalid(parameter, f"it must be {least} at least.")
    cluster = clusters.require(world, queue.cluster_id)
    others = [each for each in of_cluster(world, queue.cluster_id) if each.queue_name != queue.queue_name]
    left = capacity(cluster) - total([_share(each) for each in others])
    if _share(queue).exceeds(left):
        raise INSUFFICIENT(
            f"Queue {queue.queue_name!r} asks for {_share(queue)}, and the other queues leave {left} of cluster "
            f"{queue.cluster_id!r}; ask for less, or ExpandCluster."
        )
