"""The operations on clusters: order machines, make a cluster from them, add, remove, replace and release them."""

import json
from collections.abc import Awaitable, Mapping
from collections.abc import Set as AbstractSet

from foas_emulator.blink import lenient_json, resource
from foas_emulator.blink.resource import MODELS, Resource, total
from foas_emulator.gateway.errors import invalid, missing, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.clusters import lifecycle, rows
from foas_emulator.operations.clusters.lifecycle import NOT_RUNNING, SERVING, WITHOUT_MACHINES
from foas_emulator.operations.clusters.rows import Cluster, ClusterOrder
from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.operations.hooks import Hook, Signal
from foas_emulator.operations.paging import Page, page
from foas_emulator.operations.required import given, listed, named, region_of
from foas_emulator.operations.texts import check_weight
from foas_emulator.world.tables import Condition, assign, changed, equal
from foas_emulator.world.world import World

FEWEST_SLAVES = 2
MOST_SLAVES = 1000
"""The emulator's own limit: it shows every machine of a cluster."""
MOST_CLUSTERS = 20_000
"""The most clusters of a world, destroyed ones among them: a list counts them for every call. The number is ours."""
MOST_REMOVED = 10_000
"""The most slaves that a cluster may give up over time: the number of each of them is kept. The number is ours."""
MOST_SWITCHES = 100
"""The most vSwitches of a cluster. The number is ours."""

_MASTERS = (1, 3)
_LONGEST_PERIOD = 12
FIRST_ORDER = 285769237053  # the documented one
_BOUGHT_IN_CONSOLE = "blinkonecs"

NOT_FOUND = problem("InvalidCluster.NotFound", 404, "The specified cluster does not exist.")
ORDER_NOT_FOUND = problem("InvalidOrder.NotFound", 404, "The specified order does not exist.")
ORDER_USED = problem("InvalidOrder.Used", 400, "The specified order has a cluster already.")
PREPAID = problem(
    "InvalidCluster.Prepaid",
    400,
    "The specified cluster is not paid as it is used.",
    documented("Expand-, Shrink-, DestroyCluster, ModifyMasterSpec: pay-as-you-go only; code and text are inferred"),
)
TOO_MANY = problem("InvalidCluster.LimitExceeded", 400, "There is the largest number of clusters already.")
IN_USE = problem("InvalidCluster.InUse", 400, "The specified cluster is in use.")

demand_by_queue: Hook[[World, str], Awaitable[Mapping[str, Resource]]] = Hook()
"""The resources that a cluster's running instances use, by the names of queues. Others are served meanwhile."""
taken_by_queues: Hook[[World, str], Resource] = Hook()
"""The resources that the queues of a cluster have reserved, used or not."""
projects_on_cluster: Hook[[World, str], tuple[int, str]] = Hook()
"""How many projects are on a cluster, and the name of one of them."""
bound_projects: Hook[[World, str], list[str]] = Hook()
"""The names of the projects to which queues of a cluster are bound; they may be on another cluster."""
destroyed: Signal[[World, str]] = Signal()
"""A cluster was released."""


# -- the operations


def create_cell_cluster_order(
    world: World,
    *,
    pay_model: str | None,
    region: str | None,
    master_spec: str | None,
    master_num: int | None,
    slave_spec: str | None,
    slave_num: int | None,
    period: int | None,
) -> ClusterOrder:
    """Order machines: 1 or 3 masters, at least 2 slaves, and 1 to 12 months if they are prepaid (`pre`)."""
    order = ClusterOrder.model_construct(
        order_id=str(FIRST_ORDER + world.next_number("order") - 1),
        pay_model=given("payModel", pay_model),
        region=named("region", region),
        master_spec=_model("masterSpec", master_spec),
        master_num=given("masterNum", master_num),
        slave_spec=_model("slaveSpec", slave_spec),
        slave_num=given("slaveNum", slave_num),
        period=given("period", period) if pay_model == "pre" else period,
    )
    if order.master_num not in _MASTERS:
        raise invalid("masterNum", "a cluster has 1 master, or 3.")
    if not FEWEST_SLAVES <= order.slave_num <= MOST_SLAVES:
        raise invalid("slaveNum", f"a cluster has {FEWEST_SLAVES} to {MOST_SLAVES} slaves.")
    if order.period is not None and not 1 <= order.period <= _LONGEST_PERIOD:
        raise invalid("period", f"machines are paid for 1 to {_LONGEST_PERIOD} months.")
    world.store.insert(order)
    return order


