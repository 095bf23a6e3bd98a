"""The wire models of clusters, members in the order of each operation's documented sample."""

from typing import Annotated

from pydantic import Field

from foas_emulator.blink.resource import Resource
from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32, Int64, words
from foas_emulator.operations.clusters.lifecycle import STATES

_State = Annotated[str, words(*STATES)]


class CreateCellClusterOrderResponse(ApiResponse):
    """The answer of CreateCellClusterOrder."""

    order_id: str


class CreateClusterResponse(ApiResponse):
    """The answer of CreateCluster."""

    cluster_id: str


class ClusterSummary(ApiModel):
    """A cluster in the answer of ListCluster. Times are in milliseconds."""

    operator: str
    gmt_create: Int64
    description: str | None = None
    zone_id: str | None = None
    owner_id: str
    cluster_id: str
    state: _State
    display_name: str | None = None
    gmt_modified: Int64
    region_id: str


class Clusters(ApiModel):
    """The list of ListCluster."""

    cluster: list[ClusterSummary]


class ListClusterResponse(ApiResponse):
    """The answer of ListCluster."""

    total_count: Int64
    total_page: Int32
    page_size: Int32
    clusters: Clusters
    page_index: Int32


class ClusterDetails(ApiModel):
    """The cluster in the answer of GetClusterDetails. Times are in milliseconds.

    The machines, the user's OSS and the VSwitches are JSON texts.
    """

    instance_infos: str | None = None
    user_oss_info: str | None = None
    display_name: str | None = None
    user_vpc_id: str | None = None
    state: _State
    user_sg_id: str | None = Field(default=None, alias="UserSGId")
    storage_type: str
    gmt_modified: Int64
    user_v_switch_list: str | None = None
    owner_id: str
    region_id: str
    is_mix_deploy: bool
    description: str | None = None
    gmt_create: Int64
    zone_id: str | None = None
    operator: str
    cluster_id: str


class GetClusterDetailsResponse(ApiResponse):
    """The answer of GetClusterDetails."""

    details: ClusterDetails


class EngineVersions(ApiModel):
    """The list of GetClusterEngineVersions: a tag, two hyphens, a version."""

    engine_version: list[str]


class GetClusterEngineVersionsResponse(ApiResponse):
    """The answer of GetClusterEngineVersions."""

    engine_versions: EngineVersions


class ClusterResource(ApiModel):
    """The resources in the answer of GetClusterResource: memory in MB, and vcore, of which 100 are one core."""

    total_mb: Int64 = Field(alias="TotalMB")
    allocated_virtual_cores: Int64
    allocated_mb: Int64 = Field(alias="AllocatedMB")
    available_mb: Int64 = Field(alias="AvailableMB")
    total_virtual_cores: Int64
    available_virtual_cores: Int64

    @classmethod
    def of_amounts(cls, *, total: Resource, allocated: Resource) -> "ClusterResource":
        """Return total, allocated and the rest, which is 0 if instances of a seed use more than there is."""
        available = total - allocated
        return ClusterResource.model_construct(
            total_mb=total.mem,
            allocated_virtual_cores=allocated.v_core,
            allocated_mb=allocated.mem,
            available_mb=max(available.mem, 0),
            total_virtual_cores=total.v_core,
            available_virtual_cores=max(available.v_core, 0),
        )


class GetClusterResourceResponse(ApiResponse):
    """The answer of GetClusterResource."""

    resource: ClusterResource
