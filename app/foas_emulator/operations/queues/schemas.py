"""The wire models of queues, members in the order of each operation's documented sample.

100 vcore are one core; memory is in MB. The least and the most of a queue are the same, as in the public cloud.
"""

import json
from typing import Any

from foas_emulator.gateway.formats import ApiModel, ApiResponse
from foas_emulator.operations.queues.rules import QueueInUse

_LARGEST_INT32 = 2**31 - 1
_TOO_LARGE = -9999


class QueueDetails(ApiModel):
    """What GetClusterQueueInfo tells of a queue.

    A figure too large for 32 bits is -9999; `external_info` has all figures in full, as a JSON text.
    """

    cluster_id: str
    queue_name: str
    min_gpu: int
    max_gpu: int
    min_mem: int
    used_v_core: int
    used_gpu: int
    used_mem: int
    min_v_core: int
    max_v_core: int
    max_mem: int
    external_info: str

    @classmethod
    def of_queue(cls, queue: QueueInUse) -> "QueueDetails":
        return cls.model_construct(None, **_members(queue), external_info=_external_info(queue))


class QueueDetailsList(ApiModel):
    """The list of GetClusterQueueInfo."""

    queue: list[QueueDetails]


class GetClusterQueueInfoResponse(ApiResponse):
    """The answer of GetClusterQueueInfo."""

    queues: QueueDetailsList


class BoundQueue(ApiModel):
    """What ListProjectBindQueue tells of a queue."""

    queue_name: str
    cluster_id: str


class BoundQueues(ApiModel):
    """The list of ListProjectBindQueue."""

    queue: list[BoundQueue]


class ListProjectBindQueueResponse(ApiResponse):
    """The answer of ListProjectBindQueue."""

    queues: BoundQueues


class BoundQueueResource(ApiModel):
    """What ListProjectBindQueueResource tells of a queue."""

    used_gpu: int
    max_mem: int
    used_mem: int
    min_gpu: int
    max_gpu: int
    queue_name: str
    min_v_core: int
    used_v_core: int
    min_mem: int
    max_v_core: int
    cluster_id: str

    @classmethod
    def of_queue(cls, queue: QueueInUse) -> "BoundQueueResource":
        return cls.model_construct(None, **_members(queue))


class BoundQueueResources(ApiModel):
    """The list of ListProjectBindQueueResource."""

    queue: list[BoundQueueResource]


class ListProjectBindQueueResourceResponse(ApiResponse):
    """The answer of ListProjectBindQueueResource."""

    queues: BoundQueueResources


def _figures(in_use: QueueInUse) -> dict[str, int]:
    """A queue's figures by their names in Python. No job asks for a GPU, so none is used."""
    queue = in_use.queue
    return {
        "min_gpu": queue.max_gpu,
        "max_gpu": queue.max_gpu,
        "min_mem": queue.max_mem,
        "used_v_core": in_use.used.v_core,
        "used_gpu": 0,
        "used_mem": in_use.used.mem,
        "min_v_core": queue.max_v_core,
        "max_v_core": queue.max_v_core,
        "max_mem": queue.max_mem,
    }


def _members(in_use: QueueInUse) -> dict[str, Any]:
    figures = {name: figure if figure <= _LARGEST_INT32 else _TOO_LARGE for name, figure in _figures(in_use).items()}
    return {"cluster_id": in_use.queue.cluster_id, "queue_name": in_use.queue.queue_name, **figures}


def _external_info(in_use: QueueInUse) -> str:
    figures = _figures(in_use)
    shown = {
        "minGpu": figures["min_gpu"],
        "maxGpu": figures["max_gpu"],
        "name": in_use.queue.queue_name,
        "minMem": figures["min_mem"],
        "usedVCore": figures["used_v_core"],
        "usedGpu": figures["used_gpu"],
        "usedMem": figures["used_mem"],
        "minVCore": figures["min_v_core"],
        "maxVCore": figures["max_v_core"],
        "maxMem": figures["max_mem"],
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
