"""The operations on queues: shares of a cluster, each for one project. 100 vcore are one core; memory is in MB."""

import re

from foas_emulator.blink.resource import Resource, total
from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented, from_sdk
from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.queues.rows import Queue, find_queue, queues_of_cluster, update_queue_row
from foas_emulator.operations.required import given, named
from foas_emulator.world.tables import assign, changed, equal, given_only
from foas_emulator.world.world import World

_FIRST_LEVEL = re.compile(r"root\.[^.\s]+")
MOST_QUEUES = 500
"""The most queues of a cluster, and of a project that a seed gives several: one answer shows all. It is ours."""

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
NO_QUEUE = problem(
    "InvalidProject.NoQueue",
    400,
    "The specified project has no queue bound to it.",
    documented("BindQueue: jobs can be made and run only after it; the code and its text are inferred"),
)
NOT_BOUND = problem("InvalidQueue.NotBound", 400, "The specified queue is not bound to the project.")
INSUFFICIENT = problem(
    "InvalidQueue.InsufficientResource",
    400,
    "The cluster does not have enough resources for the specified queue.",
    documented("CreateQueue: a queue takes its resources at once; the code and its text are inferred"),
)

TOO_MANY = problem("InvalidQueue.LimitExceeded", 400, "The cluster has the largest number of queues already.")

QueueInUse = tuple[Queue, Resource]
"""A queue, and the resources that the running instances in it use."""


def create_queue(
    world: World,
    cluster_id: str,
    *,
    queue_name: str | None,
    max_v_core: int | None,
    max_mem: int | None,
    gpu: int | None,
) -> None:
    """Create a queue, which reserves a share of a cluster.

    Raise `InvalidQueue.Duplicate`, and `InvalidQueue.InsufficientResource` for more than the cluster has left.
    """
    clusters.require_serving(world, cluster_id)
    queue_name = named("queueName", queue_name)
    if _FIRST_LEVEL.fullmatch(queue_name) is None:
        raise invalid("queueName", f"{queue_name!r} is not a first-level queue name such as root.project1.")
    if find_queue(world, cluster_id, queue_name) is not None:
        raise DUPLICATE(f"Cluster {cluster_id!r} has a queue {queue_name!r} already; UpdateQueue changes it.")
    if world.store.count(Queue, equal(Queue.cluster_id, cluster_id)) >= MOST_QUEUES:
        raise TOO_MANY(f"Cluster {cluster_id!r} has {MOST_QUEUES} queues; delete some first.")
    queue = Queue.model_construct(
        cluster_id=cluster_id,
        queue_name=queue_name,
        max_v_core=given("maxVcore", max_v_core),
        max_mem=given("maxMemMB", max_mem),
        max_gpu=gpu or 0,
    )
    _check_share(world, queue)
    world.store.insert(queue)


def update_queue(
    world: World,
    cluster_id: str,
    *,
    queue_name: str | None,
    max_v_core: int | None,
    max_mem: int | None,
    gpu: int | None,
) -> None:
    """Change the given figures of a queue's share of its cluster. Raise as `create_queue` does."""
    queue = _require(world, cluster_id, queue_name)
    clusters.require_serving(world, cluster_id)
    share = given_only(assign(Queue.max_v_core, max_v_core), assign(Queue.max_mem, max_mem), assign(Queue.max_gpu, gpu))
    _check_share(world, changed(queue, *share))
    if share:
        update_queue_row(world, queue, *share)


def delete_queue(world: World, cluster_id: str, queue_name: str | None) -> None:
    """Delete a queue, which frees its share of the cluster. Raise `InvalidQueue.Bound` while a project has it."""
    queue = _require(world, cluster_id, queue_name)
    if queue.project_name is not None:
        raise TAKEN(f"Queue {queue.queue_name!r} is bound to project {queue.project_name!r}; UnbindQueue first.")
    world.store.delete(Queue, equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue.queue_name))


async def get_cluster_queue_info(world: World, cluster_id: str) -> list[QueueInUse]:
    """Return the queues of a cluster, by name, with the resources in use. Raise `InvalidCluster.NotFound`."""
    clusters.require(world, cluster_id)
    return await _in_use(world, queues_of_cluster(world, cluster_id))


def bind_queue(world: World, project_name: str, *, cluster_id: str | None, queue_name: str | None) -> None:
    """Bind a queue that no project has to a project. Raise `InvalidQueue.Bound` or `InvalidProject.QueueBound`."""
    owned = list_project_bind_queue(world, project_name)
    queue = _require(world, given("clusterId", cluster_id), queue_name)
    if queue.project_name is not None:
        raise TAKEN(f"Queue {queue.queue_name!r} is bound to project {queue.project_name!r}; UnbindQueue there first.")
    if owned:
        raise HAS_QUEUE(f"Project {project_name!r} has queue {owned[0].queue_name!r}; UnbindQueue first.")
    update_queue_row(world, queue, assign(Queue.project_name, project_name))


