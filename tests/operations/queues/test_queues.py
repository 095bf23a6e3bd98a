"""The rules of queues."""

import json
from typing import Any

import pytest

from foas_emulator.operations.queues import service
from foas_emulator.operations.queues.rows import Queue
from tests.api import Api
from tests.operations import building

PLAN = json.dumps(
    {
        "nodes": [
            {"id": 1, "type": "Source: a", "pact": "Data Source", "parallelism": 5, "core": 0.5, "heap_memory": 2048}
        ]
    }
)
"""Asks for 250 vcore and 10240 MB."""


def queues(api: Api, cluster_id: str) -> Any:
    return api.ok("GetClusterQueueInfo", clusterId=cluster_id)["Queues"]["Queue"]


def bound(api: Api, **conditions: Any) -> Any:
    return api.ok("ListProjectBindQueue", projectName="p", **conditions)["Queues"]["Queue"]


def bind(project_name: str = "p", queue_name: str = "root.p", *, cluster_id: str) -> dict[str, Any]:
    return {"projectName": project_name, "clusterId": cluster_id, "queueName": queue_name}


# -- shares of a cluster


def test_a_queue_is_shown_with_its_share_as_least_and_most(api: Api) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.b", vcore=4, mem=16)
    api.ok("CreateQueue", clusterId=cluster_id, queueName="root.a", maxVcore=200, maxMemMB=8192, gpu=1)
    first, second = queues(api, cluster_id)
    external_info = json.loads(first.pop("ExternalInfo"))
    assert first == {
        "ClusterId": cluster_id,
        "QueueName": "root.a",
        "MinGpu": 1,
        "MaxGpu": 1,
        "MinMem": 8192,
        "UsedVCore": 0,
        "UsedGpu": 0,
        "UsedMem": 0,
        "MinVCore": 200,
        "MaxVCore": 200,
        "MaxMem": 8192,
    }
    shown = {name[0].upper() + name[1:]: value for name, value in external_info.items()}
    assert shown.pop("Name") == "root.a"
    assert shown == {name: value for name, value in first.items() if name not in ("ClusterId", "QueueName")}
    assert (second["QueueName"], second["MaxVCore"], second["MaxMem"]) == ("root.b", 4, 16)


def test_a_figure_too_large_for_an_integer_stands_in_external_info_alone(api: Api) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.insert(Queue(cluster_id=cluster_id, queue_name="root.large", max_v_core=100, max_mem=2**31))
    (queue,) = queues(api, cluster_id)
    assert (queue["MaxMem"], queue["MinMem"], queue["MaxVCore"]) == (-9999, -9999, 100)
    assert json.loads(queue["ExternalInfo"])["maxMem"] == 2**31


@pytest.mark.parametrize("name", ["", "default", "root", "root.", "root.a.b", "root.a b", "root." + "n" * 124])
def test_a_queue_is_one_of_the_first_level(api: Api, name: str) -> None:
    cluster_id = building.cluster(api)
    api.refused("CreateQueue", clusterId=cluster_id, queueName=name, maxVcore=1, maxMemMB=1, code="InvalidqueueName")


@pytest.mark.parametrize("missing", ["queueName", "maxVcore", "maxMemMB"])
def test_a_queue_needs_a_name_and_a_share(api: Api, missing: str) -> None:
    given: dict[str, Any] = {"queueName": "root.a", "maxVcore": 100, "maxMemMB": 4096}
    del given[missing]
    api.refused("CreateQueue", clusterId=building.cluster(api), **given, code=f"Missing{missing}")


@pytest.mark.parametrize(("parameter", "value"), [("maxVcore", 0), ("maxMemMB", 0), ("gpu", -1)])
def test_a_share_is_not_nothing(api: Api, parameter: str, value: Any) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.b", vcore=100, mem=4096)
    given = {"maxVcore": 100, "maxMemMB": 4096} | {parameter: value}
    api.refused("CreateQueue", clusterId=cluster_id, queueName="root.a", **given, code=f"Invalid{parameter}")
    api.refused("UpdateQueue", clusterId=cluster_id, queueName="root.b", **given, code=f"Invalid{parameter}")


def test_a_queue_name_stands_once_in_a_cluster(api: Api) -> None:
    cluster_id, other = building.cluster(api), building.cluster(api)
    building.queue(api, cluster_id, "root.a", vcore=1, mem=1)
    given: dict[str, Any] = {"queueName": "root.a", "maxVcore": 1, "maxMemMB": 1}
    api.refused("CreateQueue", clusterId=cluster_id, **given, code="InvalidQueue.Duplicate")
    api.ok("CreateQueue", clusterId=other, **given)


def test_queues_take_no_more_than_the_cluster_has(api: Api) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.a", vcore=300, mem=12288)
    code = "InvalidQueue.InsufficientResource"
    refused: dict[str, Any] = {"clusterId": cluster_id, "queueName": "root.b"}
    refusal = api.refused("CreateQueue", **refused, maxVcore=301, maxMemMB=12288, code=code)
    assert "300 vcore and 12288 MB" in refusal.hint
    api.refused("CreateQueue", **refused, maxVcore=300, maxMemMB=12289, code=code)
    building.queue(api, cluster_id, "root.b", vcore=300, mem=12288)
    api.refused("UpdateQueue", **refused, maxVcore=301, code=code)


