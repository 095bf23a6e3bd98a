"""The tables of clusters and of the orders from which they are made, and the statements on them.

Machines are not rows: they are derived from the columns of their cluster and the seed of its world.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Field

from foas_emulator.blink.versions import INSTALLED
from foas_emulator.operations.paging import containing, matching
from foas_emulator.world.ids import token
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Change, Condition, Row, equal
from foas_emulator.world.world import World


class Cluster(Row, table=True):
    """A cluster and its machines: `master_spec` and `slave_spec` name models such as Ecs_4c16g.

    Slaves are numbered from 1 in the order in which they were added; `removed_slaves` has the numbers of removed ones,
    separated by commas. `instance_infos` is the text that shows the machines, if a seed gave one. `engine_versions`
    has the installed versions, separated by commas.
    """

    __tablename__ = "clusters"

    cluster_id: str = Field(primary_key=True)
    display_name: str | None = None
    description: str | None = None
    state: str = "RUNNING"
    region_id: str
    zone_id: str | None = None
    owner_id: str
    operator: str
    gmt_create: int
    gmt_modified: int
    order_id: str | None = None
    pay_model: str = "post"
    storage_type: str = "HDFS"
    user_oss_info: str | None = None
    user_vpc_id: str | None = None
    user_sg_id: str | None = None
    user_v_switch_list: str | None = None
    is_mix_deploy: bool = False
    master_spec: str = "Ecs_4c16g"
    master_num: int = 1
    slave_spec: str = "Ecs_4c16g"
    slave_num: int = 2
    removed_slaves: str = ""
    instance_infos: str | None = None
    engine_versions: str = INSTALLED


class ClusterOrder(Row, table=True):
    """An order of machines from which one cluster can be made. `period` is in months."""

    __tablename__ = "cluster_orders"

    order_id: str = Field(primary_key=True)
    region: str
    pay_model: str
    period: int | None = None
    master_spec: str
    master_num: int
    slave_spec: str
    slave_num: int


def find_cluster(world: World, cluster_id: str) -> Cluster | None:
    """Return the cluster with this id, None if there is none."""
    return world.store.get(Cluster, equal(Cluster.cluster_id, cluster_id))


def cluster_ids(store: Store) -> list[str]:
    """Return the ids of all clusters of a world, without reading the rest of them."""
    return list(store.execute(select(Cluster.table().c.cluster_id)).scalars())


def update_cluster(world: World, cluster_id: str, *changes: Change) -> None:
    """Change columns of a cluster."""
    world.store.update(Cluster, *changes, where=[equal(Cluster.cluster_id, cluster_id)])


def select_clusters(*filters: Condition, display_name: str | None) -> Select[Any]:
    """Select clusters, newest first, whose display name contains this text."""
    columns = Cluster.table().c
    named = containing(matching(Cluster, *filters), columns.display_name, display_name)
    return named.order_by(columns.gmt_create.desc(), columns.cluster_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine: its id, network interface, address and model."""

    instance_id: str
    eni_id: str
    ip: str
    model: str


def masters(seed: int, cluster: Cluster) -> list[Machine]:
    """Return the masters of a cluster."""
    return [
        _machine(seed, cluster, "master", number, cluster.master_spec) for number in range(1, cluster.master_num + 1)
    ]


def slaves(seed: int, cluster: Cluster) -> dict[int, Machine]:
    """Return the slaves of a cluster by number. The number of a removed slave is not used again."""
    removed = removed_numbers(cluster)
    numbers = (number for number in range(1, cluster.slave_num + len(removed) + 1) if number not in removed)
    return {number: _machine(seed, cluster, "slave", number, cluster.slave_spec) for number in numbers}


def removed_numbers(cluster: Cluster) -> set[int]:
    """Return the numbers of the slaves that were removed."""
    return {int(number) for number in cluster.removed_slaves.split(",") if number}


def _machine(seed: int, cluster: Cluster, role: str, number: int, model: str) -> Machine:
    def identifier(kind: str) -> str:
        return f"{kind}-{token(seed, f'{kind}/{cluster.cluster_id}/{role}', number, length=20)}"

    network = 0 if role == "master" else 1 + number // 250
    return Machine(
        instance_id=identifier("i"), eni_id=identifier("eni"), ip=f"192.168.{network}.{number % 250 + 1}", model=model
    )


def instance_infos(seed: int, cluster: Cluster) -> str:
    """Return the JSON text about the machines in GetClusterDetails. The names of its members are inferred."""
    roles = {"masters": masters(seed, cluster), "slaves": list(slaves(seed, cluster).values())}
    shown = {
        role: [
            {"instanceId": each.instance_id, "eniId": each.eni_id, "ip": each.ip, "model": each.model} for each in of
        ]
        for role, of in roles.items()
    }
    return json.dumps(shown, separators=(",", ":"))


def oss_info(region: str, bucket: str) -> str:
    """Return the documented JSON text about the user's bucket."""
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
