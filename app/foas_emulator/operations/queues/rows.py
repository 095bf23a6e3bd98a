"""The table of queues, and the statements on it."""

from sqlmodel import Field

from foas_emulator.world.tables import Change, Row, equal
from foas_emulator.world.world import World


class Queue(Row, table=True):
    """A queue of a cluster. 100 vcore are one core; memory is in MB. It is bound to at most one project."""

    __tablename__ = "queues"

    cluster_id: str = Field(primary_key=True)
    queue_name: str = Field(primary_key=True)
    max_v_core: int = 0
    max_mem: int = 0
    max_gpu: int = 0
    project_name: str | None = Field(default=None, index=True)


def find_queue(world: World, cluster_id: str, queue_name: str) -> Queue | None:
    """Return the queue of this name."""
    return world.store.get(Queue, equal(Queue.cluster_id, cluster_id), equal(Queue.queue_name, queue_name))


def queues_of_cluster(world: World, cluster_id: str) -> list[Queue]:
    """Return the queues of a cluster, by name."""
    return world.store.find(Queue, equal(Queue.cluster_id, cluster_id))


def update_queue_row(world: World, queue: Queue, *changes: Change) -> None:
    """Change columns of a queue."""
    where = equal(Queue.cluster_id, queue.cluster_id), equal(Queue.queue_name, queue.queue_name)
    world.store.update(Queue, *changes, where=where)