def create_cluster(
    world: World,
    *,
    order_id: str | None,
    zone_id: str | None,
    display_name: str | None,
    description: str | None,
    user_oss_bucket: str | None,
    user_vpc_id: str | None,
    user_v_switch: str | None,
) -> str:
    """Begin to make a cluster from an order; return its id. It is RUNNING after the setting `cluster_delay`.

    Raise `InvalidCluster.LimitExceeded` if the world has too many.
    """
    zone_id = named("zoneId", zone_id)
    order = _unused_order(world, named("orderId", order_id), zone_id)
    begins = (f"{order.region}-", order.region) if order.region[-1:].isdigit() else (f"{order.region}-",)
    if zone_id[:-1] not in begins or not "a" <= zone_id[-1] <= "z":
        raise invalid("zoneId", f"the order is for region {order.region}, and {zone_id} is not in it.")
    if world.store.count(Cluster) >= MOST_CLUSTERS:
        raise TOO_MANY(
            f"World {world.name} has {MOST_CLUSTERS} clusters, destroyed ones included; a reset removes those "
            "that were created since the world was."
        )
    now = world.second()
    cluster = Cluster.model_construct(
        cluster_id=world.free_token("cluster", lambda each: rows.find_cluster(world, each) is not None),
        display_name=named("displayName", display_name),
        description=description,
        state="STARTING",
        region_id=order.region,
        zone_id=zone_id,
        owner_id=ACCOUNT,
        operator=ACCOUNT,
        gmt_create=now,
        gmt_modified=now,
        order_id=order.order_id,
        pay_model=order.pay_model,
        user_oss_info=rows.oss_info(order.region, named("userOssBucket", user_oss_bucket)),
        user_vpc_id=named("userVpcId", user_vpc_id),
        user_v_switch_list=json.dumps([named("userVSwitch", user_v_switch)]),
        master_spec=order.master_spec,
        master_num=order.master_num,
        slave_spec=order.slave_spec,
        slave_num=order.slave_num,
    )
    security_group = f"sg-{world.next_token('security_group', length=20)}"
    lifecycle.start(world, check_weight(cluster), assign(Cluster.user_sg_id, security_group))
    return cluster.cluster_id


def list_cluster(
    world: World, *filters: Condition, display_name: str | None, page_index: int, page_size: int
) -> Page[Cluster]:
    """Return a page of the clusters that pass the filters and whose display name contains this text, newest first."""
    return page(world, Cluster, rows.select_clusters(*filters, display_name=display_name), page_index, page_size)


def get_cluster_details(world: World, cluster_id: str) -> Cluster:
    """Return a cluster with the text that shows its machines, if it has any."""
    cluster = require(world, cluster_id)
    if cluster.instance_infos is not None or cluster.state in WITHOUT_MACHINES:
        return cluster
    return changed(cluster, assign(Cluster.instance_infos, rows.instance_infos(world.seed, cluster)))


def get_cluster_engine_versions(world: World, cluster_id: str) -> list[str]:
    """Return the engine versions of a cluster, each after its tag: `current--blink-3.4.4`."""
    return require(world, cluster_id).engine_versions.split(",")


async def get_cluster_resource(world: World, cluster_id: str) -> tuple[Resource, Resource]:
    """Return the resources that a cluster has for jobs, and those that its running instances use."""
    cluster = require(world, cluster_id)
    demands = await demand_by_queue(world, cluster_id)
    return capacity(cluster), total(demands.values())


def expand_cluster(
    world: World, cluster_id: str, *, count: int | None, model: str | None, user_v_switch: str | None
) -> None:
    """Add slaves of the cluster's model until there are `count`. The cluster is EXPANDING meanwhile."""
    cluster = _require_postpaid(world, cluster_id)
    if model is not None:
        _check_model(cluster, "model", model)
    count = given("count", count)
    if not cluster.slave_num < count <= MOST_SLAVES:
        raise invalid(
            "count", f"it is the new number of slaves: more than {cluster.slave_num}, and at most {MOST_SLAVES}."
        )
    lifecycle.begin(
        world,
        cluster,
        "expand",
        assign(Cluster.slave_num, count),
        assign(Cluster.user_v_switch_list, _with_switch(cluster, user_v_switch)),
    )


