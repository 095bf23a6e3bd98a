"""The operations on clusters."""

from typing import Annotated

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import Int32, one_of
from foas_emulator.operations.clusters import parameters as ordered
from foas_emulator.operations.clusters import service
from foas_emulator.operations.clusters.lifecycle import STATES, State
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.clusters.schemas import (
    ClusterDetails,
    ClusterResource,
    Clusters,
    ClusterSummary,
    CreateCellClusterOrderResponse,
    CreateClusterResponse,
    EngineVersions,
    GetClusterDetailsResponse,
    GetClusterEngineVersionsResponse,
    GetClusterResourceResponse,
    ListClusterResponse,
)
from foas_emulator.operations.clusters.service import FEWEST_SLAVES, MOST_SLAVES
from foas_emulator.operations.parameters import ClusterId, CurrentWorld, Filter, PageIndex, PageSize, form, query
from foas_emulator.world.tables import equal

group = Group("clusters")

_CLUSTERS = "/api/v2/clusters"
_CLUSTER = "/api/v2/clusters/{clusterId}"

_State = Annotated[State, one_of(*STATES)]


@group.writes(
    "CreateCellClusterOrder",
    "POST",
    "/api/v2/realtime-compute/cell/buy",
    evidence=documented("the service's metadata of CreateCellClusterOrder"),
)
async def create_cell_cluster_order(
    world: CurrentWorld,
    *,
    pay_model: ordered.PayModel = None,
    region: ordered.Region = None,
    master_spec: ordered.MasterSpec = None,
    master_num: ordered.MasterNum = None,
    slave_spec: ordered.SlaveSpec = None,
    slave_num: ordered.SlaveNum = None,
    period: ordered.Period = None,
) -> CreateCellClusterOrderResponse:
    """Order the machines of an exclusive cluster; CreateCluster makes the cluster from them."""
    order = service.create_cell_cluster_order(
        world,
        pay_model=pay_model,
        region=region,
        master_spec=master_spec,
        master_num=master_num,
        slave_spec=slave_spec,
        slave_num=slave_num,
        period=period,
    )
    return CreateCellClusterOrderResponse.model_construct(order_id=order.order_id)


@group.writes("CreateCluster", "POST", _CLUSTERS, evidence="2019-05-06")
async def create_cluster(
    world: CurrentWorld,
    *,
    order_id: ordered.OrderId = None,
    zone_id: ordered.ZoneId = None,
    display_name: ordered.DisplayName = None,
    description: ordered.Description = None,
    user_oss_bucket: ordered.UserOssBucket = None,
    user_vpc_id: ordered.UserVpcId = None,
    user_v_switch: ordered.UserVSwitch = None,
) -> CreateClusterResponse:
    """Begin to make a cluster from ordered machines: STARTING, then RUNNING after the setting `cluster_delay`."""
    cluster_id = service.create_cluster(
        world,
        order_id=order_id,
        zone_id=zone_id,
        display_name=display_name,
        description=description,
        user_oss_bucket=user_oss_bucket,
        user_vpc_id=user_vpc_id,
        user_v_switch=user_v_switch,
    )
    return CreateClusterResponse.model_construct(cluster_id=cluster_id)


