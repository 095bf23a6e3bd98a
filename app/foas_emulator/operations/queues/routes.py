"""The operations on queues."""

from typing import Annotated

from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import Int32
from foas_emulator.operations.parameters import ClusterId, CurrentWorld, Filter, ProjectName, form, query
from foas_emulator.operations.queues import service
from foas_emulator.operations.queues.schemas import (
    BoundQueue,
    BoundQueueResource,
    BoundQueueResources,
    BoundQueues,
    GetClusterQueueInfoResponse,
    ListProjectBindQueueResourceResponse,
    ListProjectBindQueueResponse,
    QueueDetails,
    QueueDetailsList,
)

group = Group("queues")

_QUEUE_OF_CLUSTER = "/api/v2/clusters/{clusterId}/queue"
_PROJECT = "/api/v2/projects/{projectName}"

_QueueName = Annotated[str | None, form("queueName", "Name of the queue.", "root.project1", required=True)]
_MaxVcore = Annotated[
    Int32 | None, form("maxVcore", "Most vcore of the queue; 100 are one core.", 400, required=True, minimum=0)
]
_MaxMemMB = Annotated[
    Int32 | None, form("maxMemMB", "Most memory of the queue, in MB.", 16384, required=True, minimum=0)
]
_OtherMaxVcore = Annotated[Int32 | None, form("maxVcore", "Most vcore of the queue; 100 are one core.", 400, minimum=0)]
_OtherMaxMemMB = Annotated[Int32 | None, form("maxMemMB", "Most memory of the queue, in MB.", 16384, minimum=0)]
_Gpu = Annotated[Int32 | None, form("gpu", "GPUs of the queue.", 0, minimum=0)]
_OnlyCluster = Annotated[Filter, query("clusterId", "Only a queue of this cluster.", "demo4b0v6t1kq8y2w7x5z3ca")]
_OnlyName = Annotated[Filter, query("queueName", "Only a queue of this name.", "root.project1")]


@group.writes("CreateQueue", "POST", _QUEUE_OF_CLUSTER, evidence="2021-02-03")
async def create_queue(
    world: CurrentWorld,
    cluster_id: ClusterId,
    *,
    queue_name: _QueueName = None,
    max_v_core: _MaxVcore = None,
    max_mem: _MaxMemMB = None,
    gpu: _Gpu = None,
) -> ApiResponse:
    """Create a queue, which reserves a share of a cluster at once. A name has the form `root.name`."""
    service.create_queue(world, cluster_id, queue_name=queue_name, max_v_core=max_v_core, max_mem=max_mem, gpu=gpu)
    return ApiResponse.model_construct()


@group.writes("UpdateQueue", "PUT", _QUEUE_OF_CLUSTER, evidence="2021-02-03")
async def update_queue(
    world: CurrentWorld,
    cluster_id: ClusterId,
    *,
    queue_name: _QueueName = None,
    max_v_core: _OtherMaxVcore = None,
    max_mem: _OtherMaxMemMB = None,
    gpu: _Gpu = None,
) -> ApiResponse:
    """Change the given figures of a queue's share of its cluster."""
    service.update_queue(world, cluster_id, queue_name=queue_name, max_v_core=max_v_core, max_mem=max_mem, gpu=gpu)
    return ApiResponse.model_construct()


@group.writes("DeleteQueue", "DELETE", _QUEUE_OF_CLUSTER, evidence="2020-09-28")
async def delete_queue(
    world: CurrentWorld,
    cluster_id: ClusterId,
    queue_name: Annotated[str | None, query("queueName", "Name of the queue.", "root.project1", required=True)] = None,
) -> ApiResponse:
    """Delete a queue that is bound to no project."""
    service.delete_queue(world, cluster_id, queue_name)
    return ApiResponse.model_construct()


@group.reads("GetClusterQueueInfo", "GET", "/api/v2/clusters/{clusterId}/queueinfo", evidence="2021-03-11")
async def get_cluster_queue_info(world: CurrentWorld, cluster_id: ClusterId) -> GetClusterQueueInfoResponse:
    """Return the queues of a cluster, by name, with their shares and the resources that running instances use."""
    queues = await service.get_cluster_queue_info(world, cluster_id)
    shown = QueueDetailsList.model_construct(queue=[QueueDetails.of_queue(queue, used) for queue, used in queues])
    return GetClusterQueueInfoResponse.model_construct(queues=shown)


@group.writes("BindQueue", "POST", f"{_PROJECT}/queue", evidence="2020-09-28")
async def bind_queue(
    world: CurrentWorld,
    project_name: ProjectName,
    cluster_id: Annotated[
        str | None, form("clusterId", "Cluster of the queue.", "demo4b0v6t1kq8y2w7x5z3ca", required=True)
    ] = None,
    queue_name: _QueueName = None,
) -> ApiResponse:
    """Bind the queue in which its jobs will run to a project. A queue has one project, and a project has one queue."""
    service.bind_queue(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    return ApiResponse.model_construct()


@group.writes("UnbindQueue", "DELETE", f"{_PROJECT}/queue", evidence="2020-09-28")
async def unbind_queue(
    world: CurrentWorld,
    project_name: ProjectName,
    cluster_id: Annotated[str, query("clusterId", "Cluster of the queue.", "demo4b0v6t1kq8y2w7x5z3ca")],
    queue_name: Annotated[str, query("queueName", "Name of the queue.", "root.project1")],
) -> ApiResponse:
    """Unbind the queue of a project whose jobs are all offline."""
    service.unbind_queue(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    return ApiResponse.model_construct()


@group.reads("ListProjectBindQueue", "GET", f"{_PROJECT}/queues", evidence="2019-05-06")
async def list_project_bind_queue(
    world: CurrentWorld, project_name: ProjectName, cluster_id: _OnlyCluster = None, queue_name: _OnlyName = None
) -> ListProjectBindQueueResponse:
    """Return the queue of a project, as a list."""
    queues = service.list_project_bind_queue(world, project_name, cluster_id=cluster_id, queue_name=queue_name)
    shown = BoundQueues.model_construct(queue=[BoundQueue.from_row(queue) for queue in queues])
    return ListProjectBindQueueResponse.model_construct(queues=shown)


@group.reads("ListProjectBindQueueResource", "GET", f"{_PROJECT}/queueresource", evidence="2019-05-06")
async def list_project_bind_queue_resource(
    world: CurrentWorld, project_name: ProjectName, cluster_id: _OnlyCluster = None, queue_name: _OnlyName = None
) -> ListProjectBindQueueResourceResponse:
    """Return the queue of a project, as a list, with its share and the resources that running instances use."""
    queues = await service.list_project_bind_queue_resource(
        world, project_name, cluster_id=cluster_id, queue_name=queue_name
    )
    shown = BoundQueueResources.model_construct(
        queue=[BoundQueueResource.of_queue(queue, used) for queue, used in queues]
    )
    return ListProjectBindQueueResourceResponse.model_construct(queues=shown)
