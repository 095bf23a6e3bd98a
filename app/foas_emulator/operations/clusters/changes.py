"""Changes of a cluster that take their time: begun by a call, finished after the setting `cluster_delay`."""

from collections.abc import Mapping
from typing import Any

from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.clusters.lifecycle import TRANSITIONS, Event
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.clusters.rules import NOT_RUNNING, require
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.store import assign, equal
from foas_emulator.world.world import World


def begin(world: World, cluster: Cluster, event: Event, **outcome: Any) -> None:
    """Put a cluster into the state an event leads to; it gets the columns of `outcome` when the change is finished.

    Raises `InvalidCluster.NotRunning` if the event cannot happen in the cluster's state.
    """
    state = TRANSITIONS.get((cluster.state, event))
    if state is None:
        raise NOT_RUNNING(f"Cluster {cluster.cluster_id!r} is {cluster.state}; it can be changed while it is RUNNING.")
    world.store.update(
        Cluster,
        assign(Cluster.state, state),
        assign(Cluster.operator, ACCOUNT),
        assign(Cluster.gmt_modified, world.second()),
        where=[equal(Cluster.cluster_id, cluster.cluster_id)],
    )
    finish_in_time(world, cluster.cluster_id, **outcome)


def finish_in_time(world: World, cluster_id: str, **outcome: Any) -> None:
    """Finish what a cluster is going through: at once without `cluster_delay`, else when that has passed."""
    delay = world.settings.cluster_delay
    if delay:
        world.schedule("finish", f"cluster:{cluster_id}", at=world.now() + delay, **outcome)
    else:
        _finish(world, cluster_id, outcome)


def settle(world: World, change: PendingChange) -> None:
    """Finish a change that came due."""
    _finish(world, change.key, change.read_details())


def _finish(world: World, cluster_id: str, outcome: Mapping[str, Any]) -> None:
    state = TRANSITIONS[require(world, cluster_id).state, "finish"]
    changes = {"state": state, "gmt_modified": world.second(), **outcome}
    world.store.update(Cluster, *changes.items(), where=[equal(Cluster.cluster_id, cluster_id)])