@group.reads("ListCluster", "GET", _CLUSTERS, evidence="2021-01-22")
async def list_cluster(
    world: CurrentWorld,
    *,
    cluster_id: Annotated[Filter, query("clusterId", "Only this cluster.", "demo4b0v6t1kq8y2w7x5z3ca")] = None,
    display_name: Annotated[Filter, query("displayName", "Part of the display name.", "demo")] = None,
    state: Annotated[_State | None, query("state", "Only clusters in this state.")] = None,
    region: Annotated[Filter, query("region", "Only clusters in this region.", "cn-beijing")] = None,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> ListClusterResponse:
    """Return a page of the clusters that meet all conditions, newest first; destroyed ones stay in the list."""
    found = service.list_cluster(
        world,
        equal(Cluster.cluster_id, cluster_id),
        equal(Cluster.state, state),
        equal(Cluster.region_id, region),
        display_name=display_name,
        page_index=page_index,
        page_size=page_size,
    )
    shown = [ClusterSummary.from_row(cluster) for cluster in found.items]
    return ListClusterResponse.model_construct(**found.figures, clusters=Clusters.model_construct(cluster=shown))


@group.reads(
    "GetClusterDetails",
    "GET",
    f"{_CLUSTER}/details",
    evidence=documented("the service's metadata of GetClusterDetails"),
)
async def get_cluster_details(world: CurrentWorld, cluster_id: ClusterId) -> GetClusterDetailsResponse:
    """Return the details of a cluster, including its machines; one that is STARTING or DESTROYED has none."""
    cluster = service.get_cluster_details(world, cluster_id)
    return GetClusterDetailsResponse.model_construct(details=ClusterDetails.from_row(cluster))


@group.reads("GetClusterEngineVersions", "GET", f"{_CLUSTER}/engineversions", evidence="2020-09-28")
async def get_cluster_engine_versions(world: CurrentWorld, cluster_id: ClusterId) -> GetClusterEngineVersionsResponse:
    """Return the versions of Blink of a cluster, each after its tag: current is recommended, beta is for tests."""
    versions = service.get_cluster_engine_versions(world, cluster_id)
    return GetClusterEngineVersionsResponse.model_construct(
        engine_versions=EngineVersions.model_construct(engine_version=versions)
    )


@group.reads("GetClusterResource", "GET", f"{_CLUSTER}/resource", evidence="2019-05-06")
async def get_cluster_resource(world: CurrentWorld, cluster_id: ClusterId) -> GetClusterResourceResponse:
    """Return the resources of a cluster's slaves, those that running instances use, and the rest."""
    total, allocated = await service.get_cluster_resource(world, cluster_id)
    return GetClusterResourceResponse.model_construct(
        resource=ClusterResource.of_amounts(total=total, allocated=allocated)
    )


@group.writes("ExpandCluster", "PUT", f"{_CLUSTER}/expand", evidence="2020-09-28")
async def expand_cluster(
    world: CurrentWorld,
    cluster_id: ClusterId,
    count: Annotated[
        Int32 | None,
        form(
            "count",
            "New number of slaves, larger than the present one.",
            5,
            required=True,
            minimum=FEWEST_SLAVES,
            maximum=MOST_SLAVES,
        ),
    ] = None,
    model: Annotated[str | None, form("model", "Model of the slaves, the one there is.", "Ecs_4c16g")] = None,
    user_v_switch: Annotated[str | None, form("userVSwitch", "One more vSwitch.", "vsw-abcd")] = None,
) -> ApiResponse:
    """Begin to add slaves to a pay-as-you-go cluster: EXPANDING, then RUNNING."""
    service.expand_cluster(world, cluster_id, count=count, model=model, user_v_switch=user_v_switch)
    return ApiResponse.model_construct()


@group.writes("ShrinkCluster", "PUT", f"{_CLUSTER}/shrink", evidence="2019-05-06")
async def shrink_cluster(
    world: CurrentWorld,
    cluster_id: ClusterId,
    instance_ids: Annotated[
        str | None, form("instanceIds", "Ids of the slaves to remove, commas between.", "i-abc,i-def")
    ] = None,
    model_target_count: Annotated[
        str | None, form("modelTargetCount", "Number of slaves to keep, if no ids are given.", "2", '{"Ecs_4c16g":2}')
    ] = None,
) -> ApiResponse:
    """Begin to remove slaves from a pay-as-you-go cluster: REDUCING, then RUNNING."""
    service.shrink_cluster(world, cluster_id, instance_ids=instance_ids, model_target_count=model_target_count)
    return ApiResponse.model_construct()


@group.writes("ModifyMasterSpec", "PUT", f"{_CLUSTER}/specification", evidence="2019-05-06")
async def modify_master_spec(
    world: CurrentWorld,
    cluster_id: ClusterId,
    master_target_model: Annotated[
        str | None, form("masterTargetModel", "Model the masters get.", "Ecs_8c32g", required=True)
    ] = None,
) -> ApiResponse:
    """Begin to change the masters of a pay-as-you-go cluster: UPGRADING, then RUNNING."""
    service.modify_master_spec(world, cluster_id, master_target_model=master_target_model)
    return ApiResponse.model_construct()


@group.writes("DestroyCluster", "DELETE", _CLUSTER, evidence="2020-09-28")
async def destroy_cluster(world: CurrentWorld, cluster_id: ClusterId) -> ApiResponse:
    """Begin to release a pay-as-you-go cluster that has no projects: DESTROYING, then DESTROYED."""
    service.destroy_cluster(world, cluster_id)
    return ApiResponse.model_construct()
