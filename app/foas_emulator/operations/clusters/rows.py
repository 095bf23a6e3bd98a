"""The tables of clusters and of what was ordered."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Cluster(Row, table=True):
    """A cluster and its machines: `master_spec` and `slave_spec` name models such as Ecs_4c16g.

    Slaves are numbered from 1 in the order they came; `removed_slaves` holds the numbers of those that went, with
    commas between. `instance_infos` is what the service shows of the machines where that was given and not made.
    `engine_versions` holds what is installed, with commas between.
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
    engine_versions: str = "current--blink-3.4.4,beta--blink-3.7.8"


class ClusterOrder(Row, table=True):
    """An order of machines that a cluster can be made of, once. `period` is in months."""

    __tablename__ = "cluster_orders"

    order_id: str = Field(primary_key=True)
    region: str
    pay_model: str
    period: int | None = None
    master_spec: str
    master_num: int
    slave_spec: str
    slave_num: int