def test_a_queue_that_goes_gives_its_share_back(api: Api) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.a", vcore=600, mem=24576)
    api.ok("DeleteQueue", clusterId=cluster_id, queueName="root.a")
    building.queue(api, cluster_id, "root.b", vcore=600, mem=24576)
    assert [queue["QueueName"] for queue in queues(api, cluster_id)] == ["root.b"]


def test_an_update_of_a_queue_changes_what_is_given_and_keeps_the_rest(api: Api) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.a", vcore=100, mem=4096)
    api.ok("UpdateQueue", clusterId=cluster_id, queueName="root.a", maxVcore=600)
    (queue,) = queues(api, cluster_id)
    assert (queue["MaxVCore"], queue["MaxMem"]) == (600, 4096)
    api.ok("UpdateQueue", clusterId=cluster_id, queueName="root.a")
    assert queues(api, cluster_id) == [queue]
    api.refused("UpdateQueue", clusterId=cluster_id, maxVcore=1, code="MissingqueueName")


def test_a_queue_of_a_cluster_that_is_starting_cannot_be_made(api: Api) -> None:
    api.world.set({"cluster_delay": "30s"})
    given: dict[str, Any] = {"clusterId": building.cluster(api), "queueName": "root.a", "maxVcore": 1, "maxMemMB": 1}
    api.refused("CreateQueue", **given, code="InvalidCluster.NotRunning")
    api.advance("30s")
    api.ok("CreateQueue", **given)


def test_a_queue_of_a_cluster_that_is_shrinking_has_its_share_of_what_will_be_left(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=3)  # 900 vcore
    given: dict[str, Any] = {"clusterId": cluster_id, "queueName": "root.a", "maxMemMB": 1}
    api.ok("CreateQueue", **given, maxVcore=100)
    api.world.set({"cluster_delay": "30s"})
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount="2")
    code = "InvalidQueue.InsufficientResource"
    api.refused("UpdateQueue", **given, maxVcore=601, code=code)
    api.refused("CreateQueue", **given | {"queueName": "root.b"}, maxVcore=501, code=code)
    api.ok("CreateQueue", **given | {"queueName": "root.b"}, maxVcore=500)
    api.advance("30s")
    resource = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]
    assert sum(queue["MaxVCore"] for queue in queues(api, cluster_id)) == resource["TotalVirtualCores"] == 600


