"""Orders of machines, and the clusters that are made of them."""

import json

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.clusters import changes
from foas_emulator.operations.clusters.machines import MODELS
from foas_emulator.operations.clusters.rows import Cluster, ClusterOrder
from foas_emulator.operations.required import given, named
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

FEWEST_SLAVES = 2
MOST_SLAVES = 1000
"""The emulator's own bound: it tells every machine of a cluster."""

_MASTERS = (1, 3)
_LONGEST_PERIOD = 12
_FIRST_ORDER = 285769237053  # the documented one
_BOUGHT_IN_CONSOLE = "blinkonecs"

ORDER_NOT_FOUND = problem("InvalidOrder.NotFound", 404, "The specified order does not exist.")
ORDER_USED = problem("InvalidOrder.Used", 400, "The specified order has a cluster already.")


def order(
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
    """Order machines: 1 or 3 masters, at least 2 slaves, and 1 to 12 months if they are paid in advance (`pre`)."""
    placed = ClusterOrder.model_construct(
        order_id=str(_FIRST_ORDER + world.next_number("order") - 1),
        pay_model=given("payModel", pay_model),
        region=named("region", region),
        master_spec=require_model("masterSpec", master_spec),
        master_num=given("masterNum", master_num),
        slave_spec=require_model("slaveSpec", slave_spec),
        slave_num=given("slaveNum", slave_num),
        period=given("period", period) if pay_model == "pre" else period,
    )
    if placed.master_num not in _MASTERS:
        raise invalid("masterNum", "a cluster has 1 master, or 3.")
    if not FEWEST_SLAVES <= placed.slave_num <= MOST_SLAVES:
        raise invalid("slaveNum", f"a cluster has {FEWEST_SLAVES} to {MOST_SLAVES} slaves.")
    if placed.period is not None and not 1 <= placed.period <= _LONGEST_PERIOD:
        raise invalid("period", f"machines are paid for 1 to {_LONGEST_PERIOD} months.")
    world.store.insert(placed)
    return placed


def create(
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
    """Begin to make a cluster of what was ordered; answers its id. It is RUNNING after the setting `cluster_delay`."""
    zone_id = named("zoneId", zone_id)
    ordered = _ordered(world, named("orderId", order_id), zone_id)
    if not zone_id.startswith(ordered.region):
        raise invalid("zoneId", f"the order is for region {ordered.region}, and {zone_id} is not in it.")
    now = world.second()
    cluster = Cluster.model_construct(
        cluster_id=world.next_token("cluster"),
        display_name=named("displayName", display_name),
        description=description,
        state="STARTING",
        region_id=ordered.region,
        zone_id=zone_id,
        owner_id=ACCOUNT,
        operator=ACCOUNT,
        gmt_create=now,
        gmt_modified=now,
        order_id=ordered.order_id,
        pay_model=ordered.pay_model,
        user_oss_info=_oss_info(ordered.region, named("userOssBucket", user_oss_bucket)),
        user_vpc_id=named("userVpcId", user_vpc_id),
        user_v_switch_list=json.dumps([named("userVSwitch", user_v_switch)]),
        master_spec=ordered.master_spec,
        master_num=ordered.master_num,
        slave_spec=ordered.slave_spec,
        slave_num=ordered.slave_num,
    )
    world.store.insert(cluster)
    changes.finish_in_time(world, cluster.cluster_id, user_sg_id=f"sg-{world.next_token('security_group', length=20)}")
    return cluster.cluster_id


def require_model(parameter: str, model: str | None) -> str:
    """A model of machines that there is. Raises `Missing{parameter}` or `Invalid{parameter}`."""
    name = given(parameter, model)
    if name not in MODELS:
        raise invalid(parameter, f"{name!r} is none of the models {', '.join(MODELS)}.")
    return name


def _ordered(world: World, order_id: str, zone_id: str) -> ClusterOrder:
    """An order that has no cluster yet.

    CreateCluster's documented order id, `blinkonecs_1234`, is not of the kind that CreateCellClusterOrder answers;
    such ids are taken for orders of the smallest cluster made in the console, which is inferred.
    """
    taken = world.store.get(Cluster, equal(Cluster.order_id, order_id))
    if taken is not None:
        raise ORDER_USED(f"Order {order_id!r} became cluster {taken.cluster_id!r}; order again.")
    ordered = world.store.get(ClusterOrder, equal(ClusterOrder.order_id, order_id))
    if ordered is not None:
        return ordered
    if not order_id.startswith(_BOUGHT_IN_CONSOLE):
        raise ORDER_NOT_FOUND(f"Nothing was ordered as {order_id!r}; CreateCellClusterOrder answers an OrderId.")
    return ClusterOrder.model_construct(
        order_id=order_id,
        region=zone_id.rpartition("-")[0],
        pay_model="post",
        master_spec=MODELS[0],
        master_num=_MASTERS[0],
        slave_spec=MODELS[0],
        slave_num=FEWEST_SLAVES,
    )


def _oss_info(region: str, bucket: str) -> str:
    """The user's bucket as the documented JSON text."""
    internal = f"oss-{region}-internal.aliyuncs.com"
    shown = {
        "endpoint": f"oss-{region}.aliyuncs.com",
        "vpcEndpoint": internal,
        "oxsEndpoint": internal,
        "accessId": None,
        "accessKey": None,
        "bucket": bucket,
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