def shrink_cluster(world: World, cluster_id: str, *, instance_ids: str | None, model_target_count: str | None) -> None:
    """Remove the slaves with these ids, separated by commas, or the newest until the target count is left.

    At least two must be left, and as much as the queues have reserved (`InvalidCluster.InUse`, which is inferred). The
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
    removed = rows.removed_numbers(cluster) | leaving
    if len(removed) > MOST_REMOVED:
        raise invalid(
            parameter, f"at most {MOST_REMOVED} slaves can be removed from a cluster over time; create a new cluster."
        )
    taken, left = taken_by_queues(world, cluster_id), capacity(changed(cluster, assign(Cluster.slave_num, slave_num)))
    if taken.exceeds(left):
        raise IN_USE(
            f"Queues have taken {taken} of cluster {cluster_id!r}, and {slave_num} slaves have {left}; "
            "UpdateQueue first."
        )
    lifecycle.begin(
        world,
        cluster,
        "shrink",
        assign(Cluster.slave_num, slave_num),
        assign(Cluster.removed_slaves, ",".join(map(str, sorted(removed)))),
    )


def modify_master_spec(world: World, cluster_id: str, *, master_target_model: str | None) -> None:
    """Replace the masters of a cluster by as many of another model. The cluster is UPGRADING meanwhile."""
    cluster = _require_postpaid(world, cluster_id)
    model = _model("masterTargetModel", master_target_model)
    if model == cluster.master_spec:
        raise invalid("masterTargetModel", f"the masters are of model {model} already.")
    lifecycle.begin(world, cluster, "change_master", assign(Cluster.master_spec, model))


def destroy_cluster(world: World, cluster_id: str) -> None:
    """Release all machines; remove the cluster's queues at once, and keep it in the list as DESTROYED.

    Raise `InvalidCluster.InUse` while a project is on it or has one of its queues, which is inferred.
    """
    cluster = _require_postpaid(world, cluster_id)
    count, name = projects_on_cluster(world, cluster_id)
    if count:
        raise IN_USE(f"Cluster {cluster_id!r} has projects ({count}), {name!r} among them; DeleteProject first.")
    bound = bound_projects(world, cluster_id)
    if bound:
        raise IN_USE(f"A queue of cluster {cluster_id!r} is bound to project {bound[0]!r}; UnbindQueue first.")
    lifecycle.begin(world, cluster, "destroy")
    destroyed.send(world, cluster_id)


# -- the rules


def require(world: World, cluster_id: str) -> Cluster:
    """Return the cluster with this id, in any state. Raise `InvalidCluster.NotFound`."""
    cluster = rows.find_cluster(world, cluster_id)
    if cluster is None:
        raise NOT_FOUND(f"World {world.name} has no cluster {cluster_id!r}; ListCluster shows those it has.")
    return cluster


def require_serving(world: World, cluster_id: str) -> Cluster:
    """Return the cluster with this id if its resources are available. Raise also `InvalidCluster.NotRunning`."""
    cluster = require(world, cluster_id)
    if cluster.state not in SERVING:
        raise NOT_RUNNING(f"Cluster {cluster_id!r} is {cluster.state}; wait until ListCluster shows it RUNNING.")
    return cluster


def engine_version(world: World, cluster_id: str, asked: str) -> str:
    """Return the version of a cluster's tag, such as `current`; any other text is a version itself."""
    tagged = dict(version.split("--", 1) for version in get_cluster_engine_versions(world, cluster_id))
    return tagged.get(asked, asked)


def capacity(cluster: Cluster) -> Resource:
    """Return the resources that a cluster has for jobs."""
    return resource.capacity(cluster.slave_spec, 0 if cluster.state in WITHOUT_MACHINES else cluster.slave_num)


def lasting_capacity(world: World, cluster: Cluster) -> Resource:
    """Return the resources that a cluster has for jobs both now and after the change that it is in."""
    return capacity(changed(cluster, assign(Cluster.slave_num, lifecycle.lasting_slaves(world, cluster))))