def test_a_queue_of_a_cluster_that_is_growing_has_its_share_of_what_is_there(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.world.set({"cluster_delay": "30s"})
    api.ok("ExpandCluster", clusterId=cluster_id, count=3)
    given: dict[str, Any] = {"clusterId": cluster_id, "queueName": "root.a", "maxMemMB": 1, "maxVcore": 601}
    api.refused("CreateQueue", **given, code="InvalidQueue.InsufficientResource")
    api.advance("30s")
    api.ok("CreateQueue", **given)


def test_an_absent_queue_or_cluster_is_not_found(api: Api) -> None:
    cluster_id = building.project(api, "p")
    for operation in ("UpdateQueue", "DeleteQueue"):
        api.refused(operation, clusterId=cluster_id, queueName="x", code="InvalidQueue.NotFound", status=404)
        api.refused(operation, clusterId="x", queueName="x", code="InvalidCluster.NotFound", status=404)
    for operation in ("BindQueue", "UnbindQueue"):
        absent = bind(queue_name="x", cluster_id=cluster_id)
        api.refused(operation, **absent, code="InvalidQueue.NotFound", status=404)
        api.refused(operation, **absent | {"clusterId": "x"}, code="InvalidCluster.NotFound", status=404)
        api.refused(operation, **absent | {"projectName": "x"}, code="InvalidProject.NotFound", status=404)
    api.refused("CreateQueue", clusterId="x", queueName="root.x", code="InvalidCluster.NotFound", status=404)
    api.refused("GetClusterQueueInfo", clusterId="x", code="InvalidCluster.NotFound", status=404)
    for operation in ("ListProjectBindQueue", "ListProjectBindQueueResource"):
        api.refused(operation, projectName="x", code="InvalidProject.NotFound", status=404)


def test_a_queue_is_named_to_be_deleted(api: Api) -> None:
    api.refused("DeleteQueue", clusterId=building.cluster(api), code="MissingqueueName")


# -- one queue, one project


def test_a_bound_queue_is_shown_with_its_project(api: Api) -> None:
    cluster_id = building.project(api, "p")
    building.queue(api, cluster_id, "root.p", vcore=200, mem=8192)
    assert bound(api) == []
    api.ok("BindQueue", **bind(cluster_id=cluster_id))
    assert bound(api) == [{"QueueName": "root.p", "ClusterId": cluster_id}]
    (resource,) = api.ok("ListProjectBindQueueResource", projectName="p")["Queues"]["Queue"]
    assert resource == {
        "UsedGpu": 0,
        "MaxMem": 8192,
        "UsedMem": 0,
        "MinGpu": 0,
        "MaxGpu": 0,
        "QueueName": "root.p",
        "MinVCore": 200,
        "UsedVCore": 0,
        "MinMem": 8192,
        "MaxVCore": 200,
        "ClusterId": cluster_id,
    }


@pytest.mark.parametrize("operation", ["ListProjectBindQueue", "ListProjectBindQueueResource"])
def test_the_queue_of_a_project_is_asked_for_by_cluster_and_name(api: Api, operation: str) -> None:
    cluster_id = building.project_with_queue(api, "p")

    def count(**conditions: Any) -> Any:
        return len(api.ok(operation, projectName="p", **conditions)["Queues"]["Queue"])

    assert count(clusterId=cluster_id, queueName="root.p") == 1
    assert count(clusterId="x", queueName="root.p") == 0
    assert count(queueName="root") == 0


def test_a_queue_serves_one_project(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.project(api, "q", cluster_id=cluster_id)
    refusal = api.refused("BindQueue", **bind("q", cluster_id=cluster_id), code="InvalidQueue.Bound")
    assert "'p'" in refusal.hint
    api.refused("BindQueue", **bind("p", cluster_id=cluster_id), code="InvalidQueue.Bound")


def test_a_project_has_one_queue(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.queue(api, cluster_id, "root.q")
    api.refused("BindQueue", **bind(queue_name="root.q", cluster_id=cluster_id), code="InvalidProject.QueueBound")


def test_cluster_and_queue_must_be_given_to_bind_and_unbind(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    for operation in ("BindQueue", "UnbindQueue"):
        api.refused(operation, projectName="p", queueName="root.p", code="MissingclusterId")
        api.refused(operation, projectName="p", clusterId=cluster_id, code="MissingqueueName")


def test_an_unbound_queue_is_free_for_another_project(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.project(api, "q", cluster_id=cluster_id)
    api.ok("UnbindQueue", **bind(cluster_id=cluster_id))
    assert bound(api) == []
    api.ok("BindQueue", **bind("q", cluster_id=cluster_id))


def test_only_its_own_queue_is_taken_from_a_project(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.project(api, "q", cluster_id=cluster_id)
    api.refused("UnbindQueue", **bind("q", cluster_id=cluster_id), code="InvalidQueue.NotBound")


def test_a_project_keeps_its_queue_while_a_job_is_online(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.online_job(api, "j")
    api.refused("UnbindQueue", **bind(cluster_id=cluster_id), code="InvalidProject.JobsOnline")
    api.ok("OfflineJob", projectName="p", jobName="j")
    api.ok("UnbindQueue", **bind(cluster_id=cluster_id))


def test_a_bound_queue_is_not_deleted(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    api.refused("DeleteQueue", clusterId=cluster_id, queueName="root.p", code="InvalidQueue.Bound")
    api.ok("UnbindQueue", **bind(cluster_id=cluster_id))
    api.ok("DeleteQueue", clusterId=cluster_id, queueName="root.p")


# -- what is used


def test_a_running_instance_uses_what_its_plan_asks_for(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.queue(api, cluster_id, "root.idle")
    building.online_job(api, "j", planJson=PLAN)
    api.ok("StartJob", projectName="p", jobName="j")
    shares = {queue["QueueName"]: (queue["UsedVCore"], queue["UsedMem"]) for queue in queues(api, cluster_id)}
    assert shares == {"root.idle": (0, 0), "root.p": (250, 10240)}
    (resource,) = api.ok("ListProjectBindQueueResource", projectName="p")["Queues"]["Queue"]
    assert (resource["UsedVCore"], resource["UsedMem"]) == (250, 10240)
    api.ok("ModifyInstanceState", projectName="p", jobName="j", instanceId=-1, expectState="PAUSED")
    assert {queue["UsedVCore"] for queue in queues(api, cluster_id)} == {0}


def test_instances_in_one_queue_use_the_sum_of_what_their_plans_ask_for(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    nodes = json.loads(PLAN)["nodes"]
    small = json.dumps({"nodes": [{**nodes[0], "parallelism": 1}]})
    used = []
    for name in ("j", "k"):
        building.online_job(api, name, planJson=small)
        api.ok("StartJob", projectName="p", jobName=name)
        (queue,) = queues(api, cluster_id)
        used.append((queue["UsedVCore"], queue["UsedMem"]))
    (vcore, memory), both = used
    assert vcore > 0
    assert both == (2 * vcore, 2 * memory)


def test_a_cluster_has_a_bounded_number_of_queues(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_QUEUES", 2)
    cluster_id = building.cluster(api)
    for name in ("root.a", "root.b"):
        building.queue(api, cluster_id, name, vcore=1, mem=1)
    given: dict[str, Any] = {"clusterId": cluster_id, "queueName": "root.c"}
    api.refused("CreateQueue", **given, maxVcore=1, maxMemMB=1, code="InvalidQueue.LimitExceeded")
    api.ok("DeleteQueue", clusterId=cluster_id, queueName="root.a")
    api.ok("CreateQueue", **given, maxVcore=1, maxMemMB=1)
