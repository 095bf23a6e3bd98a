"""More machines, fewer, other ones, or none: what may be done to a cluster that is paid as it is used."""

import json
from collections.abc import Set as AbstractSet

from foas_emulator.blink import lenient_json
from foas_emulator.gateway.errors import invalid, missing, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters import changes, machines
from foas_emulator.operations.clusters.orders import FEWEST_SLAVES, MOST_SLAVES, require_model
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.clusters.rules import require
from foas_emulator.operations.projects import rules as projects
from foas_emulator.operations.queues import rules as queues
from foas_emulator.operations.required import given
from foas_emulator.world.world import World

PREPAID = problem(
    "InvalidCluster.Prepaid",
    400,
    "The specified cluster is not paid as it is used.",
    documented("Expand-, Shrink-, DestroyCluster, ModifyMasterSpec: pay-as-you-go only; code and text are inferred"),
)
IN_USE = problem("InvalidCluster.InUse", 400, "The specified cluster is in use.")


def expand(world: World, cluster_id: str, *, count: int | None, model: str | None, user_v_switch: str | None) -> None:
    """Add slaves until there are `count`, all of the model that the cluster has. It is EXPANDING meanwhile."""
    cluster = _require_postpaid(world, cluster_id)
    if model is not None:
        _check_model(cluster, "model", model)
    count = given("count", count)
    if not cluster.slave_num < count <= MOST_SLAVES:
        raise invalid(
            "count", f"it is how many slaves to reach, more than {cluster.slave_num} and at most {MOST_SLAVES}."
        )
    switches = _with_switch(cluster, user_v_switch)
    changes.begin(world, cluster, "expand", slave_num=count, user_v_switch_list=switches, instance_infos=None)


def shrink(world: World, cluster_id: str, *, instance_ids: str | None, model_target_count: str | None) -> None:
    """Remove slaves: those of these ids, with commas between, else the newest until so many are left.

    At least two are left, and as much as the queues have taken (`InvalidCluster.InUse`, which is inferred). The
    cluster is REDUCING meanwhile.
    """
    cluster = _require_postpaid(world, cluster_id)
    if instance_ids:
        parameter, leaving = "instanceIds", _named_slaves(world, cluster, instance_ids)
    elif model_target_count:
        parameter, leaving = "modelTargetCount", _newest_slaves(world, cluster, model_target_count)
    else:
        raise missing("instanceIds")
    slave_num = cluster.slave_num - len(leaving)
    if slave_num < FEWEST_SLAVES:
        raise invalid(parameter, f"{slave_num} slaves would be left, and a cluster has at least {FEWEST_SLAVES}.")
    smaller = cluster.model_copy(update={"slave_num": slave_num})
    taken, left = queues.consumed(world, cluster_id), machines.capacity(smaller)
    if taken.exceeds(left):
        raise IN_USE(
            f"Queues have taken {taken} of cluster {cluster_id!r}, and {slave_num} slaves have {left}; "
            "UpdateQueue first."
        )
    removed = ",".join(map(str, sorted(machines.removed_numbers(cluster) | leaving)))
    changes.begin(world, cluster, "shrink", slave_num=slave_num, removed_slaves=removed, instance_infos=None)


def change_master(world: World, cluster_id: str, *, master_target_model: str | None) -> None:
    """Give a cluster masters of another model, as many as before. It is UPGRADING meanwhile."""
    cluster = _require_postpaid(world, cluster_id)
    model = require_model("masterTargetModel", master_target_model)
    if model == cluster.master_spec:
        raise invalid("masterTargetModel", f"the masters are of model {model} already.")
    changes.begin(world, cluster, "change_master", master_spec=model, instance_infos=None)


def destroy(world: World, cluster_id: str) -> None:
    """Give all machines back; the cluster's queues go at once, and it stays in the list as DESTROYED.

    Raises `InvalidCluster.InUse` while a project is on it, which is inferred.
    """
    cluster = _require_postpaid(world, cluster_id)
    on_it = projects.on_cluster(world, cluster_id)
    if on_it:
        raise IN_USE(f"Cluster {cluster_id!r} has {len(on_it)} projects, {on_it[0]!r} among them; DeleteProject first.")
    changes.begin(world, cluster, "destroy")
    queues.delete_all(world, cluster_id)


def _require_postpaid(world: World, cluster_id: str) -> Cluster:
    cluster = require(world, cluster_id)
    if cluster.pay_model != "post":
        raise PREPAID(
            f"Cluster {cluster_id!r} was paid in advance; only one that was ordered with payModel=post will do."
        )
    return cluster


def _check_model(cluster: Cluster, parameter: str, model: str) -> None:
    if model != cluster.slave_spec:
        raise invalid(
            parameter, f"{model!r} is not the model of the slaves, {cluster.slave_spec}, and models do not mix."
        )


def _with_switch(cluster: Cluster, user_v_switch: str | None) -> str | None:
    """The cluster's vSwitches and one more, as the documented JSON text."""
    if user_v_switch is None:
        return cluster.user_v_switch_list
    try:
        switches = lenient_json.parse(cluster.user_v_switch_list or "[]")
    except ValueError:
        switches = cluster.user_v_switch_list  # a seed may hold any text
    return json.dumps([*switches, user_v_switch] if isinstance(switches, list) else [switches, user_v_switch])


def _named_slaves(world: World, cluster: Cluster, instance_ids: str) -> AbstractSet[int]:
    numbers = {machine.instance_id: number for number, machine in machines.slaves(world.seed, cluster).items()}
    named = {name.strip() for name in instance_ids.split(",") if name.strip()}
    for name in sorted(named - numbers.keys()):
        raise invalid("instanceIds", f"cluster {cluster.cluster_id!r} has no slave {name!r}; see GetClusterDetails.")
    if not named:
        raise invalid("instanceIds", "it names no machine.")
    return {numbers[name] for name in named}


def _newest_slaves(world: World, cluster: Cluster, model_target_count: str) -> AbstractSet[int]:
    target = _target_count(cluster, model_target_count)
    if target >= cluster.slave_num:
        raise invalid("modelTargetCount", f"{target} is not less than the {cluster.slave_num} slaves there are.")
    numbers = sorted(machines.slaves(world.seed, cluster))
    return set(numbers[max(target, 0) :])


def _target_count(cluster: Cluster, text: str) -> int:
    """The documented forms: `2`, and `{"Ecs_4c16g":2}`."""
    try:
        target = lenient_json.parse(text)
    except ValueError:
        target = None
    if isinstance(target, dict) and len(target) == 1:
        ((model, target),) = target.items()
        _check_model(cluster, "modelTargetCount", model)
    if not isinstance(target, int) or isinstance(target, bool):
        raise invalid("modelTargetCount", f'write how many slaves to keep, as 2 or {{"{cluster.slave_spec}":2}}.')
    return target
