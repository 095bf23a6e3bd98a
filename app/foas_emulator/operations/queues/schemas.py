"""The wire models of queues, members in the order of each operation's documented sample.

100 vcore are one core; memory is in MB. The minimum and the maximum of a queue are the same, as in the public cloud.
"""

import json

from foas_emulator.blink.resource import Resource
from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32
from foas_emulator.operations.queues.rows import Queue

_LARGEST_INT32 = 2**31 - 1
_TOO_LARGE = -9999


class QueueDetails(ApiModel):
    """A queue in the answer of GetClusterQueueInfo.

    A figure too large for 32 bits is -9999; `external_info` has all figures in full, as a JSON text.
    """

    max_mem: Int32
    used_gpu: Int32
    external_info: str
    used_mem: Int32
    cluster_id: str
    min_gpu: Int32
    max_v_core: Int32
    min_v_core: Int32
    max_gpu: Int32
    min_mem: Int32
    queue_name: str
    used_v_core: Int32

    @classmethod
    def of_queue(cls, queue: Queue, used: Resource) -> "QueueDetails":
        """Return a queue with the resources in use. No job requests a GPU, so none is used."""
        return cls.model_construct(
            cluster_id=queue.cluster_id,
            queue_name=queue.queue_name,
            min_gpu=_int32(queue.max_gpu),
            max_gpu=_int32(queue.max_gpu),
            min_mem=_int32(queue.max_mem),
            used_v_core=_int32(used.v_core),
            used_gpu=0,
            used_mem=_int32(used.mem),
            min_v_core=_int32(queue.max_v_core),
            max_v_core=_int32(queue.max_v_core),
            max_mem=_int32(queue.max_mem),
            external_info=_external_info(queue, used),
        )


class QueueDetailsList(ApiModel):
    """The list of GetClusterQueueInfo."""

    queue: list[QueueDetails]


class GetClusterQueueInfoResponse(ApiResponse):
    """The answer of GetClusterQueueInfo."""

    queues: QueueDetailsList


class BoundQueue(ApiModel):
    """A queue in the answer of ListProjectBindQueue."""

    queue_name: str
    cluster_id: str


class BoundQueues(ApiModel):
    """The list of ListProjectBindQueue."""

    queue: list[BoundQueue]


class ListProjectBindQueueResponse(ApiResponse):
    """The answer of ListProjectBindQueue."""

    queues: BoundQueues


class BoundQueueResource(ApiModel):
    """A queue in the answer of ListProjectBindQueueResource."""

    used_gpu: Int32
    max_mem: Int32
    used_mem: Int32
    min_gpu: Int32
    max_gpu: Int32
    queue_name: str
    min_v_core: Int32
    used_v_core: Int32
    min_mem: Int32
    max_v_core: Int32
    cluster_id: str

    @classmethod
    def of_queue(cls, queue: Queue, used: Resource) -> "BoundQueueResource":
        """Return a queue with the resources in use."""
        return cls.from_row(QueueDetails.of_queue(queue, used))


class BoundQueueResources(ApiModel):
    """The list of ListProjectBindQueueResource."""

    queue: list[BoundQueueResource]


class ListProjectBindQueueResourceResponse(ApiResponse):
    """The answer of ListProjectBindQueueResource."""

    queues: BoundQueueResources


def _int32(figure: int) -> int:
    return figure if figure <= _LARGEST_INT32 else _TOO_LARGE


def _external_info(queue: Queue, used: Resource) -> str:
    shown = {
        "minGpu": queue.max_gpu,
        "maxGpu": queue.max_gpu,
        "name": queue.queue_name,
        "minMem": queue.max_mem,
        "usedVCore": used.v_core,
        "usedGpu": 0,
        "usedMem": used.mem,
        "minVCore": queue.max_v_core,
        "maxVCore": queue.max_v_core,
        "maxMem": queue.max_mem,
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