def unbind_queue(world: World, project_name: str, *, cluster_id: str, queue_name: str) -> None:
    """Unbind a project's queue. Raise `InvalidQueue.NotBound`, or `InvalidProject.JobsOnline` while a job is online."""
    projects.require(world, project_name)
    queue = _require(world, cluster_id, queue_name)
    if queue.project_name != project_name:
        raise NOT_BOUND(
            f"Project {project_name!r} does not have queue {queue_name!r}; ListProjectBindQueue shows what it has."
        )
    projects.require_all_offline(world, project_name)
    update_queue_row(world, queue, assign(Queue.project_name, None))


def list_project_bind_queue(
    world: World, project_name: str, *, cluster_id: str | None = None, queue_name: str | None = None
) -> list[Queue]:
    """Return the queues of a project, with this cluster and name if given: at most one, unless a seed bound more.

    Raise `InvalidProject.NotFound`.
    """
    projects.require(world, project_name)
    return [
        queue
        for queue in world.store.find(Queue, equal(Queue.project_name, project_name))
        if cluster_id in (None, queue.cluster_id) and queue_name in (None, queue.queue_name)
    ]


async def list_project_bind_queue_resource(
    world: World, project_name: str, *, cluster_id: str | None, queue_name: str | None
) -> list[QueueInUse]:
    """Return the queues as `list_project_bind_queue` does, with the resources in use."""
    queues = list_project_bind_queue(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    return await _in_use(world, queues)


def require_bound(world: World, project_name: str, cluster_id: str | None, queue_name: str | None) -> Queue:
    """Return the first queue of a project, with this cluster and name if they are given.

    Raise `InvalidProject.NoQueue` or `InvalidQueue.NotBound`.
    """
    fitting = list_project_bind_queue(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    if fitting:
        return fitting[0]
    bound = list_project_bind_queue(world, project_name)
    if not bound:
        raise NO_QUEUE(f"Project {project_name!r} has no queue; BindQueue gives it one.")
    asked = "a queue" if queue_name is None else f"queue {queue_name!r}"
    of_cluster = "" if cluster_id is None else f" of cluster {cluster_id!r}"
    raise NOT_BOUND(
        f"Project {project_name!r} does not have {asked}{of_cluster}; "
        f"it has {bound[0].queue_name!r} of {bound[0].cluster_id!r}."
    )


def taken(world: World, cluster_id: str) -> Resource:
    """Return the resources that the queues of a cluster have reserved, used or not."""
    return total(map(_share, queues_of_cluster(world, cluster_id)))


def bound_projects(world: World, cluster_id: str) -> list[str]:
    """Return the names of the projects to which queues of a cluster are bound."""
    return [queue.project_name for queue in queues_of_cluster(world, cluster_id) if queue.project_name is not None]


def remove_all(world: World, cluster_id: str) -> None:
    """Remove the queues of a cluster that is being released."""
    world.store.delete(Queue, equal(Queue.cluster_id, cluster_id))


def unbind_all(world: World, project_name: str) -> None:
    """Unbind the queues of a project that is being deleted."""
    world.store.update(Queue, assign(Queue.project_name, None), where=[equal(Queue.project_name, project_name)])


def _require(world: World, cluster_id: str, queue_name: str | None) -> Queue:
    """Return the queue of this name. Raise `InvalidCluster.NotFound`, `MissingqueueName` or `InvalidQueue.NotFound`."""
    queue = None if queue_name is None else find_queue(world, cluster_id, queue_name)
    if queue is None:
        clusters.require(world, cluster_id)
        name = given("queueName", queue_name)
        raise NOT_FOUND(f"Cluster {cluster_id!r} has no queue {name!r}; GetClusterQueueInfo shows those it has.")
    return queue


async def _in_use(world: World, queues: list[Queue]) -> list[QueueInUse]:
    cluster_ids = {queue.cluster_id for queue in queues}
    demands = {cluster_id: await clusters.demand_by_queue(world, cluster_id) for cluster_id in cluster_ids}
    return [(queue, demands[queue.cluster_id].get(queue.queue_name, Resource())) for queue in queues]


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
    others = [each for each in queues_of_cluster(world, queue.cluster_id) if each.queue_name != queue.queue_name]
    left = clusters.lasting_capacity(world, cluster) - total(map(_share, others))
    if _share(queue).exceeds(left):
        raise INSUFFICIENT(
            f"Queue {queue.queue_name!r} asks for {_share(queue)}, and the other queues leave {left} of cluster "
            f"{queue.cluster_id!r}; ask for less, or ExpandCluster."
        )
