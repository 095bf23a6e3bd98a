"""The states of a cluster, the table of transitions between them, and the changes that this table allows.

A call begins a change, which is finished after the setting `cluster_delay`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters.rows import Cluster, find_cluster, update_cluster
from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.tables import Change, assign, changed, equal
from foas_emulator.world.world import World

State = Literal["STARTING", "RUNNING", "EXPANDING", "REDUCING", "UPGRADING", "MAINTAINING", "DESTROYING", "DESTROYED"]
Event = Literal["expand", "shrink", "change_master", "destroy", "finish"]

STATES: tuple[State, ...] = get_args(State)

TRANSITIONS: Mapping[tuple[str, Event], State] = MappingProxyType(
    {
        ("STARTING", "finish"): "RUNNING",
        ("RUNNING", "expand"): "EXPANDING",
        ("RUNNING", "shrink"): "REDUCING",
        ("RUNNING", "change_master"): "UPGRADING",
        ("RUNNING", "destroy"): "DESTROYING",
        ("EXPANDING", "finish"): "RUNNING",
        ("REDUCING", "finish"): "RUNNING",
        ("UPGRADING", "finish"): "RUNNING",
        ("DESTROYING", "finish"): "DESTROYED",
    }
)
"""State x event -> state; other combinations are refused. No call leads to MAINTAINING."""

SERVING: frozenset[str] = frozenset({"RUNNING", "EXPANDING", "REDUCING", "UPGRADING"})
"""The states in which the resources of a cluster are available."""

WITHOUT_MACHINES: frozenset[str] = frozenset({"STARTING", "DESTROYED"})
"""The states in which a cluster has no machines yet, or none any more (inferred)."""

NOT_RUNNING = problem(
    "InvalidCluster.NotRunning",
    400,
    "The specified cluster is not running.",
    documented("a cluster is asked for its state until that is RUNNING; the code and its text are inferred"),
)


def start(world: World, cluster: Cluster, *outcome: Change) -> None:
    """Insert a cluster that is STARTING; change the columns in `outcome` when it is RUNNING."""
    if world.settings.cluster_delay:
        world.store.insert(cluster)
        _finish_later(world, cluster.cluster_id, *outcome)
    else:
        world.store.insert(changed(cluster, *outcome, assign(Cluster.state, TRANSITIONS[cluster.state, "finish"])))


def begin(world: World, cluster: Cluster, event: Event, *outcome: Change) -> None:
    """Move a cluster to the state to which an event leads; change the columns in `outcome` when that is finished.

    The text that a seed gave about its machines no longer holds then. Raise `InvalidCluster.NotRunning` if the event is
    not possible in the state of the cluster.
    """
    state = TRANSITIONS.get((cluster.state, event))
    if state is None:
        raise NOT_RUNNING(f"Cluster {cluster.cluster_id!r} is {cluster.state}; it can be changed while it is RUNNING.")
    outcome = *outcome, assign(Cluster.instance_infos, None)
    operator = assign(Cluster.operator, ACCOUNT)
    if world.settings.cluster_delay:
        modified = assign(Cluster.gmt_modified, world.second())
        update_cluster(world, cluster.cluster_id, assign(Cluster.state, state), operator, modified)
        _finish_later(world, cluster.cluster_id, *outcome)
    else:
        _finish(world, cluster.cluster_id, state, operator, *outcome)


def lasting_slaves(world: World, cluster: Cluster) -> int:
    """Return how many slaves a cluster has both now and after the change that it is in, if it is in one."""
    change = world.store.get(PendingChange, equal(PendingChange.subject, _subject(cluster.cluster_id)))
    planned: int = cluster.slave_num if change is None else change.read_details().get("slave_num", cluster.slave_num)
    return min(cluster.slave_num, planned)


def apply_change(world: World, change: PendingChange) -> str:
    """Finish a change that is due; return the state of the cluster."""
    cluster = find_cluster(world, change.key)
    assert cluster is not None, "changes are cancelled when their cluster is replaced, and none is removed"
    return _finish(world, change.key, cluster.state, *change.read_details().items())


def _finish_later(world: World, cluster_id: str, *outcome: Change) -> None:
    at = world.now() + world.settings.cluster_delay
    world.schedule("finish", _subject(cluster_id), at=at, **dict(outcome))


def _subject(cluster_id: str) -> str:
    return f"cluster:{cluster_id}"


def _finish(world: World, cluster_id: str, state: str, *changes: Change) -> str:
    final = TRANSITIONS[state, "finish"]
    modified = assign(Cluster.gmt_modified, world.second())
    update_cluster(world, cluster_id, assign(Cluster.state, final), modified, *changes)
    return final
