"""The wire models of clusters, members in the order of each operation's documented sample."""

from typing import Self

from pydantic import Field

from foas_emulator.gateway.formats import Answer, Wire
from foas_emulator.operations.clusters.resource import Resource


class CreateCellClusterOrderAnswer(Answer):
    """The answer of CreateCellClusterOrder."""

    order_id: str


class CreateClusterAnswer(Answer):
    """The answer of CreateCluster."""

    cluster_id: str


class ClusterSummary(Wire):
    """What ListCluster tells of a cluster. Times are milliseconds."""

    operator: str
    gmt_create: int
    description: str | None = None
    zone_id: str | None = None
    owner_id: str
    cluster_id: str
    state: str
    display_name: str | None = None
    gmt_modified: int
    region_id: str


class Clusters(Wire):
    """The list of ListCluster."""

    cluster: list[ClusterSummary]


class ListClusterAnswer(Answer):
    """The answer of ListCluster."""

    total_count: int
    total_page: int
    page_size: int
    clusters: Clusters
    page_index: int


class ClusterDetails(Wire):
    """What GetClusterDetails tells of a cluster. Times are milliseconds; the last of them are JSON texts."""

    cluster_id: str
    region_id: str
    zone_id: str | None = None
    state: str
    description: str | None = None
    display_name: str | None = None
    owner_id: str
    operator: str
    storage_type: str
    gmt_create: int
    gmt_modified: int
    user_oss_info: str | None = None
    user_vpc_id: str | None = None
    user_sg_id: str | None = Field(default=None, alias="UserSGId")
    user_v_switch_list: str | None = None
    is_mix_deploy: bool
    instance_infos: str | None = None


class GetClusterDetailsAnswer(Answer):
    """The answer of GetClusterDetails."""

    details: ClusterDetails


class EngineVersions(Wire):
    """The list of GetClusterEngineVersions: a tag, two hyphens, a version."""

    engine_version: list[str]


class GetClusterEngineVersionsAnswer(Answer):
    """The answer of GetClusterEngineVersions."""

    engine_versions: EngineVersions


class ClusterResource(Wire):
    """What GetClusterResource tells: memory in MB, and vcore, of which 100 are one core."""

    total_mb: int = Field(alias="TotalMB")
    allocated_virtual_cores: int
    allocated_mb: int = Field(alias="AllocatedMB")
    available_mb: int = Field(alias="AvailableMB")
    total_virtual_cores: int
    available_virtual_cores: int

    @classmethod
    def of_amounts(cls, *, total: Resource, allocated: Resource) -> Self:
        """Nothing is available of what is taken twice, as a seed may have it."""
        available = total - allocated
        return cls.of(
            total_mb=total.mem,
            allocated_virtual_cores=allocated.v_core,
            allocated_mb=allocated.mem,
            available_mb=max(available.mem, 0),
            total_virtual_cores=total.v_core,
            available_virtual_cores=max(available.v_core, 0),
        )


class GetClusterResourceAnswer(Answer):
    """The answer of GetClusterResource."""

    resource: ClusterResource