def _require_postpaid(world: World, cluster_id: str) -> Cluster:
    cluster = require(world, cluster_id)
    if cluster.pay_model != "post":
        raise PREPAID(
            f"Cluster {cluster_id!r} was paid in advance; this requires one that was ordered with payModel=post."
        )
    return cluster


def _check_model(cluster: Cluster, parameter: str, model: str) -> None:
    if model != cluster.slave_spec:
        raise invalid(
            parameter, f"{model!r} is not the model of the slaves, {cluster.slave_spec}, and models cannot be mixed."
        )


def _model(parameter: str, model: str | None) -> str:
    """Return a model of machines if it exists. Raise `Missing{parameter}` or `Invalid{parameter}`."""
    name = given(parameter, model)
    if name not in MODELS:
        raise invalid(parameter, f"{name!r} is none of the models {', '.join(MODELS)}.")
    return name


def _unused_order(world: World, order_id: str, zone_id: str) -> ClusterOrder:
    """Return an order that has no cluster yet. Raise `InvalidOrder.NotFound` or `InvalidOrder.Used`.

    The order id in the documentation of CreateCluster, `blinkonecs_1234`, does not have the form of those that
    CreateCellClusterOrder returns; such ids count as orders of the smallest cluster, made in the console (inferred).
    """
    cluster = world.store.get(Cluster, equal(Cluster.order_id, order_id))
    if cluster is not None:
        raise ORDER_USED(f"Order {order_id!r} was used for cluster {cluster.cluster_id!r}; place another order.")
    order = world.store.get(ClusterOrder, equal(ClusterOrder.order_id, order_id))
    if order is not None:
        return order
    if not order_id.startswith(_BOUGHT_IN_CONSOLE):
        raise ORDER_NOT_FOUND(f"There is no order {order_id!r}; CreateCellClusterOrder returns an OrderId.")
    return ClusterOrder.model_construct(
        order_id=order_id,
        region=region_of("zoneId", zone_id),
        pay_model="post",
        master_spec=MODELS[0],
        master_num=_MASTERS[0],
        slave_spec=MODELS[0],
        slave_num=FEWEST_SLAVES,
    )


def _with_switch(cluster: Cluster, user_v_switch: str | None) -> str | None:
    """Return the JSON text of the cluster's vSwitches with one more added. Raise `InvaliduserVSwitch`."""
    if not user_v_switch:
        return cluster.user_v_switch_list
    name, present = named("userVSwitch", user_v_switch), cluster.user_v_switch_list or "[]"
    try:
        switches = lenient_json.parse(present)
    except ValueError:
        switches = present  # a seed may give any text
    switches = switches if isinstance(switches, list) else [switches]
    # A text that cannot be read would be quoted again in each text that has one more.
    if len(switches) >= MOST_SWITCHES or len(present) > lenient_json.LONGEST:
        raise invalid("userVSwitch", f"a cluster has {MOST_SWITCHES} vSwitches at most.")
    return json.dumps([*switches, name])


def _named_slaves(world: World, cluster: Cluster, instance_ids: str) -> AbstractSet[int]:
    numbers = {machine.instance_id: number for number, machine in rows.slaves(world.seed, cluster).items()}
    names = {name for name in listed("instanceIds", instance_ids) if name}
    for name in sorted(names - numbers.keys()):
        raise invalid("instanceIds", f"cluster {cluster.cluster_id!r} has no slave {name!r}; see GetClusterDetails.")
    if not names:
        raise invalid("instanceIds", "it names no machine.")
    return {numbers[name] for name in names}


def _newest_slaves(world: World, cluster: Cluster, model_target_count: str) -> AbstractSet[int]:
    target = _target_count(cluster, model_target_count)
    if target >= cluster.slave_num:
        raise invalid("modelTargetCount", f"{target} is not less than the {cluster.slave_num} slaves there are.")
    return set(sorted(rows.slaves(world.seed, cluster))[max(target, 0) :])


def _target_count(cluster: Cluster, text: str) -> int:
    """Parse one of the documented forms: `2`, or `{"Ecs_4c16g":2}`."""
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
