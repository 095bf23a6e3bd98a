"""Instances as records: what queues and clusters ask of them.

Rules of those groups are called by the rules of instances, so their questions are answered here, apart from both.
"""

from collections.abc import Mapping

from foas_emulator.operations.clusters.resource import Resource
from foas_emulator.operations.instances import engine
from foas_emulator.operations.instances.lifecycle import RUNNING
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.store import equal
from foas_emulator.world.world import World


def demand_by_queue(world: World, cluster_id: str) -> Mapping[str, Resource]:
    """What the running instances of a cluster take, by the names of their queues."""
    running = world.store.find(
        Instance,
        equal(Instance.cluster_id, cluster_id),
        equal(Instance.actual_state, RUNNING),
        equal(Instance.is_archived, False),
    )
    demands: dict[str, Resource] = {}
    for instance in running:
        queue_name = instance.queue_name or ""
        demands[queue_name] = demands.get(queue_name, Resource()) + engine.requested(world, instance)
    return demands
